"""Probabilities of counts that were seen, given those of states: marginals and missed molecules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Seen:
    """The different counts that were seen in cells of one time.

    Attributes:
        counts: int64 [seen, observable].
        numbers: cells with each, float64 [seen].
        largest: largest counts in all data, int64 [observable].
    """

    counts: IntArray
    numbers: FloatArray
    largest: IntArray

    @staticmethod
    def of(cells: IntArray, largest: IntArray) -> Seen:
        """Return the different counts of cells int64 [cell, observable]."""
        counts, numbers = np.unique(cells, axis=0, return_counts=True)
        return Seen(counts, numbers.astype(np.float64), largest)

    @property
    def frequency(self) -> FloatArray:
        """Shares of the cells, float64 [seen]."""
        return self.numbers / self.numbers.sum()

    @property
    def best(self) -> float:
        """The largest log-likelihood that any distribution gives."""
        return float(self.numbers @ np.log(self.frequency))


@dataclass(frozen=True, eq=False)
class Chances:
    """How probable the counts are, and what states contribute to that.

    Attributes:
        probability: float64 [seen].
        weights: derivative of the log-likelihood in the probabilities of states, float64 [state].
    """

    probability: FloatArray
    weights: FloatArray


def chances(
    seen: Seen, states: FloatArray, counts: IntArray, detection: FloatArray, background: float
) -> Chances:
    """Return how probable it is to see what was seen.

    Every molecule is seen with probability q, so that of x molecules k are seen with the binomial
    probability (x over k) q^k (1-q)^(x-k) (Johnson, Kemp & Kotz, Univariate Discrete Distributions,
    chapter 3).

    Args:
        seen: counts that were seen.
        states: probabilities, float64 [state].
        counts: of the observables in each state, int64 [state, observable].
        detection: q, float64 [observable].
        background: share of cells with uniform counts from 0 to the largest.
    """
    share = 1.0 - background
    uniform = background / float(np.prod(seen.largest + 1.0))
    if (detection == 1.0).all():
        both = np.unique(np.concatenate([seen.counts, counts]), axis=0, return_inverse=True)[1]
        both = both.reshape(-1)
        label, of_state = both[: len(seen.counts)], both[len(seen.counts) :]
        kinds = int(both.max()) + 1
        of_kind = np.bincount(of_state, states, kinds).astype(np.float64)
        probability = share * of_kind[label] + uniform
        slopes = np.zeros(kinds)
        slopes[label] = share * _ratio(seen.numbers, probability)
        return Chances(probability, slopes[of_state])
    probability, weights = np.empty(len(seen.counts)), np.zeros(len(states))
    tables = [
        _thinned(seen.counts[:, i], counts[:, i], q) for i, q in enumerate(detection.tolist())
    ]
    for row, number in enumerate(seen.numbers.tolist()):
        chance = np.ones(len(states))
        for table, k, x in tables:
            chance *= table[k[row], x]
        probability[row] = share * (chance @ states) + uniform
        weights += share * _ratio(np.float64(number), probability[row]) * chance
    return Chances(probability, weights)


def _ratio(numbers: Any, probability: Any) -> Any:
    """Return numbers over probabilities, 0 where a count is impossible."""
    is_possible = probability > 0.0
    return np.where(is_possible, numbers / np.where(is_possible, probability, 1.0), 0.0)


def _thinned(seen: IntArray, counts: IntArray, q: float) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the chances to see k of x molecules; places of the k seen and of the x of states."""
    from scipy.stats import binom

    k, of_seen = np.unique(seen, return_inverse=True)
    x, of_state = np.unique(counts, return_inverse=True)
    return np.asarray(binom.pmf(k[:, None], x[None, :], q)), of_seen, of_state
