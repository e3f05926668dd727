"""The influenza counts of an English boarding school, 1978, as CSV and as a spreadsheet."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

NAME = "influenza_england_1978"
SHEET = "influenza"
#: `time` in days since 22 January 1978; `I` is the id of the infectious species of the SIR model.
COLUMNS = ("time", "I")
#: Boys confined to bed on each day from 22 January to 4 February 1978, of 763 boys.
IN_BED = (3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4)
CITATION = "Influenza in a boarding school. British Medical Journal 1978;1:587"
TITLE = "Influenza in an English boarding school, 1978"
DESCRIPTION = (
    "Number of boys confined to bed (I), of 763 boys, by days since 22 January 1978 (time). "
    f"Source: Anonymous. {CITATION}."
)
# A workbook carries dates; a fixed one, so that nothing in it depends on when it was written.
_WRITTEN = datetime(2026, 1, 1)


def rows() -> tuple[tuple[str | int, ...], ...]:
    """Return the table: the header, then one row a day."""
    return (COLUMNS, *enumerate(IN_BED))


def csv_bytes() -> bytes:
    """Return the table as CSV: comma, line feed, ASCII."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows()).encode()


def xlsx_bytes() -> bytes:
    """Return the table as a workbook of one sheet, its source in the workbook's properties.

    The zip container holds the time of writing: compare workbooks by `workbook_content`.
    """
    from openpyxl import Workbook

    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = SHEET
    for row in rows():
        sheet.append(row)
    properties = workbook.properties
    properties.title = TITLE
    properties.description = DESCRIPTION
    properties.creator = "sbmlgrad developers"
    properties.created = _WRITTEN
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def workbook_content(data: bytes) -> dict[str, Any]:
    """Return what a workbook says: title, description, and every sheet's rows of cell values."""
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(data))
    return {
        "title": workbook.properties.title,
        "description": workbook.properties.description,
        "sheets": {
            sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)]
            for sheet in workbook.worksheets
        },
    }
