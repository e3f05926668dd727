"""What a table of measurements is made of: cells, problems with their places, text and numbers.

Rows and columns are counted from 1, as a spreadsheet shows them. `table_files` makes a table of the
bytes of a file, `table_columns` and `table_rows` say what it means.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.model.measurements import fault_of


@dataclass(frozen=True, slots=True)
class Unusable:
    """What a cell holds if it is neither plain text nor a number, and what to do about it."""

    found: str
    advice: str


#: Content of a cell that is not empty.
Cell = str | float | Unusable
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
class Table:
    """A table with a header.

    Attributes:
        file: file name without folders.
        sheet: name of the sheet, or None for text files.
        sha256: hash of the file's bytes, hexadecimal.
        header_row: row of the header, the first that is not empty.
        header: column → label, in order; columns without a label are left out.
        rows: row → column → cell, the header left out.
        problems: what is wrong with rows and labels.
    """

    file: str
    sheet: str | None
    sha256: str
    header_row: int
    header: Mapping[int, str]
    rows: Grid
    problems: tuple[Problem, ...]


def clean(text: str) -> str:
    """Return a label with every run of white space, line breaks included, as a single blank."""
    return " ".join(text.split())


def shown(cell: Cell) -> str:
    """Return a cell as messages show it, cut off where it is long."""
    if isinstance(cell, Unusable):
        return cell.found
    text = cell.strip() if isinstance(cell, str) else f"{cell:.16g}"
    return repr(text if len(text) <= 40 else text[:40] + "\N{HORIZONTAL ELLIPSIS}")


def parse_label(cell: Cell) -> str | Unusable:
    """Read a name, replicate or condition; a whole number is written without a decimal point."""
    if isinstance(cell, Unusable):
        return cell
    if not isinstance(cell, str):
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    label = clean(cell)
    fault = fault_of(label)
    return Unusable(f"the label {label!r}", f"it {fault}") if fault else label


_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA_NUMBER = re.compile(r"[+-]?[0-9.]*(,[0-9.]+)+([eE][+-]?[0-9]+)?")
_MISSING = re.compile(r"#?n\.?/?a\.?n?|n\.?d\.?|null|none|missing|[-\u2013\u2014.?]+")


def parse_number(cell: Cell) -> float | Unusable:
    """Read a finite number, or say why the cell holds none."""
    if isinstance(cell, Unusable):
        return cell
    if not isinstance(cell, str):
        return cell if math.isfinite(cell) else Unusable(str(cell), "a finite number is expected")
    text, found = cell.strip(), shown(cell)
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else Unusable(found, "too large for a number")
    if _MISSING.fullmatch(text.lower()):
        return Unusable(found, "leave the cell empty for a missing value")
    if _COMMA_NUMBER.fullmatch(text):
        return Unusable(
            found, "decimal commas and thousands separators are not accepted; write 1.5 or 1500"
        )
    if text.lower().lstrip("+-") in ("inf", "infinity", "\N{INFINITY}"):
        return Unusable(found, "a finite number is expected")
    return Unusable(found, "a number is expected, such as 12.5, without a unit or other text")
