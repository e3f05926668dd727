"""Densities of prior distributions and their slopes, for every row of `PRIORS`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import SCALES, Problem

FloatArray = NDArray[np.float64]

#: (x, arguments of the prior) → logarithm of the density and its derivative in x.
Density = Callable[..., tuple[Any, Any]]

_LOG_TWO_PI = math.log(2.0 * math.pi)


def log_prior_density(prior: Prior, value: Any, scale: str = "lin") -> Any:
    """Return the logarithm of a prior density.

    It is that of PEtab: of the value itself, or for a prior `on_scale` of the value on the scale of
    its parameter (a natural or decadic logarithm). Use it for the penalty of a maximum a posteriori
    fit; to sample a posterior use `log_prior_of_coordinates`, which knows the change of variables.

    Sources: Johnson, Kotz & Balakrishnan 1994, Continuous Univariate Distributions.

    Args:
        prior: what is believed.
        value: of the parameter, float64 [...], never its logarithm.
        scale: of the parameter, one of `problem.SCALES`; matters for priors `on_scale`.

    Returns:
        float64 [...]; minus infinity where the prior excludes a value.

    Raises:
        FitError: no such scale.
    """
    return _evaluated(prior, value, scale)[0][()]


def log_prior_slope(prior: Prior, value: Any, scale: str = "lin") -> Any:
    """Return the derivative of `log_prior_density` in the value itself, float64 [...].

    NaN where the prior excludes a value; at the peak of a Laplace prior, where there is none, zero.
    """
    return _evaluated(prior, value, scale)[1][()]


def log_prior_of_coordinates(problem: Problem, coordinates: FloatArray) -> FloatArray:
    """Return the logarithm of the prior density of coordinates of the search space.

    Parameters without a prior are flat in their coordinate between their bounds, which is what
    PEtab assumes; constants are left out for them.

    Args:
        problem: with its priors.
        coordinates: float64 [..., free].

    Returns:
        float64 [...]; minus infinity outside the bounds.
    """
    space = search_space(problem)
    z = np.asarray(coordinates, dtype=np.float64)
    values = space.values(z)
    inside = (z >= space.coordinates(space.lower)) & (z <= space.coordinates(space.upper))
    total = np.where(inside.all(axis=-1), 0.0, -np.inf)
    for place, parameter in enumerate(problem.free):
        if parameter.prior is None:
            continue
        value = values[..., place]
        total = total + log_prior_density(parameter.prior, value, parameter.scale)
        if not parameter.prior.on_scale:
            # From the density of a value to that of its coordinate.
            with np.errstate(divide="ignore"):
                total = total + np.log(np.abs(space.slopes(values)[..., place]))
    return total


def _evaluated(prior: Prior, value: Any, scale: str) -> tuple[FloatArray, FloatArray]:
    if scale not in SCALES:
        raise FitError(f"scale {scale!r} is unknown; choose one of {', '.join(SCALES)}")
    given = np.asarray(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        x, inner = given, np.ones_like(given)
        if prior.on_scale and scale != "lin":
            base = 1.0 if scale == "log" else math.log(10.0)
            x, inner = np.log(given) / base, 1.0 / (given * base)
        density, slope = DENSITIES[prior.distribution](x, *prior.arguments)
        allowed = ~np.isnan(x) & (x >= _LOWEST.get(prior.distribution, -np.inf))
        if prior.distribution in ("uniform", "log-uniform"):
            allowed &= (x >= prior.arguments[0]) & (x <= prior.arguments[1])
        slope = np.where(allowed, slope * inner, np.nan)
    # NaN is left where it was given.
    return np.where(allowed | np.isnan(given), density, -np.inf), slope


def _uniform(x: Any, low: float, high: float) -> tuple[Any, Any]:
    return x * 0.0 - math.log(high - low), x * 0.0


def _log_uniform(x: Any, low: float, high: float) -> tuple[Any, Any]:
    return -np.log(x) - math.log(math.log(high / low)), -1.0 / x


def _normal(x: Any, mean: float, sd: float) -> tuple[Any, Any]:
    z = (x - mean) / sd
    return -0.5 * (z**2 + _LOG_TWO_PI) - math.log(sd), -z / sd


def _laplace(x: Any, location: float, scale: float) -> tuple[Any, Any]:
    z = (x - location) / scale
    return -np.abs(z) - math.log(2.0 * scale), -np.sign(z) / scale


def _of_logarithm(density: Density) -> Density:
    """Return the density of a value whose natural logarithm has the given one."""

    def of_logarithm(x: Any, *arguments: float) -> tuple[Any, Any]:
        logarithm = np.log(x)
        value, slope = density(logarithm, *arguments)
        # At zero the density vanishes, and no derivative matters.
        return np.where(x > 0.0, value - logarithm, -np.inf), (slope - 1.0) / x

    return of_logarithm


def _cauchy(x: Any, location: float, scale: float) -> tuple[Any, Any]:
    z = (x - location) / scale
    return -np.log1p(z**2) - math.log(math.pi * scale), -2.0 * z / (scale * (1.0 + z**2))


def _gamma(x: Any, shape: float, scale: float) -> tuple[Any, Any]:
    from scipy.special import xlogy

    constant = math.lgamma(shape) + shape * math.log(scale)
    return xlogy(shape - 1.0, x) - x / scale - constant, (shape - 1.0) / x - 1.0 / scale


def _chisquare(x: Any, freedom: float) -> tuple[Any, Any]:
    return _gamma(x, 0.5 * freedom, 2.0)


def _exponential(x: Any, scale: float) -> tuple[Any, Any]:
    return -x / scale - math.log(scale), x * 0.0 - 1.0 / scale


def _rayleigh(x: Any, scale: float) -> tuple[Any, Any]:
    return np.log(x) - 2.0 * math.log(scale) - 0.5 * (x / scale) ** 2, 1.0 / x - x / scale**2


#: Distribution → logarithm of its density and its derivative.
DENSITIES: Mapping[str, Density] = MappingProxyType(
    {
        "uniform": _uniform,
        "log-uniform": _log_uniform,
        "normal": _normal,
        "log-normal": _of_logarithm(_normal),
        "laplace": _laplace,
        "log-laplace": _of_logarithm(_laplace),
        "cauchy": _cauchy,
        "chisquare": _chisquare,
        "exponential": _exponential,
        "gamma": _gamma,
        "rayleigh": _rayleigh,
    }
)

#: Distribution → least value that it allows, where there is one.
_LOWEST: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(
        ("log-normal", "log-laplace", "chisquare", "exponential", "gamma", "rayleigh"), 0.0
    )
)
