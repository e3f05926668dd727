"""Measurements: what was observed, when, how often.

One row per observed value. A missing value is simply not there. Files are read in `io`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError
from sbmlgrad.model.labels import fault_of, refuse_unknown


class Observed(NamedTuple):
    """Statistics of one observable over its replicates.

    Attributes:
        times: float64 [time], increasing; the times at which this observable was measured.
        mean: float64 [time].
        standard_deviation: float64 [time], with n - 1; NaN where there is one replicate.
        replicates: int64 [time], how many values.
    """

    times: NDArray[np.float64]
    mean: NDArray[np.float64]
    standard_deviation: NDArray[np.float64]
    replicates: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Measurements:
    """Observed values in long form, kept sorted by observable, time, condition and replicate.

    Two records are equal if they hold the same measurements, in whatever order these were given;
    where and how they were read (`source_name`, `sha256`, `notes`) does not count. Arrays are
    copied and read-only.

    Attributes:
        observables: column names as read, or SBML ids once bound; each occurs once.
        time: float64 [measurement], in `time_unit`; finite, not negative.
        observable_index: int64 [measurement], position in `observables`.
        value: float64 [measurement], in the observable's unit; finite.
        replicate: label [measurement]; tells repeated measurements apart.
        condition: label [measurement]; empty where there is only one condition.
        source_name: file name without folders.
        sha256: hash of the file's bytes, hexadecimal.
        time_unit: as written in the file, or empty.
        units: unit [observable] as written in the file, or empty; filled up if left out.
        notes: what was assumed, converted or ignored when the file was read, in words.

    Raises:
        DataError: lengths that disagree, values that are not finite, negative times, labels with
            unprintable characters, or one replicate measured twice.
    """

    observables: tuple[str, ...]
    time: NDArray[np.float64]
    observable_index: NDArray[np.int64]
    value: NDArray[np.float64]
    replicate: tuple[str, ...]
    condition: tuple[str, ...]
    source_name: str = ""
    sha256: str = ""
    time_unit: str = ""
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = {
            "time": np.array(self.time, dtype=np.float64),
            "observable_index": np.array(self.observable_index),
            "value": np.array(self.value, dtype=np.float64),
        }
        labels = {"replicate": tuple(self.replicate), "condition": tuple(self.condition)}
        observables = tuple(self.observables)
        units = tuple(self.units) or ("",) * len(observables)
        if problems := _problems(numbers, labels, observables, (*units, self.time_unit)):
            raise DataError(listed(self.source_name, "unusable measurements", problems))
        numbers["observable_index"] = numbers["observable_index"].astype(np.int64)
        keys = list(_keys(numbers, labels))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        for name, column in numbers.items():
            ordered = column[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)
        for name, column in labels.items():
            object.__setattr__(self, name, tuple(column[i] for i in order))
        object.__setattr__(self, "observables", observables)
        object.__setattr__(self, "units", units)

    def _content(self) -> tuple[object, ...]:
        numbers = (self.time, self.observable_index, self.value)
        labels = (self.observables, self.replicate, self.condition, self.time_unit, self.units)
        return (*(tuple(array.tolist()) for array in numbers), *labels)

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Measurements) else False

    def __hash__(self) -> int:
        return hash(self._content())

    def __len__(self) -> int:
        return self.time.size

    @property
    def _called(self) -> str:
        return self.source_name or "measurements"

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Every time at which anything was measured, float64 [time], increasing; read-only."""
        times = np.unique(self.time)
        times.flags.writeable = False
        return times

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """The distinct conditions, sorted."""
        return tuple(sorted(set(self.condition)))

    def observed(self, observable: str, *, condition: str | None = None) -> Observed:
        """Return mean, standard deviation and number of replicates of one observable.

        Args:
            observable: one of `observables`.
            condition: one of `conditions`; may be left out if there is only one, since values
                measured under different conditions are not replicates of each other.

        Returns:
            Statistics at the times at which the observable was measured, in its unit.

        Raises:
            DataError: no such observable or condition, or several conditions and none chosen.
        """
        refuse_unknown(self._called, "observable", observable, self.observables)
        if condition not in self.conditions and (condition is not None or len(self.conditions) > 1):
            found = "several conditions" if condition is None else f"no condition {condition!r}"
            raise DataError(
                f"{self._called}: there are {found}, and values measured under different ones "
                f"are no replicates; give condition= one of {self.conditions}"
            )
        chosen = self.observable_index == self.observables.index(observable)
        if condition is not None:
            chosen &= np.array([c == condition for c in self.condition], dtype=np.bool_)
        return _statistics(self.time[chosen], self.value[chosen])

    def of(self, condition: str) -> Measurements:
        """Return what was measured under one condition; its observables alone.

        Args:
            condition: one of `conditions`.

        Raises:
            DataError: there is no such condition.
        """
        refuse_unknown(self._called, "condition", condition, self.conditions)
        rows = np.flatnonzero(np.array(self.condition) == condition)
        return part(self, np.unique(self.observable_index[rows]), rows)


