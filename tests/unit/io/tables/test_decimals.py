"""Separators of columns, decimal commas, encodings."""

from __future__ import annotations

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements

GERMAN = "Zeit;time [min];A\n;0;1,5\n;0,5;2\n;1;,25\n"


def test_semicolons_with_decimal_commas(table):
    m = load_measurements(table(GERMAN), mapping={"Zeit": None})
    assert rows_of(m) == [
        ("A", 0.0, 1.5, "1", ""),
        ("A", 0.5, 2.0, "1", ""),
        ("A", 1.0, 0.25, "1", ""),
    ]
    assert "columns are separated by semicolons" in m.notes
    assert any("decimal commas, such as '0,5'" in note or "'1,5'" in note for note in m.notes)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("time;A\n0;1.5\n", "data.csv"),
        ("time\tA\n0\t1.5\n", "data.csv"),
        ("time,A\n0,1.5\n", "data.tsv"),
        ("time;A\n0;1,5\n", "data.txt"),
        ("time\tA\n0\t1,5\n", "data.tsv"),
        ('time,A\n0,"1,5"\n', "data.csv"),
        ("time;A, total\n0;1,5\n", "data.csv"),
    ],
)
def test_separators_are_found(table, text, name):
    assert [row[1:3] for row in rows_of(load_measurements(table(text, name)))] == [(0.0, 1.5)]


def test_a_separator_can_be_given(table):
    path = table("time;A;B\n0;1;2\n")
    assert load_measurements(path, separator=";").observables == ("A", "B")
    with pytest.raises(DataError, match="no time column among 'time;A;B'"):
        load_measurements(path, separator=",")


def test_thousands_are_told_from_decimals_only_by_the_caller(table):
    path = table("time;A\n0;1,500\n1;2\n")
    with pytest.raises(DataError, match=r"row 2, column B \('A'\): found '1,500', which may mean"):
        load_measurements(path)
    assert load_measurements(path, decimal=",").value.tolist() == [1.5, 2.0]
    with pytest.raises(DataError, match="thousands separators"):
        load_measurements(path, decimal=".")
    # A leading zero, or another number that has no other reading, settles it.
    assert load_measurements(table("time;A\n0;1,500\n1;0,125\n")).value.tolist() == [1.5, 0.125]


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ({}, r"row 3, column B \('A'\): found '2.5' with a decimal point, but '1,5' in row 2"),
        ({"decimal": ","}, r"row 3, column B \('A'\): found '2.5' .* decimal=',' was given"),
    ],
)
def test_points_and_commas_are_not_mixed(table, options, fragment):
    with pytest.raises(DataError, match=fragment):
        load_measurements(table("time;A\n0;1,5\n1;2.5\n"), **options)


def test_columns_left_out_do_not_count(table):
    path = table("time;A;note\n0;1.5;2,5\n")
    assert load_measurements(path, mapping={"note": None}).value.tolist() == [1.5]


def test_text_cells_of_a_workbook_have_decimal_commas_too(table):
    m = load_measurements(table([["time", "A"], ["0,5", "1,5"], [1, 2.25]]))
    assert rows_of(m) == [("A", 0.5, 1.5, "1", ""), ("A", 1.0, 2.25, "1", "")]


def test_other_encodings_are_asked_for(table):
    path = table("time,A [µM]\n0,1\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"row 1: byte 0xb5 is not UTF-8 .* encoding='cp1252'"):
        load_measurements(path)
    assert load_measurements(path, encoding="cp1252").units == ("µM",)
    wide = table("time\tA\n0\t1\n".encode("utf-16"), "wide.txt")
    with pytest.raises(DataError, match="encoding='utf-16'"):
        load_measurements(wide)
    assert load_measurements(wide, encoding="utf-16").value.tolist() == [1.0]
