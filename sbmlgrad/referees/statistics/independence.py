"""Trajectories of one side must be independent, whatever their distance in the order of drawing.

Trajectories are matched, each with at most one other: neighbours, those two and four apart, those a
quarter and those a half of the ensemble apart, as workers that share their random numbers would
have them. With N matched pairs of which m members lie above a cut, the number j of pairs of which
both do has the chance

    N! 2^(m - 2j) / (j! (m - 2j)! (N - m + j)!) / C(2N, m)

if trajectories are independent, since then every arrangement of the members is equally likely.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Places = NDArray[np.int64]

#: Largest exponent by which arrangements are weighed; beyond it all pairs that can be are alike.
_STEEPEST = 60.0

#: Of the mean over a normal law: places, in √3 standard deviations, and weights.
_NODES = np.array([-1.0, 0.0, 1.0])
_WEIGHTS = (1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0)


@dataclass(frozen=True, eq=False)
class Matching:
    """Pairs of trajectories.

    Attributes:
        distance: of the two of a pair, in the order of drawing.
        phase: where the first block of such pairs begins.
        first: places of the first of each pair, int64 [pair].
    """

    distance: int
    phase: int
    first: Places

    @property
    def words(self) -> str:
        """How it is called."""
        return f"{self.distance} apart" + (f" from {self.phase} on" if self.phase else "")


def matchings(trajectories: int) -> list[Matching]:
    """Return the ways in which trajectories are matched.

    Args:
        trajectories: at least two.
    """
    quarter, half = trajectories // 4, trajectories // 2
    wanted = [(d, phase) for d in (1, 2, 4) for phase in (0, d)] + [(quarter, 0), (half, 0)]
    found: dict[tuple[int, int], Matching] = {}
    for distance, phase in wanted:
        blocks = (trajectories - phase) // (2 * distance) if distance else 0
        if blocks:
            starts = phase + 2 * distance * np.arange(blocks)
            first = (starts[:, None] + np.arange(distance)).ravel()
            found.setdefault((distance, phase), Matching(distance, phase, first))
    return list(found.values())


def above_cut(values: FloatArray) -> BoolArray:
    """Return which values lie above a cut that parts them as equally as ties allow.

    Args:
        values: float64 [trajectory].
    """
    cuts = np.unique(values)[:-1]
    if not cuts.size:
        return np.zeros(len(values), dtype=bool)
    shares = np.searchsorted(np.sort(values), cuts, side="right") / len(values)
    return values > cuts[np.argmin(np.abs(shares - 0.5))]


@dataclass(frozen=True)
class BothAbove:
    """The law of the number of pairs of which both lie above a cut, were they independent.

    Attributes:
        pairs: how many, N.
        above: how many of the 2N lie above, m.
    """

    pairs: int
    above: int

    @cached_property
    def values(self) -> Places:
        """Numbers that are possible, int64 [value]."""
        return np.arange(max(0, self.above - self.pairs), self.above // 2 + 1)

    @cached_property
    def logs(self) -> FloatArray:
        """Logarithms of their chances, float64 [value]."""
        j, m, pairs = self.values, self.above, self.pairs
        log = gammaln(pairs + 1) + (m - 2 * j) * np.log(2.0)
        log -= gammaln(j + 1) + gammaln(m - 2 * j + 1) + gammaln(pairs - m + j + 1)
        highest = float(log.max())
        return log - highest - float(np.log(np.exp(log - highest).sum()))

    @cached_property
    def mean(self) -> float:
        """Of the number, were trajectories independent."""
        return float(np.exp(self.logs) @ self.values)

    @cached_property
    def _tails(self) -> tuple[FloatArray, FloatArray]:
        chance = np.exp(self.logs)
        return np.cumsum(chance), np.cumsum(chance[::-1])[::-1]

    def p(self, seen: int) -> float:
        """Return twice the smaller tail, the exact p-value of a number."""
        place = seen - int(self.values[0])
        return min(1.0, 2.0 * min(float(tail[place]) for tail in self._tails))

    def effect(self, number: float) -> float:
        """Return the correlation of being above the cut that a mean number of pairs says."""
        share = self.above / (2 * self.pairs)
        if share in (0.0, 1.0):
            return 0.0
        return (number - self.mean) / (self.pairs * share * (1.0 - share))

    def detectable(self, level: float, chance: float) -> float:
        """Return the positive correlation that is found with a chance.

        Given m, pairs with a correlation have the same law but for weights ρ^j, where ρ is the odds
        ratio of the two of a pair; the least ρ is sought with which a run exceeds its critical
        number with the chance asked for. Another run has another m, whose law is taken as normal
        and the mean over it by Gauss's and Hermite's rule of three points.

        Args:
            level: of the two-sided test.
            chance: of finding it.

        Returns:
            The correlation; infinite where none is found, as for rare counts, and NaN where counts
            did not vary.
        """
        most = 2 * self.pairs
        if self.above in (0, most):
            return float("nan")
        share = self.above / most
        # Of the number above in this run, which tells the share, and of that in another.
        spread = np.sqrt(2.0 * self.above * (1.0 - share))
        nodes = np.clip(np.rint(self.above + np.sqrt(3.0) * spread * _NODES), 0, most)
        laws = [BothAbove(self.pairs, int(node)) for node in nodes]

        def found_by(tilt: float) -> float:
            return sum(w * law.power(tilt, level) for w, law in zip(_WEIGHTS, laws, strict=True))

        if found_by(_STEEPEST) < chance:
            return float("inf")
        tilt = brentq(lambda x: found_by(x) - chance, 0.0, _STEEPEST, xtol=1e-4)
        found = self.effect(float(self._tilted(float(tilt)) @ self.values))  # pyright: ignore[reportArgumentType]
        return found if found <= 1.0 else float("inf")

    def power(self, tilt: float, level: float) -> float:
        """Return the chance of a number that a test finds too large.

        Args:
            tilt: logarithm of the odds ratio of the two of a pair.
            level: of the two-sided test.
        """
        # Tails fall: those below the level are the last.
        beyond = int((2.0 * self._tails[1] < level).sum())
        return float(self._tilted(tilt)[-beyond:].sum()) if beyond else 0.0

    def _tilted(self, tilt: float) -> FloatArray:
        return _chances(self.logs + tilt * self.values)


def _chances(logs: FloatArray) -> FloatArray:
    """Return chances in proportion to exponentials, float64 [value]."""
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


#: (pairs, above) → law.
Laws = Callable[[int, int], BothAbove]


def law_of_pairs() -> Laws:
    """Return a way to have laws by (pairs, above), each made once."""
    known: dict[tuple[int, int], BothAbove] = {}

    def law(pairs: int, above: int) -> BothAbove:
        return known.setdefault((pairs, above), BothAbove(pairs, above))

    return law


def matched(values: FloatArray, matching: Matching) -> tuple[float, float]:
    """Test the independence of the two of each pair.

    Args:
        values: in the order of drawing, float64 [trajectory].
        matching: the pairs.

    Returns:
        Exact p-value, twice the smaller tail, and the correlation of being above the cut.
    """
    above = above_cut(values)
    one, other = above[matching.first], above[matching.first + matching.distance]
    law = BothAbove(len(one), int(one.sum() + other.sum()))
    seen = int((one & other).sum())
    return law.p(seen), law.effect(float(seen))
