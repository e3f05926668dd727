"""The guide to data keeps its word: commands print what it shows, and its code runs."""

from __future__ import annotations

import re
import shlex

import pytest
from networks import ROOT

import sbmlgrad as sg
from sbmlgrad.cli.app import run

PAGE = (ROOT / "docs" / "how-to" / "data.md").read_text(encoding="utf-8")
FILE = re.compile(r"<!-- file (\S+) -->\n```\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"<!-- run exits ([\d, ]+) -->\n```sh\n(.*?)```", re.DOTALL)
CODE = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"print\(.*\) +# ([(\[].*)")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of the guide."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_commands_end_and_print_as_the_guide_says(folder, capsys) -> None:
    said = []
    for codes, block in COMMANDS.findall(PAGE):
        commands = [shlex.split(line)[1:] for line in block.splitlines()]
        for command, code in zip(commands, codes.split(","), strict=True):
            assert run(command) == int(code), command
            said += [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    shown = [
        " ".join(line.removesuffix("...").split())
        for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]
    assert len(shown) > 15
    for line in shown:
        assert any(found.startswith(line) for found in said), line


def test_code_runs_and_prints_what_its_comments_say(folder, capsys) -> None:
    blocks = CODE.findall(PAGE)
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, "data.md", "exec"), {})
        said = capsys.readouterr().out
        for expected in PRINTED.findall(block):
            assert re.split(r", [a-z]", expected)[0] in said


def test_both_mapping_files_say_the_same(folder) -> None:
    model = sg.load("S = 1; I = 1; beta = 1; S + I -> 2 I; beta*S*I")
    table, lists = (sg.load_mapping(f"mapping.{s}", model) for s in ("tsv", "toml"))
    assert table.observables == lists.observables
    assert table.experiments == lists.experiments
    assert dict(table.columns) == dict(lists.columns) == {"600": "cells"}
