"""Tables of measurements: layouts, units, replicates, every refusal, and write → read."""

from __future__ import annotations

import datetime
import hashlib
import math
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbmlgrad.errors import DataError, RequestError, WriteError
from sbmlgrad.io.table_cells import letters
from sbmlgrad.io.tables import load_measurements, split_label, write_long_csv
from sbmlgrad.model.measurements import Measurements, fault_of

EPIDEMICS = Path(__file__).parents[4] / "shared" / "data" / "epidemics"


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


def rows_of(m):
    """Return the measurements as (observable, time, value, replicate, condition)."""
    names = (m.observables[i] for i in m.observable_index)
    columns = (names, m.time.tolist(), m.value.tolist(), m.replicate, m.condition)
    return list(zip(*columns, strict=True))


# --- what is read ---------------------------------------------------------------------------------


def test_wide(table):
    path = table("time,A,B\n0,1,2\n1.5, 3 ,\n2,,-4e1\n")
    m = load_measurements(path)
    assert m.observables == ("A", "B")
    assert rows_of(m) == [
        ("A", 0.0, 1.0, "1", ""),
        ("A", 1.5, 3.0, "1", ""),
        ("B", 0.0, 2.0, "1", ""),
        ("B", 2.0, -40.0, "1", ""),
    ]
    assert m.source_name == "data.csv"
    assert m.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (m.time_unit, m.units) == ("", ("", ""))


def test_replicates_as_repeated_columns(table):
    m = load_measurements(table("time,A,A,B,A\n0,1,2,9,3\n1,4,,9,6\n"))
    assert rows_of(m) == [
        ("A", 0.0, 1.0, "1", ""),
        ("A", 0.0, 2.0, "2", ""),
        ("A", 0.0, 3.0, "3", ""),
        ("A", 1.0, 4.0, "1", ""),
        ("A", 1.0, 6.0, "3", ""),
        ("B", 0.0, 9.0, "1", ""),
        ("B", 1.0, 9.0, "1", ""),
    ]


def test_replicates_as_repeated_times(table):
    m = load_measurements(table("time,A,B\n0,1,\n0,2,5\n1,3,6\n0,4,7\n"))
    assert [r for r in rows_of(m) if r[0] == "A" and r[1] == 0.0] == [
        ("A", 0.0, 1.0, "1", ""),
        ("A", 0.0, 2.0, "2", ""),
        ("A", 0.0, 4.0, "3", ""),
    ]
    # A row is one replicate across its columns, so a missing cell does not shift the numbering.
    assert [r[3] for r in rows_of(m) if r[0] == "B" and r[1] == 0.0] == ["2", "3"]


def test_replicates_as_both(table):
    m = load_measurements(table("time,A,A\n0,1,2\n0,3,4\n"))
    assert [(r[2], r[3]) for r in rows_of(m)] == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]


LONG = (
    "Time,Observable,VALUE,Replicate,Condition\n0,A,1,r1,heat\n0,A,2,r2,heat\n1,B,,r1,\n0,B,3,,\n"
)


def test_long(table):
    assert rows_of(load_measurements(table(LONG))) == [
        ("A", 0.0, 1.0, "r1", "heat"),
        ("A", 0.0, 2.0, "r2", "heat"),
        ("B", 0.0, 3.0, "", ""),
    ]


def test_long_without_labels_numbers_replicates(table):
    m = load_measurements(table("value,observable,time,condition\n1,A,0,x\n2,A,0,y\n3,A,0,x\n"))
    assert rows_of(m) == [
        ("A", 0.0, 1.0, "1", "x"),
        ("A", 0.0, 3.0, "2", "x"),
        ("A", 0.0, 2.0, "1", "y"),
    ]


def test_the_layout_can_be_forced(table):
    path = table("time,observable,value\n0,1,2\n")
    assert load_measurements(path, layout="wide").observables == ("observable", "value")
    assert load_measurements(path).observables == ("1",)
    with pytest.raises(DataError, match=r"row 1: the long layout needs a column 'value'"):
        load_measurements(table("time,observable\n0,1\n"), layout="long")


