"""Simulating a problem for an objective, and the gradient of its loss, whatever kind it is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.descent.impossible_data import refuse_impossible
from sbmlgrad.fit.objectives.base import ExactObjective, Objective, StartedObjective, standard_error
from sbmlgrad.fit.objectives.from_starts import simulate_started
from sbmlgrad.fit.penalty import penalty, penalty_slopes, prior_weight
from sbmlgrad.fit.simulated import Simulated, Simulator
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


class Evaluate(Protocol):
    """What evaluates the sets of an epoch: `loss_and_gradient`, or the same elsewhere."""

    def __call__(
        self,
        objective: Objective,
        simulator: Simulator,
        coordinates: FloatArray,
        trajectories: int,
        first_trajectory: int,
        estimator: Estimator,
    ) -> tuple[FloatArray, FloatArray, FloatArray, int]:
        """Return losses, gradients, errors and trajectories used; see `loss_and_gradient`."""
        ...


def simulate_for(
    objective: Objective,
    simulator: Simulator,
    values: Any,
    trajectories: int,
    first_trajectory: int,
    estimator: Estimator | None = None,
) -> dict[str, Simulated]:
    """Simulate every experiment as an objective needs it; arguments as of `Simulator`."""
    if isinstance(objective, StartedObjective):
        return simulate_started(
            simulator, objective, values, trajectories, first_trajectory, estimator=estimator
        )
    return simulator(values, trajectories, first_trajectory, estimator=estimator)


def trajectories_used(simulated: dict[str, Simulated], sets: int) -> int:
    """Return how many numbers of trajectories a simulation of so many sets has taken."""
    return sets * sum(int(one.ensemble.outcomes.shape[-1]) for one in simulated.values())


def loss_and_gradient(
    objective: Objective,
    simulator: Simulator,
    coordinates: FloatArray,
    trajectories: int,
    first_trajectory: int,
    estimator: Estimator,
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Return losses, gradients and standard errors of several sets of coordinates.

    Args:
        objective: what is made small.
        simulator: of the problem.
        coordinates: of the search space, float64 [set, free].
        trajectories: of each experiment and set.
        first_trajectory: number of the first.
        estimator: gradient method.

    Returns:
        Losses with what priors add, float64 [set], gradients in the coordinates float64 [set,
        free], Monte-Carlo standard errors of the losses float64 [set], and how many trajectories
        were used.
    """
    space, problem = simulator.space, simulator.problem
    if isinstance(objective, ExactObjective):
        values = space.values(coordinates)
        found = [objective.exact_loss_and_gradient(problem, row) for row in values]
        losses = np.array([loss for loss, _ in found])
        slopes = np.stack([slope for _, slope in found]) * space.slopes(values)
        return losses, slopes, np.zeros(len(losses)), 0
    import tensorflow as tf

    variable = tf.constant(coordinates)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        simulated = simulate_for(
            objective,
            simulator,
            space.value_tensors(variable),
            trajectories,
            first_trajectory,
            estimator,
        )
        loss = objective.loss(problem, simulated)
        refuse_impossible(objective, problem, simulated, np.asarray(loss))
        total = tf.reduce_sum(loss)
    gradient = np.asarray(tape.gradient(total, variable), dtype=np.float64)
    error = np.asarray(standard_error(objective, problem, simulated), dtype=np.float64)
    used = trajectories_used(simulated, len(coordinates))
    losses = np.array(loss, dtype=np.float64)
    weight = prior_weight(objective, problem)
    if weight > 0.0:
        values = space.values(coordinates)
        losses += weight * np.array([penalty(problem, row) for row in values])
        slopes = np.stack([penalty_slopes(problem, row) for row in values])
        gradient = gradient + weight * slopes * space.slopes(values)
    return losses, gradient, error, used


def loss_of(
    objective: Objective, problem: Problem, simulated: dict[str, Simulated], values: FloatArray
) -> float:
    """Return the loss with what priors add to it, as the descent makes it small.

    Args:
        objective: what is made small.
        problem: what is calibrated.
        simulated: under `values`.
        values: of the free parameters, float64 [free].
    """
    loss = float(objective.loss(problem, simulated))
    weight = prior_weight(objective, problem)
    return loss + weight * penalty(problem, values) if weight > 0.0 else loss
