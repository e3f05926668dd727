"""From a fit that ended far away to the optimum: safe steps, bounds, and words where it fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sbmlgrad as sg
from sbmlgrad.fit.uncertainty.fitted import fitted_of
from sbmlgrad.fit.uncertainty.nearest_optimum import nearest_optimum
from sbmlgrad.fit.uncertainty.run import uncertainty
from sbmlgrad.model.measurements import Measurements

YULE = """
    unit substance = item; unit extent = item; compartment cell = 1;
    substanceOnly species X in cell; X = 2; b = 0.6;
    J0: X => 2 X; b*X;
"""
DECAY = """
    unit substance = item; unit extent = item; compartment cell = 1;
    substanceOnly species A in cell, B in cell; A = 60; B = 0; k = 0.5; d = 0.2;
    J0: A => B; k*A; J1: B => ; d*B;
"""
TIMES = np.arange(1.0, 9.0)


def measured(id: str, values) -> Measurements:
    rows = TIMES.size
    index = np.zeros(rows, dtype=np.int64)
    return Measurements((id,), TIMES, index, np.asarray(values), ("",) * rows, ("",) * rows)


def stopped(model, data, start, **options):
    """Return a fit that stays where it starts, and its objects."""
    settings = {"epochs": 1, "learning_rate": 1e-9, "trajectories": 64, "seed": 5}
    estimator = sg.gradients.TwoSidedAdjoint()
    free = list(start)
    result = sg.fit(model, data, estimator=estimator, free=free, start=start, **settings, **options)
    return result, fitted_of(result, estimator=estimator)


@pytest.fixture(scope="module")
def births():
    """Births at 0.6, measured with little noise, and a fit that ended at 0.4."""
    noise = np.random.default_rng(1).normal(size=TIMES.size)
    data = measured("X", 2.0 * np.exp(0.6 * TIMES) * (1.0 + 0.01 * noise))
    return stopped(sg.load(YULE), data, {"b": 0.4})


def test_no_step_leads_far_beyond(births, monkeypatch) -> None:
    """A whole step of scoring from 0.4 would lead to 1.1, and from 170 molecules to 9,000."""
    seen = []
    from sbmlgrad.fit.uncertainty import nearest_optimum as module

    gather = module.gather

    def watched(fitted, *others):
        seen.append(float(fitted.values[0]))
        return gather(fitted, *others)

    monkeypatch.setattr(module, "gather", watched)
    parts: list[tuple[int, int]] = []
    near = nearest_optimum(births[1], 200, 0.05, lambda *part: parts.append(part))
    # Eight batches at first, for each place that was looked at.
    assert parts.count((1, 8)) == parts.count((8, 8)) == len(seen)
    assert seen[0] == pytest.approx(0.4)
    assert max(seen) < 0.4 * np.exp(0.51)
    assert near.doubt == ""
    assert near.distance[0] == pytest.approx(np.log(0.6 / 0.4), abs=0.05)


def test_where_trajectories_fail_the_last_place_counts(births) -> None:
    """At the fitted value they run; a step away from it some have more firings than allowed."""
    result, fitted = births
    short = replace(fitted, engine=sg.engines.Native(kernel="table", firing_limit=700))
    near = nearest_optimum(short, 200, 0.05)
    assert "was not followed beyond b 0.6" in near.doubt
    assert "firing" in near.doubt
    # One step, from afar: rough, and said to be.
    assert near.distance[0] > 0.3
    found = uncertainty(
        result,
        estimator=sg.gradients.TwoSidedAdjoint(),
        engine=short.engine,
        trajectories=200,
    )
    assert any("far from the optimum" in flag and "rough" in flag for flag in found.flags)
    assert found.lower[0] < 0.4
    assert found.upper[0] > 0.6


def test_what_would_leave_its_bounds_is_held_there() -> None:
    """The optimum of k is 0.5, its bound 0.3: that of d is the one given k = 0.3."""
    k, d = 0.5, 0.2
    values = 60.0 * k / (d - k) * (np.exp(-k * TIMES) - np.exp(-d * TIMES))
    start = {"k": 0.28, "d": 0.2}
    bounds = {"k": (0.01, 0.3), "d": (0.001, 10.0)}
    result, fitted = stopped(sg.load(DECAY), measured("B", values), start, bounds=bounds)
    near = nearest_optimum(fitted, 500, 0.05)
    assert near.held == ("k",)
    assert np.isnan(near.distance[0])
    assert near.doubt == ""
    best = _least_squares(values)
    assert near.distance[1] == pytest.approx(np.log(best / 0.2), abs=0.1)
    found = uncertainty(result, estimator=sg.gradients.TwoSidedAdjoint(), trajectories=500)
    assert np.isnan(found.upper[0])
    assert any("at its bound or beyond" in flag for flag in found.parameter_flags["k"])
    assert found.lower[1] < best < found.upper[1]


def test_a_step_beyond_the_optimum_onto_a_bound_is_halved() -> None:
    """The optimum, 0.6, lies just before the bound, where a step from 0.4 ends."""
    noise = np.random.default_rng(1).normal(size=TIMES.size)
    data = measured("X", 2.0 * np.exp(0.6 * TIMES) * (1.0 + 0.01 * noise))
    bounds = {"b": (0.01, 0.64)}
    _, fitted = stopped(sg.load(YULE), data, {"b": 0.4}, bounds=bounds)
    near = nearest_optimum(fitted, 200, 0.05)
    assert (near.held, near.doubt) == ((), "")
    assert near.distance[0] == pytest.approx(np.log(0.6 / 0.4), abs=0.05)
    # And with another parameter, which is there at the bound, too.
    two = YULE + "substanceOnly species Z in cell; Z = 100; c = 0.3; J1: Z => ; c*Z;"
    values = np.concatenate([data.value, 100.0 * np.exp(-0.3 * TIMES)])
    index, blank = np.repeat([0, 1], TIMES.size), ("",) * 2 * TIMES.size
    both = Measurements(("X", "Z"), np.tile(TIMES, 2), index, values, blank, blank)
    _, fitted = stopped(sg.load(two), both, {"b": 0.4, "c": 0.3}, bounds=bounds)
    near = nearest_optimum(fitted, 200, 0.05)
    assert (near.held, near.doubt) == ((), "")
    assert near.distance[0] == pytest.approx(np.log(0.6 / 0.4), abs=0.05)
    assert near.distance[1] == pytest.approx(0.0, abs=0.05)


def _least_squares(values: np.ndarray, k: float = 0.3) -> float:
    from scipy.optimize import minimize_scalar

    def loss(d: float) -> float:
        mean = 60.0 * k / (d - k) * (np.exp(-k * TIMES) - np.exp(-d * TIMES))
        return float(np.sum((mean - values) ** 2))

    return float(minimize_scalar(loss, bounds=(0.01, 0.29), method="bounded").x)


def test_a_step_that_leads_down_is_taken_back(births, monkeypatch) -> None:
    """A planted shift of the wrong sign leads away; shorter ones are tried, and doubt is said."""
    from sbmlgrad.fit.uncertainty import nearest_optimum as module

    gather, seen = module.gather, []

    def astray(fitted, *others):
        found = gather(fitted, *others)
        seen.append(float(fitted.values[0]))
        return replace(found, shift=-np.abs(found.shift))

    monkeypatch.setattr(module, "gather", astray)
    near = nearest_optimum(births[1], 100, 0.2)
    lengths = -np.log(np.array(seen[1:]) / births[1].values[0])
    np.testing.assert_allclose(lengths[1:] / lengths[:-1], module.SHORTER, rtol=1e-6)
    assert "none was found in 8 looks" in near.doubt
