"""Parts of a file, one for each sheet that was read, → one record of measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.cells import Problem, Region, Table
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import letters, listed, where_of
from sbmlgrad.io.tables.rows import Entry
from sbmlgrad.model.measurements import Measurements


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of one sheet.

    Attributes:
        table: its cells, with what was ignored and noted.
        layout: wide, long or that of an instrument.
        entries: the measurements.
        units: observable → unit.
        time_unit: of the entries.
        understood: what stands where.
        problems: everything wrong with it.
    """

    table: Table
    layout: str
    entries: tuple[Entry, ...]
    units: Mapping[str, str]
    time_unit: str
    understood: tuple[Region, ...]
    problems: tuple[Problem, ...]


def measurements_of(parts: Sequence[Part], options: TableOptions) -> Measurements:
    """Return the measurements of all sheets.

    Where the caller asked for several sheets, or all, the name of the sheet is the condition of its
    measurements, or their replicate; conditions and labels within a sheet follow the name.

    Args:
        parts: at least one.
        options: which sheets were asked for, and what they are.

    Raises:
        DataError: any part has problems, or the parts do not fit together.
    """
    if any(part.problems for part in parts):
        refuse_parts(parts)
    first = parts[0]
    is_labelled = options.every_sheet or (options.sheet is not None and len(options.sheet) > 1)
    entries: list[Entry] = []
    units: dict[str, str] = {}
    clashes: list[str] = []
    for part in parts:
        sheet = repr(part.table.sheet)
        if part.time_unit != first.time_unit:
            clashes.append(
                f"sheet {sheet} gives times in {part.time_unit or 'no unit'}, sheet "
                f"{first.table.sheet!r} in {first.time_unit or 'no unit'}; give time_unit="
            )
        for observable, unit in part.units.items():
            if units.setdefault(observable, unit) != unit:
                clashes.append(
                    f"{observable!r} is given in {unit or 'no unit'} in sheet {sheet}, but in "
                    f"{units[observable] or 'no unit'} before; convert it to one unit"
                )
        entries += _labelled(part, options) if is_labelled else part.entries
    if clashes:
        raise DataError(f"{first.table.file}:\n" + "\n".join(f"  - {c}" for c in clashes))
    position = {observable: i for i, observable in enumerate(units)}
    return Measurements(
        observables=tuple(units),
        time=np.array([e.time for e in entries], np.float64),
        observable_index=np.array([position[e.observable] for e in entries], np.int64),
        value=np.array([e.value for e in entries], np.float64),
        replicate=tuple(e.replicate for e in entries),
        condition=tuple(e.condition for e in entries),
        source_name=first.table.file,
        sha256=first.table.sha256,
        time_unit=first.time_unit,
        units=tuple(units.values()),
        notes=_notes(parts),
    )


def refuse_parts(parts: Sequence[Part]) -> NoReturn:
    """Raise one `DataError` that lists every problem of every sheet with its place."""
    raise DataError(
        "\n".join(
            "\n".join([f"{where_of(part.table)}:", *listed(part.table, part.problems)])
            for part in parts
            if part.problems
        )
    )


def _labelled(part: Part, options: TableOptions) -> list[Entry]:
    sheet = part.table.sheet or ""
    if options.sheets_are == "condition":
        return [
            replace(e, condition=f"{sheet} {e.condition}" if e.condition else sheet)
            for e in part.entries
        ]
    counts = Counter((e.observable, e.time, e.condition) for e in part.entries)
    is_single = max(counts.values()) == 1
    return [
        replace(e, replicate=sheet if is_single else f"{sheet} {e.replicate}".strip())
        for e in part.entries
    ]


def _notes(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return what was assumed, changed or ignored, in words, with the sheet if there are more."""
    found: list[str] = []
    for part in parts:
        prefix = f"sheet {part.table.sheet!r}: " if len(parts) > 1 else ""
        ignored = [f"{place_of(region)}ignored: {region.text}" for region in part.table.ignored]
        found += [prefix + text for text in (*part.table.notes, *ignored)]
    return tuple(found)


def place_of(region: Region) -> str:
    """Return the rows and columns of a region, as `rows 1-28: `, or nothing."""
    parts = []
    if region.rows is not None:
        first, last = region.rows
        parts.append(f"row {first}" if first == last else f"rows {first}-{last}")
    if region.columns is not None:
        left, right = letters(region.columns[0]), letters(region.columns[1])
        parts.append(f"column {left}" if left == right else f"columns {left}-{right}")
    return f"{', '.join(parts)}: " if parts else ""