@pytest.mark.parametrize("name", ["data.tsv", "data.txt", "DATA.TSV"])
def test_tabs(table, name):
    assert load_measurements(table("time\tA, total\n0\t1\n", name)).observables == ("A, total",)


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftime,A\n0,1\n",
        "time,A\r\n0,1\r\n",
        "time,A\r0,1\r",
        "time,A\n0,1",
        "\n\ntime,A\n\n0,1\n , \n",
        'time,"A"\n"0","1"\n',
        "time,A,\n0,1,\n",
        " time ,  A\n0,1\n",
        'time,"A\n"\n0,1\n',
        "time,A\n0,1\n5,\n",
    ],
)
def test_harmless_forms_of_a_text_file(table, text):
    assert rows_of(load_measurements(table(text))) == [("A", 0.0, 1.0, "1", "")]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("time", ""),
        ("TIME", ""),
        ("t", ""),
        ("time [h]", "h"),
        ("Time (min)", "min"),
        ("time(min)", "min"),
        ("t [ s ]", "s"),
        ("day", "day"),
        ("Days", "Days"),
        ("hour", "hour"),
        ("hours", "hours"),
        ("min", "min"),
        ("minutes", "minutes"),
        ("s", "s"),
        ("sec", "sec"),
        ("Seconds", "Seconds"),
    ],
)
def test_time_columns(table, header, unit):
    m = load_measurements(table(f"A,{header}\n1,0\n"))
    assert m.observables == ("A",)
    assert m.time_unit == unit


@pytest.mark.parametrize(
    ("header", "observables"),
    [
        ("time,S,I,R", ("S", "I", "R")),
        ("day,S,I,R", ("S", "I", "R")),
        ("day,T,I,V", ("T", "I", "V")),
        ("hours,min,max,mean", ("min", "max", "mean")),
        ("time,day,t,s", ("day", "t", "s")),
    ],
)
def test_the_likeliest_time_column_wins(table, header, observables):
    assert load_measurements(table(f"{header}\n0,1,2,3\n")).observables == observables


def test_a_time_column_can_be_named(table):
    path = table("age (weeks),time\n3,1\n")
    m = load_measurements(path, time_column="age (weeks)")
    assert (m.observables, m.times.tolist(), m.time_unit) == (("time",), [3.0], "weeks")
    assert load_measurements(path, time_column="age") == m
    with pytest.raises(DataError, match=r"no column 'Age' \(did you mean 'age'\?\); found 'age"):
        load_measurements(path, time_column="Age")


def test_units_are_kept_apart_from_names(table):
    m = load_measurements(table("time [h],A [nM],B (a.u.),C[1],f(x),A [nM]\n0,1,2,3,4,5\n"))
    assert m.observables == ("A", "B", "C", "f(x)")
    assert m.units == ("nM", "a.u.", "1", "")
    assert len(m) == 5
    long = "time,observable,value [uM]\n0,A [nM],1\n0,B,2\n"
    assert load_measurements(table(long)).units == ("nM", "uM")


def test_brackets_that_tell_names_apart_are_no_units(table):
    m = load_measurements(table("time,cAMP (nucleus),cAMP (cytosol)\n0,1,2\n"))
    assert m.observables == ("cAMP (nucleus)", "cAMP (cytosol)")
    assert m.units == ("", "")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("A", ("A", "")),
        ("A [nM]", ("A", "nM")),
        ("A []", ("A", "")),
        ("[A]", ("[A]", "")),
        ("A [x] [y]", ("A [x]", "y")),
        ("A (1/(h m))", ("A (1/(h m))", "")),
        ("A(b!1)", ("A(b!1)", "")),
    ],
)
def test_split_label(label, expected):
    assert split_label(label) == expected


# --- choosing columns -----------------------------------------------------------------------------

DATED = "day,date,in_bed [people],x\n1,1978-01-22,3,\n2,1978-01-23,8,7\n"


@pytest.mark.parametrize(
    "options",
    [
        {"observables": ["in_bed"]},
        {"observables": ["in_bed [people]"]},
        {"mapping": {"date": None, "x": None}},
        {"mapping": {"date": None}, "observables": ["in_bed"]},
    ],
)
def test_columns_are_ignored_on_request_only(table, options):
    m = load_measurements(table(DATED), **options)
    assert rows_of(m) == [("in_bed", 1.0, 3.0, "1", ""), ("in_bed", 2.0, 8.0, "1", "")]
    assert (m.units, m.time_unit) == (("people",), "day")


def test_the_mapping_renames(table):
    m = load_measurements(table(DATED), mapping={"date": None, "in_bed": "I", "x": "R"})
    assert m.observables == ("I", "R")


