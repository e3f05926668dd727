"""`StraightThrough` in lockstep: the same gradient as one trajectory after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kernel_jobs import BUSY, NO_PRODUCTS, request_of
from networks import HEAD, antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen import straight_form
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, WindowAverages, columns
from sbmlgrad.gradients import StraightThrough
from sbmlgrad.gradients.paths import path_adjoint, straight_kernel
from sbmlgrad.gradients.paths.lockstep_straight import LEAST_TEMPERATURE

TABLE = sg.engines.Native(threads=1, kernel="table")
LOCKSTEP = sg.engines.Native(threads=2, kernel="lockstep")

#: Windows begin late and some end within one firing; the first and last point of lines lie at the
#: start and beyond what many trajectories reach.
READOUTS = [
    WindowAverages([0.1, 0.2, 0.2001, 0.9, 2.0]),
    Interpolated([0.0, 0.3, 0.3001, 1.0, 2.0]),
    AfterFirings([1, 2, 9, 40]),
]
TEMPERATURES = [0.0, 0.3, 1.0, 1e-3, 2.5]


def both(model, readout, temperature, trajectories=50, cotangent=None, *, first=0):
    job = request_of(model, readout, trajectories, first=first)
    if cotangent is None:
        shape = (trajectories, len(readout.labels), columns(readout, len(model.species_ids)))
        cotangent = np.random.default_rng(1).normal(size=shape)
    estimator = StraightThrough(temperature)
    return [estimator.pull_back(engine, job, cotangent) for engine in (TABLE, LOCKSTEP)]


def assert_agree(found) -> None:
    """Weights differ by trajectory and have both signs, so that sums lose a few digits."""
    table, lockstep = found
    assert np.abs(table).max() > 0.0
    np.testing.assert_allclose(lockstep, table, rtol=1e-10, atol=1e-12 * np.abs(table).max())


#: Code is compiled for each, so that not all take part.
NAMES = ("autoregulation", "hill", "ion_channel", "schloegl", "toggle", "two_compartments")


@pytest.mark.parametrize(("place", "name"), list(enumerate(NAMES)))
def test_agrees_with_one_after_another(place, name) -> None:
    """Networks take turns with readouts and limits, since each compiles code of its own."""
    readout = READOUTS[place % 3]
    for temperature in TEMPERATURES[:1] if place % 2 else TEMPERATURES[1:]:
        assert_agree(both(network(name), readout, temperature))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
def test_every_readout_at_every_temperature(readout) -> None:
    for temperature in TEMPERATURES:
        assert_agree(both(network("small_dimer"), readout, temperature))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
def test_any_number_of_trajectories(readout) -> None:
    """Lanes that have no trajectory, groups and blocks that are not full."""
    for trajectories in (1, 31, 33, 300):
        assert_agree(both(network("small_dimer"), readout, 0.3, trajectories))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
def test_the_last_trajectories_of_a_seed_and_one_weight_for_all(readout) -> None:
    model = network("small_dimer")
    shape = (1, len(readout.labels), columns(readout, len(model.species_ids)))
    weights = np.random.default_rng(2).normal(size=shape)
    assert_agree(both(model, readout, 0.3, 40, weights, first=2**32 - 40))


@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
def test_trajectories_that_end_for_good(readout) -> None:
    """Absorbed ones keep their state to the end: points, windows and numbers lie beyond."""
    model = sg.load(HEAD + "species X = 7, Y = 0; R1: X => Y; m*X; m = 4;")
    job = request_of(model, readout, 60)
    firings = LOCKSTEP.sample(job).firings
    assert (firings == 7).sum() > 30
    assert_agree(both(model, readout, 0.3, 60))


def test_firings_that_change_several_molecules_and_species() -> None:
    model = sg.load(
        HEAD + "species A = 20; species B = 3; species C = 0;"
        "R1: 3 A => 2 B + C; k*A*(A - 1)*(A - 2); R2: 2 B => A; l*B*(B - 1);"
        "R3: C => 2 A; m*C; R4: => A; b; k = 0.002; l = 0.5; m = 1; b = 5;"
    )
    for readout, temperature in ((READOUTS[0], 0.3), (READOUTS[1], 0.0)):
        assert_agree(both(model, readout, temperature))


def test_laws_that_are_no_products() -> None:
    model = antimony(NO_PRODUCTS)
    assert_agree(both(model, READOUTS[1], 0.3))


def test_fewer_lanes_for_networks_with_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight_form, "ROWS_OF_MANY_LANES", 1)
    model = sg.load(HEAD + "species X = 3; R1: => X; b; R2: X => ; m*X; b = 20; m = 1;")
    assert_agree(both(model, READOUTS[2], 0.3))


def test_more_firings_than_are_noted_at_a_time() -> None:
    """Chunks are replayed from the state at their start; some lanes end in an earlier chunk."""
    model = antimony(BUSY)
    readout = WindowAverages([0.4, 0.6, 0.8242])
    firings = LOCKSTEP.sample(request_of(model, readout, 8)).firings
    assert firings.min() < straight_kernel.CHUNK < firings.max()
    table, lockstep = both(model, readout, 0.3, 8)
    np.testing.assert_allclose(lockstep, table, rtol=1e-9)


def test_sums_do_not_depend_on_the_number_of_threads() -> None:
    job = request_of(network("small_dimer"), READOUTS[1], 700)
    weights = np.random.default_rng(3).normal(size=(700, 5, 3))
    found = [
        StraightThrough(0.5).pull_back(replace(LOCKSTEP, threads=n), job, weights) for n in (1, 2)
    ]
    np.testing.assert_array_equal(*found)


def test_infinite_slopes_are_refused() -> None:
    model = sg.load(HEAD + "species X = 3; R1: X => ; k*sqrt(X); k = 1; R2: => X; 1;")
    readout = WindowAverages([0.0, 50.0])
    for engine in (TABLE, LOCKSTEP):
        with pytest.raises(sg.GradientError, match="not finite"):
            StraightThrough(0.5).pull_back(
                engine, request_of(model, readout, 40), np.ones((1, 1, 1))
            )


def test_who_walks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of the path adjoints; temperatures of no use stay with the careful kernel."""
    chosen = []
    monkeypatch.setattr(
        path_adjoint, "pull_back_straight", lambda *_: chosen.append("lockstep") or np.zeros(2)
    )
    monkeypatch.setattr(
        path_adjoint, "pull_back_path", lambda *_: chosen.append("table") or np.zeros(2)
    )
    small, large = (request_of(network("dimer"), READOUTS[0], n) for n in (100, 200_000))
    auto = sg.engines.Native()
    for engine, job, temperature in (
        (auto, small, 1.0),
        (auto, large, 1.0),
        (TABLE, large, 1.0),
        (LOCKSTEP, small, 0.0),
        (LOCKSTEP, small, LEAST_TEMPERATURE),
        (LOCKSTEP, small, LEAST_TEMPERATURE / 2.0),
    ):
        StraightThrough(temperature).pull_back(engine, job, np.zeros((1, 4, 3)))
    assert chosen == ["table", "lockstep", "table", "lockstep", "lockstep", "table"]
