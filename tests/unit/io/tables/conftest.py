"""Files of measurements for the tests of this folder."""

from __future__ import annotations

import pytest
from data_files import write_data


@pytest.fixture
def table(tmp_path):
    """Write text, bytes, rows (one sheet) or {sheet: rows} into a file and return its path."""

    def write(content, name=None):
        usual = "data.csv" if isinstance(content, str | bytes) else "data.xlsx"
        return write_data(tmp_path / (name or usual), content)

    return write
