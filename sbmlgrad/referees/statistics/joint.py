"""Copied trajectories, and the places in time whose covariances are compared.

No more trajectories of one side may be copies of each other than on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Copies:
    """Trajectories that equal others.

    Attributes:
        p: bound on the p-value of their excess over ours.
        excess: of theirs, in copies a trajectory.
        found: the excess that would be found; infinite where it is more than there can be.
    """

    p: float
    excess: float
    found: float


def copies(ours: FloatArray, theirs: FloatArray, level: float, chance: float) -> Copies:
    """Test whether one side has more trajectories that are copies of others.

    With w the number of further trajectories, of both sides, that equal a trajectory at every time,
    and s = 1 for theirs, -1 for ours, the sum of w s has mean zero over all ways of giving the
    trajectories to the sides. Signs that sum to zero are negatively associated (Joag-Dev & Proschan
    1983, 10.1214/aos/1176346079), so that P(|Σ w s| >= x) <= 2 exp(-x² / (2 Σ w²)) exactly.

    What is found depends on how many trajectories are equal by nature, Q = Σ w². An excess x, made
    by one more copy of each of x trajectories, adds x (1 + 2 w̄) to Q, so that it must be above
    √(2 ln(2 / level) (Q + x (1 + 2 w̄))), and by z √(2 Q) more to be found with the chance asked
    for, z being the quantile of a normal law: copies are of one side, which makes the natural twins
    of half as many states vary. Where few states are possible, that is more than there are.

    Args:
        ours: float64 [trajectory, time, column].
        theirs: likewise, as many.
        level: of the test.
        chance: of finding an excess.

    Returns:
        The bound of the p-value, the excess and what would be found.
    """
    n = len(ours)
    both = np.concatenate([ours, theirs]).reshape(2 * n, -1)
    _, place, number = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    twins = (number[place.ravel()] - 1).astype(np.float64)
    excess = float(twins[n:].sum() - twins[:n].sum())
    squares = float((twins**2).sum())
    needed = float(np.log(2.0 / level))
    growth = needed * (1.0 + 2.0 * float(twins.mean()))
    found = growth + float(np.sqrt(growth**2 + 2.0 * needed * squares))
    found = (found + float(stats.norm.ppf(chance)) * np.sqrt(2.0 * squares)) / n
    # A trajectory has no more copies than there are others.
    found = found if found <= n - 1 else float("inf")
    if squares == 0.0:
        return Copies(1.0, 0.0, found)
    p = min(1.0, 2.0 * float(np.exp(-(excess**2) / (2.0 * squares))))
    return Copies(p, excess / n, found)


def time_pairs(times: int) -> list[tuple[int, int]]:
    """Return the pairs of places that are compared: neighbours, and each with the last."""
    near = [(t, t + 1) for t in range(times - 1)]
    far = [(t, times - 1) for t in range(times - 2)]
    return [*near, *far]
