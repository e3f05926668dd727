"""Standard errors and intervals from the curvature of an exact likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import ExactLikelihood
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.identifiability import WIDE, directions, is_wide, pair_flags
from sbmlgrad.fit.uncertainty.result import FAR_FROM_OPTIMUM, Uncertainty

FloatArray = NDArray[np.float64]

#: Half the distance of the two gradients of a difference, in coordinates.
STEP = 1e-3

#: Share of the largest eigenvalue, below zero, from which a curvature is that of no maximum.
UPWARDS = 1e-4


def observed_information(
    gradient: Callable[[FloatArray], FloatArray], coordinates: FloatArray, step: float = STEP
) -> FloatArray:
    """Return minus the second derivative of a log-likelihood, by differences of its gradient.

    Args:
        gradient: of the log-likelihood: coordinates float64 [free] → float64 [free].
        coordinates: where, float64 [free].
        step: to either side.

    Returns:
        float64 [free, free], symmetric.
    """
    rows = []
    for place in range(len(coordinates)):
        move = step * np.eye(len(coordinates))[place]
        rows.append((gradient(coordinates + move) - gradient(coordinates - move)) / (2.0 * step))
    information = -np.stack(rows)
    return 0.5 * (information + information.T)


def from_exact_likelihood(fitted: Fitted, level: float = 0.9) -> Uncertainty:
    """Return intervals from the observed information of a fit by an exact likelihood.

    When to choose it: `StateSpaceLikelihood`, `DwellTimes` and other objectives that are an
    `ExactLikelihood`; `uncertainty(fit, "fisher", objective=...)` then comes here. Intervals are
    normal on the scale of the search, lie around the fitted values, and hold if the model does and
    the fit ended at the optimum; a flag says where a Newton step leads away from there. There is no
    noise of simulation.

    Source: Efron & Hinkley 1978, "Assessing the accuracy of the maximum likelihood estimator:
    observed versus expected Fisher information", Biometrika 65, 457.

    Args:
        fitted: the fit.
        level: of the intervals.

    Raises:
        FitError: another objective, all parameters at bounds, or a fit that did not end in a
            maximum of the likelihood.
    """
    from scipy import stats

    space, z = fitted.space, fitted.coordinates
    at_bounds = space.at_bounds(fitted.values)
    free = np.array([id not in at_bounds for id in space.ids])
    if not free.any():
        raise FitError("every parameter is at a bound, where curvature says nothing; widen bounds")
    gradient = _gradient(fitted, free)
    ids = tuple(np.array(space.ids)[free].tolist())
    information = observed_information(gradient, z[free])
    _refuse_upwards(fitted, information)
    # What a longer step finds differently is the error of either.
    doubtful = np.stack([information, observed_information(gradient, z[free], 2.0 * STEP)])
    inverse = directions(information, ids, space.is_logarithmic[free], doubtful)
    full = np.full((len(free), len(free)), np.nan)
    full[np.ix_(free, free)] = inverse.covariance
    error = np.sqrt(np.diag(full))
    shift = np.full(len(free), np.nan)
    known = np.where(np.isfinite(inverse.covariance), inverse.covariance, 0.0)
    shift[free] = known @ gradient(z[free])
    quantile = float(stats.norm.ppf(0.5 * (1.0 + level)))
    with np.errstate(over="ignore"):
        low, high = space.values(z - quantile * error), space.values(z + quantile * error)
    return Uncertainty(
        method="fisher",
        level=level,
        kind="confidence",
        ids=space.ids,
        values=fitted.values,
        standard_errors=error * space.slopes(fitted.values),
        lower=low,
        upper=high,
        covariance=full,
        is_logarithmic=space.is_logarithmic,
        parameter_flags=_parameter_flags(fitted, at_bounds, full, low, high, shift),
        flags=inverse.words,
        settings={
            "information": "observed",
            "step": f"{STEP:g}",
            "count": str(_likelihood(fitted).count(fitted.problem)),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={"newton_step": shift},
    )


def _likelihood(fitted: Fitted) -> ExactLikelihood:
    if not isinstance(fitted.objective, ExactLikelihood):
        raise FitError(
            f"{fitted.objective.name} is no exact likelihood, whose curvature could be taken; use "
            'method="bootstrap"'
        )
    return fitted.objective


def _gradient(fitted: Fitted, free: NDArray[np.bool_]) -> Callable[[FloatArray], FloatArray]:
    """Return the gradient of the log-likelihood in the coordinates that are no bounds."""
    objective, space, problem = _likelihood(fitted), fitted.space, fitted.problem
    count, z = objective.count(problem), fitted.coordinates

    def gradient(coordinates: FloatArray) -> FloatArray:
        moved = z.copy()
        moved[free] = coordinates
        values = space.values(moved)
        slope = objective.exact_loss_and_gradient(problem, values)[1]
        return (-0.5 * count * slope * space.slopes(values))[free]

    return gradient


def _refuse_upwards(fitted: Fitted, information: FloatArray) -> None:
    scale = np.sqrt(np.abs(np.diag(information)))
    unit = np.where(scale > 0.0, scale, 1.0)
    eigenvalues = np.linalg.eigvalsh(information / unit / unit[:, None])
    if eigenvalues.min() < -UPWARDS * max(eigenvalues.max(), 0.0) or eigenvalues.max() < 0.0:
        raise FitError(
            f"the fit of '{fitted.problem.network.id}' did not end in a maximum of its likelihood, "
            "so that the curvature there says nothing; fit longer"
        )


def _parameter_flags(
    fitted: Fitted,
    at_bounds: tuple[str, ...],
    full: FloatArray,
    low: FloatArray,
    high: FloatArray,
    shift: FloatArray,
) -> dict[str, tuple[str, ...]]:
    with np.errstate(all="ignore"):
        error = np.sqrt(np.diag(full))
        words = pair_flags(full / error / error[:, None], fitted.space.ids)
    for place, id in enumerate(fitted.space.ids):
        own = words[id]
        if id in at_bounds:
            own.append(
                "at a bound and held there: no interval by this method, and those of the others "
                "are given that"
            )
        elif np.isinf(error[place]):
            own.append("not determined by these data")
        elif is_wide(low[place], high[place]):
            own.append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        if abs(shift[place]) > FAR_FROM_OPTIMUM * error[place]:
            off = abs(shift[place]) / error[place]
            own.append(f"the fit stopped {off:.1f} standard errors short")
    return {id: tuple(own) for id, own in words.items() if own}
