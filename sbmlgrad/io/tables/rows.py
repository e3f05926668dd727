"""The rows of a table of measurements, in the wide and in the long layout → single measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.io.tables.cells import (
    NO_NUMBER,
    Cell,
    Problem,
    Table,
    Unusable,
    parse_label,
    parse_number,
)
from sbmlgrad.io.tables.columns import Choice, check_choice, resolve, split_label
from sbmlgrad.io.tables.problems import ranges


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement as read."""

    observable: str
    time: float
    value: float
    replicate: str
    condition: str = ""


def number_at(row: int, column: int, cell: Cell, problems: list[Problem]) -> float | None:
    """Return the number in a cell, or None and a problem."""
    number = parse_number(cell)
    if isinstance(number, Unusable):
        text = f"found {number.found}; {number.advice}"
        problems.append(Problem(text, row, column, kind=number.advice))
        return None
    return number


def time_at(row: int, column: int, cell: Cell | None, problems: list[Problem]) -> float | None:
    """Return the time in a cell, or None and a problem where it is missing or negative."""
    if cell is None:
        text = "the row has values but no time; fill it in, or clear the row"
        problems.append(Problem(text, row, column, kind="no time"))
        return None
    time = number_at(row, column, cell, problems)
    if time is not None and time < 0.0:
        text = f"found the time {time}; it must not be negative, since a simulation starts at 0"
        problems.append(Problem(text, row, column, kind="negative"))
        return None
    return time


def label_at(
    row: int, columns: tuple[int, ...], cells: Mapping[int, Cell], problems: list[Problem]
) -> str:
    """Return the label that the cells of a row make, with blanks between; empty if they do."""
    labels: list[str] = []
    for column in columns:
        label = parse_label(cells[column]) if column in cells else ""
        if isinstance(label, Unusable):
            text = f"found {label.found}; {label.advice}"
            problems.append(Problem(text, row, column, kind=label.advice))
        elif label:
            labels.append(label)
    return " ".join(labels)


def read_wide(
    table: Table,
    time: int,
    labelled: Mapping[str, tuple[int, ...]],
    choice: Choice,
    problems: list[Problem],
) -> tuple[list[Entry], dict[str, str]]:
    """Read a column of the time and one column for each observable.

    Replicates, repeated names or repeated times, are numbered from 1 unless a column tells them.

    Args:
        table: the table.
        time: column of the time.
        labelled: condition and replicate → the columns that tell them.
        choice: which observables to read, and under which name.
        problems: added to; what they concern is missing in the result.

    Returns:
        The measurements in the order of the table, and observable → unit.
    """
    others = {time, *labelled["condition"], *labelled["replicate"]}
    labels = {c: label for c, label in table.header.items() if c not in others}
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
    rows_at: Counter[tuple[float, str]] = Counter()
    seen = _Seen(problems)
    entries: list[Entry] = []
    filled: set[int] = set()
    for row, cells in table.rows.items():
        chosen = [column for column in labels if column in cells]
        if not chosen and time not in cells:
            continue
        t = time_at(row, time, cells.get(time), problems)
        condition = label_at(row, labelled["condition"], cells, problems)
        told = label_at(row, labelled["replicate"], cells, problems)
        if t is not None:
            rows_at[t, condition] += 1
        for column in chosen:
            value = number_at(row, column, cells[column], problems)
            if value is None:
                continue
            filled.add(column)
            if t is None:
                continue
            observable, nth = place[column]
            if not labelled["replicate"]:
                replicate = str((rows_at[t, condition] - 1) * copies[observable] + nth)
            else:
                replicate = told if copies[observable] == 1 else f"{told} {nth}".strip()
            entry = Entry(observable, t, value, replicate, condition)
            seen.check(entry, row, "replicate")
            entries.append(entry)
    for column, label in labels.items():
        if column not in filled:
            _without_numbers(column, label, problems)
    return entries, dict(names.values())


