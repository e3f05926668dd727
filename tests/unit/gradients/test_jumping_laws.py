"""Laws that jump with the state: refused along paths, differentiated as expectations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony

import sbmlgrad as sg
from sbmlgrad import cme
from sbmlgrad.gradients.straight_through_soft import simulate_soft

SENSOR = """substanceOnly species P in cell, M in cell; P = 0; M = 0; k = 3; d = 0.5; a = 4; e = 1;
    J0: => P; k; J1: P => ; d*P; J2: => M; piecewise(a, P >= 5, 0); J3: M => ; e*M;"""


def gradient(estimator, seed=3):
    model = antimony(SENSOR)
    theta = tf.Variable(model.parameter_values)
    kept = sg.WindowAverages([2.0, 3.0])
    with tf.GradientTape() as tape:
        cells = sg.simulate(
            model, theta, readouts=[kept], trajectories=1000, seed=seed, estimator=estimator
        )
        mean = cells.mean("M", readout=kept)[0]
    return tape.gradient(mean, theta).numpy()


@pytest.mark.parametrize(
    "estimator",
    [sg.gradients.TwoSidedAdjoint(), sg.gradients.Adjoint(), sg.gradients.StraightThrough(0.5)],
)
def test_path_derivatives_refuse_it(estimator) -> None:
    with pytest.raises(sg.GradientError, match=r"the law of 'J2' jumps .* FittedValue\(\)"):
        gradient(estimator)


def test_the_fitted_value_sees_the_jump() -> None:
    """Path derivatives gave 0 in k and d, whose entries are a tenth of the norm and more."""
    model = antimony(SENSOR)
    ids = ("k", "d", "a", "e")
    projection = cme.project(model, until=3.0, tolerance=1e-8)
    kept = sg.WindowAverages([2.0, 3.0])
    exact = cme.expectation(projection, kept, "M", ids).gradient[0]
    rows = np.array([gradient(sg.gradients.FittedValue(), seed) for seed in range(8)])
    error = rows.std(axis=0, ddof=1) / np.sqrt(8.0)
    z = (rows.mean(axis=0) - exact) / error
    # |t| with 7 degrees of freedom exceeds 7.1 with p = 2e-4.
    assert (np.abs(z) < 7.1).all(), f"z = {z}"
    assert (7.1 * error[:2] < 0.5 * np.abs(exact[:2])).all(), "a gradient of zero could pass"


def test_relaxed_trajectories_refuse_it() -> None:
    model = antimony(SENSOR)
    with pytest.raises(sg.GradientError, match="simulate_soft: the law of 'J2' jumps"):
        simulate_soft(
            model,
            tf.Variable(model.parameter_values),
            readout=sg.WindowAverages([0.0, 1.0]),
            temperature=1.0,
            trajectories=4,
            seed=1,
        )


def test_a_check_recommends_what_sees_it() -> None:
    found = sg.check_gradient(
        antimony(SENSOR),
        times=[2.0],
        of=["M"],
        estimators=[
            sg.gradients.TwoSidedAdjoint(),
            sg.gradients.FittedValue(),
            sg.gradients.ScoreFunction(),
        ],
        trajectories=2000,
        seed=1,
    )
    assert found.recommended == sg.gradients.FittedValue()
    assert "jumps where the state passes a threshold" in found.refusals["TwoSidedAdjoint()"]
