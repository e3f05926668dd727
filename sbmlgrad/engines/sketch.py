"""Histograms of bounded size that need no range in advance, and quantiles from them.

A bin has a power of two as width, and its edges are multiples of the width. The width is the
smallest at which all values so far lie within as many neighbouring bins as there are; when a value
outgrows them, neighbouring pairs of bins become one. Bins of one width nest in those of the next,
so what is left depends on the values alone, not on their order, and two sketches merge without loss
beyond the width. Whole numbers have bins of width 1 or more: until their range outgrows the bins, a
sketch of them is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: The exponent of the smallest width: that of the smallest positive float64.
SMALLEST = -1074

#: Numbers of bins stay below 2^52, so that edges are float64 numbers.
LARGEST_BITS = 52


@dataclass(frozen=True, eq=False)
class Sketch:
    """Histograms of every column at every point.

    Attributes:
        is_whole: columns that hold whole numbers only, bool [column].
        minimum: smallest value, float64 [point, column]; infinite where there are no values.
        maximum: largest value, likewise minus infinity.
        exponent: bins have width 2^exponent, int64 [point, column].
        counts: values in bins, int64 [point, column, bin]; bin number n (from n width to below
            (n + 1) width) is at n modulo the number of bins, which is a power of two.
    """

    is_whole: NDArray[np.bool_]
    minimum: FloatArray
    maximum: FloatArray
    exponent: IntArray
    counts: IntArray

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return self.counts.shape[2]


def empty_sketch(points: int, is_whole: NDArray[np.bool_], bins: int) -> Sketch:
    """Return the sketch of no values; `bins` is a power of two."""
    shape = (points, len(is_whole))
    return Sketch(
        is_whole=is_whole,
        minimum=np.full(shape, np.inf),
        maximum=np.full(shape, -np.inf),
        exponent=np.broadcast_to(_least(is_whole), shape).copy(),
        counts=np.zeros((*shape, bins), dtype=np.int64),
    )


def sketch_of(values: FloatArray, is_whole: NDArray[np.bool_], bins: int) -> Sketch:
    """Return the sketch of some trajectories; infinite values and NaN are left out.

    Args:
        values: float64 [trajectory, point, column].
        is_whole: columns that hold whole numbers only, bool [column].
        bins: how many, a power of two.
    """
    empty = empty_sketch(values.shape[1], is_whole, bins)
    if not values.shape[0]:
        return empty
    is_finite = np.isfinite(values)
    is_clean = bool(is_finite.all())
    low = values if is_clean else np.where(is_finite, values, np.inf)
    high = values if is_clean else np.where(is_finite, values, -np.inf)
    minimum, maximum = low.min(axis=0), high.max(axis=0)
    exponent = _exponents(minimum, maximum, is_whole, bins)
    if not is_clean:
        values = np.where(is_finite, values, 0.0)
    place = _numbers(values, exponent) & (bins - 1)
    place += np.arange(exponent.size).reshape(exponent.shape) * bins
    chosen = place.reshape(-1) if is_clean else place[is_finite]
    counts = np.bincount(chosen, minlength=empty.counts.size).astype(np.int64, copy=False)
    return Sketch(is_whole, minimum, maximum, exponent, counts.reshape(empty.counts.shape))


def merged(a: Sketch, b: Sketch) -> Sketch:
    """Return the sketch of the values of both, which have the same columns and number of bins."""
    minimum = np.minimum(a.minimum, b.minimum)
    maximum = np.maximum(a.maximum, b.maximum)
    exponent = _exponents(minimum, maximum, a.is_whole, a.bins)
    counts = _coarser(a, exponent) + _coarser(b, exponent)
    return replace(a, minimum=minimum, maximum=maximum, exponent=exponent, counts=counts)


def quantile_bounds(sketch: Sketch, column: int, q: Fraction) -> tuple[FloatArray, FloatArray]:
    """Return between which numbers a quantile lies, float64 [point] each.

    The quantile is the smallest value of which at least the share q of all values are at most: the
    inverse of the empirical distribution function, always one of the values.

    Args:
        sketch: of at least one value at every point.
        column: which.
        q: 0 <= q <= 1; 0 asks for the smallest value.
    """
    low = np.empty(len(sketch.minimum))
    high = np.empty(len(sketch.minimum))
    for point in range(len(low)):
        first, counts = ordered(sketch, column, point)
        least, most = sketch.minimum[point, column], sketch.maximum[point, column]
        reached = np.cumsum(counts)
        total = int(reached[-1])
        rank = max(ceil(q * total), 1)
        if rank in (1, total):
            low[point] = high[point] = least if rank == 1 else most
            continue
        number = first + int(np.searchsorted(reached, rank))
        exponent = int(sketch.exponent[point, column])
        start, end = edges(number, 1, exponent)
        if sketch.is_whole[column]:
            end -= 1.0
        low[point], high[point] = max(start, least), min(end, most)
    return low, high


def ordered(sketch: Sketch, column: int, point: int) -> tuple[int, IntArray]:
    """Return the number of the bin of the smallest value, and counts from it to the largest's."""
    exponent = sketch.exponent[point, column]
    ends = np.array([sketch.minimum[point, column], sketch.maximum[point, column]])
    first, last = (int(n) for n in _numbers(ends, exponent))
    wanted = np.arange(first, last + 1) & (sketch.bins - 1)
    return first, sketch.counts[point, column, wanted]


