"""Densities of measurements around predictions, and draws from them, for every row of `NOISES`.

The formulas are written once, over the few functions of `Functions`, so that the same text serves
NumPy and TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.model.noise import NOISES

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_LOG_TWO = math.log(2.0)


@dataclass(frozen=True, slots=True)
class Functions:
    """What the formulas need of an array library.

    Attributes:
        log: natural logarithm.
        abs: magnitude.
        gammaln: logarithm of the gamma function.
        xlogy: x times log y, and 0 where x is 0.
    """

    log: Callable[[Any], Any]
    abs: Callable[[Any], Any]
    gammaln: Callable[[Any], Any]
    xlogy: Callable[[Any, Any], Any]


#: One density: (measured, predicted, scale, functions) → its natural logarithm.
Density = Callable[[Any, Any, Any, Functions], Any]


def numpy_functions() -> Functions:
    """Return the functions for NumPy arrays."""
    from scipy.special import gammaln, xlogy

    return Functions(np.log, np.abs, gammaln, xlogy)


def tensorflow_functions() -> Functions:
    """Return the functions for TensorFlow tensors; gradients flow through all of them."""
    import tensorflow as tf

    return Functions(tf.math.log, tf.abs, tf.math.lgamma, tf.math.xlogy)


def _normal(x: Any, y: Any, s: Any, f: Functions) -> Any:
    return -0.5 * ((x - y) / s) ** 2 - f.log(s) - _HALF_LOG_TWO_PI


def _laplace(x: Any, y: Any, s: Any, f: Functions) -> Any:
    return -f.abs(x - y) / s - f.log(s) - _LOG_TWO


def _of_logarithm(density: Density) -> Density:
    """Return the density of a value whose natural logarithm has the given one around log y."""
    return lambda x, y, s, f: density(f.log(x), f.log(y), s, f) - f.log(x)


def _poisson(x: Any, y: Any, s: Any, f: Functions) -> Any:
    del s
    return f.xlogy(x, y) - y - f.gammaln(x + 1.0)


def _binomial(x: Any, y: Any, s: Any, f: Functions) -> Any:
    ways = f.gammaln(s + 1.0) - f.gammaln(x + 1.0) - f.gammaln(s - x + 1.0)
    return ways + f.xlogy(x, y / s) + f.xlogy(s - x, 1.0 - y / s)


def _negative_binomial(x: Any, y: Any, s: Any, f: Functions) -> Any:
    ways = f.gammaln(x + s) - f.gammaln(s) - f.gammaln(x + 1.0)
    return ways - s * f.log(1.0 + y / s) + f.xlogy(x, y / (s + y))


#: Distribution → logarithm of its density.
DENSITIES: Mapping[str, Density] = MappingProxyType(
    {
        "normal": _normal,
        "laplace": _laplace,
        "log-normal": _of_logarithm(_normal),
        "log-laplace": _of_logarithm(_laplace),
        "poisson": _poisson,
        "binomial": _binomial,
        "negative-binomial": _negative_binomial,
    }
)


def log_density(
    distribution: str,
    measured: Any,
    predicted: Any,
    scale: Any = 1.0,
    functions: Functions | None = None,
) -> Any:
    """Return the logarithm of the density (or probability) of measurements.

    Use it for a term of a log-likelihood. Arguments broadcast against each other. What lies outside
    the support (see `impossible`) gives NaN or minus infinity, never a warning.

    Sources: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions (normal, log-normal,
    Laplace) and Johnson, Kemp & Kotz, Univariate Discrete Distributions (Poisson, binomial,
    negative binomial with mean y and size r).

    Args:
        distribution: a row of `model.noise.NOISES`.
        measured: float64 [...].
        predicted: float64 [...], mean or median as `NOISES` says.
        scale: float64 [...], what `NOISES` calls the scale; ignored where there is none.
        functions: `numpy_functions()` by default; `tensorflow_functions()` for tensors.

    Returns:
        float64 [...], array or tensor.

    Raises:
        FitError: no such distribution.
    """
    density = DENSITIES.get(distribution)
    if density is None:
        raise FitError(_unknown(distribution))
    if functions is not None:
        return density(measured, predicted, scale, functions)
    with np.errstate(all="ignore"):
        x, y, s = (np.asarray(a, dtype=np.float64) for a in (measured, predicted, scale))
        return density(x, y, s, numpy_functions())


def impossible(distribution: str, measured: Any) -> NDArray[np.bool_]:
    """Tell which measurements no prediction can explain: fractions of a count, zeros of a log.

    Args:
        distribution: a row of `NOISES`.
        measured: float64 [measurement].

    Returns:
        bool [measurement].
    """
    values = np.asarray(measured, dtype=np.float64)
    kind = NOISES.get(distribution)
    if kind is None:
        raise FitError(_unknown(distribution))
    if kind.is_count:
        return (values < 0.0) | (values != np.rint(values))
    return values <= 0.0 if kind.is_positive else np.zeros(values.shape, dtype=np.bool_)


def why_impossible(distribution: str, measured: float, predicted: float, scale: float) -> str:
    """Say why a measurement has no finite density; for messages.

    Args:
        distribution: a row of `NOISES`.
        measured: the measurement.
        predicted: mean or median, as `NOISES` says.
        scale: what `NOISES` calls the scale; ignored where there is none.
    """
    kind = NOISES[distribution]
    if impossible(distribution, [measured])[0]:
        wanted = "a whole number from 0 on" if kind.is_count else "positive"
        return f"what is measured must be {wanted}"
    if distribution == "binomial" and measured > scale:
        return "more was measured than there are trials"
    if distribution == "binomial" and predicted > scale:
        return "more is predicted than there are trials"
    if kind.is_count and predicted in (0.0, scale if distribution == "binomial" else 0.0):
        return f"a prediction of {predicted:g} allows no other value"
    found = _outside(distribution, np.array(predicted), np.array(scale))
    if found:
        return found
    return "the density cannot be told from 0"


def draw(
    distribution: str, predicted: Any, scale: Any, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw measurements around predictions, for known-truth studies and parametric bootstrap.

    Args:
        distribution: a row of `NOISES`.
        predicted: float64 [...].
        scale: float64 [...], broadcast against it; ignored where the distribution has none.
        rng: where randomness comes from.

    Returns:
        float64 [...].

    Raises:
        FitError: no such distribution, or predictions or scales outside its range.
    """
    if distribution not in NOISES:
        raise FitError(_unknown(distribution))
    y, s = np.broadcast_arrays(
        np.asarray(predicted, dtype=np.float64), np.asarray(scale, dtype=np.float64)
    )
    problem = _outside(distribution, y, s)
    if problem:
        raise FitError(f"measurements with {distribution} noise cannot be drawn: {problem}")
    sample = _SAMPLERS[distribution](y, s, rng)
    return np.asarray(sample, dtype=np.float64)


