"""Options of tables: every one that the library's advice names is taken, and does what it says."""

from __future__ import annotations

import json

import openpyxl
import pytest

import sbmlgrad as sg
from sbmlgrad.cli.app import BAD_INPUT, NO, OK, run
from sbmlgrad.io.petab import load_petab


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sg.save(sg.load("species A; A = 100; k = 0.5; J: A -> ; k*A;"), "m.xml")
    return tmp_path


#: Text of a file; options; what is said without them, in the words of the command line; the
#: arguments of `load_measurements` that they stand for.
CASES = {
    "clock": (
        "time,A\n0:00,9\n12:30,5\n",
        ["--clock", "h:mm"],
        "give --clock h:mm or --clock m:ss",
        {"clock": "h:mm"},
    ),
    "decimal": (
        'time,A\n0,"1,500"\n1,"1,200"\n',
        ["--decimal", ","],
        'give --decimal "," or write',
        {"decimal": ","},
    ),
    "missing": (
        "time,A\n0,9\n1,-\n2,--\n",
        ["--missing", "-", "--missing", "--"],
        'give --missing "-"',
        {"missing": ["-", "--"]},
    ),
    "below": (
        "time,A\n0,9\n1,ND\n",
        ["--below-detection", "drop"],
        "choose --below-detection drop, half or limit",
        {"below_detection": "drop"},
    ),
    "missing instead": (
        "time,A\n0,9\n1,ND\n",
        ["--missing", "ND"],
        "give --missing ND",
        {"missing": ["ND"]},
    ),
    "encoding": (
        "time,A\n0,9\n1,5\n# µ\n",
        ["--encoding", "cp1252"],
        "perhaps --encoding cp1252",
        {"encoding": "cp1252"},
    ),
    "conditions": (
        'time,A,"strain, 1"\n0,9,w\n1,5,w\n',
        ["--condition-columns", "strain, 1"],
        '--condition-columns "strain, 1" if it names conditions',
        {"condition_columns": ["strain, 1"]},
    ),
    "header": (
        "x,y\ntime,A\n0,1\n1,2\n",
        ["--header-row", "2"],
        "",
        {"header_row": 2},
    ),
    "replicates": (
        "time,A,plate\n0,9,1\n0,8,7\n",
        ["--replicate-columns", "plate"],
        "",
        {"replicate_columns": ["plate"]},
    ),
    "observables": (
        "time,A,B,C\n0,9,1,2\n1,8,7,3\n",
        ["--observables", "A"],
        "",
        {"observables": ["A"]},
    ),
    "separator": (
        "time\tA\n0\t9\n1\t8\n",
        ["--separator", "tab"],
        "",
        {"separator": "\t"},
    ),
}
#: Likewise, where other options are given beforehand.
LIMITS = {
    "lower": (
        ["--below-detection", "half"],
        "0,9\n1,ND\n",
        ["--lower-limit", "5"],
        {"below_detection": "half", "lower_limit": 5.0},
    ),
    "upper": (
        ["--above-detection", "limit"],
        "0,OVER\n1,4\n",
        ["--upper-limit", "200"],
        {"above_detection": "limit", "upper_limit": 200.0},
    ),
}


def converted(options: list[str], data: str = "d.csv") -> int:
    return run(
        [
            "convert",
            "m.xml",
            "out",
            "--data",
            data,
            "--free",
            "k",
            "--quiet",
            "--overwrite",
            *options,
        ]
    )


def fitted(options: list[str], data: str = "d.csv") -> int:
    command = ["fit", "m.xml", data, "--free", "k", "--out", "r", "--dry-run", "--json"]
    return run([*command, *options])


@pytest.mark.parametrize("name", CASES)
def test_advice_can_be_followed(folder, name, capsys) -> None:
    text, options, said, arguments = CASES[name]
    (folder / "d.csv").write_text(text, encoding="cp1252")
    if said:
        assert run(["data", "d.csv"]) in (NO, BAD_INPUT)
        shown = capsys.readouterr()
        assert said in shown.out + shown.err
        for command in (converted, fitted):
            assert command([]) == BAD_INPUT
            assert said in capsys.readouterr().err
    assert run(["data", "d.csv", "--json", *options]) == OK
    call = json.loads(capsys.readouterr().out)["call"]
    assert call.endswith(", " + ", ".join(f"{k}={v!r}" for k, v in arguments.items()) + ")")
    assert converted(options) == OK
    read = sg.load_measurements("d.csv", **arguments)
    m = load_petab("out/problem.yaml").measurements
    assert (m.time.tolist(), m.value.tolist()) == (read.time.tolist(), read.value.tolist())
    assert m.observables == ("A",)
    capsys.readouterr()
    assert fitted(options) == OK
    assert json.loads(capsys.readouterr().out)["observables"] == {"A": len(read)}


@pytest.mark.parametrize("side", LIMITS)
def test_limits_of_detection(folder, side, capsys) -> None:
    beforehand, rows, options, arguments = LIMITS[side]
    (folder / "d.csv").write_text("time,A\n" + rows)
    assert run(["data", "d.csv", *beforehand]) == NO
    assert f"give {options[0]}\n" in capsys.readouterr().out
    for command in (converted, fitted):
        assert command(beforehand) == BAD_INPUT
        assert capsys.readouterr().err.endswith(f"give {options[0]}\n")
    assert fitted([*beforehand, *options]) == OK
    assert converted([*beforehand, *options]) == OK
    expected = sg.load_measurements("d.csv", **arguments).value.tolist()
    assert load_petab("out/problem.yaml").measurements.value.tolist() == expected


