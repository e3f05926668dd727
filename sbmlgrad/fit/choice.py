"""Which estimator a fit can trust: the default one, checked against differences on this problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.fit.evaluation import loss_and_gradient
from sbmlgrad.fit.plan import Plan
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.finite_difference import FiniteDifference
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Batches whose scatter gives the noise of a gradient, and trajectories in each.
BATCHES, BATCH_SIZE = 8, 128

#: Relative error of a gradient that does not mislead a descent.
TOLERATED = 0.2


def default_estimators(problem: Problem) -> tuple[Estimator, ...]:
    """Return the estimators to use where the user names none, the preferred one first.

    The path adjoint is quieter and costs the same for any number of parameters; central differences
    cannot be misled, and are all there is for models with events or explicit time.
    """
    network = problem.network
    differences = FiniteDifference(parameters=_free_of_network(problem))
    if lower(network).is_timed:
        return (FiniteDifference(coupling="crn", parameters=_free_of_network(problem)),)
    return (TwoSidedAdjoint(), differences)


def _free_of_network(problem: Problem) -> tuple[str, ...]:
    """Return ids of the network's parameters that a fit moves, directly or in an experiment."""
    network: ReactionNetwork = problem.network
    moved = {p.id for p in problem.free}
    for experiment in problem.experiments:
        for period in experiment.periods:
            moved |= period.values.keys()
    return tuple(id for id in network.parameter_ids if id in moved)


def judge(plan: Plan, values: FloatArray, first_trajectory: int) -> tuple[bool, str, int]:
    """Compare the first two estimators of a plan at some values of the free parameters.

    The path adjoint fails where the future is no smooth function of the state: early extinction,
    switches. Differences have no such trouble, so a disagreement beyond their noise decides against
    the adjoint.

    Returns:
        Whether the first misleads; why, in words; and how many trajectories that took.
    """
    found = [_gradients(plan, method, values, first_trajectory) for method in plan.estimators[:2]]
    (ours, our_error, used), (truth, true_error, _) = found
    noise = np.linalg.norm(np.hypot(our_error, true_error))
    distance = float(np.linalg.norm(ours - truth))
    size = float(np.linalg.norm(truth))
    # The scatter of the adjoint itself is part of the verdict: a heavy tail has a large one.
    misled = distance > TOLERATED * size + 3.0 * noise or np.linalg.norm(our_error) > 2.0 * max(
        size, float(np.linalg.norm(true_error))
    )
    words = f"difference {distance:.2g}, size {size:.2g}, noise {noise:.2g}"
    preferred, other = (method.name for method in plan.estimators[:2])
    if misled:
        return True, f"gradients by {other}: {preferred} disagrees with it here ({words})", used
    return False, f"gradients by {preferred}, which agrees with {other} ({words})", used


def _gradients(
    plan: Plan, method: Estimator, values: FloatArray, first_trajectory: int
) -> tuple[FloatArray, FloatArray, int]:
    """Return the mean gradient over batches, its standard error [free], and trajectories used."""
    coordinates = plan.simulator.space.coordinates(values)[None, :]
    rows, first = [], first_trajectory
    for _ in range(BATCHES):
        _, slopes, _, used = loss_and_gradient(
            plan.objective, plan.simulator, coordinates, BATCH_SIZE, first, method
        )
        rows.append(slopes[0])
        first += used
    error = np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)
    return np.mean(rows, axis=0), error, first - first_trajectory
