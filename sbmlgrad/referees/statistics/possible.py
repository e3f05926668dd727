"""Is each trajectory one that the network can have? Checks that need no statistics.

Counts of molecules are whole and never negative, as our engines refuse networks in which they are;
counters of firings start at zero and only rise; and a species that only reactions change is, in
every trajectory and at every time, its start plus what the firings change,

    X(t) = X(0) + Σ_r ν_r N_r(t).

One trajectory that is not so is a disagreement, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.statistics.names import Side

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Relative difference that is a rounding of how a simulator writes numbers.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Checks:
    """What was checked of each trajectory.

    Attributes:
        made: what, in words; nothing where trajectories are not known.
        broken: what cannot be, in words.
    """

    made: str = ""
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Balance:
    """What every trajectory of a network obeys.

    Attributes:
        species: ids.
        channels: ids of what is counted.
        times: float64 [time].
        is_whole: which species come in whole molecules, bool [species]; others may be set to
            anything by events.
        start: molecules at time 0, float64 [species]; NaN where events may set them.
        change: molecules in one firing, float64 [channel, species].
        unit: of the time, as in reports.
    """

    species: tuple[str, ...]
    channels: tuple[str, ...]
    times: FloatArray
    is_whole: BoolArray
    start: FloatArray
    change: FloatArray
    unit: str = ""

    def checks(self, ours: Side, theirs: Side | None = None) -> Checks:
        """Check the trajectories of both sides, as far as they are given.

        Args:
            ours: our side.
            theirs: the other; None where it is exact.
        """
        broken: list[str] = []
        for whose, side in (("our", ours), ("their", theirs)):
            if side is None or side.counts is None:
                continue
            broken += self.broken(whose, side.counts, None)
            if side.firing_counts is not None and side.beside_firings is not None:
                broken += self.broken(whose, side.beside_firings, side.firing_counts)
        if ours.counts is None:
            return Checks()
        is_counted = theirs is not None and theirs.firing_counts is not None
        # What theirs has beside its firings is what it has at all.
        return Checks(self.checked(is_counted=is_counted), tuple(dict.fromkeys(broken)))

    def checked(self, *, is_counted: bool) -> str:
        """Return what is checked of each trajectory, in words."""
        found = ["counts are whole and not negative"]
        if is_counted:
            found.append("counters of firings start at zero and only rise")
            balanced = [s for s, x in zip(self.species, self.start, strict=True) if np.isfinite(x)]
            if balanced:
                found.append(f"{', '.join(balanced)} = start + what the firings change")
        return f"checked of every trajectory: {'; '.join(found)}"

    def broken(self, whose: str, counts: FloatArray, firings: FloatArray | None) -> tuple[str, ...]:
        """Return what trajectories cannot be, the first of each kind in words.

        Args:
            whose: as in "their".
            counts: float64 [trajectory, time, species].
            firings: of the same trajectories, float64 [trajectory, time, channel], or None.
        """
        found = [*self._counts(whose, self.species, counts, self.is_whole)]
        if firings is not None:
            every = np.ones(len(self.channels), dtype=bool)
            labels = tuple(f"the firings of '{channel}'" for channel in self.channels)
            found += self._counts(whose, labels, firings, every)
            found += self._counters(whose, firings)
            found += self._balance(whose, counts, firings)
        return tuple(found)

    def _counts(
        self, whose: str, labels: tuple[str, ...], counts: FloatArray, is_whole: BoolArray
    ) -> Iterator[str]:
        whole = np.rint(counts)
        fraction = np.abs(counts - whole) > _ROUNDING * np.maximum(1.0, np.abs(counts))
        yield from self._first(whose, labels, fraction & is_whole, counts, "a whole number")
        yield from self._first(whose, labels, counts < 0.0, counts, "no less than zero")

    def _counters(self, whose: str, firings: FloatArray) -> Iterator[str]:
        labels = tuple(f"the firings of '{channel}'" for channel in self.channels)
        falls = np.zeros(firings.shape, dtype=bool)
        falls[:, 1:] = np.diff(firings, axis=1) < 0.0
        yield from self._first(whose, labels, falls, firings, "no less than at the time before")
        begun = (firings != 0.0) & (self.times == 0.0)[:, None]
        yield from self._first(whose, labels, begun, firings, "zero at the start")

    def _balance(self, whose: str, counts: FloatArray, firings: FloatArray) -> Iterator[str]:
        expected = self.start + firings @ self.change
        size = np.abs(self.start) + firings @ np.abs(self.change)
        # Of species that events set nothing is expected.
        with np.errstate(invalid="ignore"):
            off = np.abs(counts - expected) > _ROUNDING * np.maximum(1.0, size)
        where = self._first_place(off)
        if where is None:
            return
        number, (i, t, s) = where
        yield (
            f"{whose} trajectory {i} has {counts[i, t, s]:.10g} of {self.species[s]} at "
            f"{self._at(t)}, but its start and its firings make {expected[i, t, s]:.10g} "
            f"({self._of(number, len(counts))})"
        )

    def _first(
        self, whose: str, labels: tuple[str, ...], bad: BoolArray, counts: FloatArray, rule: str
    ) -> Iterator[str]:
        where = self._first_place(bad)
        if where is not None:
            number, (i, t, s) = where
            yield (
                f"{whose} trajectory {i} has {counts[i, t, s]:.10g} for {labels[s]} at "
                f"{self._at(t)}, which must be {rule} ({self._of(number, len(counts))})"
            )

    def _first_place(self, bad: BoolArray) -> tuple[int, tuple[int, int, int]] | None:
        """Return in how many trajectories something is bad, and the first place of it."""
        if not bad.any():
            return None
        i, t, s = (int(k) for k in np.unravel_index(np.argmax(bad), bad.shape))
        return int(bad.any(axis=(1, 2)).sum()), (i, t, s)

    def _at(self, t: int) -> str:
        return f"{self.times[t]:g}{f' {self.unit}' if self.unit else ''}"

    @staticmethod
    def _of(number: int, trajectories: int) -> str:
        return f"such are {number} of {trajectories} trajectories"
