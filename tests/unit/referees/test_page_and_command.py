"""The report as page, text, data and files, and the command that writes them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from networks import MODELS, network

from sbmlgrad.cli.app import BAD_INPUT, FAILED, NO, OK, run
from sbmlgrad.referees import Fsp
from sbmlgrad.referees.validate import ValidationReport, validate

CHANNEL = str(MODELS / "ion_channel.xml")
SHORT = ["--times", "0:2:2", "--trajectories", "300", "--seed", "1"]


@pytest.fixture(scope="module")
def report() -> ValidationReport:
    asked = ["fsp", "ode"]
    return validate(network("ion_channel"), asked, times=[0, 1, 2], trajectories=300, seed=1)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Fsp.solve

    def solve(self: Fsp, *arguments: Any) -> Any:
        found = right(self, *arguments)
        assert found.distributions is not None
        moved = replace(found.distributions, states=found.distributions.states + 1.0)
        return replace(found, mean=found.mean + 1.0, distributions=moved)

    monkeypatch.setattr(Fsp, "solve", solve)


def test_the_page_is_whole_and_asks_for_nothing(report: ValidationReport) -> None:
    text = report.as_html()
    root = etree.fromstring(text.split("\n", 1)[1].encode())
    assert root.findtext(".//h1") == "Cross-check of __main"
    assert "No disagreement with fsp" in "".join(root.find(".//p").itertext())
    headings = [h.text for h in root.iter("h2")]
    assert headings[0].endswith("distributions and covariances between species agree")
    assert headings[1].endswith("means agree")
    # Three courses each, and three distributions of the first.
    assert len(list(root.iter("figure"))) == 9
    ids = re.findall(r'\sid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert not re.search(r"https?://", text)
    assert not list(root.iter("script", "link", "img"))


def test_the_page_of_a_disagreement_says_so(wrong: None) -> None:
    found = validate(network("ion_channel"), "fsp", times=[1], trajectories=300, seed=1)
    text = found.as_html()
    assert "Disagreement with fsp" in text
    assert 'class="look"' in text
    assert "DISAGREE" in text
    assert "disagrees" in text


def test_data_and_text_tell_the_same(report: ValidationReport) -> None:
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    exact, means = data["comparisons"]
    assert exact["tests"] + means["tests"] == sum(c.tests for c in report.comparisons)
    level = report.comparisons[0].level
    assert level * (exact["tests"] + means["tests"]) == pytest.approx(1e-3)
    assert [f["name"] for f in exact["further"]] == ["distributions", "covariances between species"]
    assert all(len(f["p"]) == len(f["of"]) for f in exact["further"])
    assert means["left_out"] == ["all but means: distributions are not known"]
    assert f"{exact['tests']} tests" in str(report)


def test_the_command_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "checked"
    assert run(["validate", CHANNEL, "--against", "fsp", *SHORT, "--out", str(out)]) == OK
    files = {"validation.html", "validation.txt", "validation.json", "overlay.png"}
    assert {p.name for p in out.iterdir()} == files
    assert "no disagreement found" in (out / "validation.txt").read_text(encoding="utf-8")
    assert json.loads((out / "validation.json").read_text(encoding="utf-8"))["agrees"] is True
    assert "written:" in capsys.readouterr().out


def test_the_command_writes_one_page_and_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    command = ["validate", CHANNEL, "--against", "ode", *SHORT, "--html", str(page), "--json"]
    assert run(command) == OK
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads(capsys.readouterr().out)["agrees"] is True


def test_exit_codes(wrong: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", CHANNEL, "--against", "fsp", *SHORT]) == NO
    assert "DISAGREEMENT" in capsys.readouterr().out
    dimer = str(MODELS / "dimerization.xml")
    assert run(["validate", dimer, "--against", "ode", *SHORT]) == FAILED
    assert "affine in the counts" in capsys.readouterr().err
    nowhere = ["--peers-python", str(tmp_path / "python")]
    assert run(["validate", CHANNEL, "--against", "rebop", *SHORT, *nowhere]) == BAD_INPUT
    assert "no such file" in capsys.readouterr().err
    (tmp_path / "python").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    assert run(["validate", CHANNEL, "--against", "rebop", *SHORT, *nowhere]) == BAD_INPUT
    assert "is no Python that works" in capsys.readouterr().err
    assert run(["validate", CHANNEL, "--against", "ode", *SHORT, "--timeout", "0"]) == BAD_INPUT
    assert "timeout_s=0" in capsys.readouterr().err
    late = ["--against", "fsp,ode", *SHORT, "--timeout", "0.001"]
    assert run(["validate", CHANNEL, *late]) == FAILED
    assert "did not finish within 0.001 s" in capsys.readouterr().err


def test_an_ensemble_that_cannot_be_kept_gets_fewer_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sbmlgrad.referees.sampling.KEPT_VALUES", 100)
    found = validate(network("ion_channel"), "fsp", times=[1, 2], trajectories=300, seed=2)
    assert found.agrees
    assert found.comparisons[0].families == ()
    assert found.comparisons[0].tests == 2 * 2 * 3
    assert not np.isnan(found.comparisons[0].y).any()
    assert "too large to be kept" in str(found)
