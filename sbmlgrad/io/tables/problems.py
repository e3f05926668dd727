"""Faults of a table of measurements as one error that lists all of them with their places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.cells import Problem, Table


def letters(column: int) -> str:
    """Return the letters of a column as spreadsheets show them: 1 → A, 27 → AA."""
    text = ""
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def refuse_file(where: str, what: str) -> NoReturn:
    """Raise a `DataError` about a file, or a sheet, as a whole.

    Args:
        where: the file, and its sheet if there is one.
        what: what was found and what to do.
    """
    raise DataError(f"{where}: {what}")


def refuse(table: Table, problems: Iterable[Problem]) -> NoReturn:
    """Raise one `DataError` that lists every problem of a table with its place.

    Args:
        table: the table.
        problems: at least one; those of one kind in one column share a line.
    """
    raise DataError(f"{where_of(table)}:\n" + "\n".join(listed(table, problems)))


def where_of(table: Table) -> str:
    """Return the file, and the sheet if there is one, as messages name them."""
    return table.file if table.sheet is None else f"{table.file}, sheet {table.sheet!r}"


def listed(table: Table, problems: Iterable[Problem]) -> list[str]:
    """Return a line for each problem; those of one kind in one column share it."""
    groups: dict[object, list[Problem]] = {}
    for i, problem in enumerate(problems):
        key = (problem.kind, problem.column) if problem.kind else i
        groups.setdefault(key, []).append(problem)
    lines = []
    for first, *others in groups.values():
        place = []
        if first.row is not None:
            place.append(f"row {first.row}")
        if first.column is not None:
            label = table.header.get(first.column)
            place.append(f"column {letters(first.column)}" + (f" ({label!r})" if label else ""))
        rows = sorted({other.row for other in others if other.row is not None})
        likewise = f" (likewise in rows {ranges(rows)})" if rows else ""
        lines.append(f"  - {', '.join(place)}{': ' if place else ''}{first.text}{likewise}")
    return lines


def ranges(rows: Sequence[int]) -> str:
    """Write increasing rows compactly, such as `3-7, 9`."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
