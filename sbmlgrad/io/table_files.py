"""Bytes of CSV, TSV and XLSX files → tables of cells with a header."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from sbmlgrad.errors import DataError, UnreadableFileError
from sbmlgrad.io.files import read_bytes
from sbmlgrad.io.table_cells import Cell, Grid, Problem, Table, Unusable, parse_label, shown
from sbmlgrad.io.table_problems import refuse_file


def read_table(path: Path, sheet: str | None) -> Table:
    """Read a table and check its shape and labels.

    Args:
        path: a `.csv`, `.tsv`, `.txt` (tab separated) or `.xlsx` file.
        sheet: sheet of a workbook; None for the only one that is not empty.

    Returns:
        The table, with what is wrong with its rows and labels.

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


# --- header --------------------------------------------------------------------------------------


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
            text = f"found {shown(cells[column])}, but the header has no name here; {advice}"
            yield Problem(text, row, column, "stray")
