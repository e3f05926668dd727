"""Files of single-cell counts → `Snapshots`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sbmlgrad.errors import RequestError
from sbmlgrad.io.tables.cells import Cell, Problem, Table, clean
from sbmlgrad.io.tables.columns import (
    Choice,
    check_choice,
    has_time,
    label_columns,
    split_label,
    time_column_of,
    time_unit_of,
)
from sbmlgrad.io.tables.decimals import Place, with_points, without_thousands
from sbmlgrad.io.tables.files import chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import table_of
from sbmlgrad.io.tables.options import MISSING, Clock, TableOptions, marks, names_in
from sbmlgrad.io.tables.parts import place_of
from sbmlgrad.io.tables.problems import letters, ranges, refuse
from sbmlgrad.io.tables.rows import label_at, number_at, time_at
from sbmlgrad.io.tables.timed_headers import TIMED, is_wide
from sbmlgrad.io.tables.times import times_of
from sbmlgrad.model.snapshots import Snapshots

#: What is said of a column of replicates.
_FOLLOWED = (
    "labels of replicates are those of courses, which load_measurements reads; if each cell was "
    "seen once, name the columns of counts with columns="
)


@dataclass(frozen=True, slots=True)
class _Cells:
    """What was read: one entry a biological cell."""

    species: tuple[str, ...]
    time: list[float]
    counts: list[list[int]]
    condition: list[str]
    unit: str


def load_snapshots(
    path: str | os.PathLike[str],
    *,
    time: str | float | None = None,
    columns: Sequence[str] | Mapping[str, str] | None = None,
    conditions: Sequence[str] | None = None,
    layout: Literal["long", "wide"] | None = None,
    species: str = "count",
    sheet: str | None = None,
    header_row: int | None = None,
    names: Sequence[str] | None = None,
    time_unit: str | None = None,
    clock: Clock | None = None,
    decimal: Literal[",", "."] | None = None,
    separator: str | None = None,
    encoding: str = "utf-8",
    missing: Sequence[str] = MISSING,
) -> Snapshots:
    """Read counts of molecules in single cells, each seen once, such as smFISH data.

    The long layout has one row a cell: its time, its counts and perhaps its condition. The wide one
    has one column a time, whose name is the time, as in `0min,5min`; columns may differ in length.

    Args:
        path: `.csv`, `.tsv`, `.txt` or `.xlsx`.
        time: name of the time column, or the one time at which all cells were seen; None finds the
            column.
        columns: columns with counts, or column → species; None is every column that is nothing
            else. In the wide layout, the columns to read.
        conditions: columns whose cells name the condition; None is the column `condition`, if
            there is one.
        layout: `"long"` or `"wide"`; None decides by the header: wide if its names are times with a
            unit.
        species: what was counted, where the wide layout has no room for a name.
        sheet: sheet of a workbook; None if only one holds data.
        header_row: row of the header, counted from 1; None finds it.
        names: names of the columns of a file without a header.
        time_unit: unit of the times returned, as in `load_measurements`.
        clock: what `12:30` means in a time column, as in `load_measurements`.
        decimal: mark of decimals, as in `load_measurements`.
        separator: of columns, likewise.
        encoding: of a text file.
        missing: what stands for no cell, besides an empty one.

    Returns:
        The snapshots; times in `time_unit`.

    Raises:
        DataError: the file cannot be read, or counts in it are not whole numbers; lists every
            problem with its file, sheet, row and column.
        RequestError: an argument has no meaning.
    """
    if layout not in (None, "long", "wide"):
        raise RequestError(f"layout={layout!r} is unknown; use 'long', 'wide' or None")
    options = TableOptions(
        sheet=None if sheet is None else (sheet,),
        header_row=header_row,
        names=names_in("names", names),
        time_unit=time_unit,
        clock=clock,
        decimal=decimal,
        separator=separator,
        encoding=encoding,
        missing=marks(names_in("missing", missing) or ()),
    )
    if isinstance(time, bool):
        raise RequestError(f"time={time!r} must be the name of a column, or a time")
    if isinstance(columns, str):
        raise RequestError(f"columns={columns!r} must be a list of names, not one text")
    wanted = None if columns is None else {clean(name): clean(name) for name in columns}
    if isinstance(columns, Mapping):
        wanted = {clean(name): target for name, target in columns.items()}
    (source,) = chosen_sheets(read_sheets(Path(path), options), options)
    chosen = set(wanted or ())
    table = table_of(
        source,
        options,
        lambda row, below: (
            is_wide(row.values())
            or (not isinstance(time, float | int) and has_time(row, below, time))
            or (bool(chosen) and chosen <= set(row.values()))
        ),
    )
    problems, notes = list(table.problems), list(table.notes)
    if layout == "wide" or (layout is None and time is None and is_wide(table.header.values())):
        if time is not None or conditions is not None or clock is not None:
            raise RequestError(
                "the wide layout has no time= and no conditions=, and no clock=; leave them out"
            )
        cells = _wide(table, chosen, species, options, problems, notes)
    else:
        labels = names_in("conditions", conditions)
        cells = _long(table, time, wanted, labels, options, problems, notes)
    if not problems and not cells.time:
        problems.append(Problem("there is no cell at all"))
    if problems:
        refuse(table, problems)
    notes += [f"{place_of(region)}ignored: {region.text}" for region in table.ignored]
    return Snapshots(
        species=cells.species,
        time=np.array(cells.time, np.float64),
        counts=np.array(cells.counts, np.int64).reshape(len(cells.time), len(cells.species)),
        condition=tuple(cells.condition),
        source_name=table.file,
        sha256=table.sha256,
        time_unit=cells.unit,
        notes=tuple(notes),
    )


def _wide(
    table: Table,
    chosen: set[str],
    species: str,
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
) -> _Cells:
    times: dict[int, str] = {}
    units: dict[str, int] = {}
    for column, label in table.header.items():
        match = TIMED.fullmatch(label)
        if chosen and label not in chosen:
            notes.append(f"column {letters(column)}: ignored: {label!r} was not asked for")
        elif match:
            times[column] = match[1]
            units.setdefault(match[2], column)
        elif all(_is_missing(cells[column], options) for cells in _having(table, column)):
            notes.append(f"column {letters(column)}: ignored: {label!r} is no time, without counts")
        else:
            text = "a column of counts needs a time as its name, such as '5 min'"
            problems.append(Problem(f"found {label!r}; {text}", table.header_row, column))
    if missing := chosen - set(table.header.values()):
        problems.append(Problem(f"columns= names {sorted(missing)}, which are not there"))
    if len(units) > 1:
        listed = ", ".join(unit or "no unit" for unit in units)
        column = list(units.values())[1]
        text = f"the times are in {listed}; write all in one unit"
        problems.append(Problem(text, table.header_row, column))
    unit = next(iter(units), "")
    heads: dict[Place, Cell] = {(table.header_row, column): x for column, x in times.items()}
    counted = _cells(table, times)
    plain = with_points(heads | counted, options, problems, notes)
    plain = without_thousands(counted, plain, options, problems)
    clocks = {place: plain[place] for place in heads if place in plain}
    read, target = times_of(clocks, unit, options, problems, notes)
    found: list[tuple[float, int]] = []
    padding = 0
    for row, cells in table.rows.items():
        for column in times:
            if column not in cells:
                continue
            if _is_missing(cells[column], options):
                padding += 1
                continue
            count = _count(row, column, plain.get((row, column)), problems)
            time = read.get((table.header_row, column))
            if count is not None and isinstance(time, float):
                found.append((time, count))
    if padding:
        notes.append(f"marks of missing values that stand for no cell: {padding}")
    counts = [[count] for _, count in found]
    return _Cells((species,), [t for t, _ in found], counts, [""] * len(found), target)


def _long(
    table: Table,
    time: str | float | None,
    wanted: Mapping[str, str] | None,
    conditions: tuple[str, ...] | None,
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
) -> _Cells:
    at = time_column_of(table, time, problems) if time is None or isinstance(time, str) else 0
    if at is None:
        return _Cells((), [], [], [], "")
    choice = Choice(None if wanted is None else tuple(wanted), wanted or {})
    roles = {"condition": conditions, "replicate": None}
    labelled, followed = label_columns(table, at, roles, choice, problems).values()
    columns = {c: x for c, x in table.header.items() if c != at and c not in labelled}
    check_choice(table, columns.values(), choice, problems)
    for column, label in columns.items():
        if choice.leaves_out(label):
            notes.append(f"column {letters(column)}: ignored: {label!r} was not asked for")
        elif column in followed:
            problems.append(Problem(_FOLLOWED, table.header_row, column))
    kept = {c: x for c, x in columns.items() if c not in followed and not choice.leaves_out(x)}
    columns = {c: split_label(x)[0] for c, x in kept.items()}
    keys = {c: choice.key(table.header[c]) for c in columns}
    species = tuple((wanted or {}).get(keys[c] or "", x) for c, x in columns.items())
    if not columns:
        problems.append(Problem("there is no column of counts", table.header_row))
    plain = with_points(_cells(table, {at, *columns}), options, problems, notes)
    plain = without_thousands(_cells(table, columns), plain, options, problems)
    clocks = {place: cell for place, cell in plain.items() if place[1] == at}
    times: Mapping[Place, Cell] = {}
    unit = options.time_unit or ""
    if at:
        times, unit = times_of(clocks, time_unit_of(table.header[at]), options, problems, notes)
    else:
        notes.append(f"all cells were taken to be seen at time {time} {unit}".rstrip())
    result = _Cells(species, [], [], [], unit)
    empty: list[int] = []
    for row, content in table.rows.items():
        there = [c for c in columns if c in content and not _is_missing(content[c], options)]
        if not there:
            empty.append(row)
            continue
        for column in columns.keys() - set(there):
            text = "the count is missing, others of this cell are there; complete or clear the row"
            problems.append(Problem(text, row, column, kind="incomplete"))
        t = time_at(row, at, times.get((row, at)), problems) if at else float(time or 0.0)
        counts = [_count(row, c, plain.get((row, c)), problems) for c in there]
        if t is None or len(there) < len(columns) or None in counts:
            continue
        result.time.append(t)
        result.counts.append([count for count in counts if count is not None])
        result.condition.append(label_at(row, labelled, content, problems))
    if empty:
        notes.append(f"rows {ranges(empty)}: ignored: without counts")
    return result


def _cells(table: Table, columns: Collection[int]) -> dict[Place, Cell]:
    return {(row, c): x for row, own in table.rows.items() for c, x in own.items() if c in columns}


def _having(table: Table, column: int) -> list[dict[int, Cell]]:
    return [cells for cells in table.rows.values() if column in cells]


def _is_missing(cell: Cell, options: TableOptions) -> bool:
    return isinstance(cell, str) and clean(cell).lower() in options.missing


def _count(row: int, column: int, cell: Cell | None, problems: list[Problem]) -> int | None:
    # A cell that is not there is a problem already.
    number = None if cell is None else number_at(row, column, cell, problems)
    if number is None:
        return None
    if number < 0.0 or not number.is_integer():
        text = f"found {number:g}; a count is a whole number, not negative"
        problems.append(Problem(text, row, column, kind="no count"))
        return None
    return int(number)
