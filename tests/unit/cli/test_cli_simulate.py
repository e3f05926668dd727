"""`sbmlgrad simulate`: engines, kernels and precision by name, a dry run, too little memory."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from networks import MODELS

from sbmlgrad.cli import simulate_results as results
from sbmlgrad.cli.app import BAD_INPUT, OK, run

DIMER = str(MODELS / "dimerization.xml")
SIMULATE = ["simulate", DIMER, "--times", "0:2:4", "--seed", "7"]
PULSE = """
unit substance = item; unit extent = item; compartment cell = 1; substanceOnly species X in cell;
X = 3; alpha = 20; mu = 0.5; on = 0;
J0: => X; alpha*(1 + on); J1: X => ; mu*X; E1: at time >= 2: on = 1;
"""


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def pulse(tmp_path: Path) -> str:
    """A file of a model with an event."""
    (tmp_path / "pulse.ant").write_text(PULSE)
    return str(tmp_path / "pulse.ant")


@pytest.mark.parametrize("kernel", ["auto", "table", "lockstep", "tree"])
def test_kernels_by_name_give_the_same_counts(kernel, tmp_path, capsys) -> None:
    out, other = tmp_path / "x.csv", tmp_path / "y.csv"
    several = [*SIMULATE, "--trajectories", "3", "--out"]
    assert run([*several, str(out), "--quiet"]) == OK
    assert run([*several, str(other), "--kernel", kernel, "--json"]) == OK
    assert other.read_text() == out.read_text()
    said = json.loads(capsys.readouterr().out)["engine"]
    assert said.startswith(f"Native(kernel='{'table' if kernel == 'auto' else kernel}')")


def test_single_precision_is_asked_for_by_name(tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    options = ["--precision", "float32", "--kernel", "table", "--out", str(out), "--json"]
    assert run([*SIMULATE, *options]) == OK
    assert (
        json.loads(capsys.readouterr().out)["engine"] == "Native(kernel='table', dtype='float32')"
    )
    assert {row["A"] for row in table(out)[:1]} == {"100"}


BAD = [
    (["--kernel", "scalar"], "--kernel scalar: choose one of auto, table, lockstep, tree"),
    (["--precision", "float16"], "--precision float16: choose one of float64, float32"),
    (["--kernel", "tree", "--precision", "float32"], "--kernel tree works in double precision"),
    (["--engine", "ode", "--kernel", "table"], "only --engine native has kernels"),
    (["--engine", "cuda", "--kernel", "auto"], "not cuda"),
    (["--engine", "cuda", "--precision", "float32"], "cuda works in double precision"),
    (["--engine", "reference", "--precision", "float64"], "reference works in double precision"),
    (["--engine", "tensorflow", "--threads", "2"], "divides its work up by itself"),
    (["--engine", "reference", "--threads", "2"], "one thread"),
    (["--engine", "gpu"], "choose one of auto, native, reference, ode, cuda, tensorflow"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[" ".join(o) for o, _ in BAD])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry"])
def test_options_that_make_no_sense(options, message, dry, tmp_path, capsys) -> None:
    assert run([*SIMULATE, "--out", str(tmp_path / "x.csv"), *options, *dry]) == BAD_INPUT
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [["--kernel", "lockstep"], ["--precision", "float32"]])
def test_models_with_a_clock_have_a_kernel_of_their_own(options, pulse, tmp_path, capsys) -> None:
    out = tmp_path / "x.csv"
    assert run(["simulate", pulse, "--times", "0:5:5", "--out", str(out), *options]) == BAD_INPUT
    assert f"{' '.join(options)}: model" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("options", [[], ["--engine", "reference"], ["--engine", "ode"]])
@pytest.mark.parametrize("name", ["dimer", "pulse"])
def test_a_dry_run_names_the_engine_that_would_be_recorded(
    name, options, pulse, tmp_path, capsys
) -> None:
    out = tmp_path / "x.csv"
    model = DIMER if name == "dimer" else pulse
    arguments = ["simulate", model, "--times", "0:2:4", "--seed", "1", "--out", str(out), "--json"]
    assert run([*arguments, *options, "--dry-run"]) == OK
    planned = json.loads(capsys.readouterr().out)
    assert not out.exists()
    assert run([*arguments, *options]) == OK
    assert planned["engine"] == json.loads(capsys.readouterr().out)["engine"]


def test_a_dry_run_tells_the_kernel_and_why(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "1GiB")
    arguments = ["simulate", str(MODELS / "oscillator.xml"), "--times", "0:20:20", "--dry-run"]
    arguments += ["--out", str(tmp_path / "x.csv"), "--trajectories"]
    assert run([*arguments, "100000", "--json"]) == OK
    said = json.loads(capsys.readouterr().out)
    assert said["engine"].startswith("Native(kernel='lockstep'): about")
    assert said["memory_available"] == 2**30
    # 9 species at 21 times in the ensemble and in the file, and the ends of the trajectories.
    assert 2 * 100_000 * 21 * 9 * 8 < said["memory_needed"] < 2.2 * 100_000 * 21 * 9 * 8
    assert run([*arguments, "1"]) == OK
    text = capsys.readouterr().out
    assert "engine: Native(kernel='table'): about" in text
    assert "memory available: about 1 GiB" in text


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry"])
def test_too_little_memory_is_bad_input_and_the_way_out_is_named(
    dry, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "100MiB")
    arguments = [*SIMULATE, "--trajectories", "1000000", "--out", str(tmp_path / "x.csv"), *dry]
    assert run(arguments) == BAD_INPUT
    said = capsys.readouterr().err
    assert "1,000,000 trajectories and their file" in said
    assert "100 MiB are available" in said
    assert "--summary" in said
    assert run([*arguments, "--summary", "--dry-run"]) == OK
    assert run([*SIMULATE[:3], "0:2:2000", *arguments[6:], "--summary"]) == BAD_INPUT
    assert "--symbols" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_table_is_the_same_in_pieces(tmp_path, monkeypatch) -> None:
    whole, pieces = tmp_path / "x.csv", tmp_path / "y.csv"
    for symbols in ([], ["--symbols", "A,k1"]):
        arguments = [*SIMULATE, "--trajectories", "7", "--quiet", *symbols, "--out"]
        assert run([*arguments, str(whole)]) == OK
        with monkeypatch.context() as patch:
            patch.setattr(results, "ROWS", 10)
            assert run([*arguments, str(pieces)]) == OK
        assert pieces.read_text() == whole.read_text()
        assert [row["trajectory"] for row in table(whole)[::5]] == list("0123456")


def test_a_column_is_whole_in_every_piece_or_in_none(tmp_path, monkeypatch) -> None:
    """A species that a rate rule moves from a whole number, in one trajectory only."""
    model = tmp_path / "m.ant"
    model.write_text(
        "unit substance = item; unit extent = item; compartment c = 1; substanceOnly species X in "
        "c, Y in c; X = 1; Y = 0; J0: X => ; 0.7*X; Y' = 1 - X;\n"
    )
    monkeypatch.setattr(results, "ROWS", 2)
    out = tmp_path / "x.csv"
    arguments = ["simulate", str(model), "--times", "0:1:1", "--trajectories", "6", "--seed", "1"]
    assert run([*arguments, "--out", str(out), "--quiet"]) == OK
    found = [row["Y"] for row in table(out)]
    assert "0.0" in found
    assert any(float(value) % 1.0 for value in found)
    assert "0" not in found


def test_cuda_is_an_engine_by_name(tmp_path) -> None:
    """On numba's simulator, which a process decides for when it starts."""
    out, other = tmp_path / "x.csv", tmp_path / "y.csv"
    short = ["simulate", DIMER, "--times", "0:0.01:2", "--seed", "7", "--json", "--out"]
    assert run([*short, str(out)]) == OK
    arguments = [*short, str(other), "--engine", "cuda"]
    code = f"from sbmlgrad.cli.app import run; raise SystemExit(run({arguments!r}))"
    ended = child(code, NUMBA_ENABLE_CUDASIM="1")
    assert ended.returncode == OK, ended.stderr
    assert json.loads(ended.stdout)["engine"] == "Cuda()"
    assert other.read_text() == out.read_text()


def test_tensorflow_is_loaded_for_its_engine_only(tmp_path) -> None:
    out, other = tmp_path / "x.csv", tmp_path / "y.csv"
    code = f"""
import sys
from sbmlgrad.cli.app import run
start = {[*SIMULATE, "--quiet", "--out"]!r}
assert run([*start, {str(out)!r}]) == 0
assert run([*start, {str(other)!r}, "--summary", "--trajectories", "9"]) == 0
assert run([*start, {str(other)!r}, "--dry-run"]) == 0
assert "tensorflow" not in sys.modules
assert run([*start, {str(other)!r}, "--engine", "tensorflow", "--dry-run"]) == 0
assert run([*start, {str(other)!r}, "--engine", "tensorflow"]) == 0
"""
    ended = child(code)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert other.read_text() == out.read_text()
