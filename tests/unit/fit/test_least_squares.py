"""Fits of the rate equations: known truth, other noise, priors, warm starts, refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.descent.starts import starting_values
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.rate_equations.least_squares import fit_rate_equations
from sbmlgrad.fit.rate_equations.likelihood import negative_log_likelihood
from sbmlgrad.model.expression import Number, Symbol
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import ProblemParameter

TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
ALPHA, MU = 2.0, 0.4


def exact(start: float = 0.0) -> np.ndarray:
    """Return the solution of dX/dt = alpha - mu X."""
    return ALPHA / MU + (start - ALPHA / MU) * np.exp(-MU * TIMES)


def problem(values=None, distribution: str = "normal", scale=0.1):
    model = network("immigration_death")
    seen = exact() if values is None else values
    data = Measurements(("X",), TIMES, np.zeros(5, int), seen, ("1",) * 5, ("",) * 5)
    made, _ = plain_problem(model, data, ["alpha", "mu"], start={"alpha": 0.7, "mu": 1.5})
    observable = dataclasses.replace(made.observables[0], noise=Noise(distribution, Number(scale)))
    return dataclasses.replace(made, observables=(observable,))


@pytest.mark.parametrize("distribution", ["normal", "log-normal", "laplace"])
def test_noiseless_data_give_the_truth(distribution) -> None:
    """Squares go to zero at the truth; Laplace noise goes by another optimiser."""
    made = problem(distribution=distribution)
    best = fit_rate_equations(made, starting_values(made, 3, 1)).descents[0]
    tolerance = 1e-2 if distribution == "laplace" else 1e-5
    np.testing.assert_allclose(best.values, [ALPHA, MU], rtol=tolerance)
    assert (np.diff(best.history) <= 0.0).all()


def test_an_unknown_scale_is_the_root_mean_square_of_the_residuals() -> None:
    """The maximum of a normal likelihood in its standard deviation, in closed form."""
    noise = np.array([0.3, -0.2, 0.1, -0.4, 0.2])
    made = problem(exact() + noise)
    sd = ProblemParameter("sd", 1.0, 1e-3, 10.0)
    observable = dataclasses.replace(made.observables[0], noise=Noise("normal", Symbol("sd")))
    made = dataclasses.replace(made, parameters=(*made.parameters, sd), observables=(observable,))
    result = sg.fit(made, engine=sg.engines.ODE(), seed=1)
    residuals = result.predictions.mean - made.measurements.value
    assert result.values["sd"] == pytest.approx(np.sqrt((residuals**2).mean()), rel=1e-4)
    assert result.loss == pytest.approx(negative_log_likelihood(made, result.values), rel=1e-9)
    assert result.is_deterministic


def test_a_prior_pulls_as_a_measurement_would() -> None:
    """A prior on alpha far narrower than the data holds it; the loss leaves the prior out."""
    made = problem()
    held = dataclasses.replace(made.parameters[0], prior=Prior("normal", (1.5, 1e-4)))
    made = dataclasses.replace(made, parameters=(held, made.parameters[1]))
    best = fit_rate_equations(made, starting_values(made, 1, 1)).descents[0]
    assert best.values[0] == pytest.approx(1.5, abs=2e-3)
    nll = negative_log_likelihood(made, dict(zip(["alpha", "mu"], best.values, strict=True)))
    assert best.negative_log_likelihood == pytest.approx(nll, rel=1e-9)


def test_a_warm_start_begins_where_the_rate_equations_end() -> None:
    result = sg.fit(problem(), warm_start=True, epochs=2, trajectories=64, seed=1)
    np.testing.assert_allclose(result.free.start, [ALPHA, MU], rtol=1e-4)
    assert any("rate equations" in words for words in result.assumptions)


def test_starts_are_told_best_first() -> None:
    result = sg.fit(problem(), engine=sg.engines.ODE(), starts=4, seed=2)
    assert len(result.starts) == 4
    assert result.starts[0].fate == "best"
    losses = [start.loss for start in result.starts]
    assert losses == sorted(losses)


def test_starting_values_fill_the_space_evenly() -> None:
    """In each parameter every stratum of a Latin hypercube holds one start."""
    made = problem()
    values = starting_values(made, 11, 5)
    assert values[0].tolist() == [0.7, 1.5]
    for place, start in enumerate([0.7, 1.5]):
        shares = (np.log10(values[1:, place] / start) + 1.5) / 3.0
        assert sorted(np.floor(shares * 10).astype(int).tolist()) == list(range(10))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": sg.gradients.Adjoint()}, "estimator"),
        ({"temperature": 1.0}, "temperature"),
        ({"epochs": 5}, "epochs"),
        ({"trajectories": 5}, "trajectories"),
        ({"warm_start": True}, "warm_start"),
        ({"optimizer": "rmsprop"}, "optimizer"),
        ({"max_seconds": -5}, "max_seconds=-5"),
    ],
)
def test_settings_of_stochastic_fits_are_refused(settings, message) -> None:
    with pytest.raises(RequestError, match=message):
        sg.fit(problem(), engine=sg.engines.ODE(), **settings)


def test_open_bounds_and_hopeless_starts_are_refused() -> None:
    made = problem()
    free = dataclasses.replace(made.parameters[0], upper=np.inf)
    open_ended = dataclasses.replace(made, parameters=(free, made.parameters[1]))
    with pytest.raises(FitError, match="alpha have no finite bounds"):
        fit_rate_equations(open_ended, np.array([[1.0, 1.0]]))
    impossible = problem(values=np.array([1.0, 2.0, 3.0, 0.0, 1.0]), distribution="log-normal")
    with pytest.raises(FitError, match="not finite at any of the 1 starts"):
        fit_rate_equations(impossible, np.array([[1.0, 1.0]]))
