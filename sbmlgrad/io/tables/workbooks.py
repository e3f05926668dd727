"""Bytes of an XLSX workbook → the cells of its sheets."""

from __future__ import annotations

import datetime
import io
import math
import warnings
from contextlib import ExitStack

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.cells import Cell, Grid, Unusable

#: A time of day that is counted beyond midnight is stored as a date in the first year that
#: spreadsheets know.
_FIRST_YEAR = 366.0


def grids_of(data: bytes, file: str) -> dict[str, Grid]:
    """Return sheet → cells, in the order of the workbook.

    Args:
        data: the file's bytes.
        file: its name, for messages.

    Raises:
        DataError: it is no workbook, or damaged.
    """
    try:
        return _grids(data)
    except Exception as error:  # a damaged workbook can make the parser fail in any way
        raise DataError(
            f"{file}: not a readable XLSX workbook ({type(error).__name__}: {error}); save it "
            "again as XLSX, without a password"
        ) from error


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
        epoch = books[0].epoch
        for written, stored in zip(*(book.worksheets for book in books), strict=True):
            for page in (written, stored):
                page.reset_dimensions()  # the recorded size may be wrong and would cut rows off
            grid = grids.setdefault(written.title, {})
            for row, pair in enumerate(zip(written.rows, stored.rows, strict=True), 1):
                for column, (cell, result) in enumerate(zip(*pair, strict=True), 1):
                    content = _content(
                        result.value, result.data_type, epoch, is_formula=cell.data_type == "f"
                    )
                    if content is not None:
                        grid.setdefault(row, {})[column] = content
    return grids


def _content(
    value: object, data_type: str, epoch: datetime.datetime, *, is_formula: bool
) -> Cell | None:
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
        return _moment(value, epoch)
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return str(value)


def _moment(
    value: datetime.date | datetime.time | datetime.timedelta, epoch: datetime.datetime
) -> datetime.datetime | datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, datetime.time):
        day = datetime.datetime.min
        return datetime.datetime.combine(day, value) - day
    from openpyxl.utils.datetime import to_excel

    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    serial = to_excel(value, epoch)
    return datetime.timedelta(days=serial) if serial < _FIRST_YEAR else value
