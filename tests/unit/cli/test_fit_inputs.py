"""`sbmlgrad fit`: mapping files, snapshots, PEtab problems, rate equations, archives, resuming."""

from __future__ import annotations

import json
import zipfile

import pytest
from networks import ROOT

from sbmlgrad.cli.app import run
from sbmlgrad.cli.exit import BAD_INPUT, OK

SIR = str(ROOT / "models" / "sbml" / "sir.xml")
FLU = str(ROOT / "models" / "data" / "influenza_england_1978.csv")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_petab_problem_is_fitted_by_its_rate_equations_and_packed(folder, capsys) -> None:
    assert run(["convert", SIR, "flu", "--data", FLU, "--free", "beta,gamma"]) == OK
    arguments = ["fit", "flu/problem.yaml", "--engine", "ode", "--seed", "1", "--json"]
    capsys.readouterr()
    assert run([*arguments, "--out", "r", "--omex", "flu.omex"]) == OK
    told = json.loads(capsys.readouterr().out)
    # scipy's curve_fit with solve_ivp of the SIR equations: 1.699799, 0.446866.
    assert told["values"]["beta"] == pytest.approx(1.699799, rel=1e-4)
    assert told["values"]["gamma"] == pytest.approx(0.446866, rel=1e-4)
    with zipfile.ZipFile("flu.omex") as archive:
        names = archive.namelist()
    assert "manifest.xml" in names
    assert any(name.endswith("report.html") for name in names)
    assert not any("checkpoint" in name for name in names)


def test_a_mapping_file_names_scales_and_noise(folder, capsys) -> None:
    (folder / "map.toml").write_text(
        '[[observables]]\nobservableId = "beds"\nformula = "share * I"\ncolumn = "I"\n'
        'noiseDistribution = "normal"\nnoiseFormula = "20"\n'
    )
    arguments = ["fit", SIR, FLU, "--mapping", "map.toml", "--free", "beta,share", "--out", "r"]
    assert run([*arguments, "--dry-run"]) == BAD_INPUT
    assert "uses share, which the model has not" in capsys.readouterr().err
    assert run([*arguments, "--start", "share=0.9", "--dry-run", "--json"]) == OK
    planned = json.loads(capsys.readouterr().out)
    assert planned["free"]["share"]["start"] == 0.9
    assert planned["observables"] == {"beds": 14}
    assert not (folder / "r").exists()


def test_snapshots_are_one_row_a_cell(folder, capsys) -> None:
    (folder / "cells.csv").write_text("time,I\n" + "".join(f"2,{n}\n" for n in (3, 5, 9, 4)))
    arguments = ["fit", SIR, "cells.csv", "--snapshots", "--free", "beta", "--out", "r"]
    assert run([*arguments, "--dry-run", "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["free"].keys() == {"beta"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([SIR, FLU, "--engine", "cvode"], "choose ssa or ode"),
        ([SIR, FLU, "--objective", "Mean"], "MeanTrajectory"),
        ([SIR, FLU, "--level", "three"], "write level and version"),
        ([SIR], "name the file of measurements"),
        (["none.yaml", FLU], "leave out DATA"),
        ([SIR, FLU, "--snapshots", "--plate-map", "t.csv"], "leave out --plate-map"),
        ([SIR, FLU, "--snapshots", "--time-column", "t"], "there is no column 't'"),
        ([SIR, FLU, "--uncertainty", "fischer"], "choose one of fisher"),
        ([SIR, FLU, "--engine", "ode", "--uncertainty", "fisher"], "is for exact simulation"),
        ([SIR, FLU, "--engine", "ode", "--epochs", "3", "--threads", "1"], "--epochs, --threads"),
        ([SIR, FLU, "--engine", "ode", "--resume"], "--resume: mean something"),
        ([SIR, FLU, "--objective", "Distribution", "--dry-run"], "no snapshots"),
        ([SIR, FLU, "--omex", "nowhere/a.omex"], "there is no folder"),
        ([SIR, FLU, "--omex", "a.zip"], "is called .omex"),
    ],
)
def test_what_does_not_go_together_is_refused(folder, capsys, arguments, message) -> None:
    assert (
        run(["fit", *arguments, "--free", "beta", "--out", "r"]) == BAD_INPUT
        or run(["fit", *arguments, "--out", "r"]) == BAD_INPUT
    )
    assert message in capsys.readouterr().err
    assert not (folder / "r").exists()
