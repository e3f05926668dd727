"""The rows of a table of measurements, in the wide and in the long layout → single measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.io.table_cells import Cell, Problem, Table, Unusable, parse_label, parse_number
from sbmlgrad.io.table_columns import Choice, check_choice, resolve, split_label


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement as read."""

    observable: str
    time: float
    value: float
    replicate: str
    condition: str = ""


def _number(row: int, column: int, cell: Cell, problems: list[Problem]) -> float | None:
    number = parse_number(cell)
    if isinstance(number, Unusable):
        text = f"found {number.found}; {number.advice}"
        problems.append(Problem(text, row, column, kind=number.advice))
        return None
    return number


def _time(row: int, column: int, cell: Cell | None, problems: list[Problem]) -> float | None:
    if cell is None:
        text = "the row has values but no time; fill it in, or clear the row"
        problems.append(Problem(text, row, column, kind="no time"))
        return None
    time = _number(row, column, cell, problems)
    if time is not None and time < 0.0:
        text = f"found the time {time}; it must not be negative, since a simulation starts at 0"
        problems.append(Problem(text, row, column, kind="negative"))
        return None
    return time


def read_wide(
    table: Table, time: int, _: object, choice: Choice, problems: list[Problem]
) -> tuple[list[Entry], dict[str, str]]:
    """Read a column of the time and one column for each observable; see `read_long`.

    Replicates, repeated names or repeated times, are numbered from 1.
    """
    labels = {c: label for c, label in table.header.items() if c != time}
    check_choice(table, labels.values(), choice, problems)
    labels = {c: label for c, label in labels.items() if not choice.leaves_out(label)}
    if not labels:
        text = "there is no column to read besides the time; add one per observable"
        problems.append(Problem(text, table.header_row))
    names = resolve(labels.values(), choice, "", problems)
    copies: Counter[str] = Counter()
    place: dict[int, tuple[str, int]] = {}
    for column, label in labels.items():
        observable = names[label][0]
        copies[observable] += 1
        place[column] = observable, copies[observable]
    rows_at: Counter[float] = Counter()
    entries: list[Entry] = []
    filled: set[int] = set()
    for row, cells in table.rows.items():
        chosen = [column for column in labels if column in cells]
        if not chosen and time not in cells:
            continue
        t = _time(row, time, cells.get(time), problems)
        if t is not None:
            rows_at[t] += 1
        for column in chosen:
            value = _number(row, column, cells[column], problems)
            if value is None:
                continue
            filled.add(column)
            if t is not None:
                observable, nth = place[column]
                replicate = (rows_at[t] - 1) * copies[observable] + nth
                entries.append(Entry(observable, t, value, str(replicate)))
    for column, label in labels.items():
        if column not in filled:
            text = (
                f"no cell is a number; if this is no observable, give mapping={{{label!r}: None}}"
            )
            problems.append(Problem(text, None, column))
    return entries, dict(names.values())


def read_long(
    table: Table, time: int, roles: Mapping[str, int], choice: Choice, problems: list[Problem]
) -> tuple[list[Entry], dict[str, str]]:
    """Read one measurement of each row.

    Args:
        table: the table.
        time: column of the time.
        roles: role → column, as `roles_of` finds them; the wide layout has none.
        choice: which observables to read, and under which name.
        problems: added to; what they concern is missing in the result.

    Returns:
        The measurements in the order of the table, and observable → unit.
    """
    extra = {c: x for c, x in table.header.items() if c != time and c not in roles.values()}
    for column, label in extra.items():
        key = choice.key(label)
        if key is None or choice.mapping[key] is not None:
            text = (
                f"the long layout has no such column; give mapping={{{label!r}: None}} to ignore it"
            )
            problems.append(Problem(text, table.header_row, column))
    used = {time, *roles.values()}
    rows = {row: cells for row, cells in table.rows.items() if used & cells.keys()}

    def label_at(row: int, role: str) -> str:
        cell = rows[row].get(roles.get(role, 0))
        label = "" if cell is None else parse_label(cell)
        if isinstance(label, Unusable):
            text = f"found {label.found}; {label.advice}"
            problems.append(Problem(text, row, roles[role], kind=label.advice))
            return ""
        if not label and role == "observable":
            text = "the row names no observable; fill it in, or clear the row"
            problems.append(Problem(text, row, roles[role], kind="no observable"))
        return label

    labels = {row: label_at(row, "observable") for row in rows}
    check_choice(table, [*filter(None, labels.values()), *extra.values()], choice, problems)
    labels = {row: x for row, x in labels.items() if x and not choice.leaves_out(x)}
    unit = split_label(table.header[roles["value"]])[1]
    names = resolve(dict.fromkeys(labels.values()), choice, unit, problems)
    entries: list[Entry] = []
    counts: Counter[tuple[str, float, str]] = Counter()
    rows_of: dict[tuple[str, float, str, str], int] = {}
    for row, label in labels.items():
        observable = names[label][0]
        condition, replicate = label_at(row, "condition"), label_at(row, "replicate")
        t = _time(row, time, rows[row].get(time), problems)
        cell = rows[row].get(roles["value"])
        value = None if cell is None else _number(row, roles["value"], cell, problems)
        if t is None:
            continue
        counts[observable, t, condition] += 1
        if "replicate" not in roles:
            replicate = str(counts[observable, t, condition])
        if value is None:
            continue
        first = rows_of.setdefault((observable, t, condition, replicate), row)
        if first != row:
            text = (
                f"{observable!r} at time {t} was given for replicate {replicate!r} in row {first}; "
                "give each its own label, or drop the column 'replicate' to have them numbered"
            )
            problems.append(Problem(text, row))
        entries.append(Entry(observable, t, value, replicate, condition))
    measured = {entry.observable for entry in entries}
    problems += [
        Problem(f"observable {label!r} has no number at all; remove it, or fill it in")
        for label, (observable, _) in names.items()
        if observable not in measured
    ]
    return entries, dict(names.values())
