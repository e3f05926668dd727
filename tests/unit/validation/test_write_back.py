"""The campaign over calibrated models sees what is right and what is wrong."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
import write_back
from networks import MODELS

import sbmlgrad as sg


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(MODELS / "birth_death.xml", tmp_path)
    out = tmp_path / "report.md"
    monkeypatch.setattr(
        sys, "argv", ["write_back.py", "--models", str(tmp_path), "--out", str(out)]
    )
    return tmp_path


def test_what_is_right_passes(folder: Path) -> None:
    assert write_back.main() == 0
    rows = [r for r in (folder / "report.md").read_text().splitlines() if "birth_death" in r]
    assert rows == ["| birth_death | distrib | 0 | yes |", "| birth_death | plain | 0 | yes |"]


def test_a_value_that_is_lost_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = sg.save

    def forgetful(model, path, **options) -> None:
        name = model.parameter_ids[0]
        save(model.with_parameters({name: 7.0}), path, **options)

    monkeypatch.setattr(sg, "save", forgetful)
    assert write_back.main() == 1
    assert "**no**" in (folder / "report.md").read_text()


def test_what_libsbml_finds_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = sg.save

    def careless(model, path, **options) -> None:
        save(model, path, **options)
        if model.provenance is not None:
            text = Path(path).read_text(encoding="utf-8")
            # A process is no parameter.
            wrong = re.sub(r"(<parameter [^>]*sboTerm=.)SBO:[0-9]+", r"\1SBO:0000375", text)
            Path(path).write_text(wrong, encoding="utf-8")

    monkeypatch.setattr(sg, "save", careless)
    assert write_back.main() == 1
    assert "| 0 | yes |" not in (folder / "report.md").read_text()
