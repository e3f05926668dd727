"""Single precision: the table-driven and the lockstep kernel make the same firings."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_jobs import CASES, assert_same_bits, both, case, request_of
from networks import antimony, network, shipped

import sbmlgrad as sg
from sbmlgrad.engines import Native, Outcome
from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, Readout, ValuesAt, WindowAverages

READOUTS = [
    ValuesAt([0, 0.3, 1, 2.5, 20]),
    WindowAverages([0.4, 0.9, 1.0, 20]),
    Interpolated([0, 0.2, 1.1, 20]),
    AfterFirings([0, 1, 7, 90]),
]
TINY = "substanceOnly species X in cell, Y in cell, Z in cell; X = {x}; Y = {x}; Z = {x};"


def kind_of(readout: Readout) -> str:
    return type(readout).__name__


def assert_same_firings(request: Request, **settings) -> Sample:
    """Check that both kernels fire alike, at times that differ by rounding; returns lockstep's."""
    table, lockstep = both(request, dtype="float32", **settings)
    for field in ("outcomes", "firings", "failed_reaction", "end_states"):
        np.testing.assert_array_equal(
            getattr(lockstep, field), getattr(table, field), err_msg=field
        )
    np.testing.assert_allclose(lockstep.end_times, table.end_times, rtol=1e-5)
    ours, theirs = lockstep.values, table.values
    if isinstance(request.readout, ValuesAt):
        np.testing.assert_array_equal(ours, theirs)
    elif isinstance(request.readout, AfterFirings):
        np.testing.assert_array_equal(ours[..., :-1], theirs[..., :-1])
        # The error of a waiting time is 1e-7 of its mean, however short it turns out to be.
        np.testing.assert_allclose(ours[..., -1], theirs[..., -1], rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)
    return lockstep


@pytest.mark.parametrize("readout", READOUTS, ids=kind_of)
@pytest.mark.parametrize("name", CASES)
def test_every_end_of_a_trajectory(name: str, readout: Readout) -> None:
    assert_same_firings(case(name, readout))


def test_every_single_firing_of_the_oscillator() -> None:
    found = assert_same_firings(request_of(shipped("oscillator"), AfterFirings(range(3000)), 20))
    assert (found.firings == 2999).all()
    assert np.unique(np.diff(found.values[:, :, 0])).size > 1


def test_epidemics_fire_and_end_alike() -> None:
    found = assert_same_firings(request_of(network("epidemic"), ValuesAt([0, 5, 60, 80]), 130))
    assert (found.outcomes == Outcome.ABSORBED).all()


@pytest.mark.parametrize("count", [1, 15, 16, 17, 65, 200])
def test_any_number_of_trajectories_and_the_last_ones_of_a_seed(count: int) -> None:
    request = case("goes_on", READOUTS[1], count, seed=2**63 - 1, first=2**32 - count)
    assert_same_firings(request)


def test_threads_and_lanes_make_no_difference_beyond_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = case("goes_on", READOUTS[0], 90)
    whole = assert_same_firings(request, threads=1)
    monkeypatch.setattr("sbmlgrad.engines.lockstep.sampling.LANES", 5)
    parts = assert_same_firings(request, threads=3)
    np.testing.assert_array_equal(parts.values, whole.values)
    np.testing.assert_allclose(parts.end_times, whole.end_times, rtol=1e-6)


@pytest.mark.parametrize("readout", READOUTS, ids=kind_of)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 30])
def test_the_firing_limit_is_reached_and_not_passed(limit: int, readout: Readout) -> None:
    found = assert_same_firings(case("goes_on", readout), firing_limit=limit)
    assert (found.firings == limit).any()
    assert found.firings.max() == limit


