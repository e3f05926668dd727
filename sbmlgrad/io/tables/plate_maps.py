"""Plate maps: which well belongs to which condition, replicate and observable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sbmlgrad.io.layouts.plate import plain
from sbmlgrad.io.tables.cells import (
    Problem,
    Sheet,
    Table,
    Unusable,
    parse_label,
    parse_number,
    shown,
)
from sbmlgrad.io.tables.files import chosen_sheets, read_sheets
from sbmlgrad.io.tables.headers import table_of
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import refuse

_ROLES = ("condition", "replicate", "observable")


@dataclass(frozen=True, slots=True)
class Place:
    """What a well of a plate map holds; empty where the map says nothing."""

    row: int
    condition: str = ""
    replicate: str = ""
    observable: str = ""


@dataclass(frozen=True, slots=True)
class PlateMap:
    """A plate map as read.

    Attributes:
        table: where it was read from, for messages.
        wells: well in its plain form → what it holds.
        notes: what was not used, in words.
    """

    table: Table
    wells: Mapping[str, Place]
    notes: tuple[str, ...]


def load_plate_map(path: Path) -> PlateMap:
    """Read a plate map.

    Args:
        path: a table with a column `well` and one or more of `condition`, `replicate` and
            `observable`; or one in the shape of the plate, with the numbers of columns above, the
            letters of rows in front, and conditions in the cells. Wells left out are not read.

    Raises:
        DataError: a well that is none or occurs twice, or a column that is missing; lists every
            problem with its file, row and column.
    """
    options = TableOptions()
    (sheet,) = chosen_sheets(read_sheets(path, options), options)
    if _is_drawn(sheet):
        return _drawn(sheet)
    table = table_of(sheet, options, lambda labels, _: "well" in map(str.lower, labels.values()))
    problems = list(table.problems)
    columns: dict[str, int] = {}
    for column, label in table.header.items():
        if columns.setdefault(label.lower(), column) != column:
            problems.append(Problem(f"the column {label!r} is there twice", table.header_row))
    roles = {role: columns[role] for role in _ROLES if role in columns}
    if "well" not in columns or not roles:
        listed = ", ".join(map(repr, table.header.values()))
        text = (
            "a plate map needs the column 'well' and at least one of 'condition', 'replicate', "
            f"'observable'; found {listed}"
        )
        problems.append(Problem(text, table.header_row))
        refuse(table, problems)
    wells: dict[str, Place] = {}
    for row, cells in table.rows.items():
        cell = cells.get(columns["well"])
        well = plain(cell) if isinstance(cell, str) else ""
        if not well:
            found = "an empty cell" if cell is None else shown(cell)
            text = f"found {found}; a well such as A1 is expected"
            problems.append(Problem(text, row, columns["well"], kind="no well"))
            continue
        if well in wells:
            text = f"well {well!r} was given in row {wells[well].row} already"
            problems.append(Problem(text, row, columns["well"]))
            continue
        said: dict[str, str] = {}
        for role, column in roles.items():
            label = parse_label(cells[column]) if column in cells else ""
            if isinstance(label, Unusable):
                problems.append(Problem(f"found {label.found}; {label.advice}", row, column))
            else:
                said[role] = label
        wells[well] = Place(row, **said)
    if problems:
        refuse(table, problems)
    unused = [x for x in table.header.values() if x.lower() not in ("well", *roles)]
    notes = (f"columns {', '.join(map(repr, unused))} of {table.file} are not used",)
    return PlateMap(table, wells, notes if unused else ())


def _is_drawn(sheet: Sheet) -> bool:
    """Tell whether a map has the shape of the plate: numbers above, a letter in front."""
    first, *rest = sorted(sheet.grid)
    above = sheet.grid[first]
    numbers = [x for column, x in above.items() if column > 1]
    fronts = [sheet.grid[row].get(1) for row in rest]
    return (
        bool(numbers and fronts)
        and all(isinstance(n := parse_number(x), float) and n.is_integer() for x in numbers)
        and all(isinstance(x, str) and plain(f"{x.strip()}1") for x in fronts)
    )


def _drawn(sheet: Sheet) -> PlateMap:
    first = min(sheet.grid)
    # The corner is empty or a title; as a column of labels it needs a name.
    named = {**sheet.grid, first: {1: "row", **sheet.grid[first]}}
    sheet = replace(sheet, grid=named)
    table = table_of(sheet, TableOptions(header_row=first), lambda *_: True)
    problems = list(table.problems)
    wells: dict[str, Place] = {}
    for row, cells in table.rows.items():
        for column in sorted(cells.keys() & table.header.keys() - {1}):
            label = parse_label(cells[column])
            well = plain(f"{cells[1]}{table.header[column]}")
            if isinstance(label, Unusable):
                problems.append(Problem(f"found {label.found}; {label.advice}", row, column))
            elif well in wells:
                text = f"well {well!r} was given in row {wells[well].row} already"
                problems.append(Problem(text, row, column))
            elif not well:
                text = f"{cells[1]!r} and {table.header[column]!r} name no well such as A1"
                problems.append(Problem(text, row, column))
            else:
                wells[well] = Place(row, condition=label)
    if problems:
        refuse(table, problems)
    return PlateMap(table, wells, ())
