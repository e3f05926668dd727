"""Times made of several equally spaced grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Times closer to each other than this share of the smallest step of any grid are the same.
SAME = 1e-6


def together(grids: Sequence[FloatArray]) -> FloatArray:
    """Return the times of several grids, increasing; those that are the same but for rounding once.

    Use it where early times are to be closer to each other than late ones.

    Args:
        grids: each float64 [time], increasing, of two times or more.

    Returns:
        float64 [time].
    """
    if len(grids) == 1:
        return grids[0]
    every = np.sort(np.concatenate(grids))
    least = min(float(np.diff(grid).min()) for grid in grids)
    rounding = 4.0 * float(np.spacing(np.abs(every).max()))
    return every[np.diff(every, prepend=-np.inf) > max(SAME * least, rounding)]
