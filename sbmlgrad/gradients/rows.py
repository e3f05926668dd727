"""Cotangents of an ensemble, kept as one row where all trajectories have the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Numbers that are compared at a time.
COMPARED = 2**20


def one_row(cotangent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a cotangent whose rows are all the same as that row, [1, point, column].

    That of a mean is such: one row stands for all trajectories, in the memory of one.

    Args:
        cotangent: float64 [trajectory or 1, point, column].

    Returns:
        float64 [trajectory or 1, point, column], which may be written to, unlike the memory of a
        tensor; kernels are compiled for such arrays.
    """
    first = cotangent[:1]
    size = max(COMPARED // max(first.size, 1), 1)
    for low in range(1, len(cotangent), size):
        if not np.array_equal(
            cotangent[low : low + size],
            np.broadcast_to(first, (len(cotangent[low : low + size]), *first.shape[1:])),
        ):
            return np.require(cotangent, np.float64, ["C", "W"])
    return np.array(first, dtype=np.float64, order="C")
