"""The guide to PEtab keeps its word: its code runs, and its commands write what it says."""

from __future__ import annotations

import re
import shlex

import pytest
from networks import ROOT

from sbmlgrad.cli.app import run
from sbmlgrad.io.petab import load_petab

GUIDE = ROOT / "docs" / "how-to" / "petab.md"
PAGE = GUIDE.read_text("utf-8")
FILE = re.compile(r"<!-- file (\S+) -->\n```\n(.*?)```", re.DOTALL)
CODE = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"<!-- run exits ([\d, ]+) -->\n```sh\n(.*?)```", re.DOTALL)
SHOWN = re.compile(r"```text\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder where the guide's code was run, with the files that it shows."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text, encoding="utf-8")
    blocks = CODE.findall(PAGE)
    assert len(blocks) == 1
    exec(compile(blocks[0], str(GUIDE), "exec"), {})
    return tmp_path


def test_code_runs(folder) -> None:
    assert {p.name for p in (folder / "decay").iterdir()} == {
        *("model.xml", "problem.yaml", "parameters.tsv", "observables.tsv", "measurements.tsv"),
        *("conditions.tsv", "experiments.tsv", "simulations.tsv"),
    }


def test_commands_write_what_the_guide_says(folder, capsys) -> None:
    said = []
    for codes, block in COMMANDS.findall(PAGE):
        commands = [shlex.split(line)[1:] for line in block.splitlines()]
        for command, code in zip(commands, codes.split(","), strict=True):
            assert run(command) == int(code), command
            said += capsys.readouterr().out.splitlines()
    shown = [line for block in SHOWN.findall(PAGE) for line in block.splitlines()]
    assert shown == said[: len(shown)]
    sheet = load_petab("sheet/problem.yaml")
    assert [(p.id, p.lower, p.upper) for p in sheet.free] == [("k", 0.01, 10.0)]
    assert sheet.measurements.value.tolist() == [100.0, 61.0, 58.0, 36.0]
    doses = load_petab("doses/problem.yaml")
    assert {p.id: p.nominal for p in doses.free} == {"k": 0.5, "scale": 2.0}
    assert {(e.id, e.name) for e in doses.experiments} == {("high", ""), ("low_dose", "low dose")}
