"""`sbmlgrad fit --uncertainty`: on workers, without an answer, and what it leaves behind."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from fit_command import write_inputs

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, INTERRUPTED, OK
from sbmlgrad.cli.fit_uncertainty import told_beforehand

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


def test_an_interrupted_uncertainty_leaves_the_fit_that_is_there(monkeypatch, capsys) -> None:
    """The method is told where to say how far it is, and all is written before it begins."""

    def stopped(fitted, trajectories, precision, progress):
        assert Path("out/fit.nc").exists()
        for done in (1, 2):
            progress(done, 8)
        raise KeyboardInterrupt

    monkeypatch.setattr("sbmlgrad.fit.uncertainty.fisher.nearest_optimum", stopped)
    loud = [word for word in FIT if word != "--quiet"]
    assert run([*loud, "--out", "out"]) == INTERRUPTED
    said = capsys.readouterr()
    assert "fisher: interrupted; the fit is written without it" in said.err
    kept = sg.load_result("out/fit.nc")
    assert kept.uncertainty is None
    assert not kept.interrupted
    assert str(kept) in said.out


@pytest.mark.parametrize(
    ("each", "said"),
    [
        (1.0, ""),
        (5.1, "fisher: about 30 s to go, and more where the fit ended far"),
        (20.0, "fisher: about 2 min to go"),
        (3600.0, "fisher: about 6 h to go"),
    ],
)
def test_a_long_uncertainty_is_told_beforehand_and_once(each, said, capsys) -> None:
    now = [50.0]
    advance = told_beforehand("fisher", Path("out"), lambda: now[0])
    for done in range(1, 9):
        # The first one compiles.
        now[0] += each if done > 1 else 1000.0
        advance(done, 8)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (1 if said else 0)
    assert said in "".join(lines)


def test_what_data_leave_open_is_printed_beside_the_values(capsys) -> None:
    """Rates of a model of which only the beginning was seen."""
    Path("d.csv").write_text("time,X\n0,0\n0,1\n0,2\n0,1\n")
    loud = [word for word in FIT if word != "--quiet"]
    assert run([*loud, "--out", "out"]) == OK
    lines = capsys.readouterr().out.splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith("  a "))
    assert lines[place + 1].strip() == "not determined by these data"
    assert "  a: the measurements do not depend on it" in lines
    assert Path("out/parameters.tsv").read_text().count("not determined by these data") == 2
