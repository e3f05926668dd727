"""What priors add to the negative logarithm of a likelihood, and to losses that stand for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.prior_densities import log_prior_density, log_prior_slope
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


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
    slopes = np.zeros(len(values))
    for place, parameter in enumerate(problem.free):
        if parameter.prior is not None:
            slopes[place] = -float(log_prior_slope(parameter.prior, values[place], parameter.scale))
            if not np.isfinite(slopes[place]):
                raise FitError(
                    f"parameter {parameter.id!r} has reached {values[place]:g}, which its prior "
                    f"{parameter.prior.distribution}{parameter.prior.arguments} excludes; give it "
                    "bounds within the prior"
                )
    return slopes


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
