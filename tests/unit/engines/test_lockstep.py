"""The lockstep kernel gives what the table-driven kernel gives, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from kernel_jobs import CASES, OUT_OF_RANGE, assert_same_bits, both, case, request_of, versatile
from networks import antimony, network
from stream_quality.engines import always_one, counting_up

from sbmlgrad.codegen.kernel_laws import kernel_inputs, kernel_laws
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.engines import Native, Outcome
from sbmlgrad.engines.lockstep import kernel as lockstep_kernel
from sbmlgrad.engines.lockstep import sampling as lockstep
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages

READOUTS = [
    ValuesAt([0, 0.3, 1, 2.5, 20]),
    WindowAverages([0, 0.37, 0.371, 5.9, 20]),
    WindowAverages([0.4, 0.9, 1.0, 20]),
    Interpolated([0, 0.2, 1.1, 20]),
    AfterFirings([0, 1, 7, 90]),
]
ONE_OF_EACH = [READOUTS[0], *READOUTS[2:]]
OUTCOMES = {
    "goes_on": (Outcome.COMPLETED, -1),
    "absorbed": (Outcome.ABSORBED, -1),
    "runs_out": (Outcome.NEGATIVE_COUNT, 3),
    "turns_negative": (Outcome.NEGATIVE_PROPENSITY, 5),
    "overflows": (Outcome.NON_FINITE, 6),
}


def kind_of(readout: Readout) -> str:
    return type(readout).__name__


@pytest.mark.parametrize("readout", READOUTS, ids=kind_of)
@pytest.mark.parametrize("name", CASES)
def test_every_end_of_a_trajectory(name: str, readout: Readout) -> None:
    found = assert_same_bits(case(name, readout))
    outcome, reaction = OUTCOMES[name]
    ended = found.outcomes == outcome
    assert ended.sum() > 10
    assert set(found.failed_reaction[ended]) == {reaction}
    assert found.engine == "Native(kernel='lockstep')"


@pytest.mark.parametrize("readout", ONE_OF_EACH, ids=kind_of)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 30])
def test_the_firing_limit_is_reached_and_not_passed(limit: int, readout: Readout) -> None:
    found = assert_same_bits(case("goes_on", readout), firing_limit=limit)
    assert (found.firings == limit).any()
    assert found.firings.max() == limit


@pytest.mark.parametrize("readout", ONE_OF_EACH, ids=kind_of)
def test_a_limit_that_some_reach_at_the_very_end(readout: Readout) -> None:
    free = Native(kernel="table").sample(case("absorbed", readout)).firings
    limit = int(np.median(free))
    found = assert_same_bits(case("absorbed", readout), firing_limit=limit)
    stopped = found.outcomes == Outcome.FIRING_LIMIT
    assert stopped.any()
    # Exactly as many firings as are allowed, and nothing left to fire, is no runaway.
    assert (found.outcomes[free == limit] == Outcome.ABSORBED).any()


@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64, 65, 200])
def test_any_number_of_trajectories(count: int) -> None:
    request = case("runs_out", READOUTS[2], count)
    assert_same_bits(request, threads=1)
    assert_same_bits(request, threads=3)


@pytest.mark.parametrize("readout", ONE_OF_EACH, ids=kind_of)
def test_the_last_trajectories_of_a_seed(readout: Readout) -> None:
    request = case("goes_on", readout, 200, seed=2**63 - 1, first=2**32 - 200)
    found = assert_same_bits(request)
    assert len({tuple(end) for end in found.end_times[:, None]}) == 200


@pytest.mark.parametrize("readout", ONE_OF_EACH, ids=kind_of)
def test_every_trajectory_has_its_own_start(readout: Readout) -> None:
    start = np.stack([np.arange(90) % 13, np.arange(90) // 9], axis=1)
    found = assert_same_bits(case("goes_on", readout, 90, start=start))
    if readout.kind == ONE_OF_EACH[0].kind:
        np.testing.assert_array_equal(found.values[:, 0], start)


@pytest.mark.parametrize(
    "readout",
    [
        ValuesAt(np.linspace(0, 2, 3001)),
        ValuesAt(np.linspace(1.7, 1.9, 2000)),
        WindowAverages(np.linspace(0, 2, 3001)),
        WindowAverages(np.linspace(0.7, 2, 1501)),
        Interpolated(np.linspace(0, 2, 3001)),
        ValuesAt([300.0]),
        WindowAverages([0.01, 300.0]),
        WindowAverages([299.9, 300.0]),
        Interpolated([300.0]),
        AfterFirings([3000]),
        AfterFirings(range(1000)),
    ],
    ids=lambda r: f"{kind_of(r)}-{len(r.points)}",
)
def test_grids_far_denser_and_far_sparser_than_firings(readout: Readout) -> None:
    found = assert_same_bits(case("goes_on", readout, 20))
    assert found.firings.max() > 5 * len(readout.points) or len(readout.points) >= 1000


def test_points_at_the_very_times_of_firings() -> None:
    """A point belongs to the line that ends there; the firing after it begins the next line."""
    numbers = AfterFirings([1, 2, 3, 10, 11, 40])
    times = Native(kernel="table").sample(case("goes_on", numbers, 1)).values[0, :, -1]
    found = assert_same_bits(case("goes_on", Interpolated(times), 20))
    states = Native(kernel="table").sample(case("goes_on", numbers, 1)).values[0, :, :-1]
    np.testing.assert_array_equal(found.values[0], states)
    assert found.firings[0] == 40


@pytest.mark.parametrize(("limit", "outcome"), [(10**6, "NEGATIVE_COUNT"), (3, "FIRING_LIMIT")])
def test_a_line_to_a_firing_that_does_not_happen(limit: int, outcome: str) -> None:
    """Points are so dense that every firing has some before it, the one that fails too."""
    request = case("runs_out", Interpolated(np.linspace(0, 20, 3001)), 200)
    found = assert_same_bits(request, firing_limit=limit)
    assert (found.outcomes == Outcome[outcome]).sum() > 10


@pytest.mark.parametrize("rule", [always_one, counting_up], ids=["one_step", "many_steps"])
def test_results_do_not_depend_on_how_long_spells_are(
    rule: Callable[[], Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = [f for f in lockstep_kernel.LOCKSTEP if f.__name__ != "next_spell"]
    changed = (*functions, rule())
    # Else the comparison would compare nothing: a module is kept for its functions.
    assert kernel_module(changed) is not kernel_module(lockstep_kernel.LOCKSTEP)
    monkeypatch.setattr(lockstep, "LOCKSTEP", changed)
    for readout in ONE_OF_EACH:
        for name in ("goes_on", "runs_out"):
            assert_same_bits(case(name, readout))
        found = assert_same_bits(case("goes_on", readout), firing_limit=33)
        assert found.firings.max() == 33


@pytest.mark.parametrize(("few", "many"), [(1, 1), (2, 5)])
def test_results_do_not_depend_on_the_number_of_lanes(
    few: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockstep, "FEW_LANES", few)
    monkeypatch.setattr(lockstep, "LANES", many)
    for name in ("goes_on", "overflows"):
        assert_same_bits(case(name, READOUTS[2], 33))


def test_blocks_of_one_trajectory_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    request = case("absorbed", READOUTS[2], 50)
    whole = assert_same_bits(request)
    monkeypatch.setattr(lockstep, "LARGEST_BLOCK", 1)
    np.testing.assert_array_equal(assert_same_bits(request).values, whole.values)


def test_laws_out_of_range_are_taken_as_written() -> None:
    request = request_of(antimony(OUT_OF_RANGE), AfterFirings([3]), 5)
    assert kernel_inputs(kernel_laws(request.lowered), request.inputs) is None
    assert (assert_same_bits(request).firings == 3).all()


def test_rates_so_small_that_waiting_times_are_infinite() -> None:
    tiny = {"birth": 5e-324, "death": 0.0, "dimer": 0.0}
    for readout in (ValuesAt([0, 1e308]), AfterFirings([1, 2])):
        request = case("goes_on", readout, 40)
        names = request.lowered.input_ids
        request.inputs[[names.index(i) for i in tiny]] = list(tiny.values())
        assert_same_bits(request)


def test_a_start_in_which_nothing_can_happen() -> None:
    request = case("absorbed", WindowAverages([0, 1]), 20, start=[[0, 3]])
    found = assert_same_bits(request)
    assert (found.outcomes == Outcome.ABSORBED).all()
    np.testing.assert_array_equal(found.values[:, 0], np.broadcast_to([0.0, 3.0], (20, 2)))


def test_epidemics_end_alike() -> None:
    found = assert_same_bits(request_of(network("epidemic"), ValuesAt([0, 5, 60, 80]), 130))
    assert (found.outcomes == Outcome.ABSORBED).all()


def test_the_versatile_network_does_what_the_cases_say() -> None:
    assert len(case("goes_on", READOUTS[0]).lowered.channels) == 7
    assert versatile() is versatile()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_total_of_minus_zero_is_nothing(dtype: str) -> None:
    # Without a molecule the law is 0 times -1.
    net = antimony("substanceOnly species X in cell; X = 4; k = 1; J0: 2 X => ; k*X*(X - 1);")
    for readout in (ValuesAt([0, 50]), AfterFirings([1, 9])):
        request = request_of(net, readout, 40, start=[[4 + i % 2] for i in range(40)])
        table, found = both(request, dtype=dtype)
        assert (found.outcomes == Outcome.ABSORBED).all()
        assert (found.firings == 2).all()
        np.testing.assert_array_equal(found.end_states[:, 0], np.arange(40) % 2)
        np.testing.assert_array_equal(found.values[..., 0], table.values[..., 0])
