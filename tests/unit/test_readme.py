"""The README keeps its word: its example runs, and it has exactly two set-up commands."""

from __future__ import annotations

import re
import shutil

import pytest
from networks import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(marker: str) -> str:
    match = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert match, f"no block marked {marker}"
    return match.group(1)


def test_example_runs(tmp_path, monkeypatch, capsys) -> None:
    for folder in ("sbml", "data"):
        shutil.copytree(ROOT / "models" / folder, tmp_path / "models" / folder)
    monkeypatch.chdir(tmp_path)
    code = block("example")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "k1 = " in printed
    assert (tmp_path / "calibrated.xml").stat().st_size > 1000


@pytest.mark.parametrize("marker", ["fit", "tests"])
def test_set_up_commands_are_single_lines(marker: str) -> None:
    assert len(block(marker).strip().splitlines()) == 1


def test_there_are_exactly_two_set_up_commands() -> None:
    set_up = README.split("## Set up")[1].split("## Use from Python")[0]
    assert set_up.count("```sh") == 2


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
