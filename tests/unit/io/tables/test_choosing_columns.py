"""Columns to read, to leave out, or to read under another name."""

from __future__ import annotations

import pytest
from measured import rows_of

from sbmlgrad.io.tables.measurements import load_measurements

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
