"""The campaign of published problems in short: likelihoods as published, optima reached."""

from __future__ import annotations

import math
import tarfile
from pathlib import Path

import numpy as np
import petab_fits
import petab_fits_stochastic
import pytest
from networks import ROOT, antimony

from sbmlgrad.fit.rate_equations.likelihood import predict
from sbmlgrad.io.formula_text import formula_of
from sbmlgrad.io.petab import load_petab
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.problem import Observable, Problem, ProblemParameter

SUITE = ROOT.parent / "shared" / "suites" / "petab.tar.xz"

CASES = {case.name: case for case in petab_fits.CASES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Unpack the problems, which are no part of the project and may be absent."""
    if not SUITE.exists():
        pytest.skip("published problems, not shipped: shared/suites/petab.tar.xz is absent")
    folder = tmp_path_factory.mktemp("petab")
    wanted = ("Boehm_JProteomeRes2014", "Bertozzi_PNAS2020")
    with tarfile.open(SUITE) as archive:
        chosen = [m for m in archive if any(name in m.name for name in wanted)]
        archive.extractall(folder, chosen, filter="data")
    return folder / "petab"


def small_problem() -> Problem:
    """Return a decay measured twice, with one parameter on each scale."""
    return Problem(
        network=antimony("species A in cell; A = 10; k = 0.5; D: A -> ; k*A;"),
        observables=(Observable("seen", formula_of("A + shift")),),
        measurements=Measurements(
            ("seen",),
            np.array([1.0, 2.0]),
            np.zeros(2, int),
            10.0 * np.exp([-0.7, -1.4]) + 0.25,
            ("1",) * 2,
            ("",) * 2,
        ),
        parameters=(
            ProblemParameter("k", 0.5, 0.01, 100.0),
            ProblemParameter("shift", 0.0, -1.0, 3.0, scale="lin"),
        ),
    )


def test_starts_fill_the_bounds_on_the_scale_of_each_parameter() -> None:
    """Means of uniform numbers, judged by their standard error."""
    problem = small_problem()
    starts = np.array([petab_fits.starting_point(problem, i)[0] for i in range(60)])
    shares = np.stack(
        [np.log(starts[:, 0] / 0.01) / math.log(1e4), (starts[:, 1] + 1.0) / 4.0], axis=1
    )
    assert (shares > 0.0).all()
    assert (shares < 1.0).all()
    z = (shares.mean(axis=0) - 0.5) * math.sqrt(12.0 * len(shares))
    assert (np.abs(z) < 4.0).all(), f"z = {z}"
    np.testing.assert_array_equal(starts[7], petab_fits.starting_point(problem, 7)[0])


def test_records_are_kept_and_read_back(tmp_path) -> None:
    case = petab_fits.Case("small", math.nan, 1)
    record = petab_fits.from_start(case, small_problem(), 3)
    np.testing.assert_allclose(record.values, [0.7, 0.25], rtol=1e-5)
    assert record.objective == pytest.approx(math.log(2.0 * math.pi), abs=1e-8)
    file = tmp_path / "small.jsonl"
    file.write_text(petab_fits.as_line(record) + petab_fits.as_line(record))
    assert petab_fits.kept(file) == [record, record]


def test_the_optimum_of_boehm_is_reached_from_far_away(folders) -> None:
    """From random starts; about a quarter of them end there, these among them."""
    case = CASES["Boehm_JProteomeRes2014"]
    folder = folders / case.name
    problem = load_petab(petab_fits.problem_file(folder))
    records = [petab_fits.from_start(case, problem, number) for number in (0, 2, 6)]
    best = min(record.objective for record in records)
    assert best == pytest.approx(case.published, abs=1e-3)
    assert max(record.evaluations for record in records) < 200
    line, is_fine = petab_fits.row_of(case, problem, folder, records)
    assert is_fine
    assert "| 138.2220 | 138.2220 | 138.2220 |" in line


def test_an_optimum_that_is_missed_is_told(folders) -> None:
    case = CASES["Bertozzi_PNAS2020"]
    folder = folders / case.name
    problem = load_petab(petab_fits.problem_file(folder))
    record = petab_fits.from_start(case, problem, 0)
    line, is_fine = petab_fits.row_of(case, problem, folder, [record])
    assert is_fine, line
    worse = petab_fits.Record(**{**vars(record), "objective": record.objective + 1.0})
    assert not petab_fits.row_of(case, problem, folder, [worse])[1]
    wrong = petab_fits.Case(case.name, record.objective - 5.0, 1)
    assert not petab_fits.row_of(wrong, problem, folder, [record])[1]


def test_exact_means_have_the_likelihood_of_the_rate_equations(folders) -> None:
    """At the nominal values: populations of thousands follow their rate equations closely."""
    path = petab_fits.problem_file(folders / petab_fits_stochastic.NAME)
    problem = petab_fits_stochastic.stochastic_problem(path)
    expected = predict(load_petab(path)).negative_log_likelihood
    values = np.array([p.nominal for p in problem.free])
    found, error = petab_fits_stochastic.exact_likelihood(problem, values, 60, 5)
    z = (found - expected) / error
    assert 0.0 < error < 1.0
    assert abs(z) < 4.0, f"{found} ± {error} against {expected}: z = {z:.2f}"
