"""Ensemble means and variances against exact answers, with bounds from their standard errors.

A z-score beyond the bound means a wrong law: a rate off by 2 % shifts these by far more
(test_a_planted_rate_is_caught).
"""

from __future__ import annotations

import numpy as np
import pytest
from networks import network, shipped

import sbmlgrad as sg
from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import ValuesAt

N = 100_000
TIMES = np.array([0.5, 1.0, 2.0, 5.0])
#: Family-wise error below 1e-3 over the 8 statistics of a case: two-sided normal quantile.
BOUND = 3.9


def birth_death(p):
    """X(t) of linear birth-death from x0: mean and variance (Kendall 1948)."""
    birth, death, x0 = p["lambda"], p["mu"], 100
    growth = np.exp((birth - death) * TIMES)
    variance = x0 * (birth + death) / (birth - death) * growth * (growth - 1)
    return x0 * growth, variance, "X"


def immigration_death(p):
    """X(t) from 0 is Poisson."""
    mean = p["alpha"] / p["mu"] * (1 - np.exp(-p["mu"] * TIMES))
    return mean, mean, "X"


def dimerization(_):
    """Exact by projection: 91 states, closed."""
    mean, variance = project(shipped("dimerization"), until=5.0).moments(ValuesAt(TIMES), "C")
    return mean, variance, "C"


CASES = {
    "birth_death": birth_death,
    "immigration_death": immigration_death,
    "dimerization": dimerization,
}


def scores(cells, species, mean, variance):
    """Return z-scores of the mean and of the variance, the latter by the fourth moment."""
    values = cells.values(species, "counts")
    n = len(values)
    z = (values.mean(axis=0) - mean) / np.sqrt(variance / n)
    centred = (values - mean) ** 2
    fourth = (centred**2).mean(axis=0)
    y = (centred.mean(axis=0) - variance) / np.sqrt((fourth - variance**2) / n)
    return z, y


@pytest.mark.parametrize("name", CASES)
def test_mean_and_variance_are_exact(name: str) -> None:
    model = shipped(name)
    p = dict(zip(model.parameter_ids, model.parameter_values, strict=True))
    mean, variance, species = CASES[name](p)
    cells = sg.simulate(model, times=TIMES, trajectories=N, seed=20_260)
    z, y = scores(cells, species, mean, variance)
    assert np.abs(z).max() < BOUND, f"z = {z}"
    assert np.abs(y).max() < BOUND, f"y = {y}"


@pytest.mark.parametrize("name", CASES)
def test_a_planted_rate_is_caught(name: str) -> None:
    """The check itself: a simulator with one rate 2 % too fast must fail it."""
    model = shipped(name)
    p = dict(zip(model.parameter_ids, model.parameter_values, strict=True))
    mean, variance, species = CASES[name](p)
    first = model.parameter_ids[0]
    wrong = sg.simulate(model, {first: 1.02 * p[first]}, times=TIMES, trajectories=N, seed=20_260)
    z, _ = scores(wrong, species, mean, variance)
    assert np.abs(z).max() > 2 * BOUND, f"z = {z}"


@pytest.mark.parametrize("name", ["ion_channel", "autoregulation", "hill", "michaelis_menten"])
def test_distribution_against_projection(name: str) -> None:
    """Chi-square of the joint state at one time; finds wrong selection and wrong clocks alike."""
    from scipy.stats import chi2

    model = network(name)
    projection = project(model, until=1.0, tolerance=1e-10)
    probability = projection.distributions(np.array([1.0]))[0]
    cells = sg.simulate(model, times=[1.0], trajectories=N, seed=7)
    index = {tuple(s): i for i, s in enumerate(projection.space.states.astype(int).tolist())}
    observed = np.zeros(len(probability))
    for state, count in zip(
        *np.unique(cells.counts[:, 0], axis=0, return_counts=True), strict=True
    ):
        observed[index[tuple(state.tolist())]] = count
    usual = probability * N >= 10
    cells_observed = np.append(observed[usual], observed[~usual].sum())
    cells_expected = np.append(probability[usual], probability[~usual].sum()) * N
    keep = cells_expected > 0
    statistic = ((cells_observed - cells_expected)[keep] ** 2 / cells_expected[keep]).sum()
    limit = chi2.ppf(1 - 1e-4, keep.sum() - 1)
    assert statistic < limit, f"chi-square {statistic:.1f} > {limit:.1f}"


def test_reversible_law_has_the_noise_of_both_directions() -> None:
    """A <-> B at equilibrium is binomial; firing on the net rate would leave a tenth of the sd."""
    from networks import antimony

    model = antimony(
        "substanceOnly species A in cell, B in cell; A = 100; B = 0; k1 = 1; k2 = 2;"
        "J0: A -> B; k1*A - k2*B;"
    )
    cells = sg.simulate(model, times=[20.0], trajectories=N, seed=1)
    share = 1 / 3
    mean, variance = np.array([100 * share]), np.array([100 * share * (1 - share)])
    z, y = scores(cells, "B", mean, variance)
    assert max(abs(z[0]), abs(y[0])) < BOUND, f"z = {z}, y = {y}"
