"""Exports of plate readers of any size: what is read, what is ignored, what is refused."""

from __future__ import annotations

import pytest
from measured import rows_of
from plate_exports import as_text, biotek, bmg, tecan

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements

TWO = {
    "OD": {"B3": [0.1, 0.2, 0.3], "C11": [0.4, 0.5, 0.6]},
    "GFP:485,528": {"B3": [10, 20, 30], "C11": [40, 50, 60]},
}
TIMES = [0, 836.5, 1673]


def expected(channels, times, unit_names=None):
    return sorted(
        (f"{channel} {well}", float(t), float(v), well, "")
        for channel, wells in channels.items()
        for well, values in wells.items()
        for t, v in zip(times, values, strict=True)
        if v is not None
    )


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("planned", [0, 4])
def test_tecan(table, across, planned):
    path = table({"Sheet2": tecan(TWO, TIMES, planned=planned, across=across), "Sheet1": []})
    m = load_measurements(path, layout="tecan")
    assert sorted(rows_of(m)) == expected(TWO, TIMES)
    assert m.time_unit == "s"
    notes = "\n".join(m.notes)
    assert "rows 1-2: ignored: settings of the instrument" in notes
    assert "ignored: Temp. [°C] of OD" in notes
    assert ("4 cycles of OD that were planned and not measured" in notes) == (planned > 0)
    assert "ignored: end of the protocol" in notes


def test_tecan_blocks_may_stop_at_different_times(table):
    rows = tecan({"OD": {"A1": [1, 2, 3]}}, TIMES, planned=1)
    rows += tecan({"Red": {"A1": [4, 5]}}, TIMES[:2], planned=2)
    m = load_measurements(table(rows), layout="tecan")
    assert [row[:3] for row in rows_of(m)] == [
        *[("OD A1", t, v) for t, v in zip(TIMES, [1, 2, 3], strict=True)],
        ("Red A1", 0.0, 4.0),
        ("Red A1", 836.5, 5.0),
    ]


def test_bmg(table):
    channels = {"535 A": TWO["OD"], "475-30 B": TWO["GFP:485,528"]}
    book = {"Plate 1": bmg(channels, TIMES), "Notes": [["by Jo"]], "Plate 2": bmg(channels, TIMES)}
    m = load_measurements(table(book), layout="bmg", sheet="all")
    assert m.conditions == ("Plate 1", "Plate 2")
    first = [(*row[:4], "") for row in rows_of(m) if row[4] == "Plate 1"]
    assert sorted(first) == expected(channels, TIMES)
    assert any("sheet 'Notes': it lacks the marks" in note for note in m.notes)
    with pytest.raises(DataError, match="sheet 'Notes': this is no export of BMG"):
        load_measurements(table(book), layout="bmg", sheet=["Plate 1", "Notes"])


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
def test_biotek(table, kind):
    channels = {"600": TWO["OD"], "GFP:485": TWO["GFP:485,528"]}
    rows = biotek(channels, ["0:14:16", "0:29:16", "25:44:16"], planned=2)
    if kind == "xlsx":
        path = table([["by Gen5"], *rows])
    else:
        path = table(as_text(rows, "," if kind == "csv" else "\t"), f"export.{kind}")
    m = load_measurements(path, layout="biotek", time_unit="s")
    assert sorted(rows_of(m)) == expected(channels, [856, 1756, 92656])
    notes = "\n".join(m.notes)
    assert "2 times of 600 that were planned and not measured" in notes
    assert "temperature of GFP:485" in notes
    assert "what follows the tables: 'Results'" in notes


def test_a_layout_is_proposed_and_never_taken_unasked(table):
    for rows, name in (
        (tecan(TWO, TIMES), "tecan"),
        (bmg(TWO, TIMES), "bmg"),
        (biotek(TWO, ["0:00:00", "0:10:00", "0:20:00"]), "biotek"),
    ):
        with pytest.raises(DataError, match=f"looks like an export of .*give layout='{name}'"):
            load_measurements(table(rows))
    with pytest.raises(DataError, match=r"this is no export of Tecan.*'Cycle Nr\.'"):
        load_measurements(table("time,A\n0,1\n"), layout="tecan")


def test_missing_and_saturated_wells(table):
    wells = {"OD": {"A1": [0.1, None, 0.3], "A2": ["OVER", 0.5, "OVER"]}}
    path = table(tecan(wells, TIMES))
    with pytest.raises(DataError, match=r"row 9, column B: found 'OVER'.*above_detection="):
        load_measurements(path, layout="tecan")
    m = load_measurements(path, layout="tecan", above_detection="limit", upper_limit=4.0)
    assert [row[2] for row in rows_of(m)] == [0.1, 0.3, 4.0, 0.5, 4.0]


def test_channels_and_wells_are_chosen_and_mapped(table):
    path = table(tecan(TWO, TIMES))
    assert load_measurements(path, layout="tecan", observables=["OD"]).observables == (
        "OD B3",
        "OD C11",
    )
    assert load_measurements(path, layout="tecan", observables=["B3"]).observables == (
        "OD B3",
        "GFP:485,528 B3",
    )
    m = load_measurements(path, layout="tecan", mapping={"OD": "X", "GFP:485,528": None})
    assert [(row[0], row[2], row[3]) for row in rows_of(m)] == [
        *[("X", 0.1, "B3"), ("X", 0.4, "C11")],
        *[("X", 0.2, "B3"), ("X", 0.5, "C11")],
        *[("X", 0.3, "B3"), ("X", 0.6, "C11")],
    ]
    with pytest.raises(DataError, match="observables= names 'D7', which is not there"):
        load_measurements(path, layout="tecan", observables=["D7"])


