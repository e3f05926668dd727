"""`sbmlgrad gradcheck`: files, table, exit codes."""

from __future__ import annotations

import csv
import json

import pytest

from sbmlgrad.cli.app import BAD_INPUT, OK, run

MODEL = """
unit substance = item; unit extent = item; compartment cell = 1;
substanceOnly species X in cell; X = 0; make = 2; decay = 0.4;
J0: => X; make; J1: X => ; decay*X;
"""


@pytest.fixture
def command(tmp_path) -> list[str]:
    """The command for a small model, up to what differs."""
    (tmp_path / "model.ant").write_text(MODEL, encoding="utf-8")
    out = str(tmp_path / "out")
    return ["gradcheck", str(tmp_path / "model.ant"), "--times", "0:2:2", "--out", out]


def test_writes_table_gradients_and_picture(command, tmp_path, capsys) -> None:
    options = ["--of", "X", "--free", "make", "--windows", "--trajectories", "200", "--seed", "3"]
    assert run([*command, *options, "--temperatures", "0,1", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["seed"] == 3
    assert said["free"] == ["make"]
    assert said["targets"] == ["X in 0 … 1", "X in 1 … 2"]
    with (tmp_path / "out" / "gradcheck.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    names = [row["estimator"] for row in rows]
    assert names == [row["estimator"] for row in said["estimators"]]
    assert {"TwoSidedAdjoint()", "StraightThrough(temperature=1.0)", "FittedValue()"} <= set(names)
    assert [row["estimator"] for row in rows if row["recommended"] == "True"] == [
        said["recommended"]
    ]
    with (tmp_path / "out" / "gradients.tsv").open(encoding="utf-8") as stream:
        gradients = list(csv.DictReader(stream, delimiter="\t"))
    assert len(gradients) == 2 * len(rows)
    assert (tmp_path / "out" / "gradcheck.png").read_bytes().startswith(b"\x89PNG")


def test_prints_the_table_and_what_refuses(command, tmp_path, capsys) -> None:
    options = ["--statistic", "probability:3:", "--trajectories", "200", "--seed", "3"]
    assert run([*command, *options, "--temperatures", "0"]) == OK
    text = " ".join(capsys.readouterr().out.split())
    assert "Gradient of the probability of 3 or more in make, decay" in text
    assert "Refused by Adjoint(), TwoSidedAdjoint(): a probability is the mean of a step" in text
    assert "gradcheck.tsv" in text
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "gradcheck.png",
        "gradcheck.tsv",
        "gradients.tsv",
    ]


def test_dry_run_says_what_it_would_do_and_writes_nothing(command, tmp_path, capsys) -> None:
    assert run([*command, "--dry-run", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["targets"] == ["X at 0", "X at 1", "X at 2"]
    assert "TwoSidedAdjoint()" in said["estimators"]
    assert run([*command, "--dry-run"]) == OK
    assert "would check gradients of" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--statistic", "median"], "--statistic median: write mean"),
        (["--statistic", "probability:a:b"], "--statistic probability:a:b: write mean"),
        (["--statistic", "probability::"], "--statistic probability::: write mean"),
        (["--temperatures", "cold"], "--temperatures cold: write numbers"),
        (["--of", "Y"], "'Y' is no species"),
        (["--free", "k"], "'k'"),
        (["--trajectories", "50"], "multiple of 20"),
        (["--temperatures=-1"], "StraightThrough(temperature=-1.0)"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(
    command, options, words, tmp_path, capsys
) -> None:
    assert run([*command, *options, "--dry-run"]) == BAD_INPUT
    assert words in capsys.readouterr().err
    assert run([*command, *options]) == BAD_INPUT
    assert not (tmp_path / "out").exists()
