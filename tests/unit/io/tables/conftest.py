"""Files of measurements for the tests of this folder."""

from __future__ import annotations

import openpyxl
import pytest


@pytest.fixture
def table(tmp_path):
    """Write text, bytes, rows (one sheet) or {sheet: rows} into a file and return its path."""

    def write(content, name=None):
        if isinstance(content, (str, bytes)):
            path = tmp_path / (name or "data.csv")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            return path
        path = tmp_path / (name or "data.xlsx")
        book = openpyxl.Workbook(write_only=True)
        for title, rows in (content if isinstance(content, dict) else {"Sheet1": content}).items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(path)
        return path

    return write
