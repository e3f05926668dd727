"""Cells of a table of measurements: bytes of CSV, TSV or XLSX → text and numbers with addresses.

Rows and columns are counted from 1, as a spreadsheet shows them. What the columns mean is decided
in `tables.py`.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sbmlgrad.errors import DataError, UnreadableFileError
from sbmlgrad.io.files import read_bytes
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


def read_table(path: Path, sheet: str | None) -> Table:
    """Read a table and check its shape and labels.

    Args:
        path: a `.csv`, `.tsv`, `.txt` (tab separated) or `.xlsx` file.
        sheet: sheet of a workbook; None for the only one that is not empty.

    Raises:
        DataError: no table can be made of the file at all; lesser problems are in the result.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv", ".txt", ".xlsx"):
        hint = "save the workbook as XLSX" if suffix in (".xls", ".ods", ".xlsb") else "convert it"
        refuse_file(
            path.name,
            f"files with the suffix {suffix!r} are not read, only .csv, .tsv, .txt (tab separated) "
            f"and .xlsx; {hint}",
        )
    try:
        data = read_bytes(path)
    except UnreadableFileError as error:
        raise DataError(str(error)) from error
    if not data:
        refuse_file(path.name, "the file is empty")
    problems: list[Problem] = []
    if suffix == ".xlsx":
        sheet, grid = _read_workbook(data, path.name, sheet)
    else:
        if sheet is not None:
            refuse_file(path.name, f"a text file has no sheets; leave out sheet={sheet!r}")
        grid = _read_text(data, path.name, "," if suffix == ".csv" else "\t", problems)
    header_row = min(grid)
    header = _labels(grid.pop(header_row), header_row, problems)
    problems += _stray(grid, header, is_text=suffix != ".xlsx")
    sha256 = hashlib.sha256(data).hexdigest()
    return Table(path.name, sheet, sha256, header_row, header, grid, tuple(problems))


# --- text files -----------------------------------------------------------------------------------


def _read_text(data: bytes, file: str, delimiter: str, problems: list[Problem]) -> Grid:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        refuse_file(
            file,
            f"row {row}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file with the "
            "encoding UTF-8",
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    grid: Grid = {}
    width = 0
    try:
        for row, record in enumerate(reader, 1):
            cells: dict[int, Cell] = {c: s for c, s in enumerate(record, 1) if s.strip()}
            if not cells:
                continue
            if not grid:
                _check_delimiter(record, file, row, delimiter)
                width = max(cells)
            grid[row] = cells
            if len(record) < width:
                problems.append(
                    Problem(
                        f"has {len(record)} cells where the header has {width}; the row may be cut "
                        "off: write missing values as empty cells, with their separators",
                        row,
                    )
                )
    except csv.Error as error:
        refuse_file(file, f"line {reader.line_num}: {error}; check the quotation marks there")
    if not grid:
        refuse_file(file, "the file is empty")
    return grid


_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}


def _check_delimiter(record: Sequence[str], file: str, row: int, delimiter: str) -> None:
    found = next((d for d in _DELIMITERS if d in record[0]), None)
    if len(record) == 1 and found:
        wanted = _DELIMITERS[delimiter]
        refuse_file(
            file,
            f"row {row}: the header has {_DELIMITERS[found]} but no {wanted}, which separate the "
            f"columns of this kind of file; save it with {wanted} (.csv: commas; .tsv, .txt: tabs)",
        )


# --- workbooks ------------------------------------------------------------------------------------


def _read_workbook(data: bytes, file: str, sheet: str | None) -> tuple[str, Grid]:
    try:
        grids = _grids(data)
    except Exception as error:  # a damaged workbook can make the parser fail in any way
        raise DataError(
            f"{file}: not a readable XLSX workbook ({type(error).__name__}: {error}); save it "
            "again as XLSX, without a password"
        ) from error
    listed = ", ".join(map(repr, grids))
    filled = [title for title, grid in grids.items() if grid]
    if sheet is not None and sheet not in grids:
        refuse_file(file, f"there is no sheet {sheet!r}; the sheets are {listed}")
    if sheet is not None and sheet not in filled:
        refuse_file(f"{file}, sheet {sheet!r}", "the sheet is empty")
    if not filled:
        refuse_file(file, f"every sheet is empty ({listed})")
    if sheet is None and len(filled) > 1:
        named = ", ".join(map(repr, filled))
        refuse_file(file, f"several sheets hold data, {named}; choose one with sheet=")
    chosen = sheet or filled[0]
    return chosen, grids[chosen]


