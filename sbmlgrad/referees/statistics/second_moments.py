"""Covariances of two samples, many at once.

A covariance is the mean of products c of deviations from the side's own means; that of two sides
is compared by

    Z = (c̄1 - c̄2) / √(var(c1)/n + var(c2)/n),

like a variance, with Student's t. Where the products of neither side vary, there is no such
statistic, and nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
Places = NDArray[np.int64]

#: Products held in memory at a time.
_BATCH = 2**22

#: Spread of products, relative to their mean square, that is a rounding.
_ROUNDING = 1e-12

#: Kurtosis of a normal law.
_NORMAL = 3.0


@dataclass(frozen=True, eq=False)
class Covariances:
    """How covariances of two sides differ.

    Attributes:
        p: p-values, float64 [pair]; one where nothing can be said.
        effect: differences of correlation, float64 [pair]; of covariance where a column is constant
            on our side.
        detectable: the difference of correlation that is found, float64 [pair]; infinite where none
            is, NaN where it cannot be said.
    """

    p: FloatArray
    effect: FloatArray
    detectable: FloatArray


def covariances(
    ours: FloatArray, theirs: FloatArray, first: Places, second: Places, needed: float
) -> Covariances:
    """Compare the covariances of pairs of columns.

    The size that is found takes into account that theirs varies the more, the larger it is: a
    covariance of rare counts comes from rare products, each of which is about √(κ κ') σ σ', where κ
    is the excess kurtosis.

    Args:
        ours: float64 [trajectory, column].
        theirs: likewise, as many.
        first: column of one factor, int64 [pair].
        second: of the other.
        needed: standard errors that a difference must have to be found with the chance asked for.
    """
    sides = [_Side.of(counts, first, second) for counts in (ours, theirs)]
    n = len(ours)
    away = sides[0].mean - sides[1].mean
    error = np.sqrt((sides[0].variance + sides[1].variance) / n)
    says = error > 0.0
    p = np.ones(len(away))
    p[says] = 2.0 * stats.t.sf(np.abs(away[says]) / error[says], n - 1)
    return Covariances(p, *_sizes(sides[0], away, n, needed, says))


@dataclass(frozen=True, eq=False)
class _Side:
    mean: FloatArray
    variance: FloatArray
    scale: FloatArray
    rarity: FloatArray

    @classmethod
    def of(cls, counts: FloatArray, first: Places, second: Places) -> _Side:
        away = counts - counts.mean(axis=0)
        square = (away**2).mean(axis=0)
        fourth = (away**4).mean(axis=0)
        kurtosis = np.divide(fourth, square**2, out=np.full_like(square, _NORMAL), where=square > 0)
        excess = np.sqrt(np.maximum(kurtosis - _NORMAL, 0.0))
        mean, variance = (np.empty(len(first)) for _ in range(2))
        size = max(1, _BATCH // len(counts))
        for begin in range(0, len(first), size):
            part = slice(begin, begin + size)
            products = away[:, first[part]] * away[:, second[part]]
            mean[part] = products.mean(axis=0)
            variance[part] = products.var(axis=0, ddof=1)
        variance[variance <= _ROUNDING * mean**2] = 0.0
        return cls(
            mean,
            variance,
            np.sqrt(square[first] * square[second]),
            excess[first] * excess[second],
        )


def _sizes(
    ours: _Side, away: FloatArray, n: int, needed: float, says: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    scale = np.where(ours.scale > 0.0, ours.scale, 1.0)
    share, spread = needed**2 / n, ours.variance / scale**2
    # d² = share (2 spread + rarity d + d²): as much as theirs varies more.
    half = share * ours.rarity / 2.0
    rest = 1.0 - share
    found = np.full(len(away), np.inf)
    if rest > 0.0:
        found = (half + np.sqrt(half**2 + 2.0 * rest * share * spread)) / rest
    # No correlation is beyond one.
    found[found > 1.0 + np.abs(ours.mean / scale)] = np.inf
    found[(ours.scale > 0.0) & ~says] = np.inf
    found[ours.scale == 0.0] = np.nan
    return away / scale, found
