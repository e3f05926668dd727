"""Path adjoints in lockstep: the same gradient as one trajectory after another."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_jobs import BUSY, NO_PRODUCTS
from networks import HEAD, antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.engines.start import start_states
from sbmlgrad.gradients.paths.chunks import CHUNK

TABLE = sg.engines.Native(threads=1, kernel="table")
LOCKSTEP = sg.engines.Native(threads=2, kernel="lockstep")
ESTIMATORS = [sg.gradients.TwoSidedAdjoint(), sg.gradients.Adjoint()]
READOUTS = [ValuesAt([0.3, 1.0, 2.0]), WindowAverages([0.2, 0.5, 2.0])]


def request(model, readout, trajectories: int, first: int = 0) -> Request:
    lowered = lower(model)
    numbers = np.arange(trajectories, dtype=np.uint64) + np.uint64(first)
    values, start = start_states(lowered, {}, {}, 7, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    return Request(lowered, inputs, start, readout, trajectories, 7, first, None)


def both(model, readout, estimator, trajectories=50, cotangent=None):
    job = request(model, readout, trajectories)
    if cotangent is None:
        shape = (trajectories, len(readout.labels), len(model.species_ids))
        cotangent = np.random.default_rng(1).normal(size=shape)
    return [estimator.pull_back(engine, job, cotangent) for engine in (TABLE, LOCKSTEP)]


#: Code is compiled for each, so that not all take part.
NAMES = (
    "autoregulation",
    "enzyme",
    "epidemic",
    "hill",
    "michaelis_menten",
    "promoter",
    "toggle",
    "two_compartments",
)


@pytest.mark.parametrize(("place", "name"), list(enumerate(NAMES)))
def test_agrees_with_one_after_another(place, name) -> None:
    """Weights differ by trajectory: a lane that took another's would be far off.

    Networks take turns with estimators and readouts, since each compiles code of its own.
    """
    estimator, readout = ESTIMATORS[place % 2], READOUTS[place // 2 % 2]
    table, lockstep = both(network(name), readout, estimator)
    np.testing.assert_allclose(lockstep, table, rtol=3e-7, atol=1e-9 * np.abs(table).max())


@pytest.mark.parametrize("trajectories", [1, 31, 33, 300])
def test_any_number_of_trajectories(trajectories) -> None:
    """Lanes that have no trajectory, groups and blocks that are not full."""
    table, lockstep = both(network("small_dimer"), READOUTS[0], ESTIMATORS[0], trajectories)
    np.testing.assert_allclose(lockstep, table, rtol=3e-7)


def test_one_weight_for_all_trajectories() -> None:
    weights = np.array([[[0.0, 0.0, 1.0], [0.5, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    model = network("small_dimer")
    job = request(model, READOUTS[0], 70)
    alike = ESTIMATORS[0].pull_back(LOCKSTEP, job, weights)
    each = ESTIMATORS[0].pull_back(LOCKSTEP, job, np.repeat(weights, 70, axis=0))
    np.testing.assert_array_equal(alike, each)


def test_more_firings_than_are_noted_at_a_time() -> None:
    """Chunks are replayed from the state at their start; some lanes end in an earlier chunk."""
    model = antimony(BUSY)
    readout = ValuesAt([0.4, 0.8242])
    job = request(model, readout, 8)
    firings = LOCKSTEP.sample(job).firings
    assert firings.min() < CHUNK < firings.max()
    table, lockstep = both(model, readout, ESTIMATORS[0], 8)
    np.testing.assert_allclose(lockstep, table, rtol=3e-7)


def test_long_rests_are_walked_in_several_series() -> None:
    """After the last firing the adjoint decays for hundreds of its time constants."""
    model = sg.load(
        HEAD + "species X = 4; R1: X => ; m*X; m = 2; species Y = 0; R2: => Y; b*X; b = 3;"
    )
    table, lockstep = both(model, ValuesAt([1.0, 400.0]), ESTIMATORS[0], 40)
    np.testing.assert_allclose(lockstep, table, rtol=3e-7)


def test_laws_that_are_no_products() -> None:
    model = antimony(NO_PRODUCTS)
    for estimator, readout in zip(ESTIMATORS, READOUTS, strict=True):
        table, lockstep = both(model, readout, estimator)
        np.testing.assert_allclose(lockstep, table, rtol=3e-7)


def test_infinite_slopes_are_refused() -> None:
    model = sg.load(HEAD + "species X = 3; R1: X => ; k*sqrt(X); k = 1;")
    for engine in (TABLE, LOCKSTEP):
        with pytest.raises(sg.GradientError, match="not finite"):
            ESTIMATORS[0].pull_back(
                engine, request(model, ValuesAt([5.0, 50.0]), 40), np.ones((1, 2, 1))
            )


def test_large_jobs_are_compiled_and_small_ones_are_not() -> None:
    from sbmlgrad.gradients.paths.path_adjoint import pays_lockstep

    model = network("dimer")
    auto = sg.engines.Native()
    assert not pays_lockstep(auto, request(model, READOUTS[0], 100))
    assert pays_lockstep(auto, request(model, READOUTS[0], 200_000))
    assert not pays_lockstep(TABLE, request(model, READOUTS[0], 200_000))