def test_columns_mapped_to_one_id_are_replicates(table):
    path = table("time,A1,A2\n0,1,2\n")
    m = load_measurements(path, mapping={"A1": "A", "A2": "A"})
    assert rows_of(m) == [("A", 0.0, 1.0, "1", ""), ("A", 0.0, 2.0, "2", "")]


def test_observables_are_chosen_in_the_long_layout_too(table):
    text = "time,observable,value,note\n0,A,1,fine\n0,B,no number,bad\nno time,C,1,\n"
    m = load_measurements(table(text), observables=["A"], mapping={"note": None})
    assert rows_of(m) == [("A", 0.0, 1.0, "1", "")]
    m = load_measurements(table(text), mapping={"note": None, "B": None, "C": None, "A": "X"})
    assert m.observables == ("X",)


# --- workbooks ------------------------------------------------------------------------------------


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


# --- refusals -------------------------------------------------------------------------------------

WHOLE_FILE = {
    "suffix": (
        "time,A\n0,1\n",
        "data.dat",
        {},
        ["data.dat", "'.dat'", ".csv, .tsv, .txt", ".xlsx"],
    ),
    "old workbook": (b"\xd0\xcf", "data.xls", {}, ["data.xls", "save the workbook as XLSX"]),
    "empty": ("", "data.csv", {}, ["data.csv: the file is empty"]),
    "blank": (" \n,,\n", "data.csv", {}, ["data.csv: the file is empty"]),
    "not UTF-8": ("time,A\n0,µ\n".encode("latin-1"), "d.csv", {}, ["d.csv: row 2", "UTF-8"]),
    "UTF-16": ("time,A\n0,1\n".encode("utf-16"), "d.csv", {}, ["d.csv: row 1", "UTF-8"]),
    "semicolons": ("time;A\n0;1,5\n", "d.csv", {}, ["d.csv: row 1", "semicolons but no commas"]),
    "tabs in csv": ("time\tA\n0\t1\n", "d.csv", {}, ["row 1", "tabs but no commas"]),
    "commas in tsv": ("time,A\n0,1\n", "d.tsv", {}, ["row 1", "commas but no tabs"]),
    "open quotation": ('time,A\n0,"1\n2,3\n', "d.csv", {}, ["d.csv: line 3", "quotation marks"]),
    "stray quotation": ('time,A\n0,"1"2\n', "d.csv", {}, ["d.csv: line 2", "quotation marks"]),
    "sheet of a text": ("time,A\n0,1\n", "d.csv", {"sheet": "S"}, ["no sheets", "sheet='S'"]),
    "no workbook": (b"time,A\n0,1\n", "d.xlsx", {}, ["d.xlsx", "not a readable XLSX workbook"]),
    "no sheet filled": ({"P": [], "Q": []}, None, {}, ["every sheet is empty ('P', 'Q')"]),
    "unknown sheet": ({"P": [["t"]]}, None, {"sheet": "p"}, ["no sheet 'p'", "sheets are 'P'"]),
    "empty sheet": ({"P": [["t"]], "Q": []}, None, {"sheet": "Q"}, ["sheet 'Q'", "is empty"]),
    "two sheets": ({"P": [["t"]], "Q": [["t"]]}, None, {}, ["'P', 'Q'", "choose one with sheet="]),
}


@pytest.mark.parametrize("case", WHOLE_FILE)
def test_files_that_hold_no_table(table, case):
    content, name, options, fragments = WHOLE_FILE[case]
    with pytest.raises(DataError) as caught:
        load_measurements(table(content, name), **options)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv' cannot be read: there is no such file"):
        load_measurements(tmp_path / "gone.csv")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(DataError, match=r"dir\.csv' cannot be read: it is a folder"):
        load_measurements(tmp_path / "dir.csv")


def bad(cell):
    """Return a wide text table with one bad cell in row 3, column C."""
    return f"time,A,B\n0,1,2\n1,3,{cell}\n2,5,6\n"


