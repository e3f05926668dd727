"""Which tests of a family are made, and at which level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees.statistics.families import BoolArray, Family

FloatArray = NDArray[np.float64]
Places = NDArray[np.int64]

#: Family → which of its tests are needed, bool [test]; one that is not named needs all.
Wanted = dict[str, BoolArray]

#: p-values, effects, smallest effects that would be found, float64 [test] each.
Results = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class Asked:
    """Tests that are to be made.

    Attributes:
        level: of a single test.
        chance: of finding what is stated as detectable.
        trajectories: of each side.
        wanted: tests that are needed; p-values of others are NaN. None needs none, to count them.
    """

    level: float
    chance: float
    trajectories: int
    wanted: Wanted | None

    @property
    def bound(self) -> float:
        """Standard errors from which on a difference disagrees."""
        return float(stats.t.isf(self.level / 2.0, self.trajectories - 1))

    @property
    def needed(self) -> float:
        """Standard errors that a true difference must have to be found."""
        return self.bound + float(stats.norm.ppf(self.chance))

    def family(
        self,
        name: str,
        unit: str,
        labels: Sequence[str],
        test: Callable[[Places], Results],
        *,
        is_partial: bool = False,
    ) -> Family:
        """Make the tests of a family that are needed.

        Args:
            name: of the family.
            unit: of the effects.
            labels: what each test is about.
            test: makes the tests at some places.
            is_partial: whether the family leaves some of its kind out.
        """
        keep = np.full(len(labels), self.wanted is not None)
        if self.wanted is not None:
            keep = self.wanted.get(name, keep)
        columns = np.full((3, len(labels)), np.nan)
        places = np.flatnonzero(keep)
        if places.size:
            columns[:, places] = np.stack(test(places))
        p, effect, found = columns
        return Family(name, tuple(labels), p, effect, unit, found, is_partial)


def one_by_one(test: Callable[[int], tuple[float, float, float]]) -> Callable[[Places], Results]:
    """Return a way to make tests one after the other.

    Args:
        test: place → p-value, effect, smallest effect that would be found.
    """

    def every(places: Places) -> Results:
        table = np.array([test(int(place)) for place in places], dtype=np.float64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]

    return every
