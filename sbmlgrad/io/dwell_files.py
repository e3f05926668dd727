"""Files of dwell times, such as idealised single-channel records → `Dwells`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from sbmlgrad.io.tables.cells import Cell, Problem, Table, Unusable, parse_label
from sbmlgrad.io.tables.columns import split_label
from sbmlgrad.io.tables.decimals import with_points
from sbmlgrad.io.tables.files import chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import table_of
from sbmlgrad.io.tables.options import TableOptions, names_in
from sbmlgrad.io.tables.parts import place_of
from sbmlgrad.io.tables.problems import refuse
from sbmlgrad.io.tables.rows import number_at
from sbmlgrad.io.tables.times import seconds_of
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.labels import suggestion

#: Usual names of the columns, without unit, in lower case.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "state": ("state", "class", "level"),
    "duration": ("dwell", "dwells", "dwell_time", "dwell time", "duration", "interval"),
    "usable": ("usable", "use", "valid"),
}
_YES, _NO = ("1", "true", "yes", "y"), ("0", "false", "no", "n")


def load_dwells(
    path: str | os.PathLike[str],
    *,
    dead_time: float = 0.0,
    state: str | None = None,
    duration: str | None = None,
    usable: str | None = None,
    unit: str | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
    names: Sequence[str] | None = None,
    separator: str | None = None,
    decimal: Literal[",", "."] | None = None,
    encoding: str = "utf-8",
) -> Dwells:
    """Read a record of dwells, one row each, in order.

    Args:
        path: `.csv`, `.tsv`, `.txt` or `.xlsx`.
        dead_time: shortest dwell that could be seen, in the unit of the durations returned.
        state: name of the column with the state; None finds it.
        duration: name of the column with the duration; None finds it. Its unit follows in brackets
            or behind a low line, as in `dwell_ms`.
        usable: name of the column that tells usable dwells (1, yes, true) from others; None finds
            it, and all are usable if there is none.
        unit: unit of the durations returned; None keeps the file's.
        sheet: sheet of a workbook; None if only one holds data.
        header_row: row of the header, counted from 1; None finds it.
        names: names of the columns of a file without a header.
        separator: of columns, as in `load_measurements`.
        decimal: mark of decimals, as in `load_measurements`.
        encoding: of a text file.

    Returns:
        The record; durations and dead time in `unit`.

    Raises:
        DataError: the file cannot be read, or cells in it cannot; lists every problem with its
            file, sheet, row and column.
        RequestError: an argument has no meaning.
    """
    options = TableOptions(
        sheet=None if sheet is None else (sheet,),
        header_row=header_row,
        names=names_in("names", names),
        separator=separator,
        decimal=decimal,
        encoding=encoding,
    )
    wanted = {"state": state, "duration": duration, "usable": usable}
    (source,) = chosen_sheets(read_sheets(Path(path), options), options)
    table = table_of(source, options, lambda row, _: is_record(row, wanted))
    problems, notes = list(table.problems), list(table.notes)
    columns = _columns(table, wanted, problems)
    if columns is None:
        refuse(table, problems)
    label = table.header[columns["duration"]]
    file_unit = _split(label)[1]
    factor = _factor(file_unit, unit, columns["duration"], table, problems, notes)
    labels, lengths, flags = _rows(table, columns, options, problems, notes)
    durations = [(row, value * factor) for row, value in lengths]
    for row, value in durations:
        if flags[row] and value < dead_time:
            text = (
                f"found a dwell of {value:g}, shorter than dead_time={dead_time:g}; give a shorter "
                "one, mark the dwell as not usable, or impose the dead time on the record first"
            )
            problems.append(Problem(text, row, columns["duration"], kind="short"))
    problems += _repeated(labels, flags, columns["state"])
    if not problems and not durations:
        problems.append(Problem("there is no dwell"))
    if problems:
        refuse(table, problems)
    if "usable" not in columns:
        notes.append("no column tells which dwells are usable: all are")
    if not dead_time:
        said = [r.text for r in table.ignored if re.search("resolution|dead.?time", r.text, re.I)]
        hint = f"; {said[0]}" if said else ""
        notes.append(f"no dead time was given: every dwell is taken to have been seen{hint}")
    used = set(columns.values())
    notes += [f"column {x!r} is ignored" for c, x in table.header.items() if c not in used]
    notes += [f"{place_of(region)}ignored: {region.text}" for region in table.ignored]
    states = _ordered(set(labels.values()))
    return Dwells(
        states=states,
        state_index=np.array([states.index(x) for x in labels.values()], np.int64),
        duration=np.array([value for _, value in durations], np.float64),
        usable=np.array([flags[row] for row, _ in durations], np.bool_),
        unit=unit or file_unit,
        dead_time=dead_time,
        source_name=table.file,
        sha256=table.sha256,
        notes=tuple(notes),
    )


def is_record(labels: Mapping[int, str], wanted: Mapping[str, str | None] | None = None) -> bool:
    """Tell whether a row can be the header of a record: it names a state and a duration.

    Args:
        labels: column → label.
        wanted: state, duration and usable → name of the column, or None for the usual ones.
    """
    names = wanted or {}
    return all(_matching(labels, role, names.get(role)) for role in ("state", "duration"))


def _split(label: str) -> tuple[str, str]:
    """Split the unit from a label: in brackets, or behind a low line if it is known."""
    name, unit = split_label(label)
    head, line, tail = name.rpartition("_")
    return (head, tail) if not unit and line and seconds_of(tail) else (name, unit)


def _matching(labels: Mapping[int, str], role: str, wanted: str | None) -> list[int]:
    if wanted is not None:
        return [c for c, x in labels.items() if wanted in (x, _split(x)[0])]
    return [c for c, x in labels.items() if _split(x)[0].lower() in _NAMES[role]]


def _columns(
    table: Table, wanted: Mapping[str, str | None], problems: list[Problem]
) -> dict[str, int] | None:
    found: dict[str, int] = {}
    listed = ", ".join(map(repr, table.header.values()))
    for role, name in wanted.items():
        columns = _matching(table.header, role, name)
        if len(columns) == 1:
            found[role] = columns[0]
        elif columns:
            text = f"{len(columns)} columns may hold the {role}; choose one with {role}="
            problems.append(Problem(f"{text}; found {listed}", table.header_row))
        elif name is not None or role != "usable":
            close = suggestion(name, table.header.values()) if name else ""
            text = f"there is no column {name or role!r}{close}; give its name with {role}="
            problems.append(Problem(f"{text}; found {listed}", table.header_row))
    return found if {"state", "duration"} <= found.keys() else None


def _factor(
    file_unit: str,
    unit: str | None,
    column: int,
    table: Table,
    problems: list[Problem],
    notes: list[str],
) -> float:
    if unit is None or unit == file_unit:
        return 1.0
    if not file_unit:
        notes.append(f"durations have no unit in the file and were taken to be in {unit}")
        return 1.0
    lengths = seconds_of(file_unit), seconds_of(unit)
    if lengths[0] is None or lengths[1] is None:
        text = f"durations in {file_unit!r} cannot be converted to {unit!r}; use ms, s, min or h"
        problems.append(Problem(text, table.header_row, column))
        return 1.0
    notes.append(f"durations were converted from {file_unit} to {unit}")
    return lengths[0] / lengths[1]


def _rows(
    table: Table,
    columns: Mapping[str, int],
    options: TableOptions,
    problems: list[Problem],
    notes: list[str],
) -> tuple[dict[int, str], list[tuple[int, float]], dict[int, bool]]:
    """Return row → state, rows and durations, and row → whether it is usable."""
    at = columns["duration"]
    rows = {row: cells for row, cells in table.rows.items() if set(cells) & set(columns.values())}
    written: dict[tuple[int, int], Cell] = {
        (row, at): cells[at] for row, cells in rows.items() if at in cells
    }
    plain = with_points(written, options, problems, notes)
    labels: dict[int, str] = {}
    lengths: list[tuple[int, float]] = []
    flags: dict[int, bool] = {}
    for row, cells in rows.items():
        label = parse_label(cells[columns["state"]]) if columns["state"] in cells else ""
        if isinstance(label, Unusable) or not label:
            found = f"found {label.found}; {label.advice}" if label else "the state is missing"
            problems.append(Problem(found, row, columns["state"], kind="no state"))
        value = None
        if (row, at) in plain:
            value = number_at(row, at, plain[row, at], problems)
        elif at not in cells:
            text = "the duration is missing; fill it in, or clear the row"
            problems.append(Problem(text, row, at, kind="no duration"))
        if value is not None and value <= 0.0:
            text = f"found the duration {value:g}; it must be positive"
            problems.append(Problem(text, row, at, kind="not positive"))
        labels[row] = label if isinstance(label, str) else ""
        lengths.append((row, 1.0 if value is None else value))
        flags[row] = _flag(row, cells, columns.get("usable"), problems)
    return labels, lengths, flags


def _flag(row: int, cells: Mapping[int, Cell], column: int | None, problems: list[Problem]) -> bool:
    if column is None:
        return True
    label = parse_label(cells[column]) if column in cells else ""
    text = label.lower() if isinstance(label, str) else ""
    if text not in (*_YES, *_NO):
        found = f"found {label!r}" if isinstance(label, str) else f"found {label.found}"
        what = f"{found}; 1, yes or true, or 0, no or false is expected"
        problems.append(Problem(what, row, column, kind="no flag"))
    return text in _YES


def _repeated(labels: Mapping[int, str], flags: Mapping[int, bool], column: int) -> list[Problem]:
    rows = list(labels)
    return [
        Problem(
            f"state {labels[row]!r} follows itself, row {before} is in it too; join the two dwells",
            row,
            column,
            kind="repeated",
        )
        for before, row in pairwise(rows)
        if labels[row] and labels[row] == labels[before] and flags[row] and flags[before]
    ]


def _ordered(states: set[str]) -> tuple[str, ...]:
    """Return states in order: numbers by value, else text."""
    try:
        return tuple(sorted(states, key=float))
    except ValueError:
        return tuple(sorted(states))
