"""One file → its parts, by the plain layouts or that of an instrument; shared with the preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sbmlgrad.io.layouts.table import LAYOUTS, proposed
from sbmlgrad.io.tables.cells import Cell, Problem, Region, Sheet, Table
from sbmlgrad.io.tables.columns import (
    Choice,
    Layout,
    has_time,
    label_columns,
    roles_of,
    time_column_of,
    time_unit_of,
)
from sbmlgrad.io.tables.decimals import Place, with_points
from sbmlgrad.io.tables.files import chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import table_of
from sbmlgrad.io.tables.limits import with_limits
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.parts import Part
from sbmlgrad.io.tables.plate_maps import load_plate_map
from sbmlgrad.io.tables.plates import read_plate
from sbmlgrad.io.tables.problems import refuse_file
from sbmlgrad.io.tables.rows import read_long, read_wide
from sbmlgrad.io.tables.times import times_of


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants of a file.

    Attributes:
        options: how to find and read its cells.
        choice: which observables, under which names.
        time_column: name of the time column, or None.
        layout: wide, long, that of an instrument, or None.
        plate_map: file of a plate map, or None.
        condition, replicate: columns of a plain table that tell them; None is one of that name.
    """

    options: TableOptions
    choice: Choice
    time_column: str | None = None
    layout: str | None = None
    plate_map: Path | None = None
    condition: tuple[str, ...] | None = None
    replicate: tuple[str, ...] | None = None


def read_parts(path: Path, request: Request) -> tuple[Part, ...]:
    """Read the sheets of a file that are asked for.

    Args:
        path: the file.
        request: what to read, and how.

    Returns:
        One part for each sheet, with its problems.

    Raises:
        DataError: nothing at all can be read, or the file is of an instrument and nobody said so.
    """
    options = request.options
    sheets = chosen_sheets(read_sheets(path, options), options)
    if request.layout in LAYOUTS:
        return _instrument(sheets, request)
    if request.plate_map is not None:
        refuse_file(
            path.name,
            f"plate_map= needs the layout of an instrument, {' or '.join(map(repr, LAYOUTS))}; "
            "a plain table has no wells",
        )
    for sheet in sheets:
        layout = proposed(sheet.grid) if request.layout is None else None
        if layout is not None:
            refuse_file(
                sheet.where,
                f"this looks like an export of {layout.instrument} ({layout.marks}); give "
                f"layout={layout.name!r}, or layout='wide' to read it as a plain table",
            )
    return tuple(_plain(sheet, request) for sheet in sheets)


def _instrument(sheets: Sequence[Sheet], request: Request) -> tuple[Part, ...]:
    layout = LAYOUTS[request.layout or ""]
    fitting = [sheet for sheet in sheets if layout.is_of(sheet.grid)]
    others = [sheet for sheet in sheets if not layout.is_of(sheet.grid)]
    if others and not (fitting and request.options.every_sheet):
        refuse_file(
            others[0].where,
            f"this is no export of {layout.instrument}: it lacks {layout.marks}",
        )
    plate_map = load_plate_map(request.plate_map) if request.plate_map is not None else None
    parts = [
        read_plate(sheet, layout, plate_map, request.choice, request.options) for sheet in fitting
    ]
    skipped = [Region(f"sheet {s.name!r}: it lacks the marks of the layout") for s in others]
    first = parts[0]
    table = replace(first.table, ignored=(*first.table.ignored, *skipped))
    return tuple(_checked(part) for part in (replace(first, table=table), *parts[1:]))


def _plain(sheet: Sheet, request: Request) -> Part:
    """Read a wide or long table."""
    options, wanted = request.options, request.time_column
    table = table_of(sheet, options, lambda labels, below: has_time(labels, below, wanted))
    problems, notes = list(table.problems), list(table.notes)
    time = time_column_of(table, wanted, problems)
    layout: Layout | None = None
    if request.layout == "wide" or request.layout == "long":
        layout = request.layout
    roles = roles_of(table, time, layout, problems)
    if time is None or roles is None:
        return Part(table, "long" if roles else "wide", (), {}, "", (), tuple(problems))
    choice = request.choice
    wanted_labels = {"condition": request.condition, "replicate": request.replicate}
    labelled = label_columns(table, time, wanted_labels, choice, problems)
    no_value = {time, *labelled["condition"], *labelled["replicate"]}
    columns = (
        [roles["value"]]
        if roles
        else [c for c, x in table.header.items() if c not in no_value and not choice.leaves_out(x)]
    )
    telling = [*labelled["condition"], *labelled["replicate"]]
    telling += [roles["observable"]] if roles else []
    labels = {row: [content.get(c) for c in telling] for row, content in table.rows.items()}
    table, unit = _made_plain(table, time, columns, labels, options, problems, notes)
    if roles:
        entries, units = read_long(table, time, roles, labelled, choice, problems)
    else:
        entries, units = read_wide(table, time, labelled, choice, problems)
    ignored = [
        Region(f"column {x!r}: not asked for", None, (c, c))
        for c, x in table.header.items()
        if c not in no_value and c not in columns and c not in roles.values()
    ]
    part = Part(
        table=replace(table, ignored=(*table.ignored, *ignored), notes=tuple(notes)),
        layout="long" if roles else "wide",
        entries=tuple(entries),
        units=units,
        time_unit=unit,
        understood=_understood(table, time, columns, roles, labelled),
        problems=tuple(problems),
    )
    return _checked(part)


def _checked(part: Part) -> Part:
    if part.entries or any(p.text == _NOTHING for p in part.problems):
        return part
    return replace(part, problems=(*part.problems, Problem(_NOTHING)))


_NOTHING = "there is no numeric value at all"


def _made_plain(
    table: Table,
    time: int,
    columns: Sequence[int],
    labels: Mapping[int, object],
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
) -> tuple[Table, str]:
    """Return a table whose times and values are plain numbers, and the unit of time."""
    cells: dict[Place, Cell] = {
        (row, column): cell
        for row, content in table.rows.items()
        for column, cell in content.items()
        if column == time or column in columns
    }
    cells = with_points(cells, options, problems, notes)
    values = {place: cell for place, cell in cells.items() if place[1] != time}
    values = with_limits(values, options, problems, notes)
    clocks = {place: cell for place, cell in cells.items() if place[1] == time}
    own = time_unit_of(table.header[time])
    times, unit = times_of(clocks, own, options, problems, notes, labels)
    rows = {
        row: {c: x for c, x in content.items() if c != time and c not in columns}
        for row, content in table.rows.items()
    }
    for (row, column), cell in (*times.items(), *values.items()):
        rows[row][column] = cell
    return replace(table, rows=rows), unit


def _understood(
    table: Table,
    time: int,
    columns: Sequence[int],
    roles: Mapping[str, int],
    labelled: Mapping[str, Sequence[int]],
) -> tuple[Region, ...]:
    rows = [row for row, cells in table.rows.items() if cells]
    at = (min(rows), max(rows)) if rows else None
    found = [(f"time: {table.header[time]!r}", time)]
    found += [(f"{role}: {table.header[c]!r}", c) for role, cs in labelled.items() for c in cs]
    if roles:
        found += [(f"{x}: {table.header[roles[x]]!r}", roles[x]) for x in ("observable", "value")]
    else:
        found += [(f"observable: {table.header[c]!r}", c) for c in columns]
    header = [Region("header", (table.header_row, table.header_row))] if table.header_row else []
    return (*header, *(Region(text, at, (column, column)) for text, column in found))
