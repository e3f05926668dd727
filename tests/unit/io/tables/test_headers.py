"""Comments, rows before the header, and files without one; labels of conditions and replicates."""

from __future__ import annotations

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.tables.measurements import load_measurements

EXPORT = (
    "# written by an instrument, 1,5 times\n"
    "Operator,Jo\n"
    "Time,1:29:17 PM\n"
    "\n"
    "time [h],A,B\n"
    "0,1,2\n"
    "# lamp replaced\n"
    "1,3,4\n"
)


def test_rows_before_the_header_and_comments_are_ignored_and_said(table):
    m = load_measurements(table(EXPORT))
    assert rows_of(m) == [
        ("A", 0.0, 1.0, "1", ""),
        ("A", 1.0, 3.0, "1", ""),
        ("B", 0.0, 2.0, "1", ""),
        ("B", 1.0, 4.0, "1", ""),
    ]
    notes = "\n".join(m.notes)
    assert "row 1: ignored: comment: # written by an instrument" in notes
    assert "row 7: ignored: comment: # lamp replaced" in notes
    assert "rows 2-3: ignored: before the header: 'Operator', 'Jo', 'Time', '1:29:17 PM'" in notes


def test_rows_keep_their_numbers(table):
    with pytest.raises(DataError, match=r"row 8, column C \('B'\): found 'x'"):
        load_measurements(table(EXPORT.replace("1,3,4", "1,3,x").replace("0,1,2", "0,1,2")))


def test_the_same_in_a_workbook(table):
    rows = [["# note"], ["Operator", "Jo"], [], ["time", "A"], [0, 1], ["#", "x"], [1, 2]]
    m = load_measurements(table(rows))
    assert rows_of(m) == [("A", 0.0, 1.0, "1", ""), ("A", 1.0, 2.0, "1", "")]
    assert sum("ignored" in note for note in m.notes) == 3


def test_an_error_value_is_no_comment(table):
    with pytest.raises(DataError, match=r"row 2, column A \('time'\): found '#N/A'"):
        load_measurements(table("time,A\n#N/A,1\n1,2\n"))


def test_quoted_text_over_several_lines_is_no_comment(table):
    path = table('time,A,"note\n# of"\n0,1,"a\n# b"\n')
    assert load_measurements(path, observables=["A"]).value.tolist() == [1.0]


def test_the_header_can_be_named_even_in_a_comment(table):
    text = "# time,A\n0,1\n2,3\n"
    with pytest.raises(DataError, match="only numbers stand where the header is expected"):
        load_measurements(table(text))
    assert load_measurements(table(text), header_row=1).times.tolist() == [0.0, 2.0]
    text = "time,A\nh,nM\ntime,B\n0,1\n"
    assert load_measurements(table(text)).observables == ("B",)
    assert load_measurements(table(text), header_row=3).observables == ("B",)
    with pytest.raises(DataError, match=r"row 3, column A \('time \[h\]'\): found 'time'"):
        load_measurements(table(text), header_row=1)
    with pytest.raises(DataError, match=r"data\.csv: header_row=9 is an empty row"):
        load_measurements(table(text), header_row=9)


def test_a_file_without_header(table):
    path = table("0.5, 1\n1.5, 2\n", "panel.txt")
    m = load_measurements(path, names=["time [min]", "mRNA"])
    assert rows_of(m) == [("mRNA", 0.5, 1.0, "1", ""), ("mRNA", 1.5, 2.0, "1", "")]
    assert m.time_unit == "min"
    with pytest.raises(DataError, match=r"panel\.txt: names= has 1 names, but 2 columns"):
        load_measurements(path, names=["time"])
    with pytest.raises(DataError, match=r"row 2, column B \('mRNA'\): found 'x'"):
        load_measurements(table("0,1\n1,x\n", "bad.txt"), names=["time", "mRNA"])


@pytest.mark.parametrize(
    "options",
    [
        {"header_row": 0},
        {"header_row": 1, "names": ["time", "A"]},
        {"names": "time"},
        {"clock": "hh"},
        {"decimal": ";"},
        {"separator": "|"},
        {"encoding": "utf-99"},
        {"below_detection": "zero"},
        {"above_detection": "half"},
        {"lower_limit": float("nan")},
        {"lower_limit": -5.0, "below_detection": "half"},
        {"sheets_are": "plates"},
        {"missing": "NA"},
        {"sheet": 3},
        {"sheet": [3]},
        {"time_unit": 5},
        {"time_unit": " "},
    ],
)
def test_options_without_a_meaning(table, options):
    with pytest.raises(RequestError, match=str(next(iter(options)))):
        load_measurements(table("time,A\n0,1\n"), **options)


WIDE = "time,condition,A,A\n0,low,1,2\n0,high,3,4\n0,low,5,\n"


def test_a_column_of_conditions_in_the_wide_layout(table):
    assert rows_of(load_measurements(table(WIDE))) == [
        ("A", 0.0, 3.0, "1", "high"),
        ("A", 0.0, 4.0, "2", "high"),
        ("A", 0.0, 1.0, "1", "low"),
        ("A", 0.0, 2.0, "2", "low"),
        ("A", 0.0, 5.0, "3", "low"),
    ]


def test_labels_from_any_columns(table):
    path = table("time,well,dose,strain,A\n0,A1,5,wt,1\n0,A2,5,wt,2\n0,A3,0,ko,3\n")
    options = {"condition_columns": ["strain", "dose"], "replicate_columns": ["well"]}
    assert rows_of(load_measurements(path, **options)) == [
        ("A", 0.0, 3.0, "A3", "ko 0"),
        ("A", 0.0, 1.0, "A1", "wt 5"),
        ("A", 0.0, 2.0, "A2", "wt 5"),
    ]
    with pytest.raises(DataError, match=r"no column 'Strain' to tell the condition \(did you mean"):
        load_measurements(path, condition_columns=["Strain"])
    with pytest.raises(DataError, match=r"row 3: 'A' at time 0.0 was given for replicate 'wt'"):
        load_measurements(
            path, observables=["A"], condition_columns=["dose"], replicate_columns=["strain"]
        )
    long = table("time,observable,value,dose\n0,A,1,5\n0,A,2,9\n")
    assert load_measurements(long, condition_columns=["dose"]).conditions == ("5", "9")


@pytest.mark.parametrize("first", ["h", "[h]", "(hours)"])
def test_a_row_of_units(table, first):
    m = load_measurements(table(f"Operator,Jo\ntime,A,B\n{first},nM,\n0,1,2\n1,3,4\n"))
    assert (m.observables, m.units) == (("A", "B"), ("nM", ""))
    assert m.time_unit == first.strip("[]()")
    assert m.times.tolist() == [0.0, 1.0]
    assert "row 3 was read as the units of the columns" in m.notes


def test_other_text_under_the_header_is_no_unit(table):
    with pytest.raises(DataError, match=r"row 2, column B \('A'\): found 'low'"):
        load_measurements(table("time,A\n,low\n0,1\n"))
