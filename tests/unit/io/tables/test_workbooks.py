"""XLSX files: sheets, formulas, and cells that hold no number."""

from __future__ import annotations

import datetime
import re
import zipfile

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements


def test_a_workbook_reads_like_the_same_text(table):
    rows = [["time [h]", "A [nM]", "A [nM]", "B"], [0, 1, None, 2.5], [1.5, 3, 4, None]]
    text = "time [h],A [nM],A [nM],B\n0,1,,2.5\n1.5,3,4,\n"
    m = load_measurements(table(rows))
    assert m == load_measurements(table(text))
    assert m.source_name == "data.xlsx"


def test_a_long_workbook_with_numbers_as_labels(table):
    rows = [["time", "observable", "value", "replicate"], [0, "A", 1, 1], [0, "A", "2", 2.0]]
    m = load_measurements(table([*rows, [0, 7, 1, 0.5]]))
    assert [(r[0], r[3]) for r in rows_of(m)] == [("A", "1"), ("A", "2"), ("7", "0.5")]


def test_the_only_filled_sheet_is_taken(table):
    path = table({"Notes": [], "Data": [["time", "A"], [0, 1]], "Blank": [[" "]]})
    assert load_measurements(path).observables == ("A",)


def test_a_sheet_is_chosen(table):
    path = table({"One": [["time", "A"], [0, 1]], "Two": [["time", "B"], [0, 1]]})
    assert load_measurements(path, sheet="Two").observables == ("B",)


def test_a_table_may_stand_anywhere_in_its_sheet(table):
    path = table([[], [], [None, "time", "A"], [], [None, 0, 1], [None, 1, "x"]])
    with pytest.raises(DataError, match=r"row 6, column C \('A'\): found 'x'"):
        load_measurements(path)


def edited(path, pattern, replacement):
    """Rewrite the first sheet's XML, for what the library cannot write."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text, count = re.subn(pattern, replacement, parts[name].decode())
    assert count >= 1
    parts[name] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return path


def test_stored_results_of_formulas_are_read(table):
    path = table([["time", "A"], [0, "=1+1"], [1, 3]])
    edited(path, r"<f>1\+1</f>(<v></v>|<v ?/>)", "<f>1+1</f><v>2</v>")
    assert load_measurements(path).value.tolist() == [2.0, 3.0]


def test_a_wrong_recorded_size_cuts_nothing_off(table):
    path = table([["time", "A", "B"], [0, 1, 2], [1, 3, 4]])
    edited(path, "<sheetData>", '<dimension ref="A1:B2"/><sheetData>')
    assert len(load_measurements(path)) == 4


DATE = datetime.datetime(2020, 1, 22)
WORKBOOK_CELLS = {
    "text": ([["time", "A"], [0, "x"]], ["row 2, column B ('A'): found 'x'"]),
    "truth": ([["time", "A"], [0, True]], ["row 2, column B ('A'): found the truth value TRUE"]),
    "date": ([["time", "A"], [0, DATE]], ["row 2, column B ('A')", "date", "2020-01-22"]),
    "clock": ([["time", "A"], [0, datetime.time(1, 30)]], ["row 2, column B ('A')", "1:30"]),
    "span": ([["time", "A"], [0, datetime.timedelta(hours=30)]], ["column B", "plain number"]),
    "error": ([["time", "A"], [0, "#DIV/0!"]], ["row 2, column B", "error value #DIV/0!"]),
    "formula": ([["time", "A"], [0, "=1+1"]], ["row 2, column B", "without a stored value"]),
    "comma": ([["time", "A"], [0, "1,500"]], ["row 2, column B", "decimal comma"]),
    "header date": ([["time", DATE], [0, 1]], ["row 1, column B", "the header holds the date"]),
    "header truth": ([["time", False], [0, 1]], ["row 1, column B", "truth value FALSE"]),
    "merged": ([["time", "A", None], [0, 1, 2]], ["row 2, column C: found '2'", "merged"]),
    "stray date": ([["time", "A"], [0, 1, DATE]], ["row 2, column C: found the date or time"]),
    "long truth": (
        [["time", "observable", "value"], [0, True, 1]],
        ["row 2, column B ('observable'): found the truth value TRUE"],
    ),
}


@pytest.mark.parametrize("case", WORKBOOK_CELLS)
def test_workbook_cells_that_cannot_be_used(table, case):
    rows, fragments = WORKBOOK_CELLS[case]
    with pytest.raises(DataError) as caught:
        load_measurements(table({"Notes": [], "Data": rows}))
    assert str(caught.value).startswith("data.xlsx, sheet 'Data':\n")
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_date_out_of_range_is_an_error_value_without_a_warning(table):
    path = table([["time", "A"], [0, DATE]])
    edited(path, r"<v>43852</v>", "<v>1e15</v>")
    with pytest.raises(DataError, match=r"row 2, column B \('A'\): found the error value #VALUE!"):
        load_measurements(path)


def test_a_number_beyond_double_precision_is_refused(table):
    path = edited(table([["time", "A"], [0, 123]]), "<v>123</v>", f"<v>{10**400}</v>")
    with pytest.raises(DataError, match=r"row 2, column B \('A'\): found inf; a finite number"):
        load_measurements(path)
