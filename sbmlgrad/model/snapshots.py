"""Snapshots: counts of molecules in single cells, each cell seen once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError
from sbmlgrad.model.labels import fault_of, refuse_unknown


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Counts in single cells at several times, one row a cell, kept sorted by time and condition.

    Cells of different times are different cells: there are no trajectories, only a distribution at
    each time. Two records are equal if they hold the same cells in the same order; where and how
    they were read does not count. Arrays are copied and read-only.

    Attributes:
        species: what was counted: column names, or SBML ids.
        time: float64 [cell], in `time_unit`; finite, not negative.
        counts: int64 [cell, species]; not negative.
        condition: label [cell]; empty where there is only one condition.
        source_name: file name without folders.
        sha256: hash of the file's bytes, hexadecimal.
        time_unit: as written in the file, or empty.
        notes: what was assumed, converted or ignored when the file was read, in words.

    Raises:
        DataError: axes that disagree, counts that are not whole or negative, times that are
            negative or not finite, names that occur twice or are unprintable.
    """

    species: tuple[str, ...]
    time: NDArray[np.float64]
    counts: NDArray[np.int64]
    condition: tuple[str, ...] = ()
    source_name: str = ""
    sha256: str = ""
    time_unit: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        species, time = tuple(self.species), np.array(self.time, dtype=np.float64)
        counts = np.array(self.counts)
        condition = tuple(self.condition) or ("",) * time.size
        if problems := list(_problems(species, time, counts, condition)):
            listed = "".join(f"\n  - {problem}" for problem in problems)
            raise DataError(f"{self._called}: unusable snapshots:{listed}")
        order = sorted(range(time.size), key=lambda i: (time[i], condition[i]))
        time, counts = time[order], counts.astype(np.int64)[order]
        for array in (time, counts):
            array.flags.writeable = False
        object.__setattr__(self, "species", species)
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "condition", tuple(condition[i] for i in order))

    def _content(self) -> tuple[object, ...]:
        numbers = (self.time.tobytes(), self.counts.tobytes(), self.counts.shape)
        return (*numbers, self.species, self.condition, self.time_unit)

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Snapshots) else False

    def __hash__(self) -> int:
        return hash(self._content())

    def __len__(self) -> int:
        return self.time.size

    @property
    def _called(self) -> str:
        return self.source_name or "snapshots"

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Times at which cells were seen, float64 [time], increasing; read-only."""
        times = np.unique(self.time)
        times.flags.writeable = False
        return times

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """The distinct conditions, sorted."""
        return tuple(sorted(set(self.condition)))

    @cached_property
    def n_cells(self) -> NDArray[np.int64]:
        """Number of cells at each of `times`, all conditions together, int64 [time]; read-only."""
        numbers = np.unique(self.time, return_counts=True)[1].astype(np.int64)
        numbers.flags.writeable = False
        return numbers

    def at(self, time: float, *, condition: str | None = None) -> NDArray[np.int64]:
        """Return the counts of the cells seen at one time.

        Args:
            time: one of `times`.
            condition: one of `conditions`; may be left out if there is only one, since cells under
                different conditions are no samples of one distribution.

        Returns:
            int64 [cell, species].

        Raises:
            DataError: no cell was seen then, or there are several conditions and none is chosen.
        """
        if condition is None and len(self.conditions) > 1:
            raise DataError(
                f"{self._called}: there are several conditions; give condition= one of "
                f"{self.conditions}"
            )
        chosen = self if condition is None else self.of(condition)
        rows = chosen.time == time
        if not rows.any():
            listed = ", ".join(f"{t:g}" for t in chosen.times)
            raise DataError(
                f"{self._called}: no cell was seen at time {time}; there are "
                f"cells at {listed} {self.time_unit}".rstrip()
            )
        return chosen.counts[rows]

    def of(self, condition: str) -> Snapshots:
        """Return the snapshots under one condition.

        Args:
            condition: one of `conditions`.

        Raises:
            DataError: there is no such condition.
        """
        refuse_unknown(self._called, "condition", condition, self.conditions)
        rows = [i for i, label in enumerate(self.condition) if label == condition]
        return replace(
            self,
            time=self.time[rows],
            counts=self.counts[rows],
            condition=(condition,) * len(rows),
        )


def _problems(
    species: tuple[str, ...],
    time: NDArray[np.float64],
    counts: NDArray[np.generic],
    condition: tuple[str, ...],
) -> Iterator[str]:
    shape = (time.size, len(species))
    if time.ndim != 1 or counts.shape != shape or len(condition) != time.size:
        yield (
            f"time has shape {time.shape}, counts {counts.shape} and condition {len(condition)} "
            f"entries; [cell], [cell, species] and [cell] are expected, with {len(species)} species"
        )
        return
    if not time.size or not species:
        yield "there is no cell, or nothing was counted"
    for name in (*species, *sorted(set(condition))):
        if fault := fault_of(name):
            yield f"the label {name!r} {fault}"
    yield from (f"{name!r} is listed twice" for name in set(species) if species.count(name) > 1)
    if any(not name for name in species):
        yield "a species has no name"
    if not (np.isfinite(time) & (time >= 0.0)).all():
        yield "a time is negative or not finite"
    if counts.dtype.kind not in "iuf":
        yield f"counts are {counts.dtype}, whole numbers are expected"
        return
    numbers = counts.astype(np.float64)
    wrong = ~np.isfinite(numbers) | (numbers < 0.0) | (numbers != np.floor(numbers))
    if wrong.any():
        cell, which = np.argwhere(wrong)[0]
        yield (
            f"cell {cell} has {counts[cell, which]} of {species[which]!r}; counts are whole "
            "numbers, not negative"
        )
