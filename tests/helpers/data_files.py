"""Files of data as tests write them: text, bytes, or the sheets of a workbook."""

from __future__ import annotations

from pathlib import Path

import openpyxl

#: Cells of one sheet, row by row.
Rows = list[list[object]]
#: Sheets of a workbook: title → rows.
Sheets = dict[str, Rows]


def write_data(path: Path, content: str | bytes | Rows | Sheets) -> Path:
    """Write text, bytes, or a workbook, whose one sheet is called Data if only rows are given."""
    if isinstance(content, str | bytes):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
    book = openpyxl.Workbook(write_only=True)
    for title, rows in (content if isinstance(content, dict) else {"Data": content}).items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path
