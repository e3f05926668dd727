"""Densities of priors against SciPy's, by integrals too; slopes against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats as st
from networks import network

from sbmlgrad.errors import FitError
from sbmlgrad.fit.prior_densities import (
    DENSITIES,
    log_prior_density,
    log_prior_of_coordinates,
    log_prior_slope,
)
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.priors import PRIORS, Prior
from sbmlgrad.model.problem import Problem, ProblemParameter, species_observables

#: Distribution → arguments, and the same distribution in SciPy.
THEIRS = {
    "uniform": ((0.5, 3.0), st.uniform(0.5, 2.5)),
    "log-uniform": ((0.5, 3.0), st.loguniform(0.5, 3.0)),
    "normal": ((1.2, 0.7), st.norm(1.2, 0.7)),
    "log-normal": ((0.3, 0.6), st.lognorm(0.6, scale=math.exp(0.3))),
    "laplace": ((1.2, 0.7), st.laplace(1.2, 0.7)),
    "log-laplace": ((0.3, 0.6), st.loglaplace(1.0 / 0.6, scale=math.exp(0.3))),
    "cauchy": ((1.2, 0.7), st.cauchy(1.2, 0.7)),
    "chisquare": ((3.0,), st.chi2(3.0)),
    "exponential": ((1.7,), st.expon(scale=1.7)),
    "gamma": ((2.5, 0.8), st.gamma(2.5, scale=0.8)),
    "rayleigh": ((1.3,), st.rayleigh(scale=1.3)),
}
VALUES = np.array([0.6, 1.0, 2.3])


def prior(name: str, *, on_scale: bool = False) -> Prior:
    return Prior(name, THEIRS[name][0], on_scale)


def test_every_prior_has_a_density() -> None:
    assert DENSITIES.keys() == PRIORS.keys() == THEIRS.keys()


@pytest.mark.parametrize("name", PRIORS)
def test_densities_are_those_of_scipy(name) -> None:
    theirs = THEIRS[name][1]
    np.testing.assert_allclose(
        log_prior_density(prior(name), VALUES), theirs.logpdf(VALUES), rtol=1e-12
    )
    assert isinstance(float(log_prior_density(prior(name), 1.0)), float)


@pytest.mark.parametrize("name", PRIORS)
def test_densities_integrate_to_probabilities(name) -> None:
    """The integral over an interval is the difference of SciPy's distribution functions."""
    found = scipy.integrate.quad(lambda x: math.exp(log_prior_density(prior(name), x)), 0.7, 2.9)[0]
    theirs = THEIRS[name][1]
    assert found == pytest.approx(theirs.cdf(2.9) - theirs.cdf(0.7), rel=1e-8)


@pytest.mark.parametrize("name", PRIORS)
@pytest.mark.parametrize(("scale", "on_scale"), [("lin", False), ("log", True), ("log10", True)])
def test_slopes_are_those_of_differences(name, scale, on_scale) -> None:
    values = VALUES if scale == "lin" else np.array([2.0, 4.0, 7.0])
    values = 10.0**VALUES if scale == "log10" else values
    chosen, step = prior(name, on_scale=on_scale), 1e-6 * values
    sides = [log_prior_density(chosen, values + s, scale) for s in (step, -step)]
    slope = log_prior_slope(chosen, values, scale)
    np.testing.assert_allclose(slope, (sides[0] - sides[1]) / (2.0 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["log-normal", "gamma", "uniform", "exponential", "rayleigh"])
def test_what_a_prior_excludes_has_no_density(name) -> None:
    assert log_prior_density(prior(name), -1.0) == -math.inf
    assert math.isnan(log_prior_slope(prior(name), -1.0))


def test_scales_and_missing_values() -> None:
    chosen = Prior("normal", (0.5, 0.2), on_scale=True)
    assert log_prior_density(chosen, 3.0, "log10") == pytest.approx(
        st.norm(0.5, 0.2).logpdf(math.log10(3.0)), rel=1e-12
    )
    assert log_prior_density(chosen, -3.0, "log10") == -math.inf
    assert log_prior_density(chosen, 3.0, "lin") == pytest.approx(st.norm(0.5, 0.2).logpdf(3.0))
    assert math.isnan(log_prior_density(chosen, math.nan, "log"))
    with pytest.raises(FitError, match="'ln'"):
        log_prior_density(chosen, 1.0, "ln")


def _problem(prior: Prior | None, scale: str) -> Problem:
    model = network("immigration_death")
    data = Measurements(("X",), np.ones(1), np.zeros(1, dtype=np.int64), np.ones(1), ("",), ("",))
    free = ProblemParameter("alpha", 2.0, 0.1, 40.0, scale, prior=prior)
    return Problem(model, species_observables(model, ("X",)), data, (free,))


@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
@pytest.mark.parametrize("name", ["normal", "log-normal", "gamma"])
def test_coordinates_carry_the_same_probability(name, scale) -> None:
    """The integral over coordinates is the probability of the values between."""
    problem = _problem(prior(name), scale)
    space = search_space(problem)
    ends = space.coordinates(np.array([[0.7], [2.9]]))[:, 0]
    found = scipy.integrate.quad(
        lambda z: math.exp(log_prior_of_coordinates(problem, np.array([z]))), *ends
    )[0]
    theirs = THEIRS[name][1]
    assert found == pytest.approx(theirs.cdf(2.9) - theirs.cdf(0.7), rel=1e-8)


def test_outside_the_bounds_nothing_is_believed() -> None:
    problem = _problem(None, "log")
    z = np.log([[0.05], [0.2], [39.0], [41.0]])
    assert log_prior_of_coordinates(problem, z).tolist() == [-math.inf, 0.0, 0.0, -math.inf]
