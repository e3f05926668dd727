"""`sbmlgrad fit` of wrong inputs: the message names the place, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data_files import write_data
from fit_inputs import DATA, KINDS, MODEL

from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.ant").write_text(MODEL)
    (tmp_path / "d.csv").write_text(DATA)
    return tmp_path


def refused(arguments: list[str], capsys) -> str:
    """Run a fit that must be refused; return what standard error says."""
    assert run(["fit", *arguments, "--out", "out", "--quiet"]) == BAD_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    return told.err


def test_the_input_that_kinds_differ_from_is_fine(folder, capsys) -> None:
    assert run(["fit", "m.ant", "d.csv", "--free", "k,d", "--out", "out", "--dry-run"]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_names_its_place_and_leaves_nothing(folder, capsys, kind) -> None:
    wrong = KINDS[kind]
    for name, content in wrong.files.items():
        write_data(folder / name, content)
    before = sorted(path.name for path in folder.iterdir())
    message = refused(wrong.arguments, capsys)
    assert message.startswith("error: ")
    for fragment in wrong.said:
        assert fragment in message
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.tsv", "observableId\tnoiseFormula\tcolumn\nA\t1\t\n\t\tnotes\n"),
        (
            "map.toml",
            "[[observables]]\nobservableId = 'A'\nnoiseFormula = 1\n"
            "[[observables]]\ncolumn = 'notes'\n",
        ),
    ],
)
def test_the_advice_for_a_column_of_words_can_be_followed(folder, capsys, name, text) -> None:
    (folder / "d.csv").write_text("time,A,notes\n0,100,good\n1,60,\n2,40,late\n")
    (folder / name).write_text(text)
    command = ["fit", "m.ant", "d.csv", "--free", "k", "--mapping", name, "--out", "out"]
    assert run([*command, "--dry-run"]) == 0
    assert "A: 3 measurements" in capsys.readouterr().out


def test_a_parameter_that_every_condition_sets_is_not_freed_unasked(folder, capsys) -> None:
    (folder / "d.csv").write_text("time,A,condition\n0,5,low\n1,4,low\n")
    (folder / "map.tsv").write_text("observableId\tnoiseFormula\nA\t1\nconditionId\tk\nlow\t2\n")
    command = ["fit", "m.ant", "d.csv", "--mapping", "map.tsv", "--start", "zero=1"]
    assert run([*command, "--engine", "ode", "--out", "out", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["free"].keys() == {"d", "zero", "other", "twice"}


def test_a_folder_that_cannot_be_one(folder, capsys) -> None:
    (folder / "out").write_text("mine")
    assert "'out' is a file" in refused(["m.ant", "d.csv", "--free", "k,d"], capsys).replace(
        str(folder) + "/", ""
    )
    assert (folder / "out").read_text() == "mine"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_checkpoint_of_another_problem_stays_as_it_is(folder, capsys) -> None:
    first = ["fit", "m.ant", "d.csv", "--free", "k,d", "--trajectories", "8", "--seed", "1"]
    first += ["--uncertainty", "none", "--epochs", "40", "--max-seconds", "0.001", "--threads", "1"]
    assert run([*first, "--out", "out", "--quiet"]) == 0
    kept = contents(folder / "out")
    assert "checkpoint.npz" in kept
    (folder / "d.csv").write_text(DATA.replace("60", "61"))
    capsys.readouterr()
    message = refused([*first[1:], "--resume"], capsys)
    assert "checkpoint.npz: was left by a fit of another model, other data" in message
    assert contents(folder / "out") == kept
