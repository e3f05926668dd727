"""Which estimator a fit can trust: the default one, checked against differences on this problem."""

from __future__ import annotations

from time import monotonic

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import SbmlGradError
from sbmlgrad.fit.descent.evaluation import loss_and_gradient
from sbmlgrad.fit.descent.plan import Plan
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.finite_difference import FiniteDifference
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Batches whose scatter gives the noise of a gradient, and trajectories in each.
BATCHES, BATCH_SIZE = 8, 128

#: Relative error of a gradient that does not mislead a descent.
TOLERATED = 0.2

#: Share of a budget of time that judging may take, but for compiling and its first batch.
SHARE = 0.25

#: Trajectories of gradients that are taken to compile what they need.
FEWEST = 2

#: What is said of an estimator that was not judged.
NOT_CHECKED = "not checked against"


def default_estimators(problem: Problem) -> tuple[Estimator, ...]:
    """Return the estimators to use where the user names none, the preferred one first.

    The path adjoint is quieter and costs the same for any number of parameters; central differences
    cannot be misled, and are all there is for models with events or explicit time. Laws that jump
    with the state have no path adjoint either, nor have models in which parameters set initial
    counts: it differentiates in all parameters, differences in those alone that are fitted.
    """
    lowered = lower(problem.network)
    differences = FiniteDifference(parameters=_free_of_network(problem))
    if lowered.is_timed:
        return (FiniteDifference(coupling="crn", parameters=_free_of_network(problem)),)
    if lowered.jumping_channels or lowered.parameters_in_initial_counts:
        return (differences,)
    return (TwoSidedAdjoint(), differences)


def _free_of_network(problem: Problem) -> tuple[str, ...]:
    """Return ids of the network's parameters that a fit moves, directly or in an experiment."""
    free = {p.id for p in problem.free}
    moved = set(free)
    for experiment in problem.experiments:
        for period in experiment.periods:
            moved |= {id for id, formula in period.values.items() if symbols(formula) & free}
    return tuple(id for id in problem.network.parameter_ids if id in moved)


def judge(plan: Plan, values: FloatArray, first_trajectory: int) -> tuple[bool | None, str, int]:
    """Compare the first two estimators of a plan at some values of the free parameters.

    The path adjoint fails where the future is no smooth function of the state: early extinction,
    switches. Differences have no such trouble, so a disagreement beyond their noise decides against
    the adjoint. Where that would take more than `SHARE` of a budget of time, it is given up.

    Returns:
        Whether the first misleads, None where that was not found out; why, in words; and how many
        trajectories that took, the same in any case, so that those after it do not depend on time.
    """
    preferred, other = (method.name for method in plan.estimators[:2])
    rows, used = _gradients(plan, values, first_trajectory)
    if len(rows) < BATCHES:
        return (
            None,
            f"gradients by {preferred}, {NOT_CHECKED} {other}, which would have taken more than "
            f"{SHARE:.0%} of the budget of {plan.seconds:g} s",
            used,
        )
    ours, truth = rows.mean(axis=0)
    our_error, true_error = np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)
    noise = np.linalg.norm(np.hypot(our_error, true_error))
    distance = float(np.linalg.norm(ours - truth))
    size = float(np.linalg.norm(truth))
    # The scatter of the adjoint itself is part of the verdict: a heavy tail has a large one.
    misled = distance > TOLERATED * size + 3.0 * noise or np.linalg.norm(our_error) > 2.0 * max(
        size, float(np.linalg.norm(true_error))
    )
    words = f"difference {distance:.2g}, size {size:.2g}, noise {noise:.2g}"
    if misled:
        return True, f"gradients by {other}: {preferred} disagrees with it here ({words})", used
    return False, f"gradients by {preferred}, which agrees with {other} ({words})", used


def _gradients(plan: Plan, values: FloatArray, first_trajectory: int) -> tuple[FloatArray, int]:
    """Return gradients by both estimators, float64 [batch, 2, free], and trajectories of them all.

    There are fewer batches where the others would have taken too long.
    """
    coordinates = plan.simulator.space.coordinates(values)[None, :]
    rows: list[list[FloatArray]] = []
    used, limit = 0, np.inf
    if plan.seconds is not None:
        limit = SHARE * plan.seconds
        # What is compiled now takes time once, and the descent needs most of it as well.
        for method in plan.estimators[:2]:
            _compile(plan, coordinates, first_trajectory, method)
    begun = before = monotonic()
    for number in range(BATCHES):
        first, own = first_trajectory + number * used, []
        for method in plan.estimators[:2]:
            _, slopes, _, used = loss_and_gradient(
                plan.objective, plan.simulator, coordinates, BATCH_SIZE, first, method
            )
            own.append(slopes[0])
        rows.append(own)
        now, left = monotonic(), BATCHES - number - 1
        if left and now - begun + left * (now - before) > limit:
            break
        before = now
    return np.array(rows), BATCHES * used


def _compile(plan: Plan, coordinates: FloatArray, first_trajectory: int, method: Estimator) -> None:
    """Take a gradient for what is compiled by it, of as few trajectories as will do."""
    try:
        with np.errstate(all="ignore"):  # the numbers themselves are of no use
            loss_and_gradient(
                plan.objective, plan.simulator, coordinates, FEWEST, first_trajectory, method
            )
    except SbmlGradError:
        # Means of so few can make data impossible that those of a batch do not. What the first
        # batch itself would refuse is refused here, in the same words.
        loss_and_gradient(
            plan.objective, plan.simulator, coordinates, BATCH_SIZE, first_trajectory, method
        )
