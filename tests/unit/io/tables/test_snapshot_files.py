"""Counts in single cells, long and wide."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.snapshot_files import load_snapshots

SMFISH = Path(__file__).parents[5] / "shared" / "data" / "smfish"

LONG = "time [min],mRNA,protein\n5,3,20\n0,1,10\n0,0,12\n5,4,22\n5,0,21\n"
WIDE = "0min,5min,NaNmin\n1,3,NaN\n0,4,NaN\nNaN,0,NaN\n"


def test_long(table):
    path = table(LONG)
    s = load_snapshots(path)
    assert s.species == ("mRNA", "protein")
    assert (s.times.tolist(), s.n_cells.tolist(), s.time_unit) == ([0.0, 5.0], [2, 3], "min")
    assert s.at(0).tolist() == [[1, 10], [0, 12]]
    assert s.at(5.0).tolist() == [[3, 20], [4, 22], [0, 21]]
    assert s.counts.dtype == np.int64
    assert s.source_name == "data.csv"
    assert s.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_wide(table):
    s = load_snapshots(table(WIDE), species="mRNA")
    assert s == load_snapshots(table(LONG), columns=["mRNA"])
    assert "column C: ignored: 'NaNmin' is no time, without counts" in s.notes
    assert "marks of missing values that stand for no cell: 1" in s.notes
    only = load_snapshots(table(WIDE), columns=["5min"])
    assert (only.times.tolist(), only.species) == ([5.0], ("count",))


@pytest.mark.parametrize("header", ["t=0 [h],t=5 [h]", "0 (h),5 (h)", "0h,5 h", "time 0h,time 5h"])
def test_spellings_of_times_as_headers(table, header):
    s = load_snapshots(table(f"{header}\n1,2\n"), time_unit="min")
    assert (s.times.tolist(), s.time_unit) == ([0.0, 300.0], "min")


def test_headers_that_are_bare_numbers_are_wide_only_on_request(table):
    text = "0,5\n1,2\n"
    with pytest.raises(DataError, match="only numbers stand where the header is expected"):
        load_snapshots(table(text))
    assert load_snapshots(table(text), layout="wide").times.tolist() == [0.0, 5.0]


def test_columns_conditions_and_names(table):
    text = "cell,time,dose,strain,CY5\n1,0,low,wt,3\n2,0,high,wt,4\n3,0,low,ko,5\n"
    s = load_snapshots(
        table(text), time="time", columns={"CY5": "mRNA"}, conditions=["strain", "dose"]
    )
    assert s.species == ("mRNA",)
    assert s.conditions == ("ko low", "wt high", "wt low")
    assert s.at(0, condition="wt high").tolist() == [[4]]
    assert "column A: ignored: 'cell' was not asked for" in s.notes


def test_one_time_for_all(table):
    s = load_snapshots(table("mRNA\n3\n4\n"), time=7.5, columns=["mRNA"], time_unit="h")
    assert (s.times.tolist(), s.time_unit, s.at(7.5).tolist()) == ([7.5], "h", [[3], [4]])


def test_rows_without_counts_are_no_cells(table):
    s = load_snapshots(table("time,A\n0,1\n0,NA\n0,\n1,2\n"))
    assert s.n_cells.tolist() == [1, 1]
    assert "rows 3-4: ignored: without counts" in s.notes


def test_clock_times_and_workbooks(table):
    s = load_snapshots(table([["time", "A"], ["0:30:00", 1], ["1:00:00", 2]]))
    assert (s.times.tolist(), s.time_unit) == ([0.5, 1.0], "h")


def test_clock_times_without_seconds(table):
    text = "time,A\n0:30,1\n1:00,2\n"
    with pytest.raises(DataError, match="give clock='h:mm' or clock='m:ss'"):
        load_snapshots(table(text))
    assert load_snapshots(table(text), clock="h:mm").times.tolist() == [0.5, 1.0]
    s = load_snapshots(table(text), clock="m:ss", time_unit="s")
    assert (s.times.tolist(), s.time_unit) == ([30.0, 60.0], "s")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("time [min];A\n0,5;3,0\n2;4\n", {}),
        ("time [min];A\n0,500;3\n2;4\n", {"decimal": ","}),
        ("time [min];A\n0.5;3\n2.0;4\n", {"decimal": "."}),
        ("0,5 min;2 min\n3,0;4\n", {}),
        ("0,500 min;2 min\n3;4\n", {"decimal": ","}),
    ],
)
def test_decimal_commas(table, text, options):
    s = load_snapshots(table(text), **options)
    assert (s.times.tolist(), s.counts.tolist(), s.time_unit) == ([0.5, 2.0], [[3], [4]], "min")
    assert any("decimal commas" in note for note in s.notes) is ("," in text)


@pytest.mark.parametrize("text", ["time;A\n0;1,000\n", "0 min;1 min\n1,000;2\n"])
def test_thousands_among_counts_are_told_only_by_the_caller(table, text):
    with pytest.raises(DataError, match="found '1,000', which may mean a decimal comma"):
        load_snapshots(table(text))
    assert load_snapshots(table(text), decimal=",").counts[0].tolist() == [1]
    with pytest.raises(DataError, match="found '1,000'; "):
        load_snapshots(table(text), decimal=".")


@pytest.mark.parametrize(
    "text", ["time [h]\tX\n0,5\t1,000\n1,5\t12\n", "0,5h\t1,5h\n1,000\t12\n"], ids=["long", "wide"]
)
def test_times_do_not_decide_on_thousands_among_counts(table, text):
    """The comma of `0,5` is a decimal one, that of `1,000` need not be: else a thousand is one."""
    with pytest.raises(DataError, match="found '1,000', which may mean thousands"):
        load_snapshots(table(text))
    assert sorted(load_snapshots(table(text), decimal=",").counts[:, 0].tolist()) == [1, 12]


BAD = {
    "half": ("time,A\n0,1\n0,1.5\n", {}, ["row 3, column B ('A'): found 1.5; a count is a whole"]),
    "negative": ("time,A\n0,-1\n", {}, ["row 2, column B ('A'): found -1"]),
    "text": ("time,A\n0,x\n", {}, ["row 2, column B ('A'): found 'x'"]),
    "some": ("time,A,B\n0,1,\n", {}, ["row 2, column C ('B'): the count is missing"]),
    "no time": ("time,A\n,1\n", {}, ["row 2, column A ('time'): the row has values but no time"]),
    "early": ("time,A\n-1,1\n", {}, ["row 2, column A ('time'): found the time -1.0"]),
    "no column": ("A,B\n1,2\n", {}, ["row 1: there is no time column among 'A', 'B'"]),
    "typo": ("time,A\n0,1\n", {"columns": ["a"]}, ["names 'a', which is not there", "mean 'A'"]),
    "nothing": ("time,A\n0,\n", {}, ["there is no cell at all"]),
    "units": ("0min,1h\n1,2\n", {}, ["row 1, column B ('1h'): the times are in min, h"]),
    "stranger": ("0min,5min,dye\n1,2,3\n", {}, ["row 1, column C ('dye'): found 'dye'"]),
    "wide half": ("0min,5min\n1,2.5\n", {}, ["row 2, column B ('5min'): found 2.5"]),
    "wide typo": (WIDE, {"columns": ["6min"]}, ["names ['6min'], which are not there"]),
}


@pytest.mark.parametrize("case", BAD)
def test_counts_that_cannot_be_used(table, case):
    text, options, fragments = BAD[case]
    with pytest.raises(DataError) as caught:
        load_snapshots(table(text), **options)
    assert str(caught.value).startswith("data.csv:\n")
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ({"layout": "tall"}, "layout='tall'"),
        ({"time": True}, "time=True"),
        ({"columns": "mRNA"}, "columns='mRNA' must be a list"),
        ({"layout": "wide", "time": "t"}, "no time="),
        ({"clock": "h:mm"}, "no clock="),
        ({"decimal": ";"}, "decimal=';' is unknown"),
    ],
)
def test_arguments_without_a_meaning(table, options, fragment):
    with pytest.raises(RequestError, match=fragment):
        load_snapshots(table(WIDE), **options)


def test_published_counts_are_the_same_in_both_layouts():
    long = SMFISH / "STL1.csv"
    wide = SMFISH / "Neuert_Result_Exp1_rep1_RNA_CY5_total_WIDE.csv"
    if not (long.exists() and wide.exists()):
        # Files that the tests write in the same form cover the code without it.
        pytest.skip("published data, not shipped: shared/data/smfish is absent")
    a, b = load_snapshots(long), load_snapshots(wide, species="rna")
    assert len(a) == len(b) == 14382
    assert a.times.tolist() == b.times.tolist()
    for time in a.times.tolist():
        assert sorted(a.at(time)[:, 0].tolist()) == sorted(b.at(time)[:, 0].tolist())
    lines = long.read_text().split()[1:]
    assert int(a.counts.sum()) == sum(int(line.split(",")[1]) for line in lines)
