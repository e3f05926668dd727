"""Files, cells and arguments that are refused, each with its place and what to do."""

from __future__ import annotations

import pytest

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.tables.measurements import load_measurements
from sbmlgrad.io.tables.problems import letters

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
    "dash": (bad("-"), {}, [AT + "'-'", "leave the cell empty"]),
    "#N/A": (bad("#N/A"), {}, [AT + "'#N/A'", "leave the cell empty"]),
    "infinite": (bad("-inf"), {}, [AT + "'-inf'", "finite"]),
    "too large": (bad("1e999"), {}, [AT + "'1e999'", "too large"]),
    "null": (bad("null"), {}, [AT + "'null'", "missing=['null']"]),
    "comma of either kind": (bad('"1,500"'), {}, [AT + "'1,500'", "decimal=','"]),
    "comma beside points": (
        'time,A,B\n0,1.5,2\n1,3,"0,5"\n',
        {},
        ["row 2, column B ('A'): found '1.5' with a decimal point", "'0,5' in row 3, column C"],
    ),
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


def test_every_problem_is_listed_at_once_and_likes_together(table):
    text = "time,A,B,C\n0,x,1,1\n-1,y,n.a.,1\n2,z,1,1\n3,1,1,1\n4,w,1\n"
    with pytest.raises(DataError) as caught:
        load_measurements(table(text), mapping={"Q": "A"})
    lines = str(caught.value).splitlines()
    assert lines[0] == "data.csv:"
    assert len(lines) == 6
    for fragment in (
        "row 2, column B ('A'): found 'x'",
        "(likewise in rows 3-4, 6)",
        "row 3, column A ('time'): found the time -1.0",
        "row 3, column C ('B'): found 'n.a.'",
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
