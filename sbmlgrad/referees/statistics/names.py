"""What the two sides of a comparison are, and what their axes are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.moments import Moments
from sbmlgrad.referees.statistics.families import Family
from sbmlgrad.referees.statistics.pairs import Pairs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Side:
    """What one side sampled.

    Attributes:
        moments: of species, arrays [time, species].
        counts: of species, float64 [trajectory, time, species], or None if only moments are known.
        firings: moments of firing counts, arrays [time, channel], or None if they were not counted.
        firing_counts: float64 [trajectory, time, channel], or None.
        beside_firings: counts of species in the trajectories of `firing_counts`, float64
            [trajectory, time, species], or None. On our side they are not those of `counts`, which
            come from the network without counters.
        waits: for firings, float64 [trajectory, waited for], or None if their times are not known.
    """

    moments: Moments
    counts: FloatArray | None = None
    firings: Moments | None = None
    firing_counts: FloatArray | None = None
    beside_firings: FloatArray | None = None
    waits: FloatArray | None = None

    def counted(self, moments: Moments, counts: FloatArray | None) -> Side:
        """Return the same with firings.

        Args:
            moments: of species, then channels, arrays [time, column].
            counts: likewise, float64 [trajectory, time, column].
        """
        species = self.moments.mean.shape[1]
        return replace(
            self,
            firings=moments.columns(slice(species, None)),
            firing_counts=None if counts is None else counts[:, :, species:],
            beside_firings=None if counts is None else counts[:, :, :species],
        )

    @property
    def with_firings(self) -> FloatArray | None:
        """Species, then channels, of the same trajectories, float64 [trajectory, time, column]."""
        if self.firing_counts is None or self.beside_firings is None:
            return None
        return np.concatenate([self.beside_firings, self.firing_counts], axis=2)


@dataclass(frozen=True, eq=False)
class Names:
    """What the axes of two sides are called.

    Attributes:
        species: ids.
        channels: ids of what can fire.
        times: float64 [time].
        pairs: what is compared together.
        time_unit: as in reports.
    """

    species: tuple[str, ...]
    channels: tuple[str, ...]
    times: FloatArray
    pairs: Pairs = field(default_factory=Pairs)
    time_unit: str = ""

    def left_out(self, families: Iterable[Family], others: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is not compared, in words: of the families, and what else there is."""
        partly = (family.name for family in families if family.is_partial)
        return (*others, *(self.pairs.left_out[name] for name in partly))

    def at(self, *times: int) -> str:
        """Return words for one or more times."""
        unit = f" {self.time_unit}" if self.time_unit else ""
        return " and ".join(f"{self.times[t]:g}" for t in times) + unit
