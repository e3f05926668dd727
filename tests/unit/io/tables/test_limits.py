"""Missing values, and values below or above a limit of detection."""

from __future__ import annotations

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements

MARKED = "time,A,B\n0,<5,1\n1,ND,2\n2,8,OVER\n3,9,>100\n"


def values(path, **options):
    m = load_measurements(path, **options)
    return {(row[0], row[1]): row[2] for row in rows_of(m)}, m.notes


def test_marks_of_missing_values_leave_them_out_and_are_said(table):
    found, notes = values(table("time,A,B\n0,NA,1\n1,nan,2\n2,3,N/A\n"))
    assert found == {("A", 2.0): 3.0, ("B", 0.0): 1.0, ("B", 1.0): 2.0}
    assert "'NA' in 1 cell means missing: column B row 2" in notes
    assert "'N/A' in 1 cell means missing: column C row 4" in notes


def test_other_marks_are_named_by_the_caller(table):
    path = table("time,A\n0,-\n1,2\n")
    with pytest.raises(DataError, match=r"row 2, column B \('A'\): found '-'.*missing=\['-'\]"):
        load_measurements(path)
    assert values(path, missing=["-"])[0] == {("A", 1.0): 2.0}
    with pytest.raises(DataError, match=r"found 'NA'"):
        load_measurements(table("time,A\n0,NA\n1,2\n"), missing=[])


def test_marks_of_detection_are_refused_until_a_choice_is_made(table):
    with pytest.raises(DataError) as caught:
        load_measurements(table(MARKED))
    for fragment in (
        "row 2, column B ('A'): found '<5', a value below a limit of detection",
        "below_detection='drop', 'half' or 'limit'",
        "(likewise in rows 3)",
        "row 4, column C ('B'): found 'OVER', a value above a limit of detection",
        "above_detection='drop' or 'limit'",
    ):
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        ("drop", "drop", {}),
        ("half", "drop", {("A", 0.0): 2.5, ("A", 1.0): 2.0}),
        ("limit", "limit", {("A", 0.0): 5.0, ("A", 1.0): 4.0, ("B", 2.0): 60.0, ("B", 3.0): 100.0}),
    ],
)
def test_the_choices(table, below, above, expected):
    options = {"below_detection": below, "above_detection": above}
    found, notes = values(table(MARKED), **options, lower_limit=4.0, upper_limit=60.0)
    rest = {("A", 2.0): 8.0, ("A", 3.0): 9.0, ("B", 0.0): 1.0, ("B", 1.0): 2.0}
    assert found == expected | rest
    assert sum("a limit of detection" in note for note in notes) == 4


def test_a_mark_without_number_needs_a_limit(table):
    with pytest.raises(DataError, match=r"row 3, column B \('A'\): found 'ND'.*lower_limit="):
        load_measurements(table(MARKED), below_detection="half", above_detection="drop")
    with pytest.raises(DataError, match=r"row 4, column C \('B'\): found 'OVER'.*upper_limit="):
        load_measurements(
            table(MARKED), below_detection="drop", above_detection="limit", lower_limit=1
        )


def test_half_of_a_negative_limit_is_refused(table):
    path = table("time,A\n0,<-5\n1,2\n")
    with pytest.raises(DataError, match=r"row 2, .*found '<-5', and half of a negative limit"):
        load_measurements(path, below_detection="half")
    assert values(path, below_detection="limit")[0][("A", 0.0)] == -5.0


def test_nd_may_mean_that_nothing_was_measured(table):
    path = table("time,A\n0,ND\n1,2\n")
    with pytest.raises(DataError, match=r"missing=\['ND'\]"):
        load_measurements(path)
    found, notes = values(path, missing=["nd"])
    assert found == {("A", 1.0): 2.0}
    assert notes == ("'ND' in 1 cell means missing: column B row 2",)


@pytest.mark.parametrize("mark", ["< 0.5", "≤0.5", "<0,5", "<=.5", "< 5e-1"])
def test_spellings_of_a_limit(table, mark):
    found, _ = values(table(f'time;A\n0;"{mark}"\n1;2\n'), below_detection="limit")
    assert found == {("A", 0.0): 0.5, ("A", 1.0): 2.0}


def test_marks_in_the_long_layout(table):
    path = table("time,observable,value\n0,A,n.d.\n1,A,2\n")
    assert values(path, below_detection="drop")[0] == {("A", 1.0): 2.0}
    assert values(path, below_detection="half", lower_limit=3)[0][("A", 0.0)] == 1.5
