"""libRoadRunner, asked in a process of its own, gives the statistics of the right network."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import network

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.referees import (
    REFEREES,
    ExactReferee,
    Referee,
    RefereeResult,
    RoadRunner,
    referee,
)
from sbmlgrad.referees.process import WORKERS

ROADRUNNER = RoadRunner()
needs_roadrunner = pytest.mark.skipif(
    not ROADRUNNER.is_available(), reason="roadrunner is not installed"
)


def sample(name: str, times: list[float], n: int, seed: int = 1) -> RefereeResult:
    lowered = lower(network(name))
    document = normalised_sbml(lowered)
    return ROADRUNNER.sample(document, lowered.species_ids, np.array(times), n, seed, 60.0)


@pytest.mark.parametrize("name", list(REFEREES))
def test_every_referee_satisfies_the_protocol(name: str) -> None:
    judge = referee(name)
    assert isinstance(judge, Referee | ExactReferee)
    assert judge.name == name
    assert "pip install" in judge.install_with
    assert isinstance(judge.is_available(), bool)


def test_unknown_name() -> None:
    with pytest.raises(RequestError, match="choose from roadrunner"):
        referee("gillespie")


def test_missing_package_says_what_to_install() -> None:
    absent = RoadRunner(package="a_package_that_does_not_exist")
    with pytest.raises(RefereeError, match="pip install 'sbmlgrad\\[validation\\]'") as caught:
        absent.sample(b"", ["X"], np.array([1.0]), 10, 1, 10.0)
    assert "a_package_that_does_not_exist" in str(caught.value)


#: Workers that ask sbmlgrad itself, in a process only so that it can be stopped.
OF_OUR_OWN = {"fsp_worker"}
OWN = {"importlib", "json", "logging", "os", "pathlib", "re", "sys", "typing", "warnings"}


@pytest.mark.parametrize("path", sorted(WORKERS.glob("*.py")), ids=lambda p: p.stem)
def test_workers_of_other_simulators_import_nothing_of_sbmlgrad(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    allowed = OWN | {"importlib.metadata", "numpy", "worker_tools"}
    if path.stem in OF_OUR_OWN:
        imported = {name for name in imported if name.partition(".")[0] != "sbmlgrad"}
    assert imported <= allowed


@needs_roadrunner
def test_the_library_is_never_loaded_here() -> None:
    script = (
        "import sys\n"
        "from sbmlgrad.io.formats import load\n"
        "from sbmlgrad.referees.validate import validate\n"
        "model = load('unit substance = item; unit extent = item; compartment c = 1;\\n'\n"
        "    'substanceOnly species A in c; A = 5; k = 1; J: A => ; k*A;')\n"
        "validate(model, times=[1], trajectories=20, seed=1)\n"
        "print({'roadrunner', 'tellurium', 'tensorflow'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@needs_roadrunner
def test_exact_means_and_variances_on_an_uneven_grid() -> None:
    n, alpha, mu = 15_000, 2.0, 0.4
    times = np.array([0.0, 0.1, 0.13, 4.0, 12.0])
    found = sample("immigration_death", times.tolist(), n)
    assert found.trajectories == n
    assert found.version.startswith("2.")
    exact = alpha / mu * (1.0 - np.exp(-mu * times))  # Poisson, so it is the variance too
    assert found.mean[0, 0] == found.variance[0, 0] == 0.0
    z = (found.mean[1:, 0] - exact[1:]) / np.sqrt(exact[1:] / n)
    y = (found.variance[1:, 0] - exact[1:]) / np.sqrt((exact[1:] + 2.0 * exact[1:] ** 2) / n)
    fourth = found.fourth_moment[1:, 0] / (exact[1:] + 3.0 * exact[1:] ** 2)
    assert np.abs(z).max() < 5.0
    assert np.abs(y).max() < 5.0
    np.testing.assert_allclose(fourth, 1.0, atol=0.2)


@needs_roadrunner
def test_times_need_not_start_at_zero() -> None:
    late = sample("immigration_death", [5.0], 20_000)
    exact = 5.0 * (1.0 - np.exp(-2.0))
    assert abs(late.mean[0, 0] - exact) < 5.0 * np.sqrt(exact / 20_000)


@needs_roadrunner
def test_time_zero_alone_is_the_start() -> None:
    found = sample("enzyme", [0.0], 10)
    np.testing.assert_array_equal(found.mean, [[20.0, 3.0, 0.0, 0.0]])
    np.testing.assert_array_equal(found.variance, 0.0)


@needs_roadrunner
def test_seeds() -> None:
    first, again, other, high = (
        sample("hill", [1.0, 3.0], 50, seed) for seed in (7, 7, 8, 7 + 2**32)
    )
    np.testing.assert_array_equal(first.mean, again.mean)
    assert (first.mean != other.mean).any()
    # The library itself would take 7 and 7 + 2^32 for the same seed.
    assert (first.mean != high.mean).any()
    assert first.settings["seed"] == again.settings["seed"] != other.settings["seed"]
    assert first.settings["integrator"] == "gillespie"
    assert first.settings["variable_step_size"] == "False"
    assert first.settings["nonnegative"] == "True"


@needs_roadrunner
def test_a_document_it_cannot_read() -> None:
    with pytest.raises(RefereeError, match="'roadrunner' failed"):
        ROADRUNNER.sample(b"<sbml/>", ["X"], np.array([1.0]), 10, 1, 60.0)


@needs_roadrunner
def test_a_species_that_is_not_there() -> None:
    document = normalised_sbml(lower(network("hill")))
    with pytest.raises(RefereeError, match="Nobody"):
        ROADRUNNER.sample(document, ["Nobody"], np.array([1.0]), 10, 1, 60.0)


@needs_roadrunner
def test_its_time_limit() -> None:
    document = normalised_sbml(lower(network("immigration_death")), [1e9, 1e-9])
    with pytest.raises(RefereeError, match="did not finish within 3 s"):
        ROADRUNNER.sample(document, ["X"], np.array([100.0]), 1000, 1, 3.0)


def test_one_trajectory_is_refused() -> None:
    with pytest.raises(RequestError, match="at least two"):
        ROADRUNNER.sample(b"", ["X"], np.array([1.0]), 1, 1, 10.0)


@pytest.mark.skipif(
    not RoadRunner(package="tellurium").is_available(), reason="tellurium is not installed"
)
def test_tellurium_is_the_same_engine() -> None:
    lowered = lower(network("hill"))
    document = normalised_sbml(lowered)
    found = [
        judge.sample(document, lowered.species_ids, np.array([2.0]), 30, 5, 120.0)
        for judge in (ROADRUNNER, RoadRunner(package="tellurium"))
    ]
    np.testing.assert_array_equal(found[0].mean, found[1].mean)
    assert found[1].name == "tellurium"