MAP = "well,condition,replicate,strain\nB03,low,,wt\nc11,high,r2,ko\n"


def test_a_plate_map_groups_wells(table):
    wells = {"OD": {**TWO["OD"], "H12": [9, 9, 9]}}
    path, plate_map = table(tecan(wells, TIMES)), table(MAP, "map.csv")
    m = load_measurements(path, layout="tecan", plate_map=plate_map)
    assert rows_of(m)[:2] == [("OD", 0.0, 0.4, "r2", "high"), ("OD", 0.0, 0.1, "B3", "low")]
    assert len(m) == 6
    notes = "\n".join(m.notes)
    assert "well H12: not in the plate map map.csv" in notes
    assert "columns 'strain' of map.csv are not used" in notes


def test_a_plate_map_names_observables(table):
    text = "well\tobservable\nB3\tdimer\nC11\tmonomer\n"
    plate_map = table(text, "map.tsv")
    m = load_measurements(table(tecan(TWO, TIMES)), layout="tecan", plate_map=plate_map)
    assert m.observables == ("OD dimer", "OD monomer", "GFP:485,528 dimer", "GFP:485,528 monomer")
    one = {"OD": TWO["OD"]}
    m = load_measurements(table(tecan(one, TIMES)), layout="tecan", plate_map=plate_map)
    assert m.observables == ("dimer", "monomer")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_plate_map_in_the_shape_of_the_plate(table, separator):
    text = ",2,3,11\nB,,low,\nC,,,high\n".replace(",", separator)
    wells = {"OD": {**TWO["OD"], "H12": [9, 9, 9]}}
    plate_map = table(text, "map.csv")
    m = load_measurements(table(tecan(wells, TIMES)), layout="tecan", plate_map=plate_map)
    assert rows_of(m)[:2] == [("OD", 0.0, 0.4, "C11", "high"), ("OD", 0.0, 0.1, "B3", "low")]
    assert len(m) == 6


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        (",3,3\nB,a,b\n", ["map.csv", "row 2, column C ('3')", "'B3' was given in row 2"]),
        (",3\nB,a,b\n", ["map.csv", "row 2, column C: found 'b', but the header has no name"]),
        (",300\nB,a\n", ["map.csv", "row 2, column B ('300')", "name no well"]),
        ("well,condition\nB3,a\nB03,b\n", ["map.csv", "row 3", "'B3' was given in row 2"]),
        ("well,condition\nZ99x,a\n", ["map.csv", "row 2, column A", "found 'Z99x'"]),
        ("well,condition\nA7,a\nB3,b\n", ["map.csv, row 2: well 'A7' is in the plate map but"]),
        ("well,strain\nB3,a\n", ["map.csv", "row 1", "needs the column 'well' and at least one"]),
        ("place,condition\nB3,a\n", ["map.csv", "needs the column 'well'"]),
        (
            "well,condition,replicate\nB3,a,1\nC11,a,1\n",
            ["'OD' at time 0.0 has several values for replicate '1', condition 'a'"],
        ),
    ],
)
def test_plate_maps_that_cannot_be_used(table, text, fragments):
    path = table(tecan({"OD": TWO["OD"]}, TIMES))
    with pytest.raises(DataError) as caught:
        load_measurements(path, layout="tecan", plate_map=table(text, "map.csv"))
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_plate_map_needs_a_plate(table):
    with pytest.raises(DataError, match="plate_map= needs the layout of an instrument"):
        load_measurements(table("time,A\n0,1\n"), plate_map=table(MAP, "map.csv"))


@pytest.mark.parametrize(
    ("layout", "rows", "fragments"),
    [
        (
            "tecan",
            [["OD"], ["Cycle Nr.", 1, 2], ["Time [s]", 0], ["A1", 1, 2]],
            ["row 4, column C: has a value whose time, in row 3, column C, is missing"],
        ),
        (
            "tecan",
            [["Cycle Nr.", 1], ["Time [s]", 0], ["A1", 1], ["Mean", 1]],
            ["row 4, column A: found 'Mean' where a well such as A1 is expected"],
        ),
        (
            "tecan",
            [["Cycle Nr.", 1], ["Time [s]", 0], ["A1", "n"]],
            ["row 3, column B: found 'n'; a number is expected"],
        ),
        (
            "bmg",
            [["Well", None, "A01", "Mean"], ["Content", "Time [s]", "X", "X"], ["OD", 0, 1, 2]],
            ["row 1, column D: found 'Mean', not a well"],
        ),
        (
            "bmg",
            [["Well", None, "A01"], ["Content", "Time [s]", "X"], [None, 0, 1]],
            ["row 3, column A: the row names no channel"],
        ),
        (
            "biotek",
            [["Reader Type:", "X"], ["600"], ["Time", "A1", "Blank"], ["0:00:00", 1, 2]],
            ["row 3, column C: found 'Blank', not a well such as A1"],
        ),
        (
            "biotek",
            [["Reader Type:", "X"], ["600"], ["Time", "A1"], ["late", 1]],
            ["row 4, column A: found 'late'"],
        ),
    ],
)
def test_exports_that_cannot_be_read(table, layout, rows, fragments):
    with pytest.raises(DataError) as caught:
        load_measurements(table(rows), layout=layout)
    assert str(caught.value).startswith("data.xlsx, sheet 'Data':\n")
    for fragment in fragments:
        assert fragment in str(caught.value)
