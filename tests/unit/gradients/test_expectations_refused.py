"""What is no expectation is refused, whatever the size of the ensemble."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.gradients.expectations import as_functional

ESTIMATORS = [sg.gradients.ScoreFunction(), sg.gradients.FittedValue()]


def simulated(estimator, trajectories: int, tape):
    import tensorflow as tf

    model = network("immigration_death")
    theta = tf.constant(model.parameter_values)
    tape.watch(theta)
    cells = sg.simulate(
        model, theta, times=[0.5, 1.0], trajectories=trajectories, seed=1, estimator=estimator
    )
    return cells, theta


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
@pytest.mark.parametrize("trajectories", [2, 60])
def test_functions_that_mix_trajectories(estimator, trajectories) -> None:
    """Centring by the ensemble commutes with any order of trajectories, so order shows nothing."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        cells, theta = simulated(estimator, trajectories, tape)
        spread = cells.expect(
            lambda x: tf.square(x - tf.reduce_mean(x, axis=-2, keepdims=True)), "X"
        )
        loss = tf.reduce_sum(spread)
    with pytest.raises(sg.GradientError, match="mixes trajectories"):
        tape.gradient(loss, theta)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3), (5, 4), (4, 9)])
def test_functions_that_join_points_are_not_pointwise(shape) -> None:
    values = np.random.default_rng(3).integers(0, 9, (*shape, 1)).astype(np.float64)
    weights = np.ones(shape[1])
    joined = as_functional(lambda v: v[:, :, 0] * v[:, ::-1, 0], values, weights, "an estimator")
    single = as_functional(lambda v: np.sqrt(v[:, :, 0]), values, weights, "an estimator")
    assert not joined.is_pointwise
    assert single.is_pointwise


def test_a_loss_of_the_only_trajectory() -> None:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        cells, theta = simulated(sg.gradients.CoupledDifference(), 1, tape)
        loss = tf.reduce_sum(tf.square(cells.values("X")))
    with pytest.raises(sg.GradientError, match="at least two"):
        tape.gradient(loss, theta)


def test_a_variance_of_few_trajectories() -> None:
    import tensorflow as tf

    with tf.GradientTape() as tape, pytest.raises(sg.GradientError, match="about sample means"):
        simulated(sg.gradients.ScoreFunction(), 10, tape)[0].variance("X")


@pytest.mark.parametrize("given", [None, "a", ["a", "b"]])
@pytest.mark.parametrize("is_differentiable", [True, False])
def test_what_is_no_number_is_refused(given, is_differentiable) -> None:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        cells, _ = simulated(ESTIMATORS[0], 4, tape)
        if not is_differentiable:
            cells = sg.simulate(network("immigration_death"), times=[0.5, 1.0], trajectories=4)
        said = r"no tensor of numbers|are not numbers|a result of shape \(\)"
        with pytest.raises(sg.RequestError, match=said):
            cells.expect(lambda _: given, "X")
