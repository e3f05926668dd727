"""Workbooks with one condition, or one replicate, in each sheet."""

from __future__ import annotations

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements

BOOK = {
    "low": [["time [h]", "A"], [0, 1], [1, 2]],
    "high": [["time [h]", "A", "B"], [0, 3, 9], [1, 4, 9]],
    "Empty": [],
}


def test_a_sheet_is_a_condition(table):
    m = load_measurements(table(BOOK), sheet="all")
    assert rows_of(m) == [
        ("A", 0.0, 3.0, "1", "high"),
        ("A", 0.0, 1.0, "1", "low"),
        ("A", 1.0, 4.0, "1", "high"),
        ("A", 1.0, 2.0, "1", "low"),
        ("B", 0.0, 9.0, "1", "high"),
        ("B", 1.0, 9.0, "1", "high"),
    ]
    assert load_measurements(table(BOOK), sheet=["low", "high"]) == m


def test_a_sheet_is_a_replicate(table):
    m = load_measurements(table(BOOK), sheet=["high", "low"], sheets_are="replicate")
    assert m.conditions == ("",)
    assert [row[3] for row in rows_of(m) if row[0] == "A"] == ["high", "low"] * 2
    doubled = {"P": [["time", "A", "A"], [0, 1, 2]], "Q": [["time", "A"], [0, 3]]}
    m = load_measurements(table(doubled), sheet="all", sheets_are="replicate")
    assert [row[3] for row in rows_of(m)] == ["P 1", "P 2", "Q"]


def test_conditions_within_a_sheet_follow_its_name(table):
    rows = [["time", "observable", "value", "condition"], [0, "A", 1, "heat"], [0, "A", 2, "cold"]]
    m = load_measurements(table({"P": rows, "Q": rows}), sheet="all")
    assert m.conditions == ("P cold", "P heat", "Q cold", "Q heat")


def test_one_sheet_by_name_has_no_label(table):
    assert load_measurements(table(BOOK), sheet="low").conditions == ("",)
    assert load_measurements(table(BOOK), sheet=["low"]).conditions == ("",)


def test_problems_of_all_sheets_are_listed(table):
    book = {"P": [["time", "A"], [0, "x"]], "Q": [["time", "A"], [0, 1], ["y", 2]]}
    with pytest.raises(DataError) as caught:
        load_measurements(table(book), sheet="all")
    text = str(caught.value)
    assert "data.xlsx, sheet 'P':\n  - row 2, column B ('A'): found 'x'" in text
    assert "data.xlsx, sheet 'Q':\n  - row 3, column A ('time'): found 'y'" in text


@pytest.mark.parametrize(
    ("book", "options", "fragments"),
    [
        (BOOK, {}, ["several sheets hold data, 'low', 'high'", "sheet='all'"]),
        (BOOK, {"sheet": ["low", "Low"]}, ["there is no sheet 'Low'"]),
        (BOOK, {"sheet": ["low", "Empty"]}, ["sheet 'Empty'", "is empty"]),
        (
            {"P": [["time [h]", "A"], [0, 1]], "Q": [["time [s]", "A"], [0, 1]]},
            {"sheet": "all"},
            ["sheet 'Q' gives times in s, sheet 'P' in h; give time_unit="],
        ),
        (
            {"P": [["time", "A [nM]"], [0, 1]], "Q": [["time", "A [uM]"], [0, 1]]},
            {"sheet": "all"},
            ["'A' is given in uM in sheet 'Q', but in nM before"],
        ),
        ({"all": [["time", "A"], [0, 1]], "Q": []}, {"sheet": "all"}, ["give a list of names"]),
    ],
)
def test_sheets_that_do_not_fit(table, book, options, fragments):
    with pytest.raises(DataError) as caught:
        load_measurements(table(book), **options)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_units_of_time_are_made_alike(table):
    book = {"P": [["time [h]", "A"], [1, 1]], "Q": [["time [min]", "A"], [30, 1]]}
    m = load_measurements(table(book), sheet="all", time_unit="h")
    assert m.times.tolist() == [0.5, 1.0]
