"""What a table of measurements is made of: cells, problems with their places, text and numbers.

Rows and columns are counted from 1, as a spreadsheet shows them. `files` makes a table of the
bytes of a file, `columns` and `rows` say what it means.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.model.labels import fault_of


@dataclass(frozen=True, slots=True)
class Unusable:
    """What a cell holds if it is neither plain text nor a number, and what to do about it."""

    found: str
    advice: str


#: Content of a cell that is not empty; a `timedelta` is a time of day or an elapsed time.
Cell = str | float | datetime.datetime | datetime.timedelta | Unusable
#: Row → column → cell; empty cells are left out.
Grid = dict[int, dict[int, Cell]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a table.

    Attributes:
        text: what was found and what to do.
        row, column: where, or None where the whole table is concerned.
        kind: problems of one kind in one column are listed together; empty for a singular one.
    """

    text: str
    row: int | None = None
    column: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a table, and what became of it.

    Attributes:
        text: what it holds, or why it was ignored.
        rows: first and last row, or None for all.
        columns: first and last column, or None for all.
    """

    text: str
    rows: tuple[int, int] | None = None
    columns: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of one sheet of a workbook, or of a text file.

    Attributes:
        file: file name without folders.
        name: name of the sheet, or None for text files.
        sha256: hash of the file's bytes, hexadecimal.
        grid: row → column → cell.
        lengths: row → how many cells, empty ones included; text files only.
        ignored: comment rows.
        notes: how the cells were found, in words.
    """

    file: str
    name: str | None
    sha256: str
    grid: Grid
    lengths: Mapping[int, int]
    ignored: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The file, and the sheet if there is one, as messages name them."""
        return self.file if self.name is None else f"{self.file}, sheet {self.name!r}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header.

    Attributes:
        file: file name without folders.
        sheet: name of the sheet, or None for text files.
        sha256: hash of the file's bytes, hexadecimal.
        header_row: row of the header; 0 if the caller gave it.
        header: column → label, in order; columns without a label are left out.
        rows: row → column → cell, the header and what stands above it left out.
        problems: what is wrong with rows and labels.
        ignored: rows that are no part of the table.
        notes: what was assumed or changed, in words.
    """

    file: str
    sheet: str | None
    sha256: str
    header_row: int
    header: Mapping[int, str]
    rows: Grid
    problems: tuple[Problem, ...]
    ignored: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """Return a label with every run of white space, line breaks included, as a single blank."""
    return " ".join(text.split())


def shown(cell: Cell) -> str:
    """Return a cell as messages show it, cut off where it is long."""
    if isinstance(cell, Unusable):
        return cell.found
    if isinstance(cell, datetime.datetime | datetime.timedelta):
        return f"the date or time of day {cell}"
    text = cell.strip() if isinstance(cell, str) else f"{cell:.16g}"
    return repr(text if len(text) <= 40 else text[:40] + "\N{HORIZONTAL ELLIPSIS}")


def parse_label(cell: Cell) -> str | Unusable:
    """Read a name, replicate or condition; a whole number is written without a decimal point."""
    if isinstance(cell, Unusable):
        return cell
    if isinstance(cell, datetime.datetime | datetime.timedelta):
        return Unusable(shown(cell), "write it as text in a cell formatted as text")
    if not isinstance(cell, str):
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    label = clean(cell)
    fault = fault_of(label)
    return Unusable(f"the label {label!r}", f"it {fault}") if fault else label


_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: A number with a decimal comma, or with commas that group thousands.
_COMMA_NUMBER = re.compile(r"[+-]?[0-9.]*(,[0-9.]*)+([eE][+-]?[0-9]+)?")
_MISSING = re.compile(r"#?n\.?/?a\.?n?|null|none|missing|[-\u2013\u2014.?]+")

#: Advice for text where a number is expected.
NO_NUMBER = "a number is expected, such as 12.5, without a unit or other text"


def parse_number(cell: Cell) -> float | Unusable:
    """Read a finite number, or say why the cell holds none."""
    if isinstance(cell, Unusable):
        return cell
    if isinstance(cell, datetime.datetime | datetime.timedelta):
        return Unusable(shown(cell), "a plain number is expected, in a cell formatted as a number")
    if not isinstance(cell, str):
        return cell if math.isfinite(cell) else Unusable(str(cell), "a finite number is expected")
    text, found = cell.strip(), shown(cell)
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else Unusable(found, "too large for a number")
    if _MISSING.fullmatch(text.lower()):
        return Unusable(
            found, f"leave the cell empty for a missing value, or give missing=[{text!r}]"
        )
    if _COMMA_NUMBER.fullmatch(text):
        return Unusable(found, "thousands separators are not accepted; write 1500 or 1500.0")
    if text.lower().lstrip("+-") in ("inf", "infinity", "\N{INFINITY}"):
        return Unusable(found, "a finite number is expected")
    return Unusable(found, NO_NUMBER)
