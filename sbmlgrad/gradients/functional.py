"""What is differentiated: the expectation of a function of kept values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.errors import GradientError

#: Why a functional is not pointwise, where nothing else is known.
JOINS = "this statistic joins values at several points"


@dataclass(frozen=True)
class Functional:
    """A number for each trajectory, F = Σ_p f_p, whose expectation is differentiated.

    Attributes:
        contributions: values float64 [trajectory, point, column] → f_p, float64 [trajectory,
            point]; a pure function, called with trajectories of other ensembles too.
        is_pointwise: f_p uses the values at point p alone, so that what a trajectory still collects
            after a time is a function of its state then.
        reason: why it is not pointwise, if it is not.
    """

    contributions: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    is_pointwise: bool = True
    reason: str = JOINS

    def totals(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return F of every trajectory, float64 [trajectory]."""
        return self.contributions(values).sum(axis=1)


def linear(weights: NDArray[np.float64]) -> Functional:
    """Return Σ_p weights[p]·values[p], for weights float64 [point, column]."""
    return Functional(lambda values: np.einsum("npc,pc->np", values, weights))


def mean_functional(name: str, request: Request, cotangent: NDArray[np.float64]) -> Functional:
    """Return the functional whose expectation a loss of means depends on.

    Args:
        name: of the estimator, for the message.
        request: the request that gave the values.
        cotangent: derivative of the loss in the kept values, float64 [trajectory or 1, point,
            column].

    Raises:
        GradientError: trajectories have different weights, so the loss is no function of means; or
            there is one trajectory, of which that cannot be told.
    """
    if request.trajectories < 2:
        raise GradientError(
            f"{name} differentiates expectations, and of one trajectory it cannot be told whether "
            "the loss is a function of its mean or of the trajectory; simulate at least two"
        )
    if len(cotangent) > 1 and not np.allclose(cotangent, cotangent[:1], rtol=1e-9, atol=0.0):
        raise GradientError(
            f"{name} differentiates expectations, and this loss weighs single trajectories "
            "differently, so that it is more than a mean. Write it with statistics of the "
            "ensemble: mean(id), variance(id), covariance(id, id), probability((id, lower, "
            "upper)), or expect(f, id) for any function f of a trajectory; or use "
            "TwoSidedAdjoint(), which differentiates single trajectories"
        )
    return linear(cotangent[0] * request.trajectories)


def slopes_of(functional: Functional, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return central differences of f_p in the values at p, over a step of one molecule.

    Args:
        functional: F, pointwise.
        values: float64 [trajectory, point, column].

    Returns:
        float64 [trajectory, point, column]; exact where f is quadratic, 0 where f is not defined on
        either side.
    """
    slopes = np.empty_like(values)
    for column in range(values.shape[2]):
        step = np.zeros(values.shape[2])
        step[column] = 1.0
        with np.errstate(all="ignore"):
            sides = [functional.contributions(values + sign * step) for sign in (1.0, -1.0)]
            slopes[:, :, column] = (sides[0] - sides[1]) / 2.0
    return np.where(np.isfinite(slopes), slopes, 0.0)
