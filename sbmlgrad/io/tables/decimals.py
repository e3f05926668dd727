"""Decimal commas: whether a table has them, and its numbers with points instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sbmlgrad.io.tables.cells import Cell, Problem
from sbmlgrad.io.tables.options import TableOptions
from sbmlgrad.io.tables.problems import letters

#: Row and column of a cell.
Place = tuple[int, int]

_SIGN = r"\s*(?:[<>≤≥]=?\s*)?[+-]?"
_EXPONENT = r"(?:[eE][+-]?[0-9]+)?\s*"
_COMMA = re.compile(rf"{_SIGN}(?:[0-9]+,[0-9]*|,[0-9]+){_EXPONENT}")
_POINT = re.compile(rf"{_SIGN}(?:[0-9]+\.[0-9]*|\.[0-9]+){_EXPONENT}")
#: What may as well be a whole number with a comma after the thousands.
_THOUSANDS = re.compile(rf"{_SIGN}[1-9][0-9]{{0,2}},[0-9]{{3}}\s*")


def without_thousands(
    cells: Mapping[Place, Cell],
    plain: Mapping[Place, Cell],
    options: TableOptions,
    problems: list[Problem],
) -> dict[Place, Cell]:
    """Return cells of whole numbers without those that `with_points` read but may be thousands.

    Beside times such as `0,5`, a count `1,000` would become one.

    Args:
        cells: of whole numbers, as they are in the table.
        plain: what `with_points` made of these and others.
        options: `decimal`, which the caller gives where commas are meant so.
        problems: added to for each.
    """
    if options.decimal is not None:
        return dict(plain)
    doubtful = {
        place: cell
        for place, cell in cells.items()
        if isinstance(cell, str) and _THOUSANDS.fullmatch(cell) and plain.get(place) != cell
    }
    for (row, column), cell in sorted(doubtful.items()):
        text = f"found {cell!r}, which may mean thousands; write whole numbers without separators"
        problems.append(Problem(text, row, column))
    return {place: cell for place, cell in plain.items() if place not in doubtful}


def with_points(
    cells: Mapping[Place, Cell], options: TableOptions, problems: list[Problem], notes: list[str]
) -> dict[Place, Cell]:
    """Return cells whose decimal commas are points, where the table has decimal commas.

    It has them if a number can be read in no other way (`0,5`), none has a point, and the caller
    does not say otherwise. Commas that may separate thousands are never guessed.

    Args:
        cells: of one table, those of columns that are read.
        options: `decimal`.
        problems: added to where a table has both, or where one cannot tell.
        notes: added to where commas were found.
    """
    texts = {place: cell for place, cell in cells.items() if isinstance(cell, str)}
    commas = {place: text for place, text in texts.items() if _COMMA.fullmatch(text)}
    points = {place: text for place, text in texts.items() if _POINT.fullmatch(text)}
    if options.decimal == "." or not (commas or (options.decimal and points)):
        return dict(cells)
    unsure = {place for place, text in commas.items() if _THOUSANDS.fullmatch(text)}
    sure = commas.keys() - unsure
    if options.decimal is None and not sure:
        # Beside numbers with points these are thousands, which are refused where they stand.
        if not points:
            row, column = min(unsure)
            text = (
                f"found {commas[row, column]!r}, which may mean a decimal comma or thousands; give "
                "decimal=',' or write the number without separators"
            )
            problems.append(Problem(text, row, column))
            return {place: cell for place, cell in cells.items() if place not in unsure}
        return dict(cells)
    if points:
        row, column = min(points)
        other = "decimal=',' was given"
        if options.decimal is None:
            there = min(sure)
            other = f"{commas[there]!r} in row {there[0]}, column {letters(there[1])}"
        text = (
            f"found {points[row, column]!r} with a decimal point, but {other}; write all numbers "
            "in one way"
        )
        problems.append(Problem(text, row, column))
        return {place: cell for place, cell in cells.items() if place not in commas}
    if commas:
        notes.append(f"numbers are written with decimal commas, such as {commas[min(commas)]!r}")
    return {
        place: texts[place].replace(",", ".") if place in commas else cell
        for place, cell in cells.items()
    }
