"""The guide to writing back keeps its word: its code runs, and what it says is written is there."""

from __future__ import annotations

import os
import re
import zipfile

import pytest
from networks import ROOT

from sbmlgrad.io.sbml.sbo_terms import FORWARD, REVERSE
from sbmlgrad.io.sedml import ALGORITHMS

TEXT = (ROOT / "docs" / "how-to" / "write-back.md").read_text(encoding="utf-8")


def test_the_code_runs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(ROOT / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"<!-- run -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 2
    exec(compile("\n".join(blocks), "write-back.md", "exec"), {})
    with zipfile.ZipFile("calibration.omex") as archive:
        assert {"model.xml", "original.xml", "simulation.sedml"} <= set(archive.namelist())


def test_the_terms_are_those_that_are_written() -> None:
    for term in (*FORWARD.values(), *REVERSE.values(), *ALGORITHMS.values()):
        ontology, number = term.split(":")
        ranges = re.findall(rf"`{ontology}:(\d+)`(?:\s+to\s+`{ontology}:(\d+)`)?", TEXT)
        assert any(int(a) <= int(number) <= int(b or a) for a, b in ranges), term