_SAMPLERS: Mapping[str, Callable[[Any, Any, np.random.Generator], Any]] = MappingProxyType(
    {
        "normal": lambda y, s, rng: rng.normal(y, s),
        "laplace": lambda y, s, rng: rng.laplace(y, s),
        "log-normal": lambda y, s, rng: np.exp(rng.normal(np.log(y), s)),
        "log-laplace": lambda y, s, rng: np.exp(rng.laplace(np.log(y), s)),
        "poisson": lambda y, s, rng: rng.poisson(y),
        "binomial": lambda y, s, rng: rng.binomial(s.astype(np.int64), y / s),
        "negative-binomial": lambda y, s, rng: rng.negative_binomial(s, s / (s + y)),
    }
)


def _outside(distribution: str, y: NDArray[np.float64], s: NDArray[np.float64]) -> str:
    """Say what is wrong with predictions or scales; empty if nothing is."""
    kind = NOISES[distribution]
    if not np.isfinite(y).all():
        return "a prediction is not finite"
    if kind.scale and not (np.isfinite(s).all() and (s > 0.0).all()):
        return f"its scale ({kind.scale}) must be positive and finite everywhere"
    if kind.is_positive and (y <= 0.0).any():
        return f"the prediction {y.min():.6g} is not positive"
    if kind.is_count and (y < 0.0).any():
        return f"the prediction {y.min():.6g} is negative"
    if distribution == "binomial" and ((s != np.rint(s)).any() or (y > s).any()):
        return "the number of trials must be whole and at least the prediction"
    return ""


def _unknown(distribution: str) -> str:
    return f"noise distribution {distribution!r} is unknown; choose one of {', '.join(NOISES)}"
