"""Exact sums over trajectories, from which means, variances and covariances follow.

A sum in floating point depends on the order of its terms, and so on threads, on the size of the
pieces that a batch is worked through in, and on where it was split. These sums have no rounding at
all: numbers are cut into limbs of 20 bits, products of limbs are added by matrix products that are
exact in double precision, and totals are Python's whole numbers. So two summaries of the same
trajectories are equal, however they came about, and a variance does not suffer from cancellation.

Why the matrix products are exact: a limb is a whole number below 2^20 in magnitude, so a product is
below 2^40, and at most 1,024 of them are added: every partial sum, in any order and with any fused
operation, is a whole number below 2^50, which double precision holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Bits of a limb, and trajectories that are added by one matrix product; see above for the proof.
BITS = 20
ROWS = 1024


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of values and of their products, as multiples of powers of two.

    Attributes:
        count: trajectories that were added.
        pairs: columns whose products are added, int64 [pair, 2]; first every column with itself.
        unit: sums are multiples of 2^unit, sums of products of 2^(2 unit); at most 0.
        sums: Python whole numbers, object [point, column].
        products: likewise, object [point, pair].
        not_finite: trajectories whose value is infinite or NaN, int64 [point, column]; such values
            are in no sum, and there is no statistic where there are any.
    """

    count: int
    pairs: NDArray[np.int64]
    unit: int
    sums: NDArray[np.object_]
    products: NDArray[np.object_]
    not_finite: NDArray[np.int64]

    def mean(self, column: int) -> FloatArray:
        """Return the mean of a column, float64 [point], correctly rounded; NaN where undefined."""
        scale = self.count << -self.unit
        means = [_ratio(total, scale) for total in self.sums[:, column]]
        return np.where(self.not_finite[:, column] > 0, np.nan, means)

    def covariance(self, pair: int) -> FloatArray:
        """Return the sample covariance (n - 1) of a pair, float64 [point], correctly rounded."""
        n = self.count
        scale = n * (n - 1) << (-2 * self.unit)
        one, other = self.pairs[pair]
        found = [
            _ratio(n * product - a * b, scale)
            for product, a, b in zip(
                self.products[:, pair], self.sums[:, one], self.sums[:, other], strict=True
            )
        ]
        undefined = (self.not_finite[:, one] > 0) | (self.not_finite[:, other] > 0)
        return np.where(undefined, np.nan, found)


def pairs_of(columns: int, *, covariances: bool) -> NDArray[np.int64]:
    """Return the pairs whose products are added: every column with itself, then other pairs."""
    own = [(i, i) for i in range(columns)]
    other = [(i, j) for i in range(columns) for j in range(i + 1, columns)] if covariances else []
    return np.array(own + other, dtype=np.int64).reshape(-1, 2)


def moments_of(values: FloatArray, pairs: NDArray[np.int64]) -> Moments:
    """Return the sums of some trajectories.

    Args:
        values: float64 [trajectory, point, column].
        pairs: columns whose products are wanted, from `pairs_of`.
    """
    total = no_moments(values.shape[1], values.shape[2], pairs)
    for low in range(0, values.shape[0], ROWS):
        total = added(total, _moments(values[low : low + ROWS], pairs))
    return total


def no_moments(points: int, columns: int, pairs: NDArray[np.int64]) -> Moments:
    """Return the sums of no trajectories."""
    return Moments(
        count=0,
        pairs=pairs,
        unit=0,
        sums=_zeros((points, columns)),
        products=_zeros((points, len(pairs))),
        not_finite=np.zeros((points, columns), dtype=np.int64),
    )


def added(a: Moments, b: Moments) -> Moments:
    """Return the sums of two disjoint sets of trajectories, which have the same pairs."""
    unit = min(a.unit, b.unit)
    return Moments(
        count=a.count + b.count,
        pairs=a.pairs,
        unit=unit,
        sums=_shifted(a.sums, a.unit - unit) + _shifted(b.sums, b.unit - unit),
        products=_shifted(a.products, 2 * (a.unit - unit))
        + _shifted(b.products, 2 * (b.unit - unit)),
        not_finite=a.not_finite + b.not_finite,
    )


