"""Scores and expected information of the noise distributions, for every row of `NOISES`.

The score is the derivative of the logarithm of the density in the prediction y and in the scale s;
the expected information is its variance. For all rows the two are uncorrelated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.model.noise import NOISES

FloatArray = NDArray[np.float64]

#: Probability that the sum over counts may leave out.
LEFT_OUT = 1e-13

#: (measured, prediction, scale) → its derivatives in prediction and scale.
Score = Callable[[Any, Any, Any], tuple[Any, Any]]

#: (prediction, scale) → information on prediction and scale.
Information = Callable[[Any, Any], tuple[Any, Any]]


def noise_score(
    distribution: str, measured: Any, predicted: Any, scale: Any = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return the derivatives of the log-density in prediction and scale.

    Use it for a step of Fisher scoring. Derivatives in a scale that no distribution has, or that is
    a whole number (the trials of a binomial), are zero and NaN.

    Args:
        distribution: a row of `model.noise.NOISES`.
        measured: float64 [...].
        predicted: float64 [...].
        scale: float64 [...].

    Returns:
        Two arrays float64 [...].

    Raises:
        FitError: no such distribution.
    """
    x, y, s = _broadcast(distribution, measured, predicted, scale)
    with np.errstate(all="ignore"):
        by_prediction, by_scale = _SCORES[distribution](x, y, s)
    return np.broadcast_to(by_prediction, x.shape), np.broadcast_to(by_scale, x.shape)


def noise_information(
    distribution: str, predicted: Any, scale: Any = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return the expected (Fisher) information that one measurement has on prediction and scale.

    Sources: Lehmann & Casella 1998, Theory of Point Estimation, section 2.5, for location-scale
    families and exponential families; for the size of a negative binomial the expectation of the
    trigamma function is summed over counts until `LEFT_OUT` is left.

    Args:
        distribution: a row of `model.noise.NOISES`.
        predicted: float64 [...].
        scale: float64 [...].

    Returns:
        Two arrays float64 [...]; zero for a scale that the distribution has not, NaN for the
        trials of a binomial, which are no continuous parameter.

    Raises:
        FitError: no such distribution.
    """
    y, s = _broadcast(distribution, predicted, scale)
    with np.errstate(all="ignore"):
        by_prediction, by_scale = _INFORMATION[distribution](y, s)
    return np.broadcast_to(by_prediction, y.shape), np.broadcast_to(by_scale, y.shape)


def _broadcast(distribution: str, *values: Any) -> list[FloatArray]:
    if distribution not in NOISES:
        raise FitError(
            f"noise distribution {distribution!r} is unknown; choose one of {', '.join(NOISES)}"
        )
    return np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values))  # type: ignore[return-value]


def _normal_score(x: Any, y: Any, s: Any) -> tuple[Any, Any]:
    z = (x - y) / s
    return z / s, (z**2 - 1.0) / s


def _laplace_score(x: Any, y: Any, s: Any) -> tuple[Any, Any]:
    return np.sign(x - y) / s, (np.abs(x - y) / s - 1.0) / s


def _score_of_logarithm(score: Score) -> Score:
    def of_logarithm(x: Any, y: Any, s: Any) -> tuple[Any, Any]:
        by_prediction, by_scale = score(np.log(x), np.log(y), s)
        return by_prediction / y, by_scale

    return of_logarithm


def _information_of_logarithm(information: Information) -> Information:
    def of_logarithm(y: Any, s: Any) -> tuple[Any, Any]:
        by_prediction, by_scale = information(np.log(y), s)
        return by_prediction / y**2, by_scale

    return of_logarithm


def _negative_binomial_score(x: Any, y: Any, s: Any) -> tuple[Any, Any]:
    from scipy.special import digamma

    by_size = digamma(x + s) - digamma(s) - np.log1p(y / s) + (y - x) / (s + y)
    return x / y - (x + s) / (y + s), by_size


def _negative_binomial_information(y: Any, s: Any) -> tuple[Any, Any]:
    pairs, place = np.unique(np.stack([y.ravel(), s.ravel()]), axis=1, return_inverse=True)
    sizes = np.array([_information_on_size(*pair) for pair in pairs.T])
    return s / (y * (y + s)), sizes[place.ravel()].reshape(y.shape)


def _information_on_size(y: float, s: float) -> float:
    from scipy import stats
    from scipy.special import polygamma

    share = s / (s + y)
    x = np.arange(float(stats.nbinom.isf(LEFT_OUT, s, share)) + 1.0)
    expected = float(stats.nbinom.pmf(x, s, share) @ polygamma(1, x + s))
    return float(polygamma(1, s)) - expected - 1.0 / s + 1.0 / (s + y)


def _normal_information(y: Any, s: Any) -> tuple[Any, Any]:
    del y
    return 1.0 / s**2, 2.0 / s**2


def _laplace_information(y: Any, s: Any) -> tuple[Any, Any]:
    del y
    return 1.0 / s**2, 1.0 / s**2


_SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "normal": _normal_score,
        "laplace": _laplace_score,
        "log-normal": _score_of_logarithm(_normal_score),
        "log-laplace": _score_of_logarithm(_laplace_score),
        "poisson": lambda x, y, s: (x / y - 1.0, 0.0),
        "binomial": lambda x, y, s: (x / y - (s - x) / (s - y), np.nan),
        "negative-binomial": _negative_binomial_score,
    }
)

_INFORMATION: Mapping[str, Information] = MappingProxyType(
    {
        "normal": _normal_information,
        "laplace": _laplace_information,
        "log-normal": _information_of_logarithm(_normal_information),
        "log-laplace": _information_of_logarithm(_laplace_information),
        "poisson": lambda y, s: (1.0 / y, 0.0),
        "binomial": lambda y, s: (s / (y * (s - y)), np.nan),
        "negative-binomial": _negative_binomial_information,
    }
)
