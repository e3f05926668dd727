"""How commands end: Ctrl-C, a usage fault, a fault of our own."""

from __future__ import annotations

import pytest
from networks import MODELS

from sbmlgrad.cli.app import BAD_INPUT, FAILED, INTERRUPTED, OK, run

DIMER = str(MODELS / "dimerization.xml")


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a defect")


COMMANDS = {
    "simulate": ["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv"],
    "convert": ["convert", DIMER, "x.xml"],
    "validate": ["validate", DIMER, "--times", "1:2:1"],
}


@pytest.fixture
def end(monkeypatch, tmp_path):
    """Let the step that every command here starts with, loading, end as told."""

    def instead(how) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sbmlgrad.io.formats.load", how)
        monkeypatch.setattr("sbmlgrad.io.formats.read_document", how)

    return instead


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_a_command_with_a_word_and_its_code(name, end, tmp_path, capsys) -> None:
    end(stopped)
    assert run(COMMANDS[name]) == INTERRUPTED
    captured = capsys.readouterr()
    assert "interrupted" in captured.err
    assert captured.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_fault_of_our_own_shows_where_it_was(name, end, capsys) -> None:
    end(broken)
    assert run(COMMANDS[name]) == FAILED
    said = capsys.readouterr().err
    assert "ZeroDivisionError: a defect" in said
    assert "please report it" in said


@pytest.mark.parametrize("command", ["check", *COMMANDS, "fit"])
def test_a_command_without_arguments_says_what_is_missing(command, capsys) -> None:
    assert run([command]) == BAD_INPUT
    said = capsys.readouterr().err
    assert "Missing" in said
    assert "--help" in said


def test_issues_are_counted_in_words(tmp_path, capsys) -> None:
    broken_file = tmp_path / "broken.xml"
    broken_file.write_text("<sbml>")
    assert run(["check", DIMER]) == OK
    assert capsys.readouterr().out.splitlines()[0].endswith("can be simulated exactly, no issues")
    run(["check", str(broken_file)])
    assert "nor by ODE, 1 issue\n" in capsys.readouterr().out
