"""The preview: kind and layout that were recognised, what stands where, what is in the way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from plate_exports import as_text, biotek, bmg, tecan

from sbmlgrad.errors import DataError, RequestError
from sbmlgrad.io.dwell_files import load_dwells
from sbmlgrad.io.preview import preview
from sbmlgrad.io.snapshot_files import load_snapshots
from sbmlgrad.io.tables.measurements import load_measurements

WELLS = {"OD": {"B3": [0.1, 0.2], "C11": [0.4, 0.5]}}
PLATES = {"P": bmg(WELLS, [0, 1]), "Q": bmg(WELLS, [0, 1])}
READERS = {
    "load_measurements": load_measurements,
    "load_snapshots": load_snapshots,
    "load_dwells": load_dwells,
}


def read_again(seen, path):
    """Follow the call that a preview advises, on the same file."""
    assert seen.call.startswith("sbmlgrad.")
    verb, _, arguments = seen.call.removeprefix("sbmlgrad.").partition("(")
    _, _, options = arguments.rstrip(")").partition(", ")
    given = {}
    for part in options.split(", ") if options else ():
        name, _, value = part.partition("=")
        given[name] = value.strip("'")
    return READERS[verb](path, **given)


def cells_of(times, count):
    rng = np.random.default_rng(5)
    lines = [f"{t},{n}" for t in times for n in rng.poisson(4.0, count)]
    return "time [min],mRNA\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("content", "name", "kind", "layouts", "rows"),
    [
        ("time [h],A [nM],B\n0,1,2\n1,3,4\n", "d.csv", "measurements", ["wide"], 2),
        ("time,observable,value\n0,A,1\n0,B,2\n", "d.csv", "measurements", ["long"], 2),
        (tecan(WELLS, [0, 1], planned=3), "d.xlsx", "measurements", ["tecan"], 2),
        (
            {"P": bmg(WELLS, [0, 1]), "Q": bmg(WELLS, [0, 1])},
            "d.xlsx",
            "measurements",
            ["bmg"] * 2,
            2,
        ),
        (as_text(biotek(WELLS, ["0:00:00", "0:10:00"])), "d.csv", "measurements", ["biotek"], 2),
        (cells_of([0, 5, 9], 40), "d.csv", "snapshots", ["snapshots"], 3),
        ("0min,5min\n1,2\n3,4\n", "d.csv", "snapshots", ["snapshots"], 2),
        ("# x\nstate,dwell_ms\n1,2\n0,3\n", "d.csv", "dwells", ["dwells"], 2),
    ],
)
def test_what_is_recognised_can_be_read_as_advised(table, content, name, kind, layouts, rows):
    path = table(content, name)
    seen = preview(path)
    assert (seen.kind, seen.is_usable, len(seen.contents)) == (kind, True, rows)
    assert [sheet.layout for sheet in seen.sheets] == layouts
    assert all(len(row) == len(seen.columns) for row in seen.contents)
    assert seen.call.split("(")[0].removeprefix("sbmlgrad.") in READERS
    data = read_again(seen, path)
    assert data.sha256 == seen.sha256
    json.dumps(seen.as_dict(), allow_nan=False)


def test_a_mark_of_decimals_changes_no_kind(table):
    dwells = table("state;dwell_ms\n1;1,500\n0;2,250\n")
    assert (preview(dwells).kind, preview(dwells).is_usable) == ("dwells", False)
    seen = preview(dwells, decimal=",")
    assert (seen.kind, seen.is_usable) == ("dwells", True)
    assert "decimal=','" in seen.call
    clocks = table(cells_of(["0:00", "0:30"], 40), "cells.csv")
    seen = preview(clocks, clock="m:ss")
    assert (seen.kind, seen.is_usable) == ("snapshots", True)
    assert "clock='m:ss'" in seen.call


def test_few_whole_numbers_are_replicates(table):
    assert preview(table(cells_of([0, 5], 29))).kind == "measurements"
    assert preview(table(cells_of([0, 5], 40)), layout="wide").kind == "measurements"
    assert preview(table(cells_of([0, 5], 40).replace(",4\n", ",4.5\n"))).kind == "measurements"
    halves = "".join(f"{t},{i % 4 + 0.5 * (i % 8 < 7)}\n" for t in (0, 5) for i in range(40))
    assert preview(table(f"time,count\n{halves}")).kind == "measurements"


def populations_of(cells):
    rng = np.random.default_rng(5)
    lines = [f"{t},{r},{n}" for t in (0, 5) for r in "abc" for n in rng.poisson(4.0, cells)]
    return "time,replicate,GFP [1]\n" + "\n".join(lines) + "\n"


def test_replicates_of_populations_are_told_how_they_are_read_as_cells(table):
    path = table(populations_of(40))
    seen = preview(path)
    assert (seen.kind, seen.is_usable) == ("measurements", False)
    advised = "use load_snapshots('data.csv', columns=['GFP [1]'])"
    assert seen.recognised.endswith(
        f"if they are counts in single cells, each seen once, {advised}"
    )
    assert len(load_snapshots(path, columns=["GFP [1]"])) == 240
    assert preview(table(populations_of(3))).recognised == "a plain table"
    halves = populations_of(40).replace(",4\n", ",4.5\n")
    assert preview(table(halves)).recognised == "a plain table"
    followed = "".join(f"{t},{cell},{cell % 7}\n" for cell in range(40) for t in (0, 5))
    seen = preview(table("time,replicate,GFP\n" + followed))
    assert (seen.recognised, seen.is_usable) == ("a plain table", True)


def test_what_stands_where(table):
    text = "Operator,Jo\n# lamp 2\ntime [h],A [nM],A [nM],note\n0,1,2,x\n1,3,NA,y\n"
    seen = preview(table(text), mapping={"note": None})
    (sheet,) = seen.sheets
    assert sheet.understood == (
        "row 3: header",
        "rows 4-5, column A: time: 'time [h]'",
        "rows 4-5, column B: observable: 'A [nM]'",
        "rows 4-5, column C: observable: 'A [nM]'",
    )
    assert sheet.ignored == (
        "row 2: comment: # lamp 2",
        "row 1: before the header: 'Operator', 'Jo'",
        "column D: column 'note': not asked for",
    )
    assert sheet.notes == ("'NA' in 1 cell means missing: column C row 5",)
    assert seen.contents == (("A", "nM", 3, 2, 2, 1, 0.0, 1.0, 1.0, 3.0),)
    assert seen.columns[6:] == ("first time [h]", "last time [h]", "lowest", "highest")
    assert seen.call.startswith("sbmlgrad.load_measurements('data.csv', mapping=")


def test_problems_are_shown_and_no_errors(table):
    seen = preview(table("time,A\n0,<5\n1,x\n2,3\n"))
    assert not seen.is_usable
    assert len(seen.sheets[0].problems) == 2
    assert seen.sheets[0].problems[0].startswith("row 2, column B ('A'): found '<5'")
    assert preview(table("time,A\n0,<5\n1,3\n"), below_detection="half").is_usable


def test_every_sheet_is_shown(table):
    book = {"Notes": [["by Jo"]], "P": [["time", "A"], [0, 1]], "Q": []}
    seen = preview(table(book))
    assert [sheet.sheet for sheet in seen.sheets] == ["Notes", "P"]
    assert (bool(seen.sheets[0].problems), seen.is_usable) == (True, False)
    seen = preview(table(book), sheet="P")
    assert seen.is_usable
    assert seen.call == "sbmlgrad.load_measurements('data.xlsx', sheet='P')"


def test_sheets_that_do_not_fit_together(table):
    book = {"P": [["time [h]", "A"], [0, 1]], "Q": [["time [s]", "A"], [0, 1]]}
    seen = preview(table(book))
    assert not seen.is_usable
    assert "give time_unit=" in seen.problems[0]
    assert preview(table(book), time_unit="s").is_usable


def test_faults_of_snapshots_and_dwells_are_shown(table):
    seen = preview(table("0min,5min\n1,2.5\n"))
    assert (seen.kind, seen.is_usable) == ("snapshots", False)
    assert "row 2, column B ('5min'): found 2.5" in seen.problems[0]
    seen = preview(table("state,dwell_ms\n1,2\n1,3\n"))
    assert (seen.kind, seen.is_usable) == ("dwells", False)
    assert "row 3, column A ('state'): state '1' follows itself" in seen.problems[0]


def test_what_is_no_data_file_is_an_error(table, tmp_path):
    with pytest.raises(DataError, match="is empty"):
        preview(table(""))
    with pytest.raises(DataError, match="no such file"):
        preview(tmp_path / "gone.csv")
    with pytest.raises(RequestError, match="unexpected keyword argument 'colour'"):
        preview(table("time,A\n0,1\n"), colour=3)
    with pytest.raises(RequestError, match="layout='tall'"):
        preview(table("time,A\n0,1\n"), layout="tall")
