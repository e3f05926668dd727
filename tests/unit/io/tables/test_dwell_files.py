"""Records of dwell times."""

from __future__ import annotations

from pathlib import Path

import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.io.dwell_files import load_dwells

CHANNEL = Path(__file__).parents[5] / "shared" / "data" / "channel"

RECORD = (
    "# source: patch 7; resolution_ms: 0.02\n"
    "state,dwell_ms,usable\n1,0.5,1\n0,3,1\n1,0.25,1\n0,900,0\n1,0.75,yes\n"
)


def test_a_record(table):
    d = load_dwells(table(RECORD), dead_time=0.02)
    assert (d.states, d.unit, d.dead_time) == (("0", "1"), "ms", 0.02)
    assert d.state_index.tolist() == [1, 0, 1, 0, 1]
    assert d.duration.tolist() == [0.5, 3.0, 0.25, 900.0, 0.75]
    assert d.usable.tolist() == [True, True, True, False, True]
    assert d.runs == ((0, 3), (4, 5))
    assert d.of("1").tolist() == [0.5, 0.25, 0.75]
    assert d.of("0").tolist() == [3.0]
    assert any("row 1: ignored: comment" in note for note in d.notes)


def test_without_a_dead_time_the_comment_is_quoted(table):
    notes = "\n".join(load_dwells(table(RECORD)).notes)
    assert "no dead time was given" in notes
    assert "resolution_ms: 0.02" in notes


def test_units_are_converted(table):
    d = load_dwells(table(RECORD), unit="s", dead_time=2e-5)
    assert (d.unit, d.dead_time) == ("s", 2e-5)
    assert d.duration.tolist() == pytest.approx([5e-4, 3e-3, 2.5e-4, 0.9, 7.5e-4], rel=1e-15)
    bare = table("state,duration\nopen,1\nshut,2\n")
    assert load_dwells(bare, unit="s").unit == "s"
    with pytest.raises(DataError, match="'ms' cannot be converted to 'ticks'"):
        load_dwells(table(RECORD), unit="ticks")


def test_other_names_and_forms(table):
    text = "level;length [ms];note\n10;1,5;a\n2;2,5;b\n"
    d = load_dwells(table(text), duration="length")
    assert (d.states, d.duration.tolist(), d.unit) == (("2", "10"), [1.5, 2.5], "ms")
    assert "column 'note' is ignored" in d.notes
    assert "no column tells which dwells are usable: all are" in d.notes
    d = load_dwells(table([["class", "dwell (s)"], ["open", 1], ["shut", 2]]))
    assert (d.states, d.state_index.tolist(), d.unit) == (("open", "shut"), [0, 1], "s")


def test_decimal_commas_that_may_be_thousands(table):
    doubtful = table("state;dwell_ms\n1;1,500\n0;2,250\n")
    with pytest.raises(DataError, match="give decimal=','"):
        load_dwells(doubtful)
    assert load_dwells(doubtful, decimal=",").duration.tolist() == [1.5, 2.25]


def bad(row):
    return f"state,dwell_ms,usable\n1,0.5,1\n{row}\n1,3,1\n"


BAD = {
    "short": (bad("0,0.01,1"), {"dead_time": 0.02}, ["row 3, column B ('dwell_ms')", "0.01"]),
    "zero": (bad("0,0,1"), {}, ["row 3, column B", "found the duration 0; it must be positive"]),
    "text": (bad("0,x,1"), {}, ["row 3, column B ('dwell_ms'): found 'x'"]),
    "missing": (bad("0,,1"), {}, ["row 3, column B ('dwell_ms'): the duration is missing"]),
    "no state": (bad(",1,1"), {}, ["row 3, column A ('state'): the state is missing"]),
    "flag": (bad("0,1,perhaps"), {}, ["row 3, column C ('usable'): found 'perhaps'"]),
    "twice": (bad("1,1,1"), {}, ["row 3, column A ('state'): state '1' follows itself"]),
    "no column": ("state,length\n1,2\n", {}, ["row 1: there is no column 'duration'"]),
    "typo": (bad("0,1,1"), {"state": "stat"}, ["no column 'stat' (did you mean 'state'?)"]),
    "several": ("state,dwell,duration\n1,2,3\n", {}, ["2 columns may hold the duration"]),
    "empty": ("state,dwell_ms\n", {}, ["there is no dwell"]),
}


@pytest.mark.parametrize("case", BAD)
def test_records_that_cannot_be_used(table, case):
    text, options, fragments = BAD[case]
    with pytest.raises(DataError) as caught:
        load_dwells(table(text), **options)
    assert str(caught.value).startswith("data.csv:\n")
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("name", "dead_time", "dwells", "unusable"),
    [
        ("nAChR_50nM_001004S2_2state.csv", 0.025, 14058, 447),
        ("glydemo_C-100_2state.csv", 0.03, 10307, 3),
    ],
)
def test_published_records(name, dead_time, dwells, unusable):
    path = CHANNEL / name
    if not path.exists():
        # Files that the tests write in the same form cover the code without it.
        pytest.skip(f"published data, not shipped: shared/data/channel/{name} is absent")
    d = load_dwells(path, dead_time=dead_time)
    assert (len(d), int((~d.usable).sum()), d.states, d.unit) == (
        dwells,
        unusable,
        ("0", "1"),
        "ms",
    )
    lines = [line.split(",") for line in path.read_text().split("\n")[2:] if line]
    assert d.duration.tolist() == [float(line[1]) for line in lines]
    assert d.state_index.tolist() == [int(line[0]) for line in lines]
