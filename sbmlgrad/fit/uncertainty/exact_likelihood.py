"""Standard errors and intervals from the curvature of an exact likelihood."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, SbmlGradError
from sbmlgrad.fit.objectives.base import ExactLikelihood
from sbmlgrad.fit.parallel import TaskProgress
from sbmlgrad.fit.uncertainty.around_optimum import away_words, interval_around
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.identifiability import (
    WIDE,
    Directions,
    directions,
    is_wide,
    pair_flags,
)
from sbmlgrad.fit.uncertainty.result import FAR_FROM_OPTIMUM, Uncertainty
from sbmlgrad.fit.uncertainty.scoring import newton_step

FloatArray = NDArray[np.float64]

#: Half the distance of the two gradients of a difference, in coordinates.
STEP = 1e-3

#: Share of the largest eigenvalue, below zero, from which a curvature is that of no maximum.
UPWARDS = 1e-4

#: What is said of a parameter where the optimum was not found.
ROUGH = "its interval is not to be used: the fit stopped far from the optimum of the likelihood"


def observed_information(
    gradient: Callable[[FloatArray], FloatArray],
    coordinates: FloatArray,
    step: float = STEP,
    told: Callable[[], None] | None = None,
) -> FloatArray:
    """Return minus the second derivative of a log-likelihood, by differences of its gradient.

    Args:
        gradient: of the log-likelihood: coordinates float64 [free] → float64 [free].
        coordinates: where, float64 [free].
        step: to either side.
        told: called after every coordinate.

    Returns:
        float64 [free, free], symmetric.
    """
    rows = []
    for place in range(len(coordinates)):
        move = step * np.eye(len(coordinates))[place]
        rows.append((gradient(coordinates + move) - gradient(coordinates - move)) / (2.0 * step))
        if told is not None:
            told()
    information = -np.stack(rows)
    return 0.5 * (information + information.T)


def from_exact_likelihood(
    fitted: Fitted, level: float = 0.9, progress: TaskProgress | None = None
) -> Uncertainty:
    """Return intervals from the observed information of a fit by an exact likelihood.

    When to choose it: `StateSpaceLikelihood`, `DwellTimes` and other objectives that are an
    `ExactLikelihood`; `uncertainty(fit, "fisher", objective=...)` then comes here. Intervals are
    normal on the scale of the search, and hold if the model does. There is no noise of simulation.

    A fit that was cut ended near its optimum only. A Newton step from there, and a second one by
    the same curvature, measure how far away the optimum is. Intervals lie around it, and reach to
    the fitted value where that is further off; standard errors of the value hold the distance. If
    the second step is longer than `FAR_FROM_OPTIMUM` standard errors, the first cannot be trusted:
    it then widens intervals too, and a flag says that these are not to be used.

    Source: Efron & Hinkley 1978, "Assessing the accuracy of the maximum likelihood estimator:
    observed versus expected Fisher information", Biometrika 65, 457.

    Args:
        fitted: the fit.
        level: of the intervals.
        progress: called with (differences done, differences).

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
    told = _counted(progress, 2 * int(free.sum()))
    information = observed_information(gradient, z[free], told=told)
    _refuse_upwards(fitted, information)
    # What a longer step finds differently is the error of either.
    doubtful = np.stack([information, observed_information(gradient, z[free], 2.0 * STEP, told)])
    inverse = directions(information, ids, space.is_logarithmic[free], doubtful)
    away, doubt = _distance(fitted, free, information, inverse)
    full = np.full((len(free), len(free)), np.nan)
    full[np.ix_(free, free)] = inverse.covariance
    distance = np.full(len(free), np.nan)
    distance[free] = away
    error_of_value = np.sqrt(np.diag(full) + distance**2)
    error = error_of_value if doubt else np.sqrt(np.diag(full))
    reach = float(stats.norm.ppf(0.5 * (1.0 + level))) * error
    interval = low, high = interval_around(fitted, distance, reach)
    return Uncertainty(
        method="fisher",
        level=level,
        kind="confidence",
        ids=space.ids,
        values=fitted.values,
        standard_errors=error_of_value * space.slopes(fitted.values),
        lower=low,
        upper=high,
        covariance=full,
        is_logarithmic=space.is_logarithmic,
        parameter_flags=_parameter_flags(
            fitted, at_bounds, full, interval, distance, reach, is_rough=bool(doubt)
        ),
        flags=(*inverse.words, *([doubt] if doubt else [])),
        settings={
            "information": "observed",
            "step": f"{STEP:g}",
            "count": str(_likelihood(fitted).count(fitted.problem)),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={"distance_to_optimum": distance, "is_rough": bool(doubt)},
    )


def _counted(progress: TaskProgress | None, total: int) -> Callable[[], None] | None:
    """Return what to call after each of a number of equal parts, or None."""
    if progress is None:
        return None
    numbers = itertools.count(1)
    return lambda: progress(next(numbers), total)


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


def _distance(
    fitted: Fitted, free: NDArray[np.bool_], information: FloatArray, inverse: Directions
) -> tuple[FloatArray, str]:
    """Return how far the optimum is, in the coordinates that are no bounds.

    Returns:
        float64 [part], zero along what the data leave open; and why it is rough, in words, or an
        empty text.
    """
    space, gradient, z = fitted.space, _gradient(fitted, free), fitted.coordinates
    known = ~inverse.is_open
    step = newton_step(information, gradient(z[free]), known)
    there = z.copy()
    there[free] += step
    beyond = free & (space.within(there) != there)
    if beyond.any():
        ids = ", ".join(id for id, is_this in zip(space.ids, beyond, strict=True) if is_this)
        return step, _doubt(f"a Newton step leads beyond the bounds of {ids}")
    try:
        rest = newton_step(information, gradient(there[free]), known)
    except SbmlGradError as error:
        return step, _doubt(f"where a Newton step leads there is no likelihood: {error}")
    left = np.abs(rest[known]) / np.sqrt(np.diag(inverse.covariance)[known])
    if not left.max(initial=0.0) <= FAR_FROM_OPTIMUM:
        return step, _doubt(
            f"a Newton step leads to where the next would be {left.max():.2g} standard errors long"
        )
    return step + rest, ""


def _doubt(why: str) -> str:
    return (
        f"the fit stopped far from the optimum of the likelihood: {why}; the intervals are not to "
        "be used, and a longer fit is needed"
    )


def _parameter_flags(
    fitted: Fitted,
    at_bounds: tuple[str, ...],
    full: FloatArray,
    interval: tuple[FloatArray, FloatArray],
    distance: FloatArray,
    reach: FloatArray,
    *,
    is_rough: bool,
) -> dict[str, tuple[str, ...]]:
    low, high = interval
    with np.errstate(all="ignore"):
        error = np.sqrt(np.diag(full))
        # The curvature so far from the optimum is not that of the optimum.
        correlation = full / error / error[:, None] * (np.nan if is_rough else 1.0)
    words = pair_flags(correlation, fitted.space.ids)
    for place, id in enumerate(fitted.space.ids):
        own, away = words[id], abs(distance[place])
        if id in at_bounds:
            own.append(
                "at a bound and held there: no interval by this method, and those of the others "
                "are given that"
            )
        elif np.isinf(error[place]):
            own.append("not determined by these data")
        elif is_rough:
            own.append(ROUGH)
        elif is_wide(low[place], high[place]):
            own.append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        if not is_rough and (away > FAR_FROM_OPTIMUM * error[place] or away > reach[place]):
            own.append(away_words(fitted.space, place, float(distance[place]), float(reach[place])))
    return {id: tuple(own) for id, own in words.items() if own}
