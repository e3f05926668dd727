"""Moments of an ensemble, gathered batch by batch, so that no ensemble has to fit into memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Moments:
    """What a comparison needs to know of an ensemble.

    Attributes:
        mean: molecules, float64 [time, species].
        variance: sample variance (n - 1), molecules², float64 [time, species].
        fourth_moment: mean of (counts - mean)⁴, molecules⁴, float64 [time, species].
        trajectories: how many.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    fourth_moment: NDArray[np.float64]
    trajectories: int

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation, molecules, float64 [time, species]."""
        return np.sqrt(self.variance)

    @property
    def variance_of_mean(self) -> NDArray[np.float64]:
        """Squared standard error of the mean, float64 [time, species]."""
        return self.variance / self.trajectories

    @property
    def variance_of_variance(self) -> NDArray[np.float64]:
        """Squared standard error of the sample variance, float64 [time, species].

        (m4 - (n - 3) / (n - 1) s⁴) / n, right for counts of any distribution (Cramér 1946, section
        27.4; Mood, Graybill & Boes 1974, chapter VI theorem 2). It is zero only if all counts are
        equal, because m4 is at least the square of the second moment.
        """
        n = self.trajectories
        return (self.fourth_moment - (n - 3) / (n - 1) * self.variance**2) / n

    def columns(self, part: slice) -> Moments:
        """Return the moments of some of the species."""
        return Moments(
            self.mean[:, part],
            self.variance[:, part],
            self.fourth_moment[:, part],
            self.trajectories,
        )


def moments(batches: Iterable[NDArray[Any]]) -> Moments:
    """Return the moments over all trajectories of all batches.

    Args:
        batches: counts [trajectory, time, species], one or more of them, at least two trajectories
            in all.

    Returns:
        The moments. Counts that are equal in all trajectories give a variance of exactly zero.
    """
    n, centre, sums = 0, np.array(np.nan), [np.array(0.0)] * 4
    for batch in batches:
        counts = np.asarray(batch, dtype=np.float64)
        # Sums about a value near the mean: raw sums would cancel.
        centre = centre if n else counts.mean(axis=0)
        distance = counts - centre
        sums = [total + (distance**k).sum(axis=0) for k, total in enumerate(sums, start=1)]
        n += len(counts)
    shift, second, third, fourth = (total / n for total in sums)
    return Moments(
        mean=centre + shift,
        variance=(second - shift**2) * (n / (n - 1)),
        fourth_moment=fourth - 4 * shift * third + 6 * shift**2 * second - 3 * shift**4,
        trajectories=n,
    )
