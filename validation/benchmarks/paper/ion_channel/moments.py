"""Exact means and covariances of what a sweep of N channels C ⇌ O → I shows.

A statistic of a sweep is a sum along it. Its first two moments follow from a recursion over the
steps of the sweep that carries, for every state, the chance to be there, and the means of the
statistics and of their products on the way there. No simulation is involved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from ion_channel.exact import generator, states

FloatArray = NDArray[np.float64]

#: Of a step: chances [state, state], terms of statistics times chances, and of their products.
Step = tuple[FloatArray, Mapping[int, FloatArray], Mapping[tuple[int, int], FloatArray]]

#: Rates → means [statistic] and covariance [statistic, statistic] of one sweep.
Moments = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def along(steps: Iterable[Step], size: int, channels: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of statistics that are sums over the steps of a sweep.

    Args:
        steps: of the sweep, in order.
        size: how many statistics there are.
        channels: all closed at first.
    """
    count = len(states(channels))
    chance = np.zeros(count)
    chance[states(channels).index((channels, 0))] = 1.0
    first, second = np.zeros((size, count)), np.zeros((size, size, count))
    for keep, terms, products in steps:
        second = second @ keep
        for i, term in terms.items():
            grown = first @ term
            second[i] += grown
            second[:, i] += grown
        for (i, j), product in products.items():
            second[i, j] += chance @ product
        first = first @ keep
        for i, term in terms.items():
            first[i] += chance @ term
        chance = chance @ keep
    mean = first.sum(axis=1)
    return mean, second.sum(axis=2) - np.outer(mean, mean)


def of_windows(rates: FloatArray, *, width: float, count: int, channels: int) -> tuple:
    """Return moments of the averages of open channels over windows, one behind the other.

    Integrals over a window are blocks of a matrix exponential (Van Loan 1978).
    """
    matrix = generator(rates, channels)
    size = len(matrix)
    open_ = np.diag([float(o) for _, o in states(channels)])
    zero = np.zeros_like(matrix)
    blocks = np.block([[matrix, open_, zero], [zero, matrix, open_], [zero, zero, matrix]])
    whole = np.asarray(expm(blocks * width), dtype=np.float64)
    keep, once = whole[:size, :size], whole[:size, size : 2 * size] / width
    twice = 2.0 * whole[:size, 2 * size :] / width**2
    steps = ((keep, {i: once}, {(i, i): twice}) for i in range(count))
    return along(steps, count, channels)


def of_levels(
    rates: FloatArray, *, step: float, count: int, means_every: int, channels: int
) -> tuple:
    """Return moments of open channels at every so many samples and of the squares of changes."""
    keep, opened = _step(rates, step, channels)
    change = (opened[None, :] - opened[:, None]) ** 2
    level = np.broadcast_to(opened, keep.shape)
    last = count // means_every

    def steps() -> Iterable[Step]:
        for sample in range(1, count + 1):
            terms = {last: change}
            if sample % means_every == 0:
                terms[sample // means_every - 1] = level
            yield _summed(keep, terms)

    return along(steps(), last + 1, channels)


def of_openings(rates: FloatArray, *, step: float, count: int, channels: int) -> tuple:
    """Return moments of time open, number of openings and sum of their times."""
    keep, opened = _step(rates, step, channels)
    level = np.broadcast_to(opened * step, keep.shape)
    up = np.maximum(opened[None, :] - opened[:, None], 0.0)
    steps = (
        _summed(keep, {0: level, 1: up, 2: up * (sample * step)}) for sample in range(1, count + 1)
    )
    return along(steps, 3, channels)


def slopes(moments: Moments, rates: FloatArray) -> FloatArray:
    """Return slopes of exact means by log rates, float64 [statistic, rate]; central differences."""
    h = 1e-4
    ends = [[moments(rates * np.exp(s * row))[0] for row in np.eye(3)] for s in (h, -h)]
    return (np.array(ends[0]) - np.array(ends[1])).T / (2.0 * h)


def standard_errors(moments: Moments, rates: FloatArray, weights: Callable) -> FloatArray:
    """Return standard errors of log rates from one sweep, by the delta method, float64 [rate].

    Divide by the root of the number of sweeps.

    Args:
        moments: of the statistics that are fitted.
        rates: the truth.
        weights: covariance → weights of squared differences, [statistic, statistic].
    """
    covariance, slope = moments(rates)[1], slopes(moments, rates)
    weight = weights(covariance)
    inverse = np.linalg.solve(slope.T @ weight @ slope, slope.T @ weight)
    return np.sqrt(np.diag(inverse @ covariance @ inverse.T))


def _step(rates: FloatArray, step: float, channels: int) -> tuple[FloatArray, FloatArray]:
    opened = np.array([float(o) for _, o in states(channels)])
    return np.asarray(expm(generator(rates, channels) * step), dtype=np.float64), opened


def _summed(keep: FloatArray, terms: Mapping[int, FloatArray]) -> Step:
    weigh = partial(np.multiply, keep)
    products = {(i, j): weigh(a * b) for i, a in terms.items() for j, b in terms.items()}
    return keep, {i: weigh(term) for i, term in terms.items()}, products
