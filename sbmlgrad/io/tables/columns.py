"""What the columns of a table of measurements mean: time, observables, units, roles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sbmlgrad.io.tables.cells import Cell, Problem, Table, clean, parse_number
from sbmlgrad.io.tables.problems import letters
from sbmlgrad.io.tables.times import reads_as_time
from sbmlgrad.model.labels import suggestion

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
    ("datetime", "date and time", "timestamp"),
    ("date",),
)
#: Columns of the long layout besides the time.
LONG = ("observable", "value", "replicate", "condition")

_UNIT = re.compile(r"(.*\S)(?:\s*\[([^\[\]]*)\]|\s+\(([^()\[\]]*)\))")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller wants of the columns.

    Attributes:
        observables: labels to read, or None for all.
        mapping: label → observable, or → None where it is to be left out.
    """

    observables: tuple[str, ...] | None
    mapping: Mapping[str, str | None]

    def key(self, label: str) -> str | None:
        """Return the key of the mapping that concerns a label: the label, or it without unit."""
        return next((k for k in (label, split_label(label)[0]) if k in self.mapping), None)

    def leaves_out(self, label: str) -> bool:
        """Tell whether what stands under a label is not to be read."""
        chosen = self.observables
        if chosen is not None and label not in chosen and split_label(label)[0] not in chosen:
            return True
        key = self.key(label)
        return key is not None and self.mapping[key] is None


def split_label(label: str) -> tuple[str, str]:
    """Split a name from the unit in brackets behind it: `A [nM]` → `A`, `nM`; no unit is empty."""
    match = _UNIT.fullmatch(label)
    return (match[1], clean(match[2] or match[3] or "")) if match else (label, "")


def _split_time(label: str) -> tuple[str, str]:
    # Unlike in the name of an observable, no blank is needed before round brackets: `time(min)`.
    return split_label(re.sub(r"(\S)(\([^()\[\]]*\))$", r"\1 \2", label))


def time_unit_of(label: str) -> str:
    """Return the unit in brackets, or the unit that names the column, as in `days`."""
    name, unit = _split_time(label)
    names_unit = any(name.lower() in names for names in _TIME_NAMES[2:6])
    return unit or (name if names_unit else "")


def has_time(labels: Mapping[int, str], below: Mapping[int, Cell], wanted: str | None) -> bool:
    """Tell whether a row can be the header: it names a time, and one stands below.

    Args:
        labels: column → label.
        below: the next row that is filled.
        wanted: name of the time column, or None for the usual ones.
    """
    found = _time_columns(labels, wanted)
    return any(column in below and reads_as_time(below[column]) for column in found)


def _time_columns(header: Mapping[int, str], wanted: str | None) -> list[int]:
    if wanted is not None:
        name = clean(wanted)
        return [c for c, label in header.items() if name in (label, _split_time(label)[0])]
    found: list[int] = []
    for names in _TIME_NAMES:
        found = found or [
            column
            for column, (name, _) in ((c, _split_time(label)) for c, label in header.items())
            if (name if len(name) == 1 else name.lower()) in names
        ]
    return found


def time_column_of(table: Table, wanted: str | None, problems: list[Problem]) -> int | None:
    """Return the column of the time, or None and a problem where there is none or a choice.

    Args:
        table: the table.
        wanted: its name, with or without unit; None finds it by its usual names.
        problems: added to.
    """
    header = table.header
    found = _time_columns(header, wanted)
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
    elif all(isinstance(parse_number(label), float) for label in header.values()):
        text = (
            f"only numbers stand where the header is expected, {listed}; if there is no header, "
            "give names=['time', ...], one name for each column"
        )
    elif any(label.lower().startswith("dwell") for label in header.values()):
        text = (
            f"the columns {listed} look like a record of dwell times, which is no course over "
            "time; read it with load_dwells()"
        )
    elif len(header) == 1 and (mark := _separator_in(next(iter(header.values())))):
        text = (
            f"there is one column only, {listed}; if {mark} separates columns, save the file with "
            "commas, semicolons or tabs between them"
        )
    else:
        text = (
            f"there is no time column among {listed}; name it 'time', or give its name with "
            "time_column=, or the row of the header with header_row="
        )
    problems.append(Problem(text, table.header_row))
    return None


def _separator_in(label: str) -> str:
    """Return what may separate columns within a label that names a time; empty for nothing."""
    for mark, name in (("|", "'|'"), (":", "':'"), (" ", "a space")):
        first = label.split(mark)[0].strip()
        if mark in label and any(first.lower() in names for names in _TIME_NAMES):
            return name
    return ""


def roles_of(
    table: Table, time: int | None, layout: Layout | None, problems: list[Problem]
) -> dict[str, int] | None:
    """Return role → column of the long layout, nothing for the wide one, None if undecidable.

    Args:
        table: the table.
        time: column of the time, if it was found.
        layout: what the caller says it is; None decides by the header.
        problems: added to where the result is None.
    """
    found = {
        role: [
            c for c, x in table.header.items() if split_label(x)[0].lower() == role and c != time
        ]
        for role in LONG
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


def label_columns(
    table: Table,
    time: int,
    wanted: Mapping[str, tuple[str, ...] | None],
    choice: Choice,
    problems: list[Problem],
) -> dict[str, tuple[int, ...]]:
    """Return condition and replicate → the columns that tell them, in either layout.

    Args:
        table: the table.
        time: column of the time.
        wanted: condition and replicate → names of columns, or None for the column of that name.
        choice: a column that it names is an observable.
        problems: added to where there is no such column.
    """
    found: dict[str, tuple[int, ...]] = {}
    for role, names in wanted.items():
        if names is None:
            found[role] = tuple(
                column
                for column, label in table.header.items()
                if label.lower() == role and column != time and choice.key(label) is None
            )
            continue
        columns: list[int] = []
        for name in names:
            of_name = [c for c, x in table.header.items() if name in (x, split_label(x)[0])]
            if len(of_name) == 1:
                columns += of_name
                continue
            what = f"there are {len(of_name)} columns" if of_name else "there is no column"
            close = "" if of_name else suggestion(name, table.header.values())
            text = f"{what} {name!r} to tell the {role}{close}"
            problems.append(Problem(text, table.header_row))
        found[role] = tuple(columns)
    return found


def check_choice(
    table: Table, labels: Iterable[str], choice: Choice, problems: list[Problem]
) -> None:
    """Add a problem for every name that a choice makes of what is not in the table.

    Args:
        table: the table.
        labels: what could be chosen: labels of columns, or observables of the long layout.
        choice: the choice.
        problems: added to.
    """
    known = sorted({name for label in labels for name in (label, split_label(label)[0])})
    for argument, names in (("observables", choice.observables), ("mapping", choice.mapping)):
        for name in names or ():
            if name not in known:
                text = f"{argument}= names {name!r}, which is not there{suggestion(name, known)}"
                problems.append(Problem(f"{text}; found {', '.join(map(repr, known))}"))


def resolve(
    labels: Iterable[str], choice: Choice, default_unit: str, problems: list[Problem]
) -> dict[str, tuple[str, str]]:
    """Return label → observable and unit.

    Args:
        labels: of columns, or observables of the long layout.
        choice: which of them are mapped to what.
        default_unit: unit of labels without one.
        problems: added to where labels would share an observable without being told to.
    """
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