def part(
    measurements: Measurements, kept: NDArray[np.int64], rows: NDArray[np.int64]
) -> Measurements:
    """Return some of the measurements.

    Args:
        measurements: all of them.
        kept: positions of the observables that are left, increasing.
        rows: positions of the measurements that are left, all of them of these observables.
    """
    return replace(
        measurements,
        observables=tuple(measurements.observables[i] for i in kept),
        units=tuple(measurements.units[i] for i in kept),
        time=measurements.time[rows],
        observable_index=np.searchsorted(kept, measurements.observable_index[rows]),
        value=measurements.value[rows],
        replicate=tuple(measurements.replicate[i] for i in rows),
        condition=tuple(measurements.condition[i] for i in rows),
    )


def listed(source: str, what: str, problems: Iterable[str]) -> str:
    """Return a message that lists all problems of a file's measurements."""
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return f"{source or 'measurements'}: {what}:{lines}"


def _keys(
    numbers: Mapping[str, NDArray[Any]], labels: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[int, float, str, str]]:
    index, time = numbers["observable_index"].tolist(), numbers["time"].tolist()
    return zip(index, time, labels["condition"], labels["replicate"], strict=True)


def _problems(
    numbers: Mapping[str, NDArray[Any]],
    labels: Mapping[str, tuple[str, ...]],
    observables: tuple[str, ...],
    units: tuple[str, ...],
) -> list[str]:
    """List what is wrong with the fields; later checks need the earlier ones to hold."""
    shapes = {name: column.shape for name, column in numbers.items()}
    shapes |= {name: (len(column),) for name, column in labels.items()}
    if len(set(shapes.values())) > 1 or numbers["time"].ndim != 1:
        return [f"the columns differ in shape, or have not the one axis [measurement]: {shapes}"]
    problems: list[str] = []
    if len(units) != len(observables) + 1:
        problems.append(f"units has {len(units) - 1} entries, observables has {len(observables)}")
    twice = [name for name, count in Counter(observables).items() if count > 1]
    problems += [f"observable {name!r} is listed more than once" for name in twice]
    named = [("observable", name) for name in observables] + [("unit", unit) for unit in units]
    named += [(kind, label) for kind, column in labels.items() for label in sorted(set(column))]
    problems += [f"{kind} {label!r} {fault}" for kind, label in named if (fault := fault_of(label))]
    problems += [f"observable {i} has no name" for i, name in enumerate(observables) if not name]
    problems += [
        f"unit {unit!r} has square brackets, which enclose units in a file"
        for unit in units
        if {"[", "]"} & set(unit)
    ]
    index, time, value = (numbers[name] for name in ("observable_index", "time", "value"))
    in_range = np.isin(index, np.arange(len(observables)))
    for fine, what in (
        (in_range, "an observable_index that does not exist"),
        (np.isfinite(time) & (time >= 0.0), "a time that is negative or not finite"),
        (np.isfinite(value), "a value that is not finite; leave missing ones out"),
    ):
        if not fine.all():
            problems.append(f"measurements {np.flatnonzero(~fine).tolist()} have {what}")
    return problems or [
        f"{observables[int(j)]!r} at time {t} has {count} values for replicate {r!r}, condition "
        f"{c!r}; give each its own replicate"
        for (j, t, c, r), count in Counter(_keys(numbers, labels)).items()
        if count > 1
    ]


def _statistics(time: NDArray[np.float64], value: NDArray[np.float64]) -> Observed:
    times, position, count = np.unique(time, return_inverse=True, return_counts=True)
    mean = np.bincount(position, weights=value, minlength=times.size) / count
    squares = np.bincount(position, weights=(value - mean[position]) ** 2, minlength=times.size)
    deviation = np.full(times.size, np.nan)
    several = count > 1
    deviation[several] = np.sqrt(squares[several] / (count[several] - 1))
    return Observed(times, mean, deviation, count.astype(np.int64))