@pytest.fixture
def workbook(folder):
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, value in (("day 1", 9), ("day 2", 8), ("day 3", 7)):
        sheet = book.create_sheet(name)
        for row in (("time", "A"), (0, value), (1, value / 2)):
            sheet.append(row)
    book.save(folder / "d.xlsx")
    return "d.xlsx"


def test_several_sheets(workbook, capsys) -> None:
    for command in (converted, fitted):
        assert command([], workbook) == BAD_INPUT
        said = capsys.readouterr().err
        assert "choose one with --sheet, several by repeating it, or --sheet all" in said
    for options, values in (
        (["--sheet", "day 2"], [8.0, 4.0]),
        (["--sheet", "day 1", "--sheet", "day 3"], [9.0, 7.0, 4.5, 3.5]),
        (["--sheet", "all"], [9.0, 8.0, 7.0, 4.5, 4.0, 3.5]),
    ):
        assert converted([*options, "--sheets-are", "replicate"], workbook) == OK
        m = load_petab("out/problem.yaml").measurements
        assert sorted(m.value.tolist()) == sorted(values)
        assert set(m.condition) == {""}
        assert fitted([*options, "--sheets-are", "replicate"], workbook) == OK
        assert json.loads(capsys.readouterr().out)["observables"] == {"A": len(values)}
    assert run(["data", workbook, "--sheet", "day 1", "--sheet", "day 3", "--json"]) == OK
    seen = json.loads(capsys.readouterr().out)
    assert [sheet["sheet"] for sheet in seen["sheets"]] == ["day 1", "day 3"]
    assert "sheet=['day 1', 'day 3']" in seen["call"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--clock", "hours"], "--clock hours is unknown; use one of 'h:mm', 'm:ss'"),
        (["--decimal", "x"], "--decimal x is unknown; use one of ',', '.'"),
        (["--separator", "x"], "--separator x is unknown; use one of ',', ';', tab"),
        (["--sheets-are", "days"], "--sheets-are days is unknown"),
        (["--encoding", "x"], "--encoding x is unknown"),
        (["--lower-limit", "-inf"], "--lower-limit -inf must be a finite number"),
        (["--header-row", "2", "--names", "time,A"], "give --header-row or --names"),
        (["--layout", "tall"], "--layout tall is unknown; use 'wide', 'long' or that of"),
        (["--sheet", "P"], "leave out --sheet P"),
    ],
)
def test_values_without_meaning_are_refused_in_the_same_words(
    folder, options, message, capsys
) -> None:
    (folder / "d.csv").write_text("time,A\n0,9\n1,5\n")
    assert run(["data", "d.csv", *options]) == BAD_INPUT
    assert message in capsys.readouterr().err
    for command in (converted, fitted):
        assert command(options) == BAD_INPUT
        assert message in capsys.readouterr().err


def test_a_petab_problem_says_this_itself(folder, capsys) -> None:
    command = ["fit", "problem.yaml", "--out", "r", "--decimal", ",", "--sheet", "a", "--map", "b="]
    assert run(command) == BAD_INPUT
    said = capsys.readouterr().err
    assert "leave out" in said
    assert all(option in said for option in ("--decimal", "--sheet", "--map"))


def test_counts_of_cells_are_read_with_the_options_that_they_have(folder, capsys) -> None:
    (folder / "d.csv").write_text("x,y,z,w\n# a\nhour;A;strain;dye\n2;5;w;1\n2;-;;\n2;4;w;2\n")
    options = ["--header-row", "3", "--separator", ";", "--time-column", "hour"]
    options += ["--observables", "A", "--condition-columns", "strain", "--missing", "-"]
    assert fitted(["--snapshots", *options]) == OK
    assert json.loads(capsys.readouterr().out)["free"].keys() == {"k"}
    (folder / "d.csv").write_text("hour;A\n0:30;3,0\n0:30;5\n1:30;4,0\n1:30;2\n")
    read = ["--header-row", "1", "--time-column", "hour", "--separator", ";"]
    assert fitted(["--snapshots", *read]) == BAD_INPUT
    assert "give --clock h:mm or --clock m:ss" in capsys.readouterr().err
    assert fitted(["--snapshots", *read, "--clock", "h:mm", "--decimal", ","]) == OK
    capsys.readouterr()
    strays = (["--upper-limit", "9"], ["--plate-map", "w.csv"], ["--sheets-are", "replicate"])
    for stray in strays:
        assert fitted(["--snapshots", *options, *stray]) == BAD_INPUT
        assert f"counts of cells have no {stray[0]}; leave out" in capsys.readouterr().err
    assert fitted(["--snapshots", "--sheet", "a", "--sheet", "b"]) == BAD_INPUT
    assert "read from one sheet; give --sheet once" in capsys.readouterr().err
    (folder / "d.csv").write_text("0min,5min\n1,2\n")
    assert fitted(["--snapshots", "--time-column", "0min"]) == BAD_INPUT
    capsys.readouterr()
    assert fitted(["--snapshots", "--layout", "wide", "--time-column", "0min"]) == BAD_INPUT
    assert "has no --time-column and no --condition-columns" in capsys.readouterr().err
