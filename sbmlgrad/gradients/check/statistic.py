"""Statistics that a check differentiates, as estimators of both sorts take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.statistic_functions import FOR_JUMPS, between
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.expectations import ExpectationEstimator
from sbmlgrad.gradients.functional import Functional, linear
from sbmlgrad.model.conditions import ends_of

FloatArray = NDArray[np.float64]

KINDS = ("mean", "variance", "probability")


@dataclass(frozen=True)
class Statistic:
    """The mean or the variance of counts, or the probability that they lie between two numbers.

    Attributes:
        kind: one of `KINDS`.
        low, high: ends of the set of a probability, both within it; None is open.
    """

    kind: str = "mean"
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.kind != "probability":
            return self.kind
        if self.low is None or self.high is None:
            is_least = self.high is None
            return f"probability of {self.low if is_least else self.high:g} or " + (
                "more" if is_least else "fewer"
            )
        return f"probability of {self.low:g} to {self.high:g}"

    def functional(self, weights: FloatArray, centres: FloatArray, factor: float) -> Functional:
        """Return F with dE[F] the derivative of the weighted sum of statistics.

        Args:
            weights: float64 [point, column].
            centres: means that a variance is about, held fixed, float64 [point, column].
            factor: of a variance.
        """
        if self.kind == "mean":
            return linear(weights)
        if self.kind == "variance":
            scaled = weights * factor
            return Functional(lambda v: np.einsum("npc,pc->np", (v - centres) ** 2, scaled))
        inside = between(self.low, self.high)
        return Functional(lambda v: np.einsum("npc,pc->np", inside(v).astype(np.float64), weights))

    def functional_about(self, weights: FloatArray, values: FloatArray) -> Functional:
        """Return `functional` for an ensemble, values float64 [trajectory, point, column]."""
        n = len(values)
        return self.functional(weights, values.mean(axis=0), n / (n - 1))

    def cotangent(self, name: str, weights: FloatArray, values: FloatArray) -> FloatArray:
        """Return the derivative of the weighted statistics in values, for path estimators.

        Args:
            name: of the estimator.
            weights: float64 [point, column].
            values: of the ensemble, float64 [trajectory, point, column].

        Returns:
            float64 [trajectory or 1, point, column].

        Raises:
            GradientError: a probability.
        """
        n = len(values)
        if self.kind == "mean":
            return weights[None] / n
        if self.kind == "variance":
            return 2.0 / (n - 1) * (values - values.mean(axis=0)) * weights
        raise GradientError(
            f"{name}: a probability is the mean of a step, whose derivative along a trajectory is "
            f"zero whatever the truth; {FOR_JUMPS} differentiate it"
        )

    def pull_back(
        self,
        estimator: Estimator,
        engine: Native,
        request: Request,
        weights: FloatArray,
        values: FloatArray,
    ) -> FloatArray:
        """Return the derivative of the weighted statistics in the inputs, float64 [input].

        Args:
            estimator: of either sort.
            engine: gives the threads and the kind of kernel.
            request: the trajectories.
            weights: float64 [point, column].
            values: of these trajectories, float64 [trajectory, point, column].
        """
        if isinstance(estimator, ExpectationEstimator):
            functional = self.functional_about(weights, values)
            return estimator.pull_back_expectation(engine, request, functional)
        cotangent = self.cotangent(estimator.name, weights, values)
        return estimator.pull_back(engine, request, cotangent)


def statistic_of(statistic: Any) -> Statistic:
    """Return the statistic that an argument means.

    Args:
        statistic: `"mean"`, `"variance"` or `("probability", low, high)`.

    Raises:
        RequestError: it means none.
    """
    if isinstance(statistic, str) and statistic in ("mean", "variance"):
        return Statistic(statistic)
    if isinstance(statistic, tuple | list) and len(statistic) == 3:
        kind, low, high = statistic
        if isinstance(kind, str) and kind == "probability":
            ends = [e if np.isfinite(e) else None for e in ends_of("probability", low, high)]
            if ends != [None, None]:
                return Statistic("probability", *ends)
    raise RequestError(
        f'statistic={statistic!r}: choose "mean", "variance" or ("probability", low, high), with '
        "None for one open end"
    )