def edges(first: int, bins: int, exponent: int) -> FloatArray:
    """Return the edges of neighbouring bins, float64 [bin + 1]; infinite beyond the largest."""
    numbers = np.arange(first, first + bins + 1).astype(np.float64)
    with np.errstate(over="ignore"):
        return np.ldexp(numbers, exponent)


def _least(is_whole: NDArray[np.bool_]) -> IntArray:
    return np.where(is_whole, 0, SMALLEST)


def _exponents(
    minimum: FloatArray, maximum: FloatArray, is_whole: NDArray[np.bool_], bins: int
) -> IntArray:
    """Return the smallest widths at which all values fit, as exponents; of the values alone."""
    is_empty = minimum > maximum
    low, high = np.where(is_empty, 0.0, minimum), np.where(is_empty, 0.0, maximum)
    size = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1].astype(np.int64)
    # A range of `bins` widths or more cannot fit, so that no smaller width than this can do.
    spread = high / bins - low / bins
    spread = np.where(spread > 0.0, np.frexp(spread)[1].astype(np.int64) - 2, SMALLEST)
    exponent = np.maximum(np.maximum(size - LARGEST_BITS, spread), _least(is_whole))
    exponent = np.where((low == 0.0) & (high == 0.0), _least(is_whole), exponent)
    while True:
        is_wide = _numbers(high, exponent) - _numbers(low, exponent) >= bins
        if not is_wide.any():
            return exponent
        exponent = exponent + is_wide


def _numbers(values: FloatArray, exponent: IntArray) -> IntArray:
    """Return the numbers of the bins of values: rounded down exactly, powers of two do not round.

    Where scaling falls below the smallest number, 0 from above is in bin 0 and from below in -1.
    """
    if not exponent.any():
        return np.floor(values).astype(np.int64)
    scaled = np.floor(np.ldexp(values, (-exponent).astype(np.intc)))
    lost = (scaled == 0.0) & (values < 0.0)
    return scaled.astype(np.int64) - lost


def _coarser(sketch: Sketch, exponent: IntArray) -> IntArray:
    """Return the counts in bins of larger or the same widths, int64 [point, column, bin]."""
    shift = exponent - sketch.exponent
    # Without values there is nothing to move, and no bin where it would come from.
    moved = (shift > 0) & (sketch.minimum <= sketch.maximum)
    if not moved.any():
        return sketch.counts
    bins = sketch.bins
    first = _numbers(sketch.minimum[moved], sketch.exponent[moved])[:, None]
    numbers = first + ((np.arange(bins) - first) & (bins - 1))
    # Beyond 62 places every number of a bin has become 0 or -1.
    place = (numbers >> np.minimum(shift[moved], 62)[:, None]) & (bins - 1)
    counts = np.zeros((place.shape[0], bins), dtype=np.int64)
    np.add.at(counts, (np.arange(len(place))[:, None], place), sketch.counts[moved])
    result = sketch.counts.copy()
    result[moved] = counts
    return result
