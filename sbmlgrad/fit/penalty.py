"""What priors add to the negative logarithm of a likelihood, and to losses that stand for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.prior_densities import log_prior_density, log_prior_slope
from sbmlgrad.fit.search_space import SearchSpace
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Half the distance of the two sides of the difference of slopes, in coordinates.
CURVATURE_STEP = 1e-4


def penalty(problem: Problem, values: FloatArray) -> float:
    """Return minus the logarithm of the prior density at values, float64 [free]."""
    return -sum(
        float(log_prior_density(parameter.prior, value, parameter.scale))
        for parameter, value in zip(problem.free, values.tolist(), strict=True)
        if parameter.prior is not None
    )


def penalty_slopes(problem: Problem, values: FloatArray) -> FloatArray:
    """Return the derivative of `penalty` in the values, float64 [free].

    Raises:
        FitError: a value that its prior excludes, where there is no slope back.
    """
    slopes = _slopes(problem, values)
    for place in np.flatnonzero(~np.isfinite(slopes)):
        parameter = problem.free[place]
        assert parameter.prior is not None
        raise FitError(
            f"parameter {parameter.id!r} has reached {values[place]:g}, which its prior "
            f"{parameter.prior.distribution}{parameter.prior.arguments} excludes; give it "
            "bounds within the prior"
        )
    return slopes


def _slopes(problem: Problem, values: FloatArray) -> FloatArray:
    """Return the same, not finite where a prior excludes a value."""
    slopes = np.zeros(len(values))
    for place, parameter in enumerate(problem.free):
        if parameter.prior is not None:
            slopes[place] = -float(log_prior_slope(parameter.prior, values[place], parameter.scale))
    return slopes


def prior_score(
    problem: Problem, space: SearchSpace, coordinates: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what priors add to the score and to the information of the coordinates.

    The score is minus the derivative of `penalty`, the information its second derivative, by
    differences; where a prior is no hill but a valley or a slope, it counts as zero, so
    that steps of scoring go uphill.

    Args:
        problem: with its priors.
        space: its search space.
        coordinates: float64 [free].

    Returns:
        Both as float64 [free]; zero where there is no prior.

    Raises:
        FitError: a value that its prior excludes.
    """
    slope, curvature = np.zeros(len(coordinates)), np.zeros(len(coordinates))
    if not _with_prior(problem):
        return slope, curvature

    values = space.values(coordinates)
    slope = -penalty_slopes(problem, values) * space.slopes(values)
    sides, rises = [], []
    # Priors are independent, so that one step in all coordinates gives all second derivatives.
    for side in (1.0, -1.0):
        moved = space.within(coordinates + side * CURVATURE_STEP)
        there = space.values(moved)
        rise = -_slopes(problem, there) * space.slopes(there)
        # Beyond the edge of a prior there is no slope: the difference is one-sided there.
        is_inside = np.isfinite(rise)
        sides.append(np.where(is_inside, moved, coordinates))
        rises.append(np.where(is_inside, rise, slope))
    apart = sides[0] - sides[1]
    is_known = apart > 0.0
    curvature[is_known] = -(rises[0] - rises[1])[is_known] / apart[is_known]
    return slope, np.maximum(curvature, 0.0)


def prior_weight(objective: Objective, problem: Problem) -> float:
    """Return what the penalty counts for in the loss of an objective; 0 without priors.

    The loss of `MeanTrajectory` is twice the negative log-likelihood over the number of
    measurements, so that with 2 over that number the sum has its least value at the mode of the
    posterior.
    """
    if not _with_prior(problem) or not isinstance(objective, MeanTrajectory):
        return 0.0
    return 2.0 / len(problem.measurements)


def refuse_unused_priors(objective: Objective, problem: Problem) -> None:
    """Raise a `FitError` for priors that an objective cannot take in."""
    names = _with_prior(problem)
    if names and prior_weight(objective, problem) == 0.0:
        raise FitError(
            f"{problem.name or problem.network.id}: parameters {', '.join(names)} have priors, "
            f"which {objective.name} does not use, as it is no likelihood of measurements; turn "
            "them into start_prior (where starts are drawn) and bounds, or use MeanTrajectory()"
        )


def _with_prior(problem: Problem) -> list[str]:
    return [p.id for p in problem.free if p.prior is not None]
