"""Data files that cannot be used: each error names the file, the sheet, the row and the column."""

from __future__ import annotations

import pytest
from data_files import write_data
from networks import MODELS, antimony
from plate_exports import tecan

from sbmlgrad.cli.app import BAD_INPUT, run
from sbmlgrad.errors import DataError
from sbmlgrad.io.dwell_files import load_dwells
from sbmlgrad.io.mapping_file import load_mapping
from sbmlgrad.io.snapshot_files import load_snapshots
from sbmlgrad.io.tables.measurements import load_measurements

# Kind → content, file name, options, what the message must say.
FILES: dict[str, tuple[object, str, dict[str, object], list[str]]] = {
    "no file of data": ("x", "d.docx", {}, ["d.docx", "'.docx' are not read", "convert it"]),
    "old workbook": (b"\xd0\xcf\x11", "d.xls", {}, ["d.xls", "save the workbook as XLSX"]),
    "text called workbook": ("time,A\n0,1\n", "d.xlsx", {}, ["d.xlsx", "not a readable XLSX"]),
    "workbook called text": (b"PK\x03\x04\0\0", "d.csv", {}, ["d.csv", "zero bytes"]),
    "empty": ("", "d.csv", {}, ["d.csv: the file is empty"]),
    "comments only": ("# a\n# b\n", "d.csv", {}, ["d.csv: the file is empty"]),
    "not UTF-8": ("time,A\n0,1\n1,µ\n".encode("cp1252"), "d.csv", {}, ["d.csv: row 3", "cp1252"]),
    "open quotation": ('time,A\n0,"1\n2,3\n', "d.csv", {}, ["d.csv: line 3", "quotation marks"]),
    "several sheets": (
        {"P": [["time", "A"], [0, 1]], "Q": [["time", "A"], [0, 1]]},
        "d.xlsx",
        {},
        ["d.xlsx: several sheets hold data, 'P', 'Q'"],
    ),
    "no such sheet": ([["time", "A"]], "d.xlsx", {"sheet": "P"}, ["there is no sheet 'P'"]),
    "no such header": ("time,A\n0,1\n", "d.csv", {"header_row": 7}, ["d.csv: header_row=7 is"]),
    "no header": ("0,1\n1,2\n", "d.csv", {}, ["d.csv", "row 1", "names=['time', ...]"]),
    "unknown layout of a plate": (
        "time,A\n0,1\n",
        "d.csv",
        {"layout": "bmg"},
        ["d.csv: this is no export of BMG"],
    ),
    "instrument unasked": (
        tecan({"OD": {"A1": [1]}}, [0]),
        "d.xlsx",
        {},
        ["d.xlsx, sheet 'Data': this looks like an export of Tecan", "layout='tecan'"],
    ),
}

