"""Simulators of other projects give the statistics of the right network, or refuse it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import BngSim, Copasi, GillesPy2, Rebop, RefusedError, RoadRunner, referee
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.process import run_worker
from sbmlgrad.referees.simulators.external import folded, is_installed
from sbmlgrad.referees.simulators.grids import uniform_steps
from sbmlgrad.referees.validate import validate

#: Interpreter of the environment that referees are installed in, if it is not this one.
PYTHON = os.environ.get("SBMLGRAD_PEERS_PYTHON")

SIMULATORS = (RoadRunner, Copasi, GillesPy2, Rebop, BngSim)


@pytest.fixture(params=SIMULATORS, ids=lambda kind: kind.__name__)
def judge(request: pytest.FixtureRequest) -> Any:
    for found in (request.param(), request.param(python=PYTHON)):
        if found.is_available():
            return found
    pytest.skip(f"{request.param().name} is not installed")


def test_exact_statistics_with_counters(judge: Any) -> None:
    n, alpha, mu = 3000, 2.0, 0.4
    times = np.array([0.0, 1.0, 4.0])
    document, counters = with_counters(normalised_sbml(lower(network("immigration_death"))))
    asked = ["X", counters["J0"], counters["J1"]]
    found = judge.sample(document, asked, times, n, 7, 120.0)
    assert found.trajectories == n
    assert found.version
    assert found.settings["seed"]
    assert found.counts is not None
    assert found.counts.shape == (n, 3, 3)
    x, births, deaths = np.moveaxis(found.counts, 2, 0)
    np.testing.assert_array_equal(x, births - deaths)
    assert (found.counts[:, 0] == 0.0).all()
    exact = {0: alpha / mu * (1.0 - np.exp(-mu * times)), 1: alpha * times}
    for column, mean in exact.items():
        z = (found.mean[1:, column] - mean[1:]) / np.sqrt(mean[1:] / n)
        assert np.abs(z).max() < 5.0, f"z = {z}"
        y = (found.variance[1:, column] / mean[1:] - 1.0) / np.sqrt((2.0 + 1.0 / mean[1:]) / n)
        assert np.abs(y).max() < 5.0, f"y = {y}"


def test_seeds(judge: Any) -> None:
    document = normalised_sbml(lower(network("small_dimer")))
    first, again, other = (
        judge.sample(document, ["A", "C"], np.array([0.5, 1.0]), 30, seed, 120.0).counts
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(first.sum(axis=2), 6.0)
    # Trajectories differ from each other too.
    assert len(np.unique(first.reshape(30, -1), axis=0)) > 5


def test_it_agrees_on_a_network_of_several_kinds_of_laws(judge: Any) -> None:
    report = validate(
        network("michaelis_menten"), judge, times=[0.5, 1, 2], trajectories=1500, seed=8
    )
    assert report.agrees, str(report)
    assert report.comparisons[0].tests > 30


def test_the_time_limit(judge: Any) -> None:
    document = normalised_sbml(lower(network("immigration_death")), [1e9, 1e-9])
    with pytest.raises(RefereeError, match="did not finish within 3 s"):
        judge.sample(document, ["X"], np.array([100.0]), 1000, 1, 3.0)


def program(folder: Path, text: str) -> str:
    """Return the path of a shell script."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_without_the_package(tmp_path: Path) -> None:
    # -S leaves out the folder that packages are installed in; what it prints first is no answer.
    empty = program(tmp_path, f'echo welcome; exec {sys.executable} -S "$@"')
    absent = referee("rebop", empty)
    assert not absent.is_available()
    with pytest.raises(
        RefereeError,
        match=f"'rebop': not installed in the environment of {empty}; install it there",
    ):
        validate(network("hill"), absent, times=[1], seed=1)
    assert is_installed(["json"], empty)
    assert referee("fsp", empty).is_available()


@pytest.mark.parametrize("text", ["exit 0", "exit 1", "echo hello True"])
def test_an_interpreter_that_is_no_python(text: str, tmp_path: Path) -> None:
    wrong = program(tmp_path, text)
    with pytest.raises(RequestError, match="is no Python that works") as caught:
        validate(network("hill"), referee("rebop", wrong), times=[1], seed=1)
    assert "--peers-python" in str(caught.value)


def test_an_interpreter_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="could not be asked for numpy"):
        is_installed(["numpy"], str(tmp_path / "nothing"))


def test_a_refusal_is_no_failure(tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import sys\nprint('noise\\nrefused: no events here', file=sys.stderr)\nsys.exit(77)\n"
    )
    with pytest.raises(RefusedError, match="it does not simulate this network: no events"):
        run_worker(worker, {}, b"", referee="judge", timeout_s=60.0)


def test_who_refuses_is_left_out_with_the_reason() -> None:
    class Refuser(RoadRunner):
        def is_available(self) -> bool:
            return True

        def sample(self, *_: Any, **__: Any) -> Any:
            raise RefusedError("it knows no such thing")

    report = validate(network("small_dimer"), [Refuser(), "fsp"], times=[1], seed=1)
    assert report.skipped["roadrunner"] == ("it knows no such thing",)
    assert len(report.comparisons) == 1
    with pytest.raises(RefereeError, match="no such thing"):
        validate(network("small_dimer"), Refuser(), times=[1], seed=1)


def test_rebop_names_what_its_laws_do_not_know() -> None:
    model = sg.load(
        "unit substance = item; unit extent = item; compartment c = 1;"
        "substanceOnly species X in c; X = 1; J0: => X; exp(-X) + piecewise(1, time < 1, 2);"
    )
    found = Rebop().objections(lower(model), np.array([1.0]))
    assert "law of 'J0' that depends on time" in found[0]
    assert "exp" in found[1]


def test_counters() -> None:
    model = network("enzyme")
    document, counters = with_counters(normalised_sbml(lower(model)))
    counted = sg.load(document.decode())
    assert set(counters.values()) < set(counted.species_ids)
    assert not [i for i in counted.issues if str(i.severity) == "error"]
    found = sg.simulate(counted, times=[2.0], trajectories=50, seed=1)
    fired = {name: found.values(c, "counts")[:, 0] for name, c in counters.items()}
    product = found.values("P", "counts")[:, 0]
    made = [name for name, values in fired.items() if np.array_equal(values, product)]
    assert len(made) == 1
    plain = sg.simulate(sg.load(normalised_sbml(lower(model)).decode()), times=[2.0], seed=1)
    assert set(plain.species) | set(counters.values()) == set(counted.species_ids)


def test_even_grids() -> None:
    assert uniform_steps(np.array([0.0, 1.0, 2.0])) == 2
    assert uniform_steps(np.array([0.5, 2.0])) == 4
    assert uniform_steps(np.array([0.1, 0.13, 4.0])) == 400
    assert uniform_steps(np.array([0.0])) is None
    assert uniform_steps(np.array([1.0, np.pi])) is None
    assert (
        "evenly spaced" in GillesPy2().objections(lower(network("hill")), np.array([1, np.pi]))[0]
    )


def test_every_bit_of_a_seed_counts() -> None:
    seeds = [folded(s, 31) for s in (1, 1 + 2**31, 1 + 2**32, 1 + 2**60)]
    assert len(set(seeds)) == 4
    assert max(seeds) < 2**31
    low = np.mean([folded(s, 31) < 2**30 for s in range(400)])
    z = (low - 0.5) / np.sqrt(0.25 / 400)
    assert abs(z) < stats.norm.isf(1e-6), f"z = {z:.2f}"