@pytest.mark.parametrize("readout", READOUTS, ids=kind_of)
def test_every_trajectory_has_its_own_start(readout: Readout) -> None:
    start = np.stack([np.arange(90) % 13, np.arange(90) // 9], axis=1)
    assert_same_firings(case("goes_on", readout, 90, start=start))


@pytest.mark.parametrize(
    "readout",
    [
        ValuesAt(np.linspace(0, 2, 3001)),
        WindowAverages(np.linspace(0.7, 2, 1501)),
        Interpolated(np.linspace(0, 2, 3001)),
        ValuesAt([300.0]),
        WindowAverages([299.9, 300.0]),
    ],
    ids=lambda r: f"{kind_of(r)}-{len(r.points)}",
)
def test_grids_far_denser_and_far_sparser_than_firings(readout: Readout) -> None:
    table, lockstep = both(case("goes_on", readout, 20), dtype="float32")
    np.testing.assert_array_equal(lockstep.firings, table.firings)
    np.testing.assert_array_equal(lockstep.end_states, table.end_states)
    # A jump that lies within rounding of a point of the grid shows there in one of the two.
    differing = ~np.isclose(lockstep.values, table.values, rtol=1e-3, atol=1e-2)
    assert differing.mean() < 1e-3


def slowed(readout: type[Readout], points: list[float], factor: float) -> Request:
    """Return a case with all rates small, which below 1e-30 in all are not decided in lanes."""
    rates = {"birth": 3.0 * factor, "death": 0.5 * factor, "dimer": 0.1 * factor}
    request = case("goes_on", readout([p / factor for p in points]), 70)  # type: ignore[arg-type]
    names = request.lowered.input_ids
    request.inputs[[names.index(name) for name in rates]] = list(rates.values())
    return request


@pytest.mark.parametrize("readout", [ValuesAt, WindowAverages, Interpolated])
def test_firings_that_lanes_do_not_decide(readout: type[Readout]) -> None:
    # Handed over one by one, every firing is that of the table-driven kernel to the last bit ...
    points = [0.4, 0.9, 1.0, 3.0, 20.0]
    request = slowed(readout, points, 1e-33)
    if readout is not WindowAverages:  # averages are put together in another order
        assert_same_bits(request, dtype="float32")
    assert_same_firings(request)
    # ... and some of them, in turns with those that lanes make, still agree.
    assert_same_firings(slowed(readout, points, 2.5e-31))


@pytest.mark.parametrize("count", [2**23 - 20, 2**23, 2**24 - 1, 2**24 + 1, 20_000_001, 2**40 + 1])
def test_large_counts_are_exact_to_the_last_molecule(count: int) -> None:
    net = antimony(
        "substanceOnly species X in cell; X = 5; J0: => X; 10; J1: X => ; 1e-7*X;"
        "J2: X => 2 X; 1e-7*X;"
    )
    request = request_of(net, ValuesAt([0, 0.5, 3]), 5, start=[[count]])
    found = assert_same_firings(request)
    assert (found.values[:, 0] == count).all()
    assert (found.firings > 20).all()


def test_counts_that_outgrow_single_precision_within_a_spell() -> None:
    net = antimony(
        "substanceOnly species X in cell; X = 0; J0: => 5000001 X; 100; J1: X => ; 1e-9*X;"
    )
    found = assert_same_firings(request_of(net, ValuesAt([0.01, 0.1, 2]), 20))
    assert found.values.max() > 2**28


def test_coefficients_that_single_precision_cannot_hold() -> None:
    # 1.3e-44 is 9 steps of the smallest number of single precision, 1e-46 is nothing in it.
    change = "X + Y + Z => X + Y + Z +"
    coarse = antimony(
        TINY.format(x=1_000_000) + f"k = 1.3e-44; J0: {change} Z; k*X*Y*Z; J1: {change} Y;"
        "1.8*k*X*Y*Z;"
    )
    assert_same_firings(request_of(coarse, ValuesAt([1e27, 4e28]), 10))
    nothing = antimony(
        "substanceOnly species X in cell, Y in cell, Z in cell; X = 1000000; Y = 0; Z = 0;"
        "k = 1e-46; J0: X => X + Y; k*X^8; J1: => Z; 100;"
    )
    found = assert_same_firings(request_of(nothing, ValuesAt([1]), 1, inputs={"k": 1e-46}))
    assert found.end_states[0, 1] > 50


def test_a_negative_law_that_single_precision_rounds_to_zero_is_found() -> None:
    net = antimony(
        "substanceOnly species X in cell; X = 3; J0: => X; 1; J1: X => ; 1e-47*X*ln(X/4 + 0.3);"
    )
    # With three molecules the law is positive; with one or two it is not.
    request = request_of(net, ValuesAt([10]), 5, start=[[1]])
    found = assert_same_firings(request)
    assert (found.outcomes == Outcome.NEGATIVE_PROPENSITY).all()


def test_the_tree_kernel_refuses_single_precision() -> None:
    with pytest.raises(sg.RequestError, match=r"kernel='tree'.*double precision.*dtype"):
        Native(kernel="tree", dtype="float32")
    with pytest.raises(sg.RequestError, match=r"dtype='float16'"):
        Native(dtype="float16")


def test_the_name_says_single_precision() -> None:
    found = Native(dtype="float32", kernel="lockstep").sample(case("goes_on", READOUTS[0], 3))
    assert found.engine == "Native(kernel='lockstep', dtype='float32')"
    assert "float32" in Native(dtype="float32").sample(case("goes_on", READOUTS[0], 3)).engine


def test_trajectories_are_not_those_of_double_precision() -> None:
    request = case("goes_on", AfterFirings([1]), 50)
    wide, _ = both(request)
    narrow, _ = both(request, dtype="float32")
    assert not np.isclose(wide.end_times, narrow.end_times, rtol=1e-4).any()