TEXT = "d.csv:\n  - "
BOOK = "d.xlsx, sheet 'Data':\n  - "
CELLS: dict[str, tuple[object, dict[str, object], str]] = {
    "header only": ("time,A\n", {}, TEXT + "column B ('A'): no cell is a number"),
    "row cut off": ("time,A,B\n0,1\n", {}, TEXT + "row 2: has 2 cells where the header has 3"),
    "cell without header": ("time,A\n0,1,2\n", {}, TEXT + "row 2, column C: found '2'"),
    "unit in a cell": ("time,A\n0,1\n1,3 nM\n", {}, TEXT + "row 3, column B ('A'): found '3 nM'"),
    "infinite": ("time,A\n0,inf\n1,2\n", {}, TEXT + "row 2, column B ('A'): found 'inf'"),
    "commas and points": (
        "time;A\n0;1,5\n1;2.5\n",
        {},
        TEXT + "row 3, column B ('A'): found '2.5' with a decimal point, but '1,5' in row 2",
    ),
    "thousands": ("time;A\n0;1,500\n", {}, TEXT + "row 2, column B ('A'): found '1,500'"),
    "below detection": ("time,A\n0,<5\n1,7\n", {}, TEXT + "row 2, column B ('A'): found '<5', a"),
    "not detected": (
        "time,A\n0,ND\n1,7\n",
        {"below_detection": "half"},
        TEXT + "row 2, column B ('A'): found 'ND', which names no limit of detection; give lower",
    ),
    "saturated": ("time,A\n0,OVER\n1,7\n", {}, TEXT + "row 2, column B ('A'): found 'OVER', a"),
    "dash for missing": (
        "time,A\n0,-\n1,7\n",
        {},
        TEXT + "row 2, column B ('A'): found '-'; leave",
    ),
    "no time": ("time,A\n,1\n0,2\n", {}, TEXT + "row 2, column A ('time'): the row has values"),
    "negative time": ("time,A\n-1,1\n", {}, TEXT + "row 2, column A ('time'): found the time -1"),
    "time of day": ("time,A\n1:29 PM,1\n0,2\n", {}, TEXT + "row 2, column A ('time'): found '1:29"),
    "unclear date": ("time,A\n3/4/20,1\n", {}, TEXT + "row 2, column A ('time'): found '3/4/20'"),
    "unclear clock": ("time,A\n1:30,1\n", {}, TEXT + "row 2, column A ('time'): found '1:30'"),
    "two kinds of time": (
        "time,A\n0:00:00,1\n0:10:00,2\n20,3\n",
        {},
        TEXT + "row 4, column A ('time'): found '20'; it is a number, most are a time as h:mm:ss",
    ),
    "replicate twice": (
        "time,observable,value,replicate\n0,A,1,r\n0,A,2,r\n",
        {},
        TEXT + "row 3: 'A' at time 0.0 was given for replicate 'r' in row 2",
    ),
    "two units": ("time,A [nM],A [uM]\n0,1,2\n", {}, TEXT + "'A [nM]', 'A [uM]' would all be 'A'"),
    "formula without value": ([["time", "A"], [0, "=1+1"]], {}, BOOK + "row 2, column B ('A'):"),
    "error value": ([["time", "A"], [0, "#DIV/0!"]], {}, BOOK + "row 2, column B ('A'): found the"),
    "truth value": (
        [["time", "A"], [0, True]],
        {},
        BOOK + "row 2, column B ('A'): found the truth",
    ),
    "value without time": (
        [["Cycle Nr.", 1, 2], ["Time [s]", 0], ["A1", 1, 2]],
        {"layout": "tecan"},
        BOOK + "row 3, column C: has a value whose time, in row 2, column C, is missing",
    ),
    "no well": (
        [["Cycle Nr.", 1], ["Time [s]", 0], ["A1", 1], ["StDev", 1]],
        {"layout": "tecan"},
        BOOK + "row 4, column A: found 'StDev' where a well such as A1 is expected",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_as_a_whole(tmp_path, kind):
    content, name, options, fragments = FILES[kind]
    with pytest.raises(DataError) as caught:
        load_measurements(write_data(tmp_path / name, content), **options)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize("kind", CELLS)
def test_cells(tmp_path, kind):
    content, options, beginning = CELLS[kind]
    name = "d.csv" if isinstance(content, str) else "d.xlsx"
    with pytest.raises(DataError) as caught:
        load_measurements(write_data(tmp_path / name, content), **options)
    assert str(caught.value).startswith(beginning)


def test_other_kinds_of_files(tmp_path):
    counts = write_data(tmp_path / "cells.xlsx", [["time", "A"], [0, 1], [0, 1.5]])
    with pytest.raises(DataError, match=r"cells\.xlsx, sheet 'Data':\n  - row 3, column B \('A'\)"):
        load_snapshots(counts)
    record = write_data(tmp_path / "record.csv", "state,dwell_ms\n1,2\n1,3\n")
    with pytest.raises(DataError, match=r"record\.csv:\n  - row 3, column A \('state'\)"):
        load_dwells(record)
    mapping = write_data(tmp_path / "map.tsv", "observableId\tnoiseFormula\nQ\t1\n")
    with pytest.raises(DataError, match=r"map\.tsv:\n  - row 2: observable 'Q' has no formula"):
        load_mapping(mapping, antimony("species A = 1; k = 1; J: A => ; k*A;"))
    plate_map = write_data(tmp_path / "wells.csv", "well,condition\nA1,x\nA1,y\n")
    export = write_data(tmp_path / "plate.xlsx", tecan({"OD": {"A1": [1]}}, [0]))
    with pytest.raises(DataError, match=r"wells\.csv:\n  - row 3, column A \('well'\)"):
        load_measurements(export, layout="tecan", plate_map=plate_map)


def test_all_problems_come_in_one_error(tmp_path):
    text = "time,A,B\n0,x,<1\n-1,2,3\n2,3,OVER\n3,1\n"
    with pytest.raises(DataError) as caught:
        load_measurements(write_data(tmp_path / "d.csv", text))
    assert len(str(caught.value).splitlines()) == 6


@pytest.mark.parametrize(
    "text", ["time,C\n0,1\n1,x\n", "time,C\n0,<1\n1,2\n", "", "time;C\n0;1,5\n1;2.5\n"]
)
def test_nothing_is_written(tmp_path, text, capsys):
    data = write_data(tmp_path / "d.csv", text)
    out = tmp_path / "results"
    model = str(MODELS / "dimerization.xml")
    assert run(["fit", model, str(data), "--free", "k1", "--out", str(out)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert error.startswith("error: d.csv:")
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]
