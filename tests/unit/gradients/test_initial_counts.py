"""Gradients in parameters that set initial counts, which are continuous if drawn at random."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import tensorflow as tf
from small_networks import HEAD

import sbmlgrad as sg
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.gradients import FiniteDifference
from sbmlgrad.gradients.finite_difference import COUPLINGS

#: Pairs that leave; the count at the start is the parameter n.
TEXT = "substanceOnly species X in cell; n = 10.4; X = n; k = 0.1; J: 2 X => ; k*X*(X - 1)/2;"
BATCHES = 12


@lru_cache
def pairs(initial: str = "randomised") -> sg.ReactionNetwork:
    return sg.load(HEAD + TEXT, initial=initial)


def gradient(estimator, *, model=None, batch=0, trajectories=3000, statistic="mean"):
    model = pairs() if model is None else model
    theta = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        cells = sg.simulate(
            model,
            theta,
            times=[1.0],
            trajectories=trajectories,
            seed=6,
            first_trajectory=batch * trajectories,
            estimator=estimator,
        )
        value = cells.mean("X")[0] if statistic == "mean" else cells.probability(("X", None, 5))[0]
    return dict(zip(model.parameter_ids, tape.gradient(value, theta).numpy(), strict=True))


@lru_cache
def worth(molecules: int, statistic: str) -> float:
    """The expectation for a whole number at the start, by the master equation."""
    whole = sg.load(HEAD + TEXT.replace("X = n;", f"X = {molecules};"))
    projection = project(whole, until=1.0)
    function = (lambda x: x[:, 0]) if statistic == "mean" else (lambda x: x[:, 0] <= 5)
    return float(projection.expect(ValuesAt([1.0]), function).value[0])


def between(number: float, statistic: str) -> float:
    below = int(np.floor(number))
    share = number - below
    return (1 - share) * worth(below, statistic) + share * worth(below + 1, statistic)


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("statistic", ["mean", "probability"])
def test_the_slope_over_the_step_is_that_of_the_master_equation(coupling, statistic) -> None:
    """The step leads from 9.88 to 10.92, over the bend at ten molecules."""
    estimator = FiniteDifference(coupling=coupling)
    rows = [gradient(estimator, batch=b, statistic=statistic)["n"] for b in range(BATCHES)]
    truth = (between(10.92, statistic) - between(9.88, statistic)) / 1.04
    error = np.std(rows, ddof=1) / np.sqrt(BATCHES)
    z = (np.mean(rows) - truth) / error
    assert abs(z) < 5.0, f"z = {z}: {np.mean(rows)} for {truth}"
    assert error < 0.15 * abs(truth), "the test has no power"


@pytest.mark.parametrize("initial", ["strict", "round"])
def test_whole_numbers_have_no_derivative(initial) -> None:
    """Rounded, a short step would show a derivative of zero, and a long one any."""
    model = sg.load(HEAD + TEXT.replace("10.4", "10"), initial=initial)
    for coupling in COUPLINGS:
        with pytest.raises(sg.GradientError, match=r'initial counts .*depend on.*"randomised"'):
            gradient(FiniteDifference(coupling=coupling), model=model, trajectories=10)
    found = gradient(FiniteDifference(parameters=("k",)), model=model, trajectories=10)
    assert np.isnan(found["n"])
    assert found["k"] < 0.0


@pytest.mark.parametrize("estimator", [None, sg.gradients.CoupledDifference()], ids=str)
def test_other_estimators_say_what_can(estimator) -> None:
    with pytest.raises(sg.GradientError, match='randomised" and use FiniteDifference'):
        gradient(estimator, trajectories=30)


def test_a_check_compares_with_finer_differences() -> None:
    from sbmlgrad.gradients.check.run import check_gradient

    found = check_gradient(
        pairs(),
        times=[1.0],
        free=["n", "k"],
        trajectories=4000,
        seed=2,
        estimators=[FiniteDifference(parameters=("n", "k")), sg.gradients.TwoSidedAdjoint()],
    )
    assert "step squared" in found.reference.words
    assert found.rows[0].z < 4.0
    assert "initial counts depend on 'n'" in found.rows[1].refusal
