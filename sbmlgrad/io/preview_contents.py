"""What a file holds, as one small table for people: names of columns, and rows."""

from __future__ import annotations

from collections import Counter
from functools import singledispatch

import numpy as np

from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.snapshots import Snapshots

Row = tuple[str | float | int, ...]


@singledispatch
def contents_of(data: object) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Return names of columns, and rows: one for each observable, time of snapshots, or state.

    Args:
        data: measurements, snapshots or dwells.
    """
    raise TypeError(f"{type(data).__name__} has no contents to show")


@contents_of.register
def _(data: Measurements) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    columns = ("observable", "unit", "values", "times", "replicates", "conditions")
    ranges = ("first", "last", "lowest", "highest")
    named = tuple(_with_unit(f"{x} time", data.time_unit) for x in ranges[:2]) + ranges[2:]
    return (*columns, *named), tuple(_observable(data, i) for i in range(len(data.observables)))


def _observable(m: Measurements, i: int) -> Row:
    chosen = np.flatnonzero(m.observable_index == i)
    times, values = m.time[chosen], m.value[chosen]
    repeats = Counter((float(m.time[j]), m.condition[j]) for j in chosen)
    return (
        m.observables[i],
        m.units[i],
        len(chosen),
        len(np.unique(times)),
        max(repeats.values()),
        len({m.condition[j] for j in chosen}),
        float(times.min()),
        float(times.max()),
        float(values.min()),
        float(values.max()),
    )


@contents_of.register
def _(data: Snapshots) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    rows: list[Row] = []
    for condition in data.conditions:
        cells = data.of(condition)
        for time in cells.times.tolist():
            for species, column in zip(data.species, cells.at(time).T, strict=True):
                statistics = float(column.mean()), float(column.var()), int(column.max())
                rows.append((species, condition, time, column.size, *statistics))
    time_column = _with_unit("time", data.time_unit)
    columns = ("species", "condition", time_column, "cells", "mean", "variance", "highest")
    return columns, tuple(rows)


@contents_of.register
def _(data: Dwells) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    rows: list[Row] = []
    for i, state in enumerate(data.states):
        durations = data.of(state)
        # A state without usable dwells has no statistics; the table shows that it is there.
        told = (durations.mean(), durations.min(), durations.max()) if durations.size else ()
        number = int((data.state_index == i).sum())
        rows.append((state, number, durations.size, *(map(float, told) if told else ("", "", ""))))
    named = (_with_unit(x, data.unit) for x in ("mean", "shortest", "longest"))
    return ("state", "dwells", "usable", *named), tuple(rows)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
