"""Second moments between species, over time and between trajectories, and copied trajectories.

A covariance is the mean of products c of deviations from the side's own means; that of two sides
is compared by

    Z = (c̄1 - c̄2) / √(var(c1)/n + var(c2)/n),

like a variance, with Student's t. Trajectories of one side must be independent: neighbours in the
order of drawing lie above the median together as often as a random order would have it, and no more
trajectories may be copies of each other than on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln, logsumexp

FloatArray = NDArray[np.float64]


def products(counts: FloatArray, first: tuple[int, int], second: tuple[int, int]) -> FloatArray:
    """Return products of deviations from the mean, float64 [trajectory].

    Args:
        counts: float64 [trajectory, time, species].
        first: (time, species) of one factor.
        second: of the other.
    """
    a, b = (counts[:, time, species] for time, species in (first, second))
    return (a - a.mean()) * (b - b.mean())


def difference(ours: FloatArray, theirs: FloatArray) -> tuple[float, float, float]:
    """Compare the means of two samples of one size.

    Args:
        ours: float64 [trajectory].
        theirs: likewise.

    Returns:
        p-value, difference of the means, standard error of the difference.
    """
    n = len(ours)
    error = float(np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / n))
    return (*_judged(float(ours.mean() - theirs.mean()), error, n - 1), error)


def neighbours(counts: FloatArray) -> tuple[float, float]:
    """Test one side's independence at one time and species.

    Of the pairs 0 and 1, 2 and 3, ... those are counted in which both lie above the median. Given
    how many trajectories do, m of 2N, every arrangement is equally likely if they are independent,
    and j such pairs have the chance N! 2^(m - 2j) / (j! (m - 2j)! (N - m + j)!) / C(2N, m).

    Args:
        counts: in the order of drawing, float64 [trajectory].

    Returns:
        Exact p-value, twice the smaller tail, and the correlation of being above the median.
    """
    pairs = len(counts) // 2
    values = counts[: 2 * pairs]
    # Of the ways to part tied values that which makes the parts most equal.
    cuts = np.unique(values)[:-1]
    if not cuts.size:
        return 1.0, 0.0
    shares = np.searchsorted(np.sort(values), cuts, side="right") / (2 * pairs)
    above = values > cuts[np.argmin(np.abs(shares - 0.5))]
    m = int(above.sum())
    seen = int((above[0::2] & above[1::2]).sum())
    j = np.arange(max(0, m - pairs), m // 2 + 1)
    log = gammaln(pairs + 1) + (m - 2 * j) * np.log(2.0)
    log -= gammaln(j + 1) + gammaln(m - 2 * j + 1) + gammaln(pairs - m + j + 1)
    chance = np.exp(log - logsumexp(log))
    p = 2.0 * min(float(chance[j <= seen].sum()), float(chance[j >= seen].sum()))
    share = m / (2 * pairs)
    effect = (seen - float(chance @ j)) / (pairs * share * (1.0 - share))
    return min(1.0, p), effect


@dataclass(frozen=True)
class Copies:
    """Trajectories that equal others.

    Attributes:
        p: bound on the p-value of their excess over ours.
        excess: of theirs, in copies a trajectory.
        found: the excess that would be found.
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
    if squares == 0.0:
        return Copies(1.0, 0.0, found)
    p = min(1.0, 2.0 * float(np.exp(-(excess**2) / (2.0 * squares))))
    return Copies(p, excess / n, found)


def time_pairs(times: int) -> list[tuple[int, int]]:
    """Return the pairs of places that are compared: neighbours, and each with the last."""
    near = [(t, t + 1) for t in range(times - 1)]
    far = [(t, times - 1) for t in range(times - 2)]
    return [*near, *far]


def coupled_pairs(groups: Sequence[frozenset[int]]) -> list[tuple[int, int]]:
    """Return pairs of species that occur together in a group, in order.

    Args:
        groups: of each channel, the species that it changes or that its law holds.
    """
    pairs = {(i, j) for group in groups for i in group for j in group if i < j}
    return sorted(pairs)


def _judged(difference: float, error: float, freedom: int) -> tuple[float, float]:
    """Return the p-value of a difference and itself; without any spread it is certain."""
    if error > 0.0:
        return float(2.0 * stats.t.sf(abs(difference) / error, freedom)), difference
    return (1.0 if difference == 0.0 else 0.0), difference
