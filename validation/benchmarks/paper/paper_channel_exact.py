"""Exact answers for N channels C ⇌ O → I, all closed at first: means, likelihood, best fits.

Written from textbook formulas, without sbmlgrad, to judge it by. Rates are those of opening,
closing and inactivation, float64 [3].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.linalg import expm

FloatArray = NDArray[np.float64]


def mean_open(rates: FloatArray, edges: FloatArray, channels: int) -> FloatArray:
    """Return averages over windows of the mean number of open channels, float64 [window].

    With λ± the roots of λ² - (a + b + c) λ + a c, the chance to be open is
    a (exp(-λ₋ t) - exp(-λ₊ t)) / (λ₊ - λ₋).
    """
    a, b, c = rates
    half = 0.5 * (a + b + c)
    apart = math.sqrt(half**2 - a * c)
    slow, fast = half - apart, half + apart
    integral = (1.0 - np.exp(-slow * edges)) / slow - (1.0 - np.exp(-fast * edges)) / fast
    return channels * a / (2.0 * apart) * np.diff(integral) / np.diff(edges)


def states(channels: int) -> list[tuple[int, int]]:
    """Return (closed, open) counts of all states."""
    return [(c, o) for o in range(channels + 1) for c in range(channels + 1 - o)]


def generator(rates: FloatArray, channels: int) -> FloatArray:
    """Return transition rates between `states`, float64 [state, state]; rows sum to 0."""
    a, b, c = rates
    of = {state: place for place, state in enumerate(states(channels))}
    matrix = np.zeros((len(of), len(of)))
    for (closed, opened), place in of.items():
        for to, rate in (
            ((closed - 1, opened + 1), a * closed),
            ((closed + 1, opened - 1), b * opened),
            ((closed, opened - 1), c * opened),
        ):
            if rate > 0.0:
                matrix[place, of[to]] += rate
    return matrix - np.diag(matrix.sum(axis=1))


def log_likelihood(
    rates: FloatArray, opened: NDArray[np.int64], interval: float, channels: int
) -> float:
    """Return the log-likelihood of sweeps sampled from time 0 on.

    The number of closed channels is hidden: forward recursion over it (Baum and others 1970).

    Args:
        rates: of the model.
        opened: open channels, [sweep, sample].
        interval: between samples.
        channels: how many there are.
    """
    step = expm(generator(rates, channels) * interval)
    looks = np.array([o for _, o in states(channels)])
    allowed = np.array([looks == o for o in range(channels + 1)], dtype=np.float64)
    start = states(channels).index((channels, 0))
    weights = np.zeros((len(opened), len(looks)))
    weights[:, start] = allowed[opened[:, 0], start]
    total = np.log(weights.sum(axis=1)).sum()
    for sample in opened.T[1:]:
        weights = (weights @ step) * allowed[sample]
        norm = weights.sum(axis=1)
        total += np.log(norm).sum()
        weights /= norm[:, None]
    return float(total)


def maximum_likelihood(
    opened: NDArray[np.int64], interval: float, channels: int, start: FloatArray
) -> FloatArray:
    """Return the rates under which sweeps are most likely, float64 [3]."""
    # Sweeps that look alike count as often as they come.
    found = optimize.minimize(
        lambda logs: -log_likelihood(np.exp(logs), opened, interval, channels) / len(opened),
        np.log(start),
        method="L-BFGS-B",
        options={"ftol": 1e-10},
    )
    return np.exp(found.x)


def least_squares(
    means: FloatArray, edges: FloatArray, channels: int, start: FloatArray
) -> FloatArray:
    """Return the rates whose exact mean is nearest to a measured one, float64 [3].

    They cannot leave a factor 100 around the start: from few sweeps a rate may not be determined.
    """
    reach = math.log(100.0)
    found = optimize.least_squares(
        lambda logs: mean_open(np.exp(logs), edges, channels) - means,
        np.log(start),
        bounds=(np.log(start) - reach, np.log(start) + reach),
        x_scale=0.1,
    )
    return np.exp(found.x)


def fit_quality(measured: FloatArray, predicted: FloatArray) -> tuple[float, float, float]:
    """Return R², root mean square error, and that over the largest measured mean."""
    off = measured - predicted
    rmse = math.sqrt(float(np.mean(off**2)))
    r2 = 1.0 - float(np.sum(off**2) / np.sum((measured - measured.mean()) ** 2))
    return r2, rmse, rmse / float(measured.max())
