"""Tables of measurements, wide or long, from CSV, TSV and XLSX; and back to a long CSV."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sbmlgrad.errors import RequestError, WriteError
from sbmlgrad.io.files import write_atomically
from sbmlgrad.io.table_cells import (
    Cell,
    Problem,
    Table,
    Unusable,
    clean,
    letters,
    parse_label,
    parse_number,
    read_table,
    refuse,
)
from sbmlgrad.model.measurements import Measurements, suggestion

Layout = Literal["wide", "long"]

#: Header of the time column, the likeliest first. Single letters count in lower case only: the S of
#: an epidemic model and the T of target cells are no times.
_TIME_NAMES = (
    ("time",),
    ("t",),
    ("second", "minute", "hour", "day", "week", "month", "year"),
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years"),
    ("sec", "secs", "min", "mins", "hr", "hrs"),
    ("s", "h", "d"),
)
_LONG = ("observable", "value", "replicate", "condition")


_UNIT = re.compile(r"(.*\S)(?:\s*\[([^\[\]]*)\]|\s+\(([^()\[\]]*)\))")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One measurement as read."""

    observable: str
    time: float
    value: float
    replicate: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the caller wants of the columns: which to read, and under which observable."""

    observables: tuple[str, ...] | None
    mapping: Mapping[str, str | None]

    def key(self, label: str) -> str | None:
        """Return the key of the mapping that concerns a label: the label, or it without unit."""
        return next((k for k in (label, split_label(label)[0]) if k in self.mapping), None)

    def leaves_out(self, label: str) -> bool:
        chosen = self.observables
        if chosen is not None and label not in chosen and split_label(label)[0] not in chosen:
            return True
        key = self.key(label)
        return key is not None and self.mapping[key] is None


def split_label(label: str) -> tuple[str, str]:
    """Split a name from the unit in brackets behind it: `A [nM]` → `A`, `nM`; no unit is empty."""
    match = _UNIT.fullmatch(label)
    return (match[1], clean(match[2] or match[3] or "")) if match else (label, "")


def load_measurements(
    path: str | os.PathLike[str],
    *,
    mapping: Mapping[str, str | None] | None = None,
    sheet: str | None = None,
    time_column: str | None = None,
    layout: Layout | None = None,
    observables: Sequence[str] | None = None,
) -> Measurements:
    """Read measurements from a spreadsheet or text table.

    The wide layout has a time column and one column per observable; replicates are repeated column
    names or repeated times. The long layout has columns `time`, `observable`, `value` and, if
    needed, `replicate` and `condition`. The first row that is not empty is the header; an empty
    cell is a missing value. A unit in brackets behind a name, as in `time [h]` or `A (nM)`, is kept
    apart from the name. Replicates without a label are numbered from 1.

    Args:
        path: `.csv` (commas), `.tsv` or `.txt` (tabs), UTF-8; or `.xlsx`.
        mapping: column name → SBML id, or → None for a column to leave out; columns mapped to the
            same id are replicates.
        sheet: sheet of a workbook; None if only one holds data.
        time_column: name of the time column, if it is not called time, t, day, hours, min, s, ...
        layout: `"wide"` or `"long"`; None decides by the header: long if it has all of time,
            observable and value.
        observables: names of the columns (of the observables, in the long layout) to read; all
            others are ignored. None reads all.

    Returns:
        The measurements, times in the file's unit.

    Raises:
        DataError: the file cannot be read, or cells in it cannot; lists every problem with its
            file, sheet, row and column.
        RequestError: an argument has no meaning.
    """
    if not isinstance(path, str | Path):
        raise RequestError(f"load_measurements({path!r}): give the path of a file")
    if layout not in (None, "wide", "long"):
        raise RequestError(f"layout={layout!r} is unknown; use 'wide', 'long' or None")
    if isinstance(observables, str):
        raise RequestError(f"observables={observables!r} must be a list of names, not one text")
    table = read_table(Path(path), sheet)
    problems = list(table.problems)
    choice = _Choice(
        None if observables is None else tuple(clean(name) for name in observables),
        {clean(name): target for name, target in (mapping or {}).items()},
    )
    time = _time_column(table, time_column, problems)
    roles = _roles(table, time, layout, problems)
    if time is None or roles is None:
        refuse(table, problems)
    read = _read_long if roles else _read_wide
    kept, units = read(table, time, roles, choice, problems)
    if not kept:
        problems.append(Problem("there is no numeric value at all"))
    if problems:
        refuse(table, problems)
    position = {observable: i for i, observable in enumerate(units)}
    return Measurements(
        observables=tuple(units),
        time=np.array([row.time for row in kept], np.float64),
        observable_index=np.array([position[row.observable] for row in kept], np.int64),
        value=np.array([row.value for row in kept], np.float64),
        replicate=tuple(row.replicate for row in kept),
        condition=tuple(row.condition for row in kept),
        source_name=table.file,
        sha256=table.sha256,
        time_unit=_time_unit(table.header[time]),
        units=tuple(units.values()),
    )


# --- columns --------------------------------------------------------------------------------------


def _split_time(label: str) -> tuple[str, str]:
    # Unlike in the name of an observable, no blank is needed before round brackets: `time(min)`.
    return split_label(re.sub(r"(\S)(\([^()\[\]]*\))$", r"\1 \2", label))


def _time_unit(label: str) -> str:
    """Return the unit in brackets, or the unit that names the column, as in `days`."""
    name, unit = _split_time(label)
    names_unit = any(name.lower() in names for names in _TIME_NAMES[2:])
    return unit or (name if names_unit else "")


def _time_column(table: Table, wanted: str | None, problems: list[Problem]) -> int | None:
    header = table.header
    found: list[int] = []
    if wanted is not None:
        name = clean(wanted)
        found = [c for c, label in header.items() if name in (label, _split_time(label)[0])]
    else:
        for names in _TIME_NAMES:
            found = found or [
                column
                for column, (name, _) in ((c, _split_time(label)) for c, label in header.items())
                if (name if len(name) == 1 else name.lower()) in names
            ]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(map(repr, header.values()))
    candidates = {name for label in header.values() for name in (label, _split_time(label)[0])}
    if found:
        columns = " and ".join(f"{letters(c)} ({header[c]!r})" for c in found)
        text = f"columns {columns} may all hold the time; choose one with time_column="
    elif wanted is not None:
        text = (
            f"there is no column {wanted!r}{suggestion(wanted, sorted(candidates))}; found {listed}"
        )
    else:
        text = (
            f"there is no time column among {listed}; name it 'time', or give its name with "
            "time_column="
        )
    problems.append(Problem(text, table.header_row))
    return None


def _roles(
    table: Table, time: int | None, layout: Layout | None, problems: list[Problem]
) -> dict[str, int] | None:
    """Return role → column of the long layout, nothing for the wide one, None if undecidable."""
    found = {
        role: [
            c for c, x in table.header.items() if split_label(x)[0].lower() == role and c != time
        ]
        for role in _LONG
    }
    if layout == "wide" or (layout is None and not (found["observable"] and found["value"])):
        return {}
    wrong = []
    for role, columns in found.items():
        if len(columns) > 1:
            text = f"the long layout has one column {role!r}, here there are {len(columns)}"
            wrong.append(Problem(f"{text}; rename the others", table.header_row, columns[1]))
        elif not columns and role in ("observable", "value"):
            text = f"the long layout needs a column {role!r}; name it so, or use the wide layout"
            wrong.append(Problem(text, table.header_row))
    problems += wrong
    return None if wrong else {role: columns[0] for role, columns in found.items() if columns}


def _check_choice(
    table: Table, labels: Iterable[str], choice: _Choice, problems: list[Problem]
) -> None:
    known = sorted({name for label in labels for name in (label, split_label(label)[0])})
    for argument, names in (("observables", choice.observables), ("mapping", choice.mapping)):
        for name in names or ():
            if name not in known:
                text = f"{argument}= names {name!r}, which is not there{suggestion(name, known)}"
                problems.append(Problem(f"{text}; found {', '.join(map(repr, known))}"))


def _resolve(
    labels: Iterable[str], choice: _Choice, default_unit: str, problems: list[Problem]
) -> dict[str, tuple[str, str]]:
    """Return label → observable and unit."""
    split = {label: split_label(label) for label in labels}
    sharing = Counter(name for name, _ in split.values())
    names: dict[str, tuple[str, str]] = {}
    for label, (name, unit) in split.items():
        key = choice.key(label)
        if key is not None:
            name = choice.mapping[key] or ""
        elif sharing[name] > 1 and label.endswith(")"):
            # `cAMP (nucleus)` beside `cAMP (cytosol)`: the brackets tell them apart, so no unit.
            name, unit = label, ""
        names[label] = name, unit or default_unit
    for observable in dict.fromkeys(name for name, _ in names.values()):
        group = [label for label, (name, _) in names.items() if name == observable]
        listed = ", ".join(map(repr, group))
        if len(group) > 1 and any(choice.key(label) is None for label in group):
            text = f"{listed} would all be {observable!r}; name them alike or map each of them"
            problems.append(Problem(f"{text}, if they are replicates, or rename the others"))
        elif len({names[label][1] for label in group}) > 1:
            text = f"{listed} are all mapped to {observable!r} but differ in unit"
            problems.append(Problem(f"{text}; convert them to one unit first"))
    return names


# --- rows -----------------------------------------------------------------------------------------


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


def _read_wide(
    table: Table, time: int, _: object, choice: _Choice, problems: list[Problem]
) -> tuple[list[_Entry], dict[str, str]]:
    labels = {c: label for c, label in table.header.items() if c != time}
    _check_choice(table, labels.values(), choice, problems)
    labels = {c: label for c, label in labels.items() if not choice.leaves_out(label)}
    if not labels:
        text = "there is no column to read besides the time; add one per observable"
        problems.append(Problem(text, table.header_row))
    names = _resolve(labels.values(), choice, "", problems)
    copies: Counter[str] = Counter()
    place: dict[int, tuple[str, int]] = {}
    for column, label in labels.items():
        observable = names[label][0]
        copies[observable] += 1
        place[column] = observable, copies[observable]
    rows_at: Counter[float] = Counter()
    entries: list[_Entry] = []
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
                entries.append(_Entry(observable, t, value, str(replicate)))
    for column, label in labels.items():
        if column not in filled:
            text = (
                f"no cell is a number; if this is no observable, give mapping={{{label!r}: None}}"
            )
            problems.append(Problem(text, None, column))
    return entries, dict(names.values())


def _read_long(
    table: Table, time: int, roles: Mapping[str, int], choice: _Choice, problems: list[Problem]
) -> tuple[list[_Entry], dict[str, str]]:
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
    _check_choice(table, [*filter(None, labels.values()), *extra.values()], choice, problems)
    labels = {row: x for row, x in labels.items() if x and not choice.leaves_out(x)}
    unit = split_label(table.header[roles["value"]])[1]
    names = _resolve(dict.fromkeys(labels.values()), choice, unit, problems)
    entries: list[_Entry] = []
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
        entries.append(_Entry(observable, t, value, replicate, condition))
    measured = {entry.observable for entry in entries}
    problems += [
        Problem(f"observable {label!r} has no number at all; remove it, or fill it in")
        for label, (observable, _) in names.items()
        if observable not in measured
    ]
    return entries, dict(names.values())


# --- writing --------------------------------------------------------------------------------------


def write_long_csv(measurements: Measurements, path: str | os.PathLike[str]) -> None:
    """Write measurements as a long table that `load_measurements` reads back unchanged.

    Args:
        measurements: every observable must have at least one value.
        path: a `.csv` file; replaced as a whole, or left as it was if writing fails.

    Raises:
        WriteError: another suffix, an observable without values, or a folder that cannot be
            written to.
    """
    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise WriteError(f"{target.name}: a long table is written as .csv; change the suffix")
    m = measurements
    without = [o for i, o in enumerate(m.observables) if i not in m.observable_index]
    if without or not m.observables:
        raise WriteError(
            f"{target.name}: a long table cannot hold observables without values; found "
            f"{', '.join(map(repr, without)) or 'no measurement at all'}; leave them out"
        )
    labels = [
        f"{name} [{unit}]" if unit or split_label(name)[0] != name else name
        for name, unit in zip(m.observables, m.units, strict=True)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"time [{m.time_unit}]" if m.time_unit else "time", *_LONG])
    observed = (labels[i] for i in m.observable_index)
    numbers = (map(repr, m.time.tolist()), observed, map(repr, m.value.tolist()))
    writer.writerows(zip(*numbers, m.replicate, m.condition, strict=True))
    write_atomically(target, text.getvalue().encode())
