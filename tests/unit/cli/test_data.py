"""`sbmlgrad data`: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest
from plate_exports import as_text, biotek

from sbmlgrad.cli.app import BAD_INPUT, NO, OK, run
from sbmlgrad.errors import DataError
from sbmlgrad.io.snapshot_files import load_snapshots

WELLS = {"600": {f"A{i}": [0.1 * i, 0.2] for i in range(1, 13)}}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write text into a file of the current folder and return its name."""
    monkeypatch.chdir(tmp_path)

    def text_as(text: str, name: str = "data.csv") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return text_as


def test_a_plain_table(write, capsys):
    assert run(["data", write("# by Jo\ntime [h],A [nM],B\n0,1,2\n1,3,NA\n")]) == OK
    said = capsys.readouterr().out
    for line in (
        "data.csv: measurements, can be read",
        "layout wide",
        "found rows 3-4, column B: observable: 'A [nM]'",
        "ignored row 1: comment: # by Jo",
        "note 'NA' in 1 cell means missing",
        "observable  unit  values  times  replicates  conditions  first time [h]",
        "read it by sbmlgrad.load_measurements('data.csv')",
    ):
        assert line in said
    assert not [line for line in said.splitlines() if line != line.rstrip()]


def test_an_export_is_recognised_and_grouped(write, capsys):
    path = write(as_text(biotek(WELLS, ["0:00:00", "0:30:00"])), "plate.csv")
    assert run(["data", path, "--time-unit", "min"]) == OK
    said = capsys.readouterr().out
    assert "an export of BioTek Gen5" in said
    assert "load_measurements('plate.csv', layout='biotek', time_unit='min')" in said
    plate_map = write("well,condition\nA1,low\nA2,low\nA3,high\n", "map.csv")
    assert run(["data", path, "--layout", "biotek", "--plate-map", plate_map, "--json"]) == OK
    seen = json.loads(capsys.readouterr().out)
    assert seen["contents"] == [["600", "", 6, 2, 2, 2, 0.0, 0.5, 0.1, pytest.approx(0.3)]]
    assert any("9 wells A4 to A12: not in the plate map" in x for x in seen["sheets"][0]["ignored"])


def test_problems_end_with_no_and_their_places(write, capsys):
    path = write("time,A,note\n0,ND,x\n1,OVER,y\n2,3,z\n")
    assert run(["data", path]) == NO
    said = capsys.readouterr().out
    assert "cannot be read as it is" in said
    assert "problem row 2, column B ('A'): found 'ND'" in said
    assert "choose --below-detection drop, half or limit" in said
    assert "once that is solved, read it by" in said
    options = ["--below-detection", "drop", "--above-detection", "drop", "--map", "note="]
    assert run(["data", path, *options]) == OK


def test_names_and_rows(write, capsys):
    path = write("0,1\n1,2\n", "panel.txt")
    assert run(["data", path]) == NO
    assert "if there is no header" in capsys.readouterr().out
    assert run(["data", path, "--names", "time [min],mRNA"]) == OK
    assert run(["data", write("x,y\ntime,A\n0,1\n"), "--header-row", "2"]) == OK


def test_long_lists_are_cut_and_json_is_whole(write, capsys):
    columns = [f"X{i}" for i in range(30)]
    text = f"time,{','.join(columns)}\n0{',1' * 30}\n"
    assert run(["data", write(text)]) == OK
    said = capsys.readouterr().out
    assert "... and 12 more (--json shows all)" in said
    assert "... and 10 more rows (--json shows all)" in said
    assert run(["data", "data.csv", "--json"]) == OK
    seen = json.loads(capsys.readouterr().out)
    assert [row[0] for row in seen["contents"]] == columns
    assert seen["usable"] is True


def test_what_is_no_data_file(write, capsys):
    assert run(["data", "gone.csv"]) == BAD_INPUT
    assert "there is no such file" in capsys.readouterr().err
    assert run(["data", write("time,A\n0,1\n"), "--layout", "tall"]) == BAD_INPUT
    assert "--layout tall is unknown" in capsys.readouterr().err
    assert run(["data", "data.csv", "--sheet", "S"]) == BAD_INPUT
    assert "a text file has no sheets" in capsys.readouterr().err


def test_single_cells_and_channels(write, capsys):
    assert run(["data", write("0min,5min\n1,2\n3,\n")]) == OK
    assert "load_snapshots('data.csv')" in capsys.readouterr().out
    assert run(["data", write("state,dwell_ms\n1,2\n0,3\n")]) == OK
    assert "load_dwells('data.csv')" in capsys.readouterr().out


def courses(label) -> str:
    """Return many followed cells of which each has a label of its own."""
    rows = [f"{t},{label(cell)},{cell % 7}" for cell in range(40) for t in (0, 1, 2)]
    return "\n".join(["time,replicate,M", *rows, ""])


@pytest.mark.parametrize("label", ["cell{}".format, str])
def test_courses_of_many_cells_are_no_snapshots(write, capsys, label):
    assert run(["data", write(courses(label))]) == OK
    said = capsys.readouterr().out
    assert "data.csv: measurements, can be read" in said
    assert "column B: replicate: 'replicate'" in said
    assert "load_measurements('data.csv')" in said


def test_snapshots_name_their_options(write, capsys):
    text = "time,M\n" + "".join(f"{t},{n % 5}\n" for n in range(40) for t in (0, 1))
    assert run(["data", write(text)]) == OK
    said = capsys.readouterr().out
    assert "data.csv: snapshots" in said
    assert "say --layout wide, and leave out --snapshots in a fit" in said
    assert "load_snapshots('data.csv') (sbmlgrad fit: --snapshots)" in said
    assert run(["data", "data.csv", "--layout", "wide"]) == OK
    assert "data.csv: measurements" in capsys.readouterr().out


def test_labels_of_replicates_are_no_counts(write):
    path = write(courses(str))
    with pytest.raises(DataError, match=r"column B \('replicate'\): labels of replicates are"):
        load_snapshots(path)
    assert load_snapshots(path, columns=["M"]).species == ("M",)
    both = load_snapshots(path, columns=["replicate", "M"])  # asked for, so it counts something
    assert both.species == ("replicate", "M")
    told = load_snapshots(path, conditions=["replicate"])
    assert told.species == ("M",)
    assert len(told.conditions) == 40
