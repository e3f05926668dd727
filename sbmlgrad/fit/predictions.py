"""The fitted model beside the measurements: predictions, residuals, bands of expected values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.result import Curve, Predictions
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.noise import NOISES
from sbmlgrad.model.problem import Observable, Problem

FloatArray = NDArray[np.float64]


def curve_of(simulated: Simulated, observable: Observable) -> Curve:
    """Return an observable along time, with what its noise model needs for a band.

    Args:
        simulated: one experiment, under one set of parameters.
        observable: of the problem.
    """
    mean = simulated.mean(observable.formula)
    sd = np.sqrt(simulated.variance(observable.formula))
    return Curve(simulated.times, mean, sd, _scale(simulated, observable))


def predictions_of(problem: Problem, simulated: Mapping[str, Simulated]) -> Predictions | None:
    """Return what the model says where there are measurements; None where there are none.

    Args:
        problem: what was calibrated.
        simulated: experiment id → its simulation, whose times hold those of the measurements.

    Returns:
        Arrays [measurement], in the order of `problem.measurements`.
    """
    m = problem.measurements
    if not len(m):
        return None
    conditions = np.array(m.condition, dtype=object)
    mean, error, scale = (np.full(len(m), np.nan) for _ in range(3))
    for experiment, one in simulated.items():
        here = conditions == experiment
        for place, id in enumerate(m.observables):
            rows = np.flatnonzero(here & (m.observable_index == place))
            if not rows.size:
                continue
            curve = curve_of(one, problem.observable[id])
            points = np.searchsorted(one.times, m.time[rows])
            n = one.ensemble.outcomes.shape[-1]
            mean[rows] = curve.mean[points]
            error[rows] = curve.sd[points] / np.sqrt(n)
            assert curve.scale is not None
            scale[rows] = curve.scale[points]
    return Predictions(mean, error, scale)


def _scale(simulated: Simulated, observable: Observable) -> FloatArray:
    if not observable.noise.kind.scale:
        return np.ones(len(simulated.times))
    scale = np.asarray(simulated.mean(observable.noise.scale), dtype=np.float64)
    return np.broadcast_to(scale, (len(simulated.times),)).copy()


def _row(name: str, *arguments: Callable[[Any, Any], Any], **named: Callable[[Any, Any], Any]):
    """Return a function of prediction and scale that gives a distribution of `scipy.stats`."""

    def distribution(y: Any, s: Any) -> Any:
        from scipy import stats

        shape = [argument(y, s) for argument in arguments]
        return getattr(stats, name)(*shape, **{key: value(y, s) for key, value in named.items()})

    return distribution


#: Distribution of `model.noise.NOISES` → (prediction, scale) → the same in `scipy.stats`.
DISTRIBUTIONS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "normal": _row("norm", loc=lambda y, s: y, scale=lambda y, s: s),
        "laplace": _row("laplace", loc=lambda y, s: y, scale=lambda y, s: s),
        "log-normal": _row("lognorm", lambda y, s: s, scale=lambda y, s: y),
        "log-laplace": _row("loglaplace", lambda y, s: 1.0 / s, scale=lambda y, s: y),
        "poisson": _row("poisson", lambda y, s: y),
        "binomial": _row("binom", lambda y, s: s, lambda y, s: y / s),
        "negative-binomial": _row("nbinom", lambda y, s: s, lambda y, s: s / (s + y)),
    }
)


def noise_distribution(distribution: str, predicted: Any, scale: Any) -> Any:
    """Return how measurements scatter around predictions, as `scipy.stats` knows it.

    Args:
        distribution: a row of `NOISES`.
        predicted: float64 [...], mean or median as `NOISES` says.
        scale: float64 [...]; ignored where there is none.

    Returns:
        A frozen distribution; its methods give NaN where prediction or scale are impossible.

    Raises:
        FitError: no such distribution.
    """
    if distribution not in DISTRIBUTIONS:
        raise FitError(
            f"noise distribution {distribution!r} is unknown; choose one of {', '.join(NOISES)}"
        )
    return DISTRIBUTIONS[distribution](np.asarray(predicted), np.asarray(scale))


def standardised(distribution: str, measured: Any, predicted: Any, scale: Any) -> FloatArray:
    """Return residuals on the scale of a standard normal, whatever the noise model.

    Use them to see whether measurements scatter around the model as the noise model says: they
    then are standard normal. For normal noise they are (measured - predicted) / sd. For counts the
    probability of the measured count itself is halved, which makes them a little narrower.
    Source: Dunn & Smyth 1996, J. Comput. Graph. Stat. 5, 236 (quantile residuals).

    Args:
        distribution: a row of `NOISES`.
        measured: float64 [measurement].
        predicted: float64 [measurement].
        scale: float64 [measurement].

    Returns:
        float64 [measurement]; NaN where the noise model does not allow the prediction.
    """
    from scipy.special import ndtri_exp

    x = np.asarray(measured, dtype=np.float64)
    known = noise_distribution(distribution, predicted, scale)
    with np.errstate(all="ignore"):
        below, above = known.logcdf(x), known.logsf(x)
        if NOISES[distribution].is_count:
            half = known.logpmf(x) - np.log(2.0)
            below, above = np.logaddexp(known.logcdf(x - 1.0), half), np.logaddexp(above, half)
        # From the nearer tail, where the logarithm of the probability has all its digits.
        return np.where(below < above, ndtri_exp(below), -ndtri_exp(above))


def band(
    distribution: str, predicted: Any, error: Any, scale: Any, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return limits between which a measurement is expected.

    The noise of measuring and the Monte-Carlo error of the prediction are added as the squares of
    their half widths, which is exact where both are normal.

    Args:
        distribution: a row of `NOISES`.
        predicted: float64 [time].
        error: Monte-Carlo standard error of it, float64 [time].
        scale: of the noise, float64 [time].
        level: probability of a measurement between the limits.

    Returns:
        Lower and upper limits, float64 [time]; NaN where the noise model does not allow the
        prediction.
    """
    from scipy.stats import norm

    y = np.asarray(predicted, dtype=np.float64)
    known = noise_distribution(distribution, y, scale)
    outside = 0.5 * (1.0 - level)
    reach = norm.isf(outside) * np.asarray(error)
    with np.errstate(all="ignore"):
        low, high = known.ppf(outside), known.isf(outside)
        return y - np.hypot(y - low, reach), y + np.hypot(high - y, reach)