AT = "row 3, column C ('B'): found "
CELLS = {
    "text": (bad("abc"), {}, [AT + "'abc'", "a number is expected"]),
    "unit": (bad("3 nM"), {}, [AT + "'3 nM'", "without a unit"]),
    "NA": (bad("NA"), {}, [AT + "'NA'", "leave the cell empty for a missing value"]),
    "n/a": (bad("n/a"), {}, [AT + "'n/a'", "leave the cell empty"]),
    "dash": (bad("-"), {}, [AT + "'-'", "leave the cell empty"]),
    "NaN": (bad("NaN"), {}, [AT + "'NaN'", "leave the cell empty"]),
    "#N/A": (bad("#N/A"), {}, [AT + "'#N/A'", "leave the cell empty"]),
    "infinite": (bad("-inf"), {}, [AT + "'-inf'", "finite"]),
    "too large": (bad("1e999"), {}, [AT + "'1e999'", "too large"]),
    "decimal comma": (bad('"1,5"'), {}, [AT + "'1,5'", "decimal commas", "not accepted"]),
    "thousands": (bad('"1,500,000.0"'), {}, [AT + "'1,500,000.0'", "thousands separators"]),
    "underscore": (bad("1_000"), {}, [AT + "'1_000'", "a number is expected"]),
    "other digits": (bad("\u0661"), {}, [AT, "a number is expected"]),
    "hexadecimal": (bad("0x10"), {}, [AT + "'0x10'", "a number is expected"]),
    "long text": (bad("x" * 99), {}, [AT + "'" + "x" * 40 + "…'"]),
    "unquoted comma": (bad("1,5"), {}, ["row 3, column D: found '5'", "unquoted comma"]),
    "cut off": ("time,A,B\n0,1,2\n1,3\n", {}, ["row 3: has 2 cells", "header has 3", "cut off"]),
    "no header": ("time,,B\n0,1,2\n", {}, ["row 2, column B: found '1'", "name the column"]),
    "text as time": ("time,A\nx,1\n", {}, ["row 2, column A ('time'): found 'x'"]),
    "negative time": ("time,A\n0,1\n-1,2\n", {}, ["row 3, column A ('time'): found the time -1.0"]),
    "infinite time": ("time,A\ninf,1\n0,2\n", {}, ["row 2, column A ('time'): found 'inf'"]),
    "no time": ("time,A\n0,1\n,2\n", {}, ["row 3, column A ('time'): the row has values but no"]),
    "no number": (
        "time,A\n",
        {},
        ["column B ('A'): no cell is a number", "no numeric value at all"],
    ),
    "empty column": ("time,A,B\n0,1,\n", {}, ["column C ('B'): no cell", "mapping={'B': None}"]),
    "only a time": ("time\n0\n", {}, ["row 1: there is no column to read besides the time"]),
    "no time column": ("S,I\n0,1\n", {}, ["row 1: there is no time column among 'S', 'I'"]),
    "two times": ("time,time,A\n0,0,1\n", {}, ["row 1: columns A ('time') and B ('time')"]),
    "twin times": ("day,hour,A\n0,0,1\n", {}, ["columns A ('day') and B ('hour') may all hold"]),
    "two units": ("time,A [nM],A [uM]\n0,1,2\n", {}, ["'A [nM]', 'A [uM]' would all be 'A'"]),
    "clash": ("time,A,B\n0,1,2\n", {"mapping": {"B": "A"}}, ["'A', 'B' would all be 'A'"]),
    "clashing units": (
        "time,A [x],B [y]\n0,1,2\n",
        {"mapping": {"A": "C", "B": "C"}},
        ["all mapped to 'C' but differ in unit"],
    ),
    "zero width": ("time,A\u200b\n0,1\n", {}, ["row 1, column B", "U+200B"]),
    "unknown choice": (bad(3), {"observables": ["b"]}, ["observables= names 'b'", "mean 'B'"]),
    "unknown mapping": (bad(3), {"mapping": {"b": "X"}}, ["mapping= names 'b'", "mean 'B'"]),
    "nothing left": (bad(3), {"observables": []}, ["no column to read", "no numeric value"]),
    "long extra": (
        "time,observable,value,unit\n0,A,1,nM\n",
        {},
        ["row 1, column D ('unit')", "mapping={'unit': None}"],
    ),
    "long twice": (
        "time,observable,value,Value\n0,A,1,2\n",
        {},
        ["row 1, column D ('Value')", "one column 'value', here there are 2"],
    ),
    "long value": ("time,observable,value\n0,A,x\n", {}, ["row 2, column C ('value'): found 'x'"]),
    "long no time": ("time,observable,value\n,A,1\n", {}, ["row 2, column A ('time')", "no time"]),
    "long no name": ("time,observable,value\n0,,1\n", {}, ["row 2, column B", "no observable"]),
    "long no value": (
        "time,observable,value\n0,A,1\n0,B,\n",
        {},
        ["observable 'B' has no number at all"],
    ),
    "long same": (
        "time,observable,value,replicate\n0,A,1,r\n1,A,1,r\n0,A,2,r\n",
        {},
        ["row 4: 'A' at time 0.0 was given for replicate 'r' in row 2"],
    ),
    "long label": (
        "time,observable,value,condition\n0,A,1,a\u200bb\n",
        {},
        ["row 2, column D ('condition')", "U+200B"],
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_cells_that_cannot_be_used(table, case):
    content, options, fragments = CELLS[case]
    with pytest.raises(DataError) as caught:
        load_measurements(table(content), **options)
    assert str(caught.value).startswith("data.csv:\n")
    for fragment in fragments:
        assert fragment in str(caught.value)


DATE = datetime.datetime(2020, 1, 22)
WORKBOOK_CELLS = {
    "text": ([["time", "A"], [0, "x"]], ["row 2, column B ('A'): found 'x'"]),
    "truth": ([["time", "A"], [0, True]], ["row 2, column B ('A'): found the truth value TRUE"]),
    "date": ([["time", "A"], [DATE, 1]], ["row 2, column A ('time')", "date", "2020-01-22"]),
    "clock": ([["time", "A"], [datetime.time(1, 30), 1]], ["row 2, column A ('time')", "01:30"]),
    "span": ([["time", "A"], [datetime.timedelta(hours=30), 1]], ["column A", "elapsed time"]),
    "error": ([["time", "A"], [0, "#DIV/0!"]], ["row 2, column B", "error value #DIV/0!"]),
    "formula": ([["time", "A"], [0, "=1+1"]], ["row 2, column B", "without a stored value"]),
    "comma": ([["time", "A"], [0, "1,5"]], ["row 2, column B", "decimal commas"]),
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


def test_every_problem_is_listed_at_once_and_likes_together(table):
    text = "time,A,B,C\n0,x,1,1\n-1,y,NA,1\n2,z,1,1\n3,1,1,1\n4,w,1\n"
    with pytest.raises(DataError) as caught:
        load_measurements(table(text), mapping={"Q": "A"})
    lines = str(caught.value).splitlines()
    assert lines[0] == "data.csv:"
    assert len(lines) == 6
    for fragment in (
        "row 2, column B ('A'): found 'x'",
        "(likewise in rows 3-4, 6)",
        "row 3, column A ('time'): found the time -1.0",
        "row 3, column C ('B'): found 'NA'",
        "row 6: has 3 cells",
        "mapping= names 'Q'",
    ):
        assert sum(fragment in line for line in lines) == 1


@pytest.mark.parametrize(
    ("options", "fragment"),
    [({"layout": "tall"}, "layout='tall'"), ({"observables": "AB"}, "observables='AB'")],
)
def test_arguments_without_a_meaning(table, options, fragment):
    with pytest.raises(RequestError, match=fragment):
        load_measurements(table("time,A\n0,1\n"), **options)


def test_letters():
    assert [letters(c) for c in (1, 26, 27, 52, 702, 703)] == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]


# --- writing --------------------------------------------------------------------------------------

BRACKETED = ("A [x]", "A []", "A (nucleus)", "A [x] (y)", "[A]", "A[", "x[A]")
LABELS = st.sampled_from(BRACKETED) | st.text(
    st.sampled_from("AB [](),;\"'=#-1") | st.characters(codec="utf-8"), max_size=8
).filter(lambda text: not fault_of(text))
UNITS = LABELS.filter(lambda text: not {"[", "]"} & set(text))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def measurements(draw):
    """Draw measurements in which every observable has a value."""
    names = draw(st.lists(LABELS.filter(bool), min_size=1, max_size=4, unique=True))
    key = st.tuples(
        st.sampled_from(range(len(names))),
        st.floats(0.0, allow_nan=False, allow_infinity=False),
        LABELS,
        LABELS,
    )
    extra = draw(st.lists(key, max_size=8))
    first = [(i, draw(st.sampled_from([0.0, 1.5])), "1", "") for i in range(len(names))]
    index, time, replicate, condition = zip(*dict.fromkeys([*extra, *first]), strict=True)
    return Measurements(
        observables=tuple(names),
        time=np.array(time),
        observable_index=np.array(index),
        value=np.array(draw(st.lists(FINITE, min_size=len(time), max_size=len(time)))),
        replicate=replicate,
        condition=condition,
        time_unit=draw(UNITS),
        units=tuple(draw(st.lists(UNITS, min_size=len(names), max_size=len(names)))),
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(measurements())
def test_write_then_read_is_the_identity(tmp_path, m):
    path = tmp_path / "long.csv"
    write_long_csv(m, path)
    again = load_measurements(path)
    assert again == m
    assert again.source_name == "long.csv"
    write_long_csv(again, tmp_path / "twice.csv")
    assert (tmp_path / "twice.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", BRACKETED)
def test_brackets_in_a_name_do_not_become_a_unit(tmp_path, name):
    path = tmp_path / "long.csv"
    write_long_csv(one(observables=(name,)), path)
    again = load_measurements(path)
    assert (again.observables, again.units) == ((name,), ("",))


def test_what_is_written(tmp_path, table):
    path = tmp_path / "long.csv"
    write_long_csv(load_measurements(table('time [h],"A, x [nM]",B\n1,2.5,\n0,,7\n')), path)
    assert path.read_text(encoding="utf-8") == (
        'time [h],observable,value,replicate,condition\n1.0,"A, x [nM]",2.5,1,\n0.0,B,7.0,1,\n'
    )


def one(**fields):
    good = {
        "observables": ("A",),
        "time": [0.0],
        "observable_index": [0],
        "value": [1.0],
        "replicate": ("1",),
        "condition": ("",),
    }
    return Measurements(**(good | fields))


@pytest.mark.parametrize(
    ("m", "name", "fragment"),
    [
        (one(), "out.xlsx", r"out\.xlsx: a long table is written as \.csv"),
        (one(observables=("A", "B")), "out.csv", r"out\.csv: .*without values; found 'B'"),
        (one(observables=("A",), **dict.fromkeys(("time", "observable_index", "value", "replicate",
         "condition"), ())), "out.csv", "without values; found 'A'"),
        (one(), "none/out.csv", r"out\.csv' cannot be written: the folder .*none' does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(tmp_path, m, name, fragment):
    with pytest.raises(WriteError, match=fragment):
        write_long_csv(m, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_long_csv(one(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["fuzz.csv", "fuzz.tsv"]),
    st.lists(
        st.sampled_from([*',\t\n; "\ufeffé'])
        | st.sampled_from(
            ["time", "observable", "value", "A [x]", "A (y)", "0", "1.5", "-2", "NA", "1,5"]
        ),
        max_size=30,
    ).map("".join),
)
def test_any_text_is_read_or_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    try:
        m = load_measurements(path)
    except DataError as error:
        refusal = str(error)
    else:
        refusal = name
        assert np.isfinite(m.value).all()
        assert len(m) >= 1
    assert name in refusal


# --- real data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "observables", "unit", "first", "count"),
    [
        ("common_cold_tristan_da_cunha_1967.csv", {}, ("I", "R"), "day", ("I", 1.0, 1.0), None),
        ("eyam_plague_1666.csv", {}, ("S", "I", "R"), "", ("S", 0.0, 254.0), None),
        (
            "influenza_england_1978_school.csv",
            {"observables": ["in_bed", "convalescent"]},
            ("in_bed", "convalescent"),
            "day",
            ("in_bed", 1.0, 3.0),
            28,
        ),
    ],
)
def test_epidemics(name, options, observables, unit, first, count):
    path = EPIDEMICS / name
    if not path.exists():
        pytest.skip(f"the data file {name} is not there")
    m = load_measurements(path, **options)
    assert m.observables == observables
    assert m.time_unit == unit
    assert rows_of(m)[0][:3] == first
    lines = path.read_text().split()
    assert len(m) == (count or (len(lines) - 1) * len(observables))
    total = math.fsum(m.value)
    column = lines[0].split(",").index(observables[-1])
    expected = math.fsum(float(line.split(",")[column]) for line in lines[1:])
    seen = m.observed(observables[-1])
    assert math.fsum(seen.mean) == expected
    assert total >= expected


def test_a_column_of_dates_is_refused_with_a_way_out():
    path = EPIDEMICS / "influenza_england_1978_school.csv"
    if not path.exists():
        pytest.skip("the data file is not there")
    with pytest.raises(DataError) as caught:
        load_measurements(path)
    for fragment in ("column B ('date')", "1978-01-22", "rows 3-15", "mapping={'date': None}"):
        assert fragment in str(caught.value)
