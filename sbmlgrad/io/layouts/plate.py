"""What an export of a plate reader holds: series of values, one for each channel and well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sbmlgrad.io.tables.cells import Cell, Grid, Problem, Region, clean
from sbmlgrad.io.tables.problems import letters

#: Row and column of a cell.
Place = tuple[int, int]

_WELL = re.compile(r"([A-Za-z]{1,2})0*([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Series:
    """One channel of one well.

    Attributes:
        channel: what was measured, or empty.
        well: as the file writes it.
        times: where the times stand, in order.
        values: where the values stand, likewise.
    """

    channel: str
    well: str
    times: tuple[Place, ...]
    values: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Plate:
    """What was understood of one sheet.

    Attributes:
        series: one for each channel and well.
        time_unit: as the file names it; empty for clock times.
        understood: what stands where.
        ignored: what is not read, and why.
    """

    series: tuple[Series, ...]
    time_unit: str
    understood: tuple[Region, ...]
    ignored: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one instrument's exports.

    Attributes:
        name: what callers give.
        instrument: for people.
        marks: what the file is recognised by, in words.
        is_of: whether a sheet bears these marks.
        read: finds the series, adding to the problems where it cannot.
    """

    name: str
    instrument: str
    marks: str
    is_of: Callable[[Grid], bool]
    read: Callable[[Grid, list[Problem]], Plate]


def text_at(grid: Grid, row: int, column: int) -> str:
    """Return a cell as a label, empty if it is no text."""
    cell = grid.get(row, {}).get(column)
    return clean(cell) if isinstance(cell, str) else ""


def says(cell: Cell | None, *words: str) -> bool:
    """Tell whether a cell holds one of some words, given in lower case."""
    return isinstance(cell, str) and cell.strip().lower() in words


def well_of(cell: Cell | None) -> str:
    """Return the well that a cell names, such as A1, or nothing."""
    text = clean(cell) if isinstance(cell, str) else ""
    return text if _WELL.fullmatch(text) else ""


def plain(well: str) -> str:
    """Return a well in the one way in which wells are compared: A1 for A01 and a1."""
    match = _WELL.fullmatch(clean(well))
    return f"{match[1].upper()}{match[2]}" if match else ""


def known(grid: Grid, place: Place) -> bool:
    """Tell whether a cell is filled."""
    return place[1] in grid.get(place[0], {})


def wells_text(wells: Iterable[str]) -> str:
    """Return wells as `96 wells A1 to H12`."""
    found = list(wells)
    if len(found) == 1:
        return f"well {found[0]}"
    return f"{len(found)} wells {found[0]} to {found[-1]}"


def unmeasured(
    grid: Grid, times: list[Place], values: list[list[Place]], problems: list[Problem]
) -> list[int]:
    """Return positions of times at which something was measured; a run may stop early.

    Args:
        grid: the cells.
        times: where the times stand.
        values: for each well, where its values stand.
        problems: added to where values have no time.
    """
    kept = []
    for i, place in enumerate(times):
        filled = [line[i] for line in values if known(grid, line[i])]
        if filled and not known(grid, place):
            row, column = filled[0]
            text = (
                f"has a value whose time, in row {place[0]}, column {letters(place[1])}, is "
                "missing; fill it in, or clear the values"
            )
            problems.append(Problem(text, row, column, kind="no time"))
        elif filled:
            kept.append(i)
    return kept


def in_brackets(label: str) -> str:
    """Return the unit in the square brackets of a label such as `Time [s]`, or nothing."""
    match = re.search(r"\[([^\[\]]*)\]", label)
    return clean(match[1]) if match else ""
