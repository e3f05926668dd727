"""`sbmlgrad fit --objective`: settings as results record them; `--workers` for several starts."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fit_command import write_inputs

import sbmlgrad as sg
from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK
from sbmlgrad.cli.fit_objective import objective_of
from sbmlgrad.errors import RequestError
from sbmlgrad.fit.objectives import Distribution, Moments, StateSpaceLikelihood

CELLS = "time,X\n" + "".join(f"2,{n}\n" for n in (3, 1, 2, 4, 2, 3, 5, 2, 1, 3, 4, 2))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs()
    Path("cells.csv").write_text(CELLS)


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("Moments", Moments()),
        (" Moments( ) ", Moments()),
        ("Moments(covariance=True)", Moments(covariance=True)),
        ("Distribution(distance='mmd', bandwidth=0.5)", Distribution("mmd", 0.5)),
        ("Distribution('mmd', bandwidth=0.5)", Distribution("mmd", 0.5)),
        ("Moments(True)", Moments(covariance=True)),
        ("StateSpaceLikelihood(detection={'X': 0.8})", StateSpaceLikelihood({"X": 0.8})),
    ],
)
def test_a_name_or_a_call_is_an_objective(text: str, objective: Any) -> None:
    assert objective_of(text) == objective
    assert objective_of(objective.name) == objective


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mean", "choose one of"),
        ("Moments(covariances=True)", "no setting covariances; it has covariance"),
        ("Moments(open('x'))", "settings as in Python"),
        ("Moments(*[True])", "settings as in Python"),
        ("Moments(covariance=open('x'))", "settings as in Python"),
        ("Moments(**{'covariance': True})", "settings as in Python"),
        ("Moments().check(covariance=True)", "settings as in Python"),
        ("Moments(covariance=", "settings as in Python"),
        ("Distribution('mmd', distance='energy')", "distance is given twice"),
        ("Distribution('mmd', 1, 2)", "2 settings at most, distance, bandwidth"),
        ("Moments(covariance=True, covariance=False)", "covariance is given twice"),
        ("Moments(covariance='yes')", "give True or False"),
        ("StateSpaceLikelihood(largest=-3)", "largest=-3"),
        ("Distribution(distance='far')", "choose one of energy"),
        ("DwellTimes", "needs record, classes; fit from Python"),
    ],
)
def test_other_texts_are_refused(text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        objective_of(text)


def test_settings_reach_the_fit_and_an_exact_likelihood_has_intervals() -> None:
    given = "StateSpaceLikelihood(background=0.01)"
    arguments = ["fit", "m.ant", "cells.csv", "--snapshots", "--free", "a", "--quiet"]
    arguments += ["--objective", given, "--epochs", "20", "--trajectories", "2", "--seed", "1"]
    assert run([*arguments, "--out", "out"]) == OK
    result = sg.load_result("out/fit.nc")
    assert result.objective == StateSpaceLikelihood(background=0.01).name
    assert "standardError" in Path("out/parameters.tsv").read_text().splitlines()[0]
    assert result.uncertainty is not None
    assert result.uncertainty.settings["information"] == "observed"


def test_methods_that_a_likelihood_of_cells_has_not(capsys) -> None:
    arguments = [
        "fit",
        "m.ant",
        "cells.csv",
        "--snapshots",
        "--out",
        "out",
        "--uncertainty",
        "mcmc",
    ]
    if importlib.util.find_spec("emcee") is None:
        pytest.skip("the extra `mcmc` is missing")
    assert run([*arguments, "--objective", "StateSpaceLikelihood"]) == BAD_INPUT
    assert "has --uncertainty fisher and bootstrap" in capsys.readouterr().err
    assert not Path("out").exists()


@dataclass(frozen=True)
class Counted:
    """Stands for a cluster: runs tasks here and counts them."""

    workers: int = 2
    address: str | None = None
    rounds: Any = None

    @property
    def name(self) -> str:
        return f"Dask(workers={self.workers})"

    @property
    def is_parallel(self) -> bool:
        return False

    def map(self, function: Any, tasks: Any, *more: Any) -> list[Any]:
        ROUNDS.append((self.workers, self.address, len(tasks)))
        return sg.Serial().map(function, tasks, *more)


ROUNDS: list[Any] = []


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="the extra `distributed` is missing"
)
@pytest.mark.parametrize("engine", ["ssa", "ode"])
def test_workers_take_the_starts(engine: str, monkeypatch) -> None:
    ROUNDS.clear()
    monkeypatch.setattr("sbmlgrad.fit.parallel.Dask", Counted)
    arguments = ["fit", "m.ant", "d.csv", "--free", "a,mu", "--starts", "3", "--seed", "5"]
    if engine == "ssa":
        arguments += ["--epochs", "2", "--trajectories", "20", "--uncertainty", "none"]
    assert run([*arguments, "--engine", engine, "--workers", "4", "--quiet", "--out", "o"]) == OK
    assert [(4, None, 3)] * (2 if engine == "ssa" else 1) == ROUNDS
    assert sg.load_result("o/fit.nc").arguments["executor"] == "Dask(workers=4)"


def test_workers_without_work_are_refused(capsys) -> None:
    arguments = ["fit", "m.ant", "d.csv", "--free", "a,mu", "--workers", "2", "--out", "out"]
    assert run(arguments) == BAD_INPUT
    assert "is for several --starts" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_fit_out_of_time_says_so_and_can_go_on(capsys) -> None:
    arguments = ["fit", "m.ant", "d.csv", "--free", "a", "--seed", "5", "--trajectories", "20"]
    arguments += ["--epochs", "9", "--uncertainty", "none", "--out", "out"]
    assert run([*arguments, "--max-seconds", "1e-9"]) == OK
    assert "--resume goes on from there" in capsys.readouterr().err
    cut = sg.load_result("out/fit.nc")
    assert cut.is_late
    assert not cut.interrupted
    assert Path("out/checkpoint.npz").exists()
    assert run([*arguments, "--resume", "--quiet"]) == OK
    assert not sg.load_result("out/fit.nc").is_late
    assert not Path("out/checkpoint.npz").exists()