@dataclass(frozen=True, eq=False)
class _Limb:
    """One limb of a column: whole numbers as float64 [point, trajectory], and their unit."""

    column: int
    digits: FloatArray
    unit: NDArray[np.int64]


def _moments(values: FloatArray, pairs: NDArray[np.int64]) -> Moments:
    """Add up at most `ROWS` trajectories."""
    rows, points, columns = values.shape
    limbs: list[_Limb] = []
    not_finite = np.zeros((points, columns), dtype=np.int64)
    for column in range(columns):
        own = np.ascontiguousarray(values[:, :, column].T)
        is_finite = np.isfinite(own)
        if not is_finite.all():
            not_finite[:, column] = (~is_finite).sum(axis=1)
            own = np.where(is_finite, own, 0.0)
        limbs += [_Limb(column, digits, unit) for digits, unit in _limbs(own)]
    lowest = min((int(limb.unit.min(initial=0)) for limb in limbs), default=0)
    sums = _zeros((points, columns))
    for limb in limbs:
        sums[:, limb.column] += _integers(limb.digits.sum(axis=1), limb.unit - lowest)
    return Moments(
        count=rows,
        pairs=pairs,
        unit=lowest,
        sums=sums,
        products=_products(limbs, pairs, points, columns, lowest),
        not_finite=not_finite,
    )


def _products(
    limbs: list[_Limb], pairs: NDArray[np.int64], points: int, columns: int, lowest: int
) -> NDArray[np.object_]:
    """Add up products of columns, as multiples of 2^(2 lowest)."""
    found = _zeros((points, len(pairs)))
    # Limbs come sorted by column.
    own = [list(group) for _, group in groupby(limbs, key=lambda limb: limb.column)]
    groups = [limbs] if limbs and len(pairs) > columns else own
    place = {(int(i), int(j)): p for p, (i, j) in enumerate(pairs)}
    for group in groups:
        digits = np.stack([limb.digits for limb in group], axis=1)
        # One by one: NumPy leaves a stack of transposed matrices to a slow loop, not to BLAS.
        gram = np.stack([matrix @ matrix.T for matrix in digits])
        for a, one in enumerate(group):
            for b, other in enumerate(group):
                # The product of two columns is wanted once.
                if one.column <= other.column:
                    shift = one.unit + other.unit - 2 * lowest
                    found[:, place[one.column, other.column]] += _integers(gram[:, a, b], shift)
    return found


def _limbs(values: FloatArray) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
    """Yield limbs [point, trajectory] and their units [point] that add up to the values exactly.

    Whole parts and fractions are cut apart: within each, scaling by a power of two is exact, since
    whole parts cannot be scaled below the smallest number, nor fractions beyond the largest.
    """
    whole = np.trunc(values)
    for part in (whole, values - whole):
        largest = np.maximum(part.max(axis=1, initial=0.0), -part.min(axis=1, initial=0.0))
        if not largest.any():
            continue
        top = np.frexp(largest)[1].astype(np.int64)
        unit = np.where(largest > 0.0, -(-top // BITS) * BITS - BITS, 0)
        if part is whole and not unit.any():
            yield whole, unit
            continue
        rest = np.ldexp(part, (-unit[:, None]).astype(np.intc))
        while rest.any():
            digits = np.trunc(rest)
            yield digits, unit
            rest = np.ldexp(rest - digits, BITS)
            unit = unit - BITS


def _integers(numbers: FloatArray, shifts: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return whole numbers below 2^53 times 2^shift as Python's, object [point]."""
    exact: NDArray[np.object_] = numbers.astype(np.int64).astype(object)
    return exact if not shifts.any() else np.left_shift(exact, shifts.astype(object))


def _shifted(numbers: NDArray[np.object_], shift: int) -> NDArray[np.object_]:
    return numbers if shift == 0 else np.left_shift(numbers, shift)


def _zeros(shape: tuple[int, ...]) -> NDArray[np.object_]:
    # Filled with Python's 0: what NumPy calls zeros of objects is that too, but not by contract.
    return np.full(shape, 0, dtype=object)


def _ratio(numerator: int, denominator: int) -> float:
    """Divide whole numbers with one rounding; beyond the largest float64 it is infinite."""
    if denominator == 0:
        return float("nan")
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")
