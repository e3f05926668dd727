"""Distances between two samples.

Samples are arrays or TensorFlow tensors, [trajectory] or [trajectory, feature]; NumPy in, NumPy
out. The gradient with respect to a sample is exact; where two values are equal, as counts often
are, a kink counts with the mean of its two slopes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sbmlgrad.distances.pairs import bandwidth_of, checked_samples, gaussian, root_of, squares
from sbmlgrad.errors import RequestError


def energy_distance(simulated: Any, measured: Any) -> Any:
    """Return the energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| of two samples.

    When to choose it: the default. It has no setting, and is zero in the mean only where the
    distributions agree. Means within a sample leave out a value's distance to itself (a
    U-statistic), so that it is unbiased and may be slightly negative.

    Source: Székely & Rizzo 2013, "Energy statistics: a class of statistics based on distances",
    definition 1.

    Args:
        simulated: float64 [trajectory] or [trajectory, feature], array or tensor.
        measured: float64 [sample] or [sample, feature].

    Returns:
        float64, a single number.

    Raises:
        StatisticsError: fewer than two values in a sample.
        RequestError: shapes that do not fit, or too little memory for all pairs of features.
    """
    x, y, ops = checked_samples(simulated, measured)
    return 2.0 * _cross(ops, x, y) - _within(ops, x) - _within(ops, y)


def maximum_mean_discrepancy(
    simulated: Any, measured: Any, *, bandwidth: float | None = None
) -> Any:
    """Return the squared maximum mean discrepancy under a Gaussian kernel, unbiased.

    When to choose it: for a loss that looks at differences of a certain size, the bandwidth, and
    for several features.

    Source: Gretton, Borgwardt, Rasch, Schölkopf & Smola 2012, "A kernel two-sample test",
    equation 3.

    Args:
        simulated: float64 [trajectory] or [trajectory, feature], array or tensor.
        measured: float64 [sample] or [sample, feature].
        bandwidth: h of the kernel exp(-|x - y|²/2h²); None takes the median of all non-zero
            distances in both samples (as a constant: it is not differentiated). Then values of two
            calls are not comparable; give a number while fitting.

    Returns:
        float64, a single number; may be slightly negative.

    Raises:
        StatisticsError: fewer than two values in a sample, or all values are equal.
        RequestError: shapes that do not fit, too little memory for all pairs, or a bandwidth that
            is not positive.
    """
    x, y, ops = checked_samples(simulated, measured)
    h = bandwidth_of(ops, x, y, bandwidth)
    kernel = gaussian(h, ops)
    return (
        _mean_off_diagonal(ops, kernel(squares(ops, x, x)))
        + _mean_off_diagonal(ops, kernel(squares(ops, y, y)))
        - 2.0 * ops.mean(kernel(squares(ops, x, y)))
    )


def wasserstein_distance(simulated: Any, measured: Any) -> Any:
    """Return the Wasserstein distance of order one of two samples of one feature.

    When to choose it: for a loss in the unit of the symbol: how far molecules have to be moved. Of
    a finite sample it is too large by about its noise, and never zero.

    It is the mean distance of equal quantiles (Villani 2003, "Topics in optimal transportation",
    theorem 2.18), for samples of any sizes.

    Args:
        simulated: float64 [trajectory], array or tensor.
        measured: float64 [sample].

    Returns:
        float64, a single number.

    Raises:
        RequestError: more than one feature.
    """
    x, y, ops = checked_samples(simulated, measured, least=1)
    if len(x.shape) == 2:
        raise RequestError(
            "wasserstein_distance: quantiles are those of one feature; use energy_distance or "
            "maximum_mean_discrepancy for several, or add up the distances of each"
        )
    n, m = x.shape[0], y.shape[0]
    # Levels of the quantiles as whole multiples of 1/(n m): exact, however n and m divide.
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    shares = np.diff(ends, prepend=0) / (n * m)
    of_x, of_y = (ends - 1) // m, (ends - 1) // n
    gaps = ops.take(ops.sort(x), of_x) - ops.take(ops.sort(y), of_y)
    return ops.sum(ops.abs(gaps) * shares)


def _cross(ops: Any, x: Any, y: Any) -> Any:
    """Return the mean of |x - y| over all pairs."""
    if len(x.shape) == 2:
        return ops.mean(root_of(ops)(squares(ops, x, y)))
    n, m = x.shape[0], y.shape[0]
    # |x - y| = x sign(x - y) + y sign(y - x), and the signs add up to ranks.
    return (ops.sum(x * ops.ranks(x, y)) + ops.sum(y * ops.ranks(y, x))) / (float(n) * m)


def _within(ops: Any, x: Any) -> Any:
    """Return the mean of |x - x'| over all pairs of different values."""
    n = x.shape[0]
    return _cross(ops, x, x) * (n / (n - 1.0))


def _mean_off_diagonal(ops: Any, kernel: Any) -> Any:
    n = kernel.shape[0]
    # The kernel is one on the diagonal.
    return (ops.sum(kernel) - n) / (n * (n - 1.0))
