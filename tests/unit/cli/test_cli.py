"""The command line: exit codes, files, messages."""

from __future__ import annotations

import csv
import json
import math

import pytest
from networks import MODELS, ROOT

from sbmlgrad.cli.app import BAD_INPUT, FAILED, NO, OK, run

DIMER = str(MODELS / "dimerization.xml")
COUNTS = str(ROOT / "models" / "data" / "dimerization_counts.csv")


def test_help_names_every_command(capsys) -> None:
    assert run(["--help"]) == OK
    text = capsys.readouterr().out
    for command in ("check", "simulate", "fit", "gradcheck", "validate", "convert"):
        assert command in text
    assert run(["fit", "--help"]) == OK


def test_check_is_fine_or_says_no(tmp_path, capsys) -> None:
    assert run(["check", DIMER]) == OK
    assert "can be simulated" in capsys.readouterr().out
    missing = str(tmp_path / "none.xml")
    assert run(["check", DIMER, missing, "--json"]) == NO
    found = json.loads(capsys.readouterr().out)["files"]
    assert found[DIMER] == []
    (issue,) = found[missing]
    assert issue["severity"] == "error"
    assert issue["code"] == "unreadable_file"


def test_simulate_writes_a_long_table(tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    arguments = ["simulate", DIMER, "--times", "0:2:4", "--trajectories", "3", "--seed", "7"]
    assert run([*arguments, "--out", str(out), "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["seed"] == 7
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 15
    assert list(rows[0]) == ["trajectory", "time", "A", "B", "C"]
    assert [r["time"] for r in rows[:5]] == ["0.0", "0.5", "1.0", "1.5", "2.0"]
    first = out.read_text()
    assert run([*arguments, "--out", str(out), "--quiet", "--set", "k1=0.01"]) == OK
    assert out.read_text() == first


@pytest.mark.parametrize("engine", ["native", "reference", "auto"])
def test_exact_engines_by_name_give_the_same_table(engine, tmp_path) -> None:
    out, other = tmp_path / "x.csv", tmp_path / "y.csv"
    arguments = ["simulate", DIMER, "--times", "0:2:4", "--seed", "7", "--quiet", "--out"]
    assert run([*arguments, str(out)]) == OK
    assert run([*arguments, str(other), "--engine", engine]) == OK
    assert other.read_text() == out.read_text()


def test_rate_equations_and_chosen_symbols(tmp_path, capsys) -> None:
    model = tmp_path / "m.ant"
    model.write_text(
        "unit substance = item; unit extent = item; compartment c = 2; species X in c;\n"
        "X = 50; k = 0.5; J0: X => ; k*X*c; total := 3*X;\n"
    )
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(model), "--times", "0:2:1", "--out", str(out), "--engine", "ode"]
    assert run([*arguments, "--symbols", "X,total,k", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["engine"].startswith("ODE(")
    assert "seed" not in said
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["trajectory", "time", "X", "total", "k"]
    assert float(rows[1]["X"]) == pytest.approx(50.0 * math.exp(-1.0), rel=1e-6)
    assert float(rows[1]["total"]) == pytest.approx(3.0 * float(rows[1]["X"]), rel=1e-12)
    netcdf = tmp_path / "x.nc"
    assert run([*arguments, "--symbols", "total", "--quiet", "--out", str(netcdf)]) == OK
    import xarray

    with xarray.open_dataset(netcdf) as found:
        assert set(found.data_vars) == {"total", "outcome"}
        assert found.sizes == {"trajectory": 1, "time": 2}


@pytest.mark.parametrize("engine", ["auto", "ode"])
def test_dry_run_checks_and_writes_nothing(engine, tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    arguments = ["simulate", DIMER, "--times", "0:2:4", "--engine", engine, "--dry-run"]
    assert run([*arguments, "--out", str(out), "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["dry_run"] is True
    assert said["times"] == 5
    assert not out.exists()
    assert run([*arguments, "--out", str(out), "--set", "nobody=1"]) == BAD_INPUT
    assert "nobody" in capsys.readouterr().err


def test_fit_writes_the_results_folder(tmp_path, capsys) -> None:
    out = tmp_path / "results"
    arguments = ["fit", DIMER, COUNTS, "--free", "k1,k2", "--out", str(out), "--seed", "1"]
    assert run([*arguments, "--dry-run"]) == OK
    assert "would fit" in capsys.readouterr().out
    assert not out.exists()
    assert run([*arguments, "--epochs", "5", "--trajectories", "32", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert set(said["values"]) == {"k1", "k2"}
    for name in ("calibrated.xml", "parameters.tsv", "report.html"):
        assert (out / name).exists()


def test_convert_round_trip(tmp_path) -> None:
    import sbmlgrad as sg

    text, back = tmp_path / "m.ant", tmp_path / "m.xml.gz"
    assert run(["convert", DIMER, str(text), "--quiet"]) == OK
    assert run(["convert", str(text), str(back), "--quiet"]) == OK
    assert sg.load(back).parameter_values.tolist() == sg.load(DIMER).parameter_values.tolist()
    normal = tmp_path / "n.xml"
    assert run(["convert", DIMER, str(normal), "--normalised", "--quiet"]) == OK
    assert len(sg.load(normal).reactions) == 2


SIMULATE = ["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv"]
BAD = [
    (["simulate", "none.xml", "--times", "0:1:2", "--out", "x.csv"], BAD_INPUT, "no such file"),
    (["simulate", DIMER, "--times", "0:1", "--out", "x.csv"], BAD_INPUT, "START:STOP:STEPS"),
    (["simulate", DIMER, "--times", "-1:1:2", "--out", "x.csv"], BAD_INPUT, "negative"),
    (["simulate", DIMER, "--times", "0:inf:2", "--out", "x.csv"], BAD_INPUT, "--times 0:inf:2"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.txt"], BAD_INPUT, ".csv or .nc"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "no/x.csv"], BAD_INPUT, "does not exist"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv", "--set", "k"], BAD_INPUT, "NAME="),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv", "--set", "k=1"], BAD_INPUT, "'k'"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv", "--set", "k1=u"], BAD_INPUT, "'u'"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv", "--seed", "-3"], BAD_INPUT, "seed"),
    (["simulate", DIMER, "--times", "0:1:2", "--out", "x.csv", "--frob"], BAD_INPUT, "frob"),
    ([*SIMULATE, "--engine", "tau"], BAD_INPUT, "native"),
    ([*SIMULATE, "--engine", "ode", "--threads", "2"], BAD_INPUT, "one thread"),
    ([*SIMULATE, "--symbols", "A,q"], BAD_INPUT, "'q'"),
    (["check", "no-such-*.xml"], BAD_INPUT, "no model file"),
    (["fit", DIMER, COUNTS, "--free", "zz", "--out", "r"], BAD_INPUT, "'zz'"),
    (["fit", DIMER, "none.csv", "--free", "k1", "--out", "r"], BAD_INPUT, "none.csv"),
    (
        ["fit", DIMER, COUNTS, "--free", "k1", "--out", "r", "--bounds", "k1=3"],
        BAD_INPUT,
        "LOW:HIGH",
    ),
    (["convert", DIMER, "x.doc"], BAD_INPUT, "unknown kind"),
    (["validate", DIMER, "--against", "nobody"], BAD_INPUT, "nobody"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), BAD, ids=[m for _, _, m in BAD])
def test_bad_input_is_one_clear_message(
    arguments, code, message, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not list(tmp_path.iterdir()), "something was left behind"


def test_failure_at_run_time_has_its_own_code(tmp_path, capsys) -> None:
    model = tmp_path / "m.ant"
    model.write_text(
        "unit substance = item; unit extent = item; compartment c = 1;\n"
        "substanceOnly species X in c; X = 2; k = 1; J0: X => ; k;\n"
    )
    out = tmp_path / "x.csv"
    assert run(["simulate", str(model), "--times", "0:90:2", "--out", str(out)]) == FAILED
    assert "negative" in capsys.readouterr().err
    assert not out.exists()
