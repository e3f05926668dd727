"""When a reaction fires for the first time, as far as counters at the times of a grid tell.

Of n trajectories of each side, those are counted in which a reaction has not fired by a time.
Given how many of both sides have not, m, the number among ours is hypergeometric if the sides have
one law (Fisher 1935), so that the p-value is exact at any n, and rare numbers need no normal law.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]


def silent(firings: FloatArray) -> Counts:
    """Count the trajectories in which a channel has not fired yet.

    Args:
        firings: float64 [trajectory, time, channel].

    Returns:
        int64 [time, channel + 1]; the last column is that in which nothing has fired.
    """
    each = (firings == 0.0).sum(axis=0)
    none = (firings == 0.0).all(axis=2).sum(axis=0)
    return np.concatenate([each, none[:, None]], axis=1)


def p_values(ours: Counts, theirs: Counts, n: int) -> FloatArray:
    """Return exact two-sided p-values, twice the smaller tail, of two numbers of n each.

    Args:
        ours: trajectories of ours, int64.
        theirs: of theirs, likewise.
        n: trajectories of each side.
    """
    both = ours + theirs
    # Sides are alike in number, so that both tails are of one shape.
    tail = stats.hypergeom.cdf(np.minimum(ours, theirs), 2 * n, both, n)
    return np.minimum(1.0, 2.0 * np.asarray(tail, dtype=np.float64))


def detectable(ours: Counts, n: int, level: float, chance: float) -> FloatArray:
    """Return the difference of probability that is found, up as well as down.

    Args:
        ours: trajectories of ours, int64.
        n: of each side.
        level: of a test.
        chance: of finding it.

    Returns:
        float64; where one direction has no difference that is found, that of the other, and
        infinite where neither has.
    """
    up = _upwards(ours, n, level, chance)
    down = _upwards(n - ours, n, level, chance)
    return np.where(np.isinf(up), down, np.where(np.isinf(down), up, np.maximum(up, down)))


def _upwards(ours: Counts, n: int, level: float, chance: float) -> FloatArray:
    # The least number of theirs that disagrees, by bisection.
    low, high = ours.copy(), np.full_like(ours, n)
    exists = p_values(ours, high, n) < level
    while (high - low > 1).any():
        middle = (low + high) // 2
        is_found = p_values(ours, middle, n) < level
        high, low = np.where(is_found, middle, high), np.where(is_found, low, middle)
    share, critical = ours / n, high / n
    probability = stats.beta.ppf(chance, high, np.maximum(n - high + 1, 1))
    # Ours varies from run to run as well, and what is critical with it: of rare ones by more.
    bound = float(stats.norm.isf(level / 2.0))
    slope = 1.0 + bound / np.sqrt(2.0 * ours + bound**2 / 4.0)
    own = float(stats.norm.ppf(chance)) * slope * np.sqrt(share * (1.0 - share) / n)
    found = critical - share + np.hypot(probability - critical, own)
    return np.where(exists & (found <= 1.0 - share), found, np.inf)
