"""`sbmlgrad fit --uncertainty`: on workers, without an answer, and what it leaves behind."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from fit_command import write_inputs

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK

FIT = ["fit", "m.ant", "d.csv", "--free", "a,mu", "--seed", "5", "--threads", "1", "--epochs", "3"]
FIT += ["--trajectories", "50", "--quiet"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs()


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="the extra `distributed` is missing"
)
def test_one_process_and_two_workers_write_the_same_table() -> None:
    bootstrap = [*FIT, "--uncertainty", "bootstrap", "--repeats", "10"]
    assert run([*bootstrap, "--out", "alone"]) == OK
    assert run([*bootstrap, "--workers", "2", "--out", "spread"]) == OK
    table = Path("alone/parameters.tsv").read_bytes()
    assert b"standardError" in table
    assert Path("spread/parameters.tsv").read_bytes() == table
    for folder in ("alone", "spread"):
        assert not any(p.suffix in (".jsonl", ".npz") for p in Path(folder).iterdir())


def test_where_nobody_asked_a_fit_without_answer_is_written_without_errors(capsys) -> None:
    Path("d.csv").write_text("time,X\n1,1.5\n4,4.2\n")
    assert run([*FIT, "--out", "out"]) == OK
    said = capsys.readouterr().err
    assert "no standard errors are written: d.csv: 2 measurements and 2 fitted parameters" in said
    assert "standardError" not in Path("out/parameters.tsv").read_text().splitlines()[0]
    assert Path("out/report.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--repeats", "20"], "--repeats: is for --uncertainty bootstrap"),
        (["--uncertainty", "fisher", "--scheduler", "tcp://x:1"], "--scheduler: is for"),
        (
            ["--uncertainty", "profile", "--workers", "2", "--scheduler", "tcp://x:1"],
            "a scheduler has its own workers",
        ),
    ],
)
def test_options_that_mean_nothing_together(options, message, capsys) -> None:
    assert run([*FIT, *options, "--out", "out"]) == BAD_INPUT
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_an_extra_that_is_missing_is_named_before_the_fit(monkeypatch, capsys) -> None:
    known = importlib.util.find_spec
    missing = ("emcee", "distributed")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *a: None if name in missing else known(name, *a)
    )
    assert run([*FIT, "--uncertainty", "mcmc", "--out", "out"]) == BAD_INPUT
    assert "sbmlgrad[mcmc]" in capsys.readouterr().err
    profile = [*FIT, "--uncertainty", "profile", "--workers", "2", "--out", "out"]
    assert run(profile) == BAD_INPUT
    assert "sbmlgrad[distributed]" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("options", [[], ["--uncertainty", "fisher"], ["--uncertainty", "profile"]])
def test_an_estimator_that_the_problem_names_leaves_intervals(options, capsys) -> None:
    """Its name in the result is enough to make it again, for the command line and for Python."""
    convert = ["convert", "m.ant", "p", "--data", "d.csv", "--free", "a", "--quiet"]
    assert run(convert) == OK
    path = Path("p/problem.yaml")
    settings = "  sbmlgrad:\n    estimator: FiniteDifference(relative_step=0.2)\n"
    settings += "    objective: MeanTrajectory\n"
    path.write_text(path.read_text().replace("  sbmlgrad:\n", settings))
    fit = ["fit", str(path), "--seed", "5", "--threads", "1", "--epochs", "2", "--quiet"]
    assert run([*fit, "--trajectories", "50", *options, "--out", "out"]) == OK
    assert "no standard errors" not in capsys.readouterr().err
    assert "standardError" in Path("out/parameters.tsv").read_text().splitlines()[0]
    result = sg.load_result("out/fit.nc")
    assert result.estimator.startswith("FiniteDifference(relative_step=0.2")
    if not options:
        found = sg.uncertainty(result)
        assert found.standard_errors.shape == (1,)
        assert (found.standard_errors > 0.0).all()
