"""Smooth curves through noisy profiles, and where they cross a threshold.

A profile is known at points with Monte-Carlo errors. It is taken as a quadratic plus a smooth
deviation from it, a Gaussian process (O'Hagan 1978, "Curve fitting and optimal design for
prediction", J. R. Stat. Soc. B 40, 1; Rasmussen & Williams 2006, section 2.7), whose size and
length are chosen by the marginal likelihood. The threshold is raised by the Monte-Carlo error of
the place of the minimum (Ionides, Breto, Park, Smith & King 2017, "Monte Carlo profile confidence
intervals for dynamic systems", J. R. Soc. Interface 14, 20170126).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Points at which the smooth curve is looked at.
POINTS = 1001

#: Lengths of the deviation as shares of the range, sizes as shares of the profile's, and factors on
#: the stated errors, that the marginal likelihood chooses from.
LENGTHS, SIZES, NOISES = (0.15, 0.3, 0.6), (0.0, 0.03, 0.1, 0.3), (1.0, 2.0, 4.0)

#: Share of the profile's size that every point may be off, beside its stated error.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Crossing:
    """A smoothed profile and the interval in which it stays below its threshold.

    Attributes:
        places: float64 [point], increasing.
        values: smooth profile less its minimum, float64 [point].
        errors: its standard errors, float64 [point].
        minimum: place of the minimum.
        place_error: Monte-Carlo standard error of that.
        threshold: raised by it.
        lower, upper: ends of the interval around the minimum; infinite where the profile ends
            below the threshold.
        noise_factor: by which scatter exceeded the stated errors.
    """

    places: FloatArray
    values: FloatArray
    errors: FloatArray
    minimum: float
    place_error: float
    threshold: float
    lower: float
    upper: float
    noise_factor: float


def crossing(x: FloatArray, y: FloatArray, error: FloatArray, threshold: float) -> Crossing:
    """Smooth a profile of minus twice a log-likelihood and find where it exceeds its minimum.

    Args:
        x: coordinates, float64 [point], at least four, increasing.
        y: the profile, float64 [point].
        error: its Monte-Carlo standard errors, float64 [point].
        threshold: above the minimum, for exact profiles; a quantile of chi-square.
    """
    centre, half = 0.5 * (x[0] + x[-1]), 0.5 * (x[-1] - x[0])
    u = (x - centre) / half
    size = float(np.ptp(y)) or 1.0
    base = y.min()
    z = (y - base) / size
    noise = np.hypot(error / size, ROUNDING)
    choices = itertools.product(LENGTHS, SIZES, NOISES)
    best = max(choices, key=lambda c: _evidence(u, z, noise, *c))
    grid = np.linspace(-1.0, 1.0, POINTS)
    mean, deviation = _posterior(u, z, noise, grid, *best)
    lowest = int(np.argmin(mean))
    place_error, curvature = _place_of_minimum(u, z, noise * best[2], threshold / size)
    # Ionides et al., equation (8), for minus twice the logarithm.
    raised = threshold * (1.0 + curvature * size * place_error**2) if curvature > 0 else threshold
    inside = mean - mean[lowest] <= raised / size
    left = np.flatnonzero(~inside[:lowest])
    right = np.flatnonzero(~inside[lowest:])
    places = centre + half * grid
    return Crossing(
        places=places,
        values=(mean - mean[lowest]) * size,
        errors=deviation * size,
        minimum=float(places[lowest]),
        place_error=place_error * half,
        threshold=raised,
        lower=float(places[left[-1] + 1]) if left.size else -math.inf,
        upper=float(places[lowest + right[0] - 1]) if right.size else math.inf,
        noise_factor=best[2],
    )


def _basis(u: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(u), u, u**2], axis=1)


def _kernel(u: FloatArray, v: FloatArray, length: float, size: float) -> FloatArray:
    return size**2 * np.exp(-0.5 * ((u[:, None] - v) / length) ** 2)


def _solved(
    u: FloatArray, z: FloatArray, noise: FloatArray, length: float, size: float, factor: float
) -> tuple[Any, Any, Any, Any]:
    """Return covariance, its products with the basis, coefficients and their precision."""
    covariance = _kernel(u, u, length, size) + np.diag((factor * noise) ** 2)
    basis = _basis(u)
    solved = np.linalg.solve(covariance, basis)
    precision = basis.T @ solved
    return covariance, solved, np.linalg.solve(precision, solved.T @ z), precision


def _evidence(
    u: FloatArray, z: FloatArray, noise: FloatArray, length: float, size: float, factor: float
) -> float:
    """Return the marginal likelihood with a flat prior on the quadratic, its logarithm."""
    covariance, _, beta, precision = _solved(u, z, noise, length, size, factor)
    rest = z - _basis(u) @ beta
    quadratic = rest @ np.linalg.solve(covariance, rest)
    determinants = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(precision)[1]
    return -0.5 * float(quadratic + determinants)


def _posterior(
    u: FloatArray,
    z: FloatArray,
    noise: FloatArray,
    grid: FloatArray,
    length: float,
    size: float,
    factor: float,
) -> tuple[FloatArray, FloatArray]:
    covariance, solved, beta, precision = _solved(u, z, noise, length, size, factor)
    cross = _kernel(grid, u, length, size)
    mean = _basis(grid) @ beta + cross @ np.linalg.solve(covariance, z - _basis(u) @ beta)
    rest = _basis(grid) - cross @ solved
    own = size**2 - np.einsum("gp,pg->g", cross, np.linalg.solve(covariance, cross.T))
    variance = own + np.einsum("gi,ig->g", rest, np.linalg.solve(precision, rest.T))
    # Rounding may leave less than nothing of it at a point that is known exactly.
    return mean, np.sqrt(np.where(variance > 0.0, variance, 0.0))


def _place_of_minimum(
    u: FloatArray, z: FloatArray, noise: FloatArray, threshold: float
) -> tuple[float, float]:
    """Return the error of the minimum of a local quadratic, and its curvature (of a·u²)."""
    near = z - z.min() <= 3.0 * threshold
    if near.sum() < 4:
        near = np.argsort(z)[:4]
    basis = _basis(u[near])
    weight = 1.0 / noise[near] ** 2
    precision = basis.T @ (weight[:, None] * basis)
    if np.linalg.matrix_rank(precision) < 3:
        return 0.0, 0.0
    covariance = np.linalg.inv(precision)
    _, b, a = covariance @ (basis.T @ (weight * z[near]))
    if a <= 0.0:
        return 0.0, 0.0
    ratio = b / a
    variance = (covariance[1, 1] - 2.0 * ratio * covariance[1, 2] + ratio**2 * covariance[2, 2]) / (
        4.0 * a**2
    )
    return math.sqrt(variance) if variance > 0.0 else 0.0, float(a)
