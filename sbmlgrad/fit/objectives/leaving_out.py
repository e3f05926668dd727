"""Distances between samples with groups of values left out in turn, from sums over pairs of groups.

Every pair is looked at once, and not once for each group that is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.distances.operations import NUMPY
from sbmlgrad.distances.pairs import gaussian, root_of, squares

FloatArray = NDArray[np.float64]

#: Squared distances → kernel.
Kernel = Callable[[FloatArray], FloatArray]


def distances_without(
    simulated: FloatArray,
    measured: FloatArray,
    group: NDArray[np.intp],
    kind: str,
    bandwidth: float,
) -> FloatArray:
    """Return the distance with each group of simulated values left out, float64 [group].

    Both distances are means of a kernel over pairs: 2 E k(X, Y) - E k(X, X') - E k(Y, Y') with the
    distance as kernel is the energy distance, and minus that with a Gaussian one the squared
    maximum mean discrepancy; see `distances.samples`.

    Args:
        simulated: float64 [value, feature].
        measured: float64 [sample, feature].
        group: number of the group of each simulated value, int [value]; each occurs.
        kind: `"energy"` or `"mmd"`.
        bandwidth: of the Gaussian kernel.
    """
    kernel: Kernel = root_of(NUMPY) if kind == "energy" else gaussian(bandwidth, NUMPY)
    sign = 1.0 if kind == "energy" else -1.0
    groups = int(group.max()) + 1
    order = np.argsort(group, kind="stable")
    parts = np.split(simulated[order], np.searchsorted(group[order], np.arange(1, groups)))
    of_self = float(kernel(np.zeros((1, 1)))[0, 0])
    within, across = np.zeros((groups, groups)), np.zeros(groups)
    for g, part in enumerate(parts):
        across[g] = kernel(squares(NUMPY, part, measured)).sum()
        for h in range(g, groups):
            within[g, h] = within[h, g] = kernel(squares(NUMPY, part, parts[h])).sum()
    sizes = np.bincount(group, minlength=groups)
    left = len(simulated) - sizes
    # What pairs with the group, once from either side, and within it twice over.
    kept = within.sum() - 2.0 * within.sum(axis=1) + within.diagonal() - of_self * left
    m = len(measured)
    of_measured = (kernel(squares(NUMPY, measured, measured)).sum() - of_self * m) / (m * (m - 1.0))
    cross = (across.sum() - across) / (left * float(m))
    return sign * (2.0 * cross - kept / (left * (left - 1.0)) - of_measured)
