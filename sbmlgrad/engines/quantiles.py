"""Quantiles from histograms, with how far off they can be."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.sketch import Sketch, quantile_bounds
from sbmlgrad.engines.tracked import divided


class Quantile(NamedTuple):
    """A quantile and how far off it can be.

    Attributes:
        value: float64 [point].
        half_width: float64 [point]; the quantile of the trajectories is within this of `value`.
            It is 0 where it is known exactly.
    """

    value: NDArray[np.float64]
    half_width: NDArray[np.float64]


def quantile_of(sketch: Sketch, column: int, share: float, divisors: tuple[float, ...]) -> Quantile:
    """Return the quantile of a column of a histogram.

    Args:
        sketch: the histograms.
        column: which of them.
        share: from 0 to 1, taken as the decimal number that it prints as.
        divisors: that values are divided by, in order.
    """
    # 0.1 of 10 trajectories are one, though the float64 number is a little more than a tenth.
    bounds = quantile_bounds(sketch, column, Fraction(repr(share)))
    low, high = (divided(bound, divisors) for bound in bounds)
    middle = np.where(low == high, low, low / 2.0 + high / 2.0)
    half = np.maximum(high - middle, middle - low)
    # Rounded up, so that it stays a guarantee.
    return Quantile(middle, np.where(half > 0.0, np.nextafter(half, np.inf), 0.0))
