"""The CUDA engine on numba's simulator: same trajectories, same ends, planted faults are found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from cuda_cases import CASES, FAULTS
from cuda_child import FIELDS, recorded
from networks import ROOT

from sbmlgrad.engines import Native, Outcome, Reference
from sbmlgrad.engines.base import Sample
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt

Simulated = Callable[[str], Sample]


def on_simulator(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    path = tmp_path_factory.mktemp("cuda") / "samples.npz"
    child = on_simulator("tests/helpers/cuda_child.py", str(path))
    assert child.returncode == 0, child.stderr
    with np.load(path) as stored:
        arrays = dict(stored)

    def sample(name: str) -> Sample:
        return Sample(*(arrays[f"{name}/{field}"] for field in FIELDS), engine="Cuda()")

    return sample


def assert_same(a: Sample, b: Sample) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


@pytest.mark.parametrize("name", CASES)
def test_same_trajectories_and_ends_as_the_reference(name: str, simulated: Simulated) -> None:
    case = CASES[name]
    limit = {k: v for k, v in case.engine.items() if k == "firing_limit"}
    ours, reference = simulated(name), recorded(case, Reference(**limit))
    np.testing.assert_array_equal(ours.outcomes, reference.outcomes)
    np.testing.assert_array_equal(ours.firings, reference.firings)
    np.testing.assert_array_equal(ours.failed_reaction, reference.failed_reaction)
    np.testing.assert_array_equal(ours.end_states, reference.end_states)
    # The logarithm is rounded differently from NumPy's, and averages are summed in another order.
    np.testing.assert_allclose(ours.end_times, reference.end_times, rtol=1e-12)
    if isinstance(case.readout, ValuesAt):
        np.testing.assert_array_equal(ours.values, reference.values)
    else:
        np.testing.assert_allclose(ours.values, reference.values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("negative count", Outcome.NEGATIVE_COUNT),
        ("negative propensity", Outcome.NEGATIVE_PROPENSITY),
        ("undefined propensity", Outcome.NON_FINITE),
        ("infinite total", Outcome.NON_FINITE),
        ("runaway", Outcome.FIRING_LIMIT),
        ("absorbed", Outcome.ABSORBED),
        ("no reactions", Outcome.ABSORBED),
    ],
)
def test_each_case_ends_as_it_is_meant_to(
    name: str, outcome: Outcome, simulated: Simulated
) -> None:
    assert (simulated(name).outcomes == outcome).any()


def test_no_trajectory_differs_from_the_cpu_by_a_tie(simulated: Simulated) -> None:
    differing = trajectories = 0
    for name, case in CASES.items():
        if not isinstance(case.readout, ValuesAt | AfterFirings):
            continue
        limit = {k: v for k, v in case.engine.items() if k == "firing_limit"}
        ours, cpu = simulated(name), recorded(case, Native(kernel="table", **limit))
        # Every bit, of the times after firings too.
        same = (ours.values == cpu.values).all(axis=(1, 2)) & (ours.firings == cpu.firings)
        differing += int((~same).sum())
        trajectories += len(same)
    assert trajectories > 500
    assert differing == 0


@pytest.mark.parametrize("name", ["small_dimer ValuesAt", "small_dimer WindowAverages"])
def test_length_of_launches_changes_nothing(name: str, simulated: Simulated) -> None:
    assert_same(simulated(f"short launches {name}"), simulated(name))


def test_number_of_threads_changes_nothing(simulated: Simulated) -> None:
    assert_same(simulated("many threads"), simulated("small_dimer ValuesAt"))


def test_parts_that_fit_into_memory_are_put_together(simulated: Simulated) -> None:
    assert_same(simulated("parts"), simulated("small_dimer ValuesAt"))
    assert_same(simulated("parts random start"), simulated("random start"))


def test_results_on_the_device_are_the_same(simulated: Simulated) -> None:
    assert_same(simulated("on device"), simulated("small_dimer ValuesAt"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, simulated: Simulated) -> None:
    good, bad = simulated("small_dimer ValuesAt"), simulated(f"fault {fault}")
    assert (good.values != bad.values).any()
    assert (good.firings != bad.firings).any()


def test_the_contract_of_all_engines_holds() -> None:
    child = on_simulator("tests/helpers/cuda_contract.py")
    assert child.returncode == 0, child.stdout
    assert " passed" in child.stdout
