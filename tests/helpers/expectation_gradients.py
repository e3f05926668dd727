"""Gradients of expectations by an estimator, in batches, and exact ones to hold them against."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, factorial

import numpy as np
from networks import CASES, network

from sbmlgrad.cme.projection import project
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines import Native
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.gradients.functional import Functional, linear
from sbmlgrad.model.initial import initial_counts, initial_values

BATCHES = 20

#: |t| with 19 degrees of freedom that a test of a dozen numbers exceeds with p < 0.001.
LARGEST_Z = 5.5


def request_of(model, readout: Readout, trajectories: int, *, seed: int = 1, first: int = 0):
    """Return the request that `simulate` would make."""
    lowered = lower(model)
    values = initial_values(model)
    start = initial_counts(model, values, {})[None]
    inputs = np.array([values[i] for i in lowered.input_ids])
    return Request(lowered, inputs, start, readout, trajectories, seed, first)


def in_batches(estimator, model, readout, functional, parameters, trajectories, *, seed=1):
    """Return dE[F]/dθ [parameter] and its standard error from batches."""
    lowered = lower(model)
    places = [lowered.input_ids.index(p) for p in parameters]
    size = trajectories // BATCHES
    rows = []
    for batch in range(BATCHES):
        request = request_of(model, readout, size, seed=seed, first=batch * size)
        engine = Native(kernel="table")
        rows.append(estimator.pull_back_expectation(engine, request, functional)[places])
    return np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)


def assert_unbiased(got, error, exact, *, bias=0.0, power=0.1) -> None:
    """Assert that estimates are exact to their error plus a share `bias` of the gradient.

    Args:
        got: estimates.
        error: their standard errors.
        exact: the truth.
        bias: largest bias allowed, as a share of the norm of the gradient.
        power: largest error, as a share of the norm of the gradient, at which the test is a test.
    """
    exact = np.asarray(exact)
    size = np.linalg.norm(exact)
    assert np.all(np.abs(got - exact) <= LARGEST_Z * error + bias * size), (got, exact, error)
    assert np.linalg.norm(error) <= power * size, "the test has no power"


def assert_means_unbiased(estimator, name: str, trajectories: int, *, bias=0.0) -> None:
    """Assert that gradients of means of a small network are those of the master equation.

    Args:
        estimator: of expectations.
        name: of the network and of its case.
        trajectories: of all batches together.
        bias: as for `assert_unbiased`.
    """
    case = next(c for c in CASES if c.name == name)
    model, readout = network(name), case.readout
    projection = project(model, until=float(readout.points[-1]))
    exact = projection.gradient(readout, case.species, case.parameters).sum(axis=1)
    functional = mean_of(model, readout, case.species)
    got, error = in_batches(estimator, model, readout, functional, case.parameters, trajectories)
    assert_unbiased(got, error, exact, bias=bias)


def mean_of(model, readout: Readout, species: str) -> Functional:
    """Return the sum over points of a species' count."""
    weights = np.zeros((len(readout.labels), len(model.species_ids)))
    weights[:, model.species_ids.index(species)] = 1.0
    return linear(weights)


def at_most(limit: float) -> Functional:
    """Return, for each point, whether the first column is at most a limit."""
    return Functional(lambda values: (values[:, :, 0] <= limit).astype(float))


def product_of_points() -> Functional:
    """Return the product of the first column over all points: not pointwise."""

    def contributions(values):
        found = np.zeros(values.shape[:2])
        found[:, -1] = values[:, :, 0].prod(axis=1)
        return found

    return Functional(contributions, is_pointwise=False)


# --- immigration and death from 0: counts are Poisson, with m(t) = alpha/mu (1 - exp(-mu t)) ------


def poisson_mean(alpha: float, mu: float, time: float) -> float:
    """Return the mean count."""
    return alpha / mu * (1.0 - exp(-mu * time))


def poisson_at_most(alpha: float, mu: float, time: float, limit: int) -> float:
    """Return the probability of at most `limit` molecules."""
    mean = poisson_mean(alpha, mu, time)
    return sum(exp(-mean) * mean**k / factorial(k) for k in range(limit + 1))


def poisson_product(alpha: float, mu: float, early: float, late: float) -> float:
    """Return E[X(early) X(late)]; what is there early and survives is Poisson too."""
    first, second = poisson_mean(alpha, mu, early), poisson_mean(alpha, mu, late)
    return first * second + first * exp(-mu * (late - early))


def slopes(function: Callable[[float, float], float]) -> np.ndarray:
    """Return the derivatives in (alpha, mu) at the values of `immigration_death`."""
    alpha, mu = network("immigration_death").parameter_values
    h = 1e-5
    return np.array(
        [
            (function(alpha + h, mu) - function(alpha - h, mu)) / (2 * h),
            (function(alpha, mu + h) - function(alpha, mu - h)) / (2 * h),
        ]
    )