def _grids(data: bytes) -> dict[str, Grid]:
    from openpyxl import load_workbook

    grids: dict[str, Grid] = {}
    with warnings.catch_warnings(), ExitStack() as closing:
        # The parser warns of styles and validations that it drops; no value depends on them.
        warnings.simplefilter("ignore")
        # Only two readings tell stored results from formulas that were never evaluated.
        books = [
            load_workbook(io.BytesIO(data), read_only=True, data_only=data_only)
            for data_only in (False, True)
        ]
        for book in books:
            closing.callback(book.close)
        for written, stored in zip(*(book.worksheets for book in books), strict=True):
            for page in (written, stored):
                page.reset_dimensions()  # the recorded size may be wrong and would cut rows off
            grid = grids.setdefault(written.title, {})
            for row, pair in enumerate(zip(written.rows, stored.rows, strict=True), 1):
                for column, (cell, result) in enumerate(zip(*pair, strict=True), 1):
                    is_formula = cell.data_type == "f"
                    content = _content(result.value, result.data_type, is_formula=is_formula)
                    if content is not None:
                        grid.setdefault(row, {})[column] = content
    return grids


def _content(value: object, data_type: str, *, is_formula: bool) -> Cell | None:
    if value is None and is_formula:
        return Unusable(
            "a formula without a stored value",
            "open the file in the spreadsheet program and save it there, or paste the values",
        )
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if data_type == "e":
        return Unusable(f"the error value {value}", "correct it, or clear the cell if missing")
    if isinstance(value, bool):
        return Unusable(f"the truth value {str(value).upper()}", "a number or a name is expected")
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return Unusable(
            f"the date or time of day {value}",
            "give elapsed time as a plain number, in a cell formatted as a number",
        )
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return str(value)


# --- labels and numbers ---------------------------------------------------------------------------


def clean(text: str) -> str:
    """Return a label with every run of white space, line breaks included, as a single blank."""
    return " ".join(text.split())


def _shown(cell: Cell) -> str:
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
    text, shown = cell.strip(), _shown(cell)
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else Unusable(shown, "too large for a number")
    if _MISSING.fullmatch(text.lower()):
        return Unusable(shown, "leave the cell empty for a missing value")
    if _COMMA_NUMBER.fullmatch(text):
        return Unusable(
            shown, "decimal commas and thousands separators are not accepted; write 1.5 or 1500"
        )
    if text.lower().lstrip("+-") in ("inf", "infinity", "\N{INFINITY}"):
        return Unusable(shown, "a finite number is expected")
    return Unusable(shown, "a number is expected, such as 12.5, without a unit or other text")


def _labels(cells: Mapping[int, Cell], row: int, problems: list[Problem]) -> dict[int, str]:
    header: dict[int, str] = {}
    for column, cell in sorted(cells.items()):
        label = parse_label(cell)
        if isinstance(label, Unusable):
            header[column] = label.found
            problems.append(Problem(f"the header holds {label.found}; {label.advice}", row, column))
        else:
            header[column] = label
    return header


def _stray(grid: Grid, header: Mapping[int, str], *, is_text: bool) -> Iterator[Problem]:
    hint = (
        "an unquoted comma in a number or name also shifts cells"
        if is_text
        else ("merged header cells name only their first column")
    )
    advice = f"name the column or clear the cells ({hint})"
    for row, cells in grid.items():
        for column in cells.keys() - header.keys():
            text = f"found {_shown(cells[column])}, but the header has no name here; {advice}"
            yield Problem(text, row, column, "stray")


# --- reporting ------------------------------------------------------------------------------------


def letters(column: int) -> str:
    """Return the letters of a column as spreadsheets show them: 1 → A, 27 → AA."""
    text = ""
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def refuse_file(where: str, what: str) -> NoReturn:
    """Raise a `DataError` about a file, or a sheet, as a whole."""
    raise DataError(f"{where}: {what}")


def refuse(table: Table, problems: Iterable[Problem]) -> NoReturn:
    """Raise one `DataError` that lists every problem of a table with its place."""
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
        likewise = f" (likewise in rows {_ranges(rows)})" if rows else ""
        lines.append(f"  - {', '.join(place)}{': ' if place else ''}{first.text}{likewise}")
    sheet = "" if table.sheet is None else f", sheet {table.sheet!r}"
    raise DataError(f"{table.file}{sheet}:\n" + "\n".join(lines))


def _ranges(rows: Sequence[int]) -> str:
    """Write increasing rows compactly, such as `3-7, 9`."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
