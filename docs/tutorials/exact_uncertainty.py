"""Intervals of a fit by an exact likelihood, from the curvature of that."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import ExactObjective
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.uncertainty.identifiability import pair_flags
from sbmlgrad.fit.uncertainty.result import Uncertainty

FloatArray = NDArray[np.float64]

#: Half the distance of the two gradients of a difference, in natural logarithms.
STEP = 1e-3


def observed_information(
    gradient: Callable[[FloatArray], FloatArray], coordinates: FloatArray
) -> FloatArray:
    """Return minus the second derivative of a log-likelihood, by differences of its gradient.

    Args:
        gradient: of the log-likelihood: coordinates float64 [free] → float64 [free].
        coordinates: where, float64 [free].

    Returns:
        float64 [free, free], symmetric.
    """
    rows = []
    for place in range(len(coordinates)):
        step = STEP * np.eye(len(coordinates))[place]
        rows.append((gradient(coordinates + step) - gradient(coordinates - step)) / (2.0 * STEP))
    information = -np.stack(rows)
    return 0.5 * (information + information.T)


def with_exact_information(
    result: FitResult, objective: ExactObjective, count: int, level: float = 0.95
) -> Uncertainty:
    """Return intervals from the observed information of a fit.

    When to choose it: a loss that is minus twice the mean log-likelihood of `count` independent
    cells or dwells, up to a constant. Intervals are normal on the scale of the search.

    Source: Efron & Hinkley 1978, "Assessing the accuracy of the maximum likelihood estimator:
    observed versus expected Fisher information", Biometrika 65, 457.

    Args:
        result: of `fit` with that objective.
        objective: the same.
        count: of cells or dwells.
        level: of the intervals.

    Raises:
        FitError: the log-likelihood has no maximum there.
    """
    from scipy import stats

    space, problem = result.free, result.problem

    def gradient(z: FloatArray) -> FloatArray:
        values = space.values(z)
        slope = objective.exact_loss_and_gradient(problem, values)[1]
        return -0.5 * count * slope * space.slopes(values)

    values = np.array([result.values[id] for id in space.ids])
    z = space.coordinates(values)
    information = observed_information(gradient, z)
    if np.linalg.eigvalsh(information).min() <= 0.0:
        raise FitError(
            f"the fit of '{result.model.id}' did not end in a maximum of its likelihood, so that "
            "the curvature there says nothing; fit longer"
        )
    covariance: FloatArray = np.asarray(np.linalg.inv(information), dtype=np.float64)
    error = np.sqrt(np.diag(covariance))
    shift = covariance @ gradient(z)
    quantile = float(stats.norm.ppf(0.5 * (1.0 + level)))
    correlation = covariance / error / error[:, None]
    words = pair_flags(correlation, space.ids)
    for id, own, off in zip(space.ids, error, shift, strict=True):
        if abs(off) > 0.5 * own:
            words[id].append(f"the fit stopped {abs(off) / own:.1f} standard errors short")
    return Uncertainty(
        method="fisher",
        level=level,
        kind="confidence",
        ids=space.ids,
        values=values,
        standard_errors=error * space.slopes(values),
        lower=space.values(z - quantile * error),
        upper=space.values(z + quantile * error),
        covariance=covariance,
        is_logarithmic=space.is_logarithmic,
        parameter_flags={id: tuple(own) for id, own in words.items() if own},
        settings={"information": "observed", "step": f"{STEP:g}", "count": str(count)},
        units={p.id: p.unit for p in problem.free},
        details={"distance_to_optimum": shift},
    )
