"""Wide and long tables of text: values, replicates, times, units."""

from __future__ import annotations

import hashlib

import pytest
from measured import rows_of

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.columns import split_label
from sbmlgrad.io.tables.measurements import load_measurements


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
