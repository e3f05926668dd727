"""The how-to guides keep their word: commands end as they say, and the code runs."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest
from networks import ROOT

from sbmlgrad.cli.app import run

PAGES = ROOT / "docs" / "how-to"
FILE = re.compile(r"<!-- file (\S+) -->\n```\n(.*?)```", re.DOTALL)
FOLDER = re.compile(r"<!-- folder (\w+): (.+?) -->")
COMMANDS = re.compile(r"<!-- run exits ([\d, ]+) -->\n```sh\n(.*?)```", re.DOTALL)
CODE = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
RUN = ("check-files", "simulate", "convert")


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the guides are about."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILE.findall(page("check-files")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name, members in FOLDER.findall(page("check-files")):
        (tmp_path / name).mkdir()
        for member in members.split():
            shutil.copy(tmp_path / member, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", RUN)
def test_commands_end_as_the_guide_says(name, folder, capsys) -> None:
    text = page(name)
    said = []
    for codes, block in COMMANDS.findall(text):
        commands = [shlex.split(line)[1:] for line in block.splitlines()]
        assert len(commands) == len(codes.split(","))
        for command, code in zip(commands, codes.split(","), strict=True):
            assert run(command) == int(code), command
            said += capsys.readouterr().out.splitlines()
    assert said
    # Where a guide shows what a command prints, it prints that.
    for line in re.findall(r"^(?:written to|would write|\S+: can).*$", text, re.MULTILINE):
        assert line in said


@pytest.mark.parametrize("name", RUN)
def test_code_runs(name, folder) -> None:
    blocks = CODE.findall(page(name))
    assert blocks
    if name == "convert":
        assert run(["convert", "pulse.ant", "pulse.xml", "--quiet"]) == 0
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), {})


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda p: p.stem)
def test_links_lead_somewhere(path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_guide_is_listed() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for path in PAGES.glob("*.md"):
        assert f"how-to/{path.name}" in index
