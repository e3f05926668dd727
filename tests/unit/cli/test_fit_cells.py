"""Counts of cells under several conditions: what a mapping file says, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sbmlgrad as sg
from sbmlgrad.cli.app import BAD_INPUT, OK, run
from sbmlgrad.cli.fit_problem import problem_of_files
from sbmlgrad.model.expression import Number, Symbol

HOW = {"substance": None, "initial": "strict", "mass_action": "as_written"}
OPTIONS = ["--snapshots", "--map", "batch=", "--out", "r", "--dry-run", "--json"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = "species R; R = 0; k = 20; d = 1; dose = 1; P: -> R; k*dose; D: R -> ; d*R;"
    sg.save(sg.load(model), "m.xml")
    (tmp_path / "cells.csv").write_text(
        "time,batch,RNA,condition\n2,7,3,low\n1,7,1,low\n1,7,2,low\n2,7,4,low\n"
        "1,8,30,high\n1,8,35,high\n"
    )
    (tmp_path / "map.tsv").write_text("conditionId\tdose\nlow\t0.5\nhigh\tdose_high\n")
    return tmp_path


def test_conditions_set_what_the_file_says(folder) -> None:
    problem, assumed = problem_of_files(
        Path("m.xml"),
        Path("cells.csv"),
        HOW,
        {"mapping": {"RNA": "R", "batch": None}},
        {
            "free": ["k", "dose_high"],
            "bounds": {"dose_high": (1.0, 9.0)},
            "start": {"dose_high": 2},
        },
        mapping=Path("map.tsv"),
        is_snapshots=True,
    )
    assert assumed == ()
    assert {e.id: dict(e.periods[0].values) for e in problem.experiments} == {
        "low": {"dose": Number(0.5)},
        "high": {"dose": Symbol("dose_high")},
    }
    assert [(p.id, p.nominal) for p in problem.free] == [("k", 20.0), ("dose_high", 2.0)]
    assert (problem.free[1].lower, problem.free[1].upper) == (1.0, 9.0)
    cells = problem.snapshots
    assert cells is not None
    assert cells.species == ("R",)
    assert cells.at(1.0, condition="low").tolist() == [[1], [2]]
    assert cells.at(2.0, condition="low").tolist() == [[3], [4]]
    assert cells.at(1.0, condition="high").tolist() == [[30], [35]]
    assert [o.id for o in problem.observables] == ["R"]
    assert len(problem.measurements) == 0


def test_the_problem_is_that_of_the_cells_where_there_is_one_condition(folder) -> None:
    text = (folder / "cells.csv").read_text()
    kept = [line for line in text.splitlines() if not line.endswith("high")]
    (folder / "cells.csv").write_text("\n".join(kept) + "\n")
    (folder / "map.tsv").write_text("conditionId\tdose\nlow\t\n")
    arguments = (
        Path("m.xml"),
        Path("cells.csv"),
        HOW,
        {"mapping": {"RNA": "R", "batch": None}},
        {"free": ["k"], "bounds": {}, "start": {}},
    )
    plain, _ = problem_of_files(*arguments, mapping=None, is_snapshots=True)
    mapped, _ = problem_of_files(*arguments, mapping=Path("map.tsv"), is_snapshots=True)
    assert mapped.snapshots == plain.snapshots
    assert mapped.parameters == plain.parameters
    assert [(o.id, o.formula) for o in mapped.observables] == [
        (o.id, o.formula) for o in plain.observables
    ]
    assert mapped.measurements.observables == plain.measurements.observables
    assert [e.id for e in mapped.experiments] == [e.id for e in plain.experiments]


def test_the_advice_to_describe_conditions_can_be_followed(folder, capsys) -> None:
    command = ["fit", "m.xml", "cells.csv", *OPTIONS, "--map", "RNA=R", "--free", "k,dose_high"]
    assert run(["fit", "m.xml", "cells.csv", *OPTIONS, "--map", "RNA=R"]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "2 conditions ('high', 'low')" in said
    assert "a mapping file with a table of conditions and give it by --mapping" in said
    assert run([*command, "--mapping", "map.tsv"]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "uses dose_high" in said
    assert "which the model has not; correct the formula, or give each a value" in said
    assert run([*command, "--mapping", "map.tsv", "--start", "dose_high=2"]) == OK
    planned = json.loads(capsys.readouterr().out)
    assert planned["experiments"] == ["low", "high"]
    assert planned["free"].keys() == {"k", "dose_high"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conditionId\tdose\nlow\t0.5\n", ["cells under condition 'high'", "conditionId"]),
        ("conditionId\tdose\nLow\t1\nhigh\t2\n", ["'low'", "did you mean 'Low'"]),
        (
            "conditionId\tdoes\nlow\t1\nhigh\t2\n",
            ["it sets 'does', which model", "did you mean 'dose'"],
        ),
        ("conditionId\tdose\nlow\t1\nlow\t2\nhigh\t2\n", ["'low' is there 2 times"]),
        (
            "observableId\tnoiseFormula\nR\t1\n\t\nconditionId\tdose\nlow\t1\nhigh\t2\n",
            ["row 2", "without scale and noise", "--map"],
        ),
    ],
)
def test_what_does_not_fit_the_cells_is_refused(folder, text, said, capsys) -> None:
    (folder / "map.tsv").write_text(text)
    command = ["fit", "m.xml", "cells.csv", *OPTIONS, "--map", "RNA=R", "--free", "k"]
    assert run([*command, "--mapping", "map.tsv"]) == BAD_INPUT
    shown = capsys.readouterr().err
    assert shown.startswith("error: map.tsv:")
    assert all(words in shown for words in said)


def test_cells_without_a_condition_are_refused(folder, capsys) -> None:
    (folder / "cells.csv").write_text("time,R\n1,2\n1,3\n")
    command = ["fit", "m.xml", "cells.csv", "--snapshots", "--out", "r", "--free", "k"]
    assert run([*command, "--mapping", "map.tsv"]) == BAD_INPUT
    assert "that column with --condition-columns" in capsys.readouterr().err