def _without_numbers(column: int, label: str, problems: list[Problem]) -> None:
    """Add one problem for a column that holds no number, instead of one for each of its cells."""
    cells = [p for p in problems if p.column == column and p.kind]
    what = "no cell is a number"
    if len(cells) > 1 and all(p.kind == NO_NUMBER for p in cells):
        problems[:] = [p for p in problems if p.column != column or not p.kind]
        found = cells[0].text.split(";")[0]
        what += f", {found} in row {cells[0].row} and the like in rows "
        what += ranges([p.row for p in cells[1:] if p.row is not None])
    text = (
        f"{what}; if this is no observable, give mapping={{{label!r}: None}}, or "
        f"condition_columns=[{label!r}] if it names conditions"
    )
    problems.append(Problem(text, None, column))


class _Seen:
    """Finds measurements that were given before."""

    def __init__(self, problems: list[Problem]) -> None:
        self._rows: dict[tuple[str, float, str, str], int] = {}
        self._problems = problems

    def check(self, entry: Entry, row: int, column: str) -> None:
        """Add a problem where an entry has the labels of an earlier one."""
        key = entry.observable, entry.time, entry.condition, entry.replicate
        first = self._rows.setdefault(key, row)
        if first != row:
            text = (
                f"{entry.observable!r} at time {entry.time} was given for replicate "
                f"{entry.replicate!r} in row {first}; give each its own label, or drop the column "
                f"{column!r} to have them numbered"
            )
            self._problems.append(Problem(text, row))


def read_long(
    table: Table,
    time: int,
    roles: Mapping[str, int],
    labelled: Mapping[str, tuple[int, ...]],
    choice: Choice,
    problems: list[Problem],
) -> tuple[list[Entry], dict[str, str]]:
    """Read one measurement of each row.

    Args:
        table: the table.
        time: column of the time.
        roles: role → column, as `roles_of` finds them.
        labelled: condition and replicate → the columns that tell them.
        choice: which observables to read, and under which name.
        problems: added to; what they concern is missing in the result.

    Returns:
        The measurements in the order of the table, and observable → unit.
    """
    named = {time, roles["observable"], roles["value"]}
    used = named.union(*labelled.values())
    extra = {c: x for c, x in table.header.items() if c not in used}
    for column, label in extra.items():
        key = choice.key(label)
        if key is None or choice.mapping[key] is not None:
            text = (
                f"the long layout has no such column; give mapping={{{label!r}: None}} to ignore it"
            )
            problems.append(Problem(text, table.header_row, column))
    rows = {row: cells for row, cells in table.rows.items() if used & cells.keys()}

    labels: dict[int, str] = {}
    for row, cells in rows.items():
        labels[row] = label_at(row, (roles["observable"],), cells, problems)
        if roles["observable"] not in cells:
            text = "the row names no observable; fill it in, or clear the row"
            problems.append(Problem(text, row, roles["observable"], kind="no observable"))
    check_choice(table, [*filter(None, labels.values()), *extra.values()], choice, problems)
    labels = {row: x for row, x in labels.items() if x and not choice.leaves_out(x)}
    unit = split_label(table.header[roles["value"]])[1]
    names = resolve(dict.fromkeys(labels.values()), choice, unit, problems)
    entries: list[Entry] = []
    counts: Counter[tuple[str, float, str]] = Counter()
    seen = _Seen(problems)
    for row, label in labels.items():
        observable = names[label][0]
        condition = label_at(row, labelled["condition"], rows[row], problems)
        replicate = label_at(row, labelled["replicate"], rows[row], problems)
        t = time_at(row, time, rows[row].get(time), problems)
        cell = rows[row].get(roles["value"])
        value = None if cell is None else number_at(row, roles["value"], cell, problems)
        if t is None:
            continue
        counts[observable, t, condition] += 1
        if not labelled["replicate"]:
            replicate = str(counts[observable, t, condition])
        if value is None:
            continue
        entry = Entry(observable, t, value, replicate, condition)
        seen.check(entry, row, "replicate")
        entries.append(entry)
    measured = {entry.observable for entry in entries}
    problems += [
        Problem(f"observable {label!r} has no number at all; remove it, or fill it in")
        for label, (observable, _) in names.items()
        if observable not in measured
    ]
    return entries, dict(names.values())
