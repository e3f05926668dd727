"""What an import loads, and what simulation and the command line never load."""

from __future__ import annotations

import subprocess
import sys

import pytest
from networks import MODELS

HEAVY = ("tensorflow", "libsbml", "numba", "pandas", "matplotlib", "scipy", "antimony", "keras")
HEAVY += ("dask", "distributed", "emcee")


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return which heavy packages it loaded."""
    script = f"{code}\nimport sys\nprint('LOADED', *(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import sbmlgrad") == set()


def test_executors_and_uncertainty_load_neither_dask_nor_tensorflow() -> None:
    code = "import sbmlgrad as sg\nsg.Serial(), sg.Dask(workers=2), sg.uncertainty"
    unwanted = {"tensorflow", "keras", "dask", "distributed", "emcee", "matplotlib", "pandas"}
    assert not loaded_after(code) & unwanted


def test_simulation_never_loads_tensorflow() -> None:
    code = f"""
import sbmlgrad as sg
model = sg.load({str(MODELS / "dimerization.xml")!r})
sg.simulate(model, times=[0, 1], trajectories=5, seed=1).mean("C")
"""
    assert "numba" in loaded_after(code)
    assert not loaded_after(code) & {"tensorflow", "keras", "pandas", "matplotlib"}


@pytest.mark.parametrize("command", ["", "check", "simulate", "fit", "validate", "convert"])
def test_help_comes_without_anything_heavy(command: str) -> None:
    arguments = [*filter(None, [command]), "--help"]
    code = f"from sbmlgrad.cli.app import run\nassert run({arguments!r}) == 0"
    assert loaded_after(code) == set()


def test_command_line_simulate_never_loads_tensorflow(tmp_path) -> None:
    out = tmp_path / "x.csv"
    code = f"""
from sbmlgrad.cli.app import run
assert run(["simulate", {str(MODELS / "dimerization.xml")!r}, "--times", "0:1:2", "--trajectories",
            "3", "--seed", "1", "--out", {str(out)!r}, "--quiet"]) == 0
"""
    assert not loaded_after(code) & {"tensorflow", "keras"}
    assert out.exists()


def test_the_verb_fit_survives_importing_its_package() -> None:
    code = """
import sbmlgrad.fit.result
import sbmlgrad as sg
try:
    sg.fit(None, None, free=["k"], epochs=0)
except sg.RequestError:
    pass
"""
    loaded_after(code)
