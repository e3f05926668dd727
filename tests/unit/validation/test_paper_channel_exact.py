"""Exact judges of the paper's ion channel: means, likelihood, moments, standard errors."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from networks import ROOT
from scipy.linalg import expm

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

from ion_channel import exact as paper_channel_exact
from ion_channel import sweeps as data
from ion_channel.errors import LEVEL_MOMENTS, OPENING_MOMENTS, WINDOW_MOMENTS, of_one_sweep
from ion_channel.exact import (
    bounds,
    fit_quality,
    generator,
    least_squares,
    log_likelihood,
    log_likelihoods,
    maximum_likelihood,
    mean_open,
    reached,
    starts,
    states,
)

from sbmlgrad.errors import DataError, FitError

RATES = np.array([0.75, 0.103, 1.159])


def test_mean_open_is_the_integral_of_the_master_equation():
    matrix = generator(RATES, 2)
    np.testing.assert_allclose(matrix.sum(axis=1), 0.0, atol=1e-15)
    opened = np.array([o for _, o in states(2)])
    start = states(2).index((2, 0))
    edges = np.array([0.0, 0.3, 2.0, 5.0])
    fine = [np.linspace(a, b, 201) for a, b in itertools.pairwise(edges)]
    exact = [
        np.trapezoid([(expm(matrix * t) @ opened)[start] for t in times], times)
        / (times[-1] - times[0])
        for times in fine
    ]
    np.testing.assert_allclose(mean_open(RATES, edges, 2), exact, rtol=1e-4)


def test_log_likelihood_is_the_sum_over_all_hidden_paths():
    sweeps = np.array([[0, 1, 1, 0], [0, 0, 2, 1]])
    step, total = expm(generator(RATES, 2) * 0.4), 0.0
    places = {state: place for place, state in enumerate(states(2))}
    for sweep in sweeps:
        chance = 0.0
        for hidden in itertools.product(range(3), repeat=3):
            path = [(2, 0), *zip(hidden, sweep[1:], strict=True)]
            if all(state in places for state in path):
                on = [places[state] for state in path]
                chance += np.prod([step[a, b] for a, b in itertools.pairwise(on)])
        total += np.log(chance)
    assert log_likelihood(RATES, sweeps, 0.4, 2) == pytest.approx(total, rel=1e-12)


def test_slopes_of_log_likelihoods_are_those_of_differences():
    opened = data.simulate_sweeps(8, 20).opened
    assert opened is not None
    slopes = log_likelihoods(RATES, opened, data.INTERVAL, 2)[1]
    for column, row in enumerate(np.eye(3)):
        up, down = (
            log_likelihoods(RATES * np.exp(h * row), opened, data.INTERVAL, 2)[0]
            for h in (1e-5, -1e-5)
        )
        np.testing.assert_allclose(slopes[:, column], (up - down) / 2e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ([1, 1, 0], "sweep 2, sample 1: open channels: 1, and the model begins with all closed"),
        ([0, 1, 3], "sweep 2, sample 3: open channels: 3 of 2"),
    ],
)
def test_sweeps_that_no_rates_give_are_refused(sweep, words):
    opened = np.array([[0, 1, 1], sweep])
    with pytest.raises(DataError, match=words):
        log_likelihoods(RATES, opened, 0.1, 2)
    with pytest.raises(DataError, match=words):
        maximum_likelihood(opened, 0.1, 2, [RATES])


def test_maximum_likelihood_finds_the_rates_from_starts_of_the_data():
    sweeps = data.simulate_sweeps(7, 500)
    assert sweeps.opened is not None
    begin = starts(sweeps.pooled, data.WINDOWS, 2)
    spread = np.ptp(np.log10(begin), axis=0)
    assert np.all(spread > [0.9, 2.9, 0.9]), "over orders of magnitude"
    assert not any(np.allclose(rates, RATES, rtol=0.02) for rates in begin), "not the truth"
    found = maximum_likelihood(sweeps.opened, data.INTERVAL, 2, begin)
    error = of_one_sweep()["maximum likelihood"] / np.sqrt(500)
    z = np.log(found / RATES) / error
    assert np.all(np.abs(z) < 4.0), f"rates {found}, standard errors {error}, z {z}"
    assert np.all(error < 0.15)
    # A maximum it is: every step aside is less likely.
    best = log_likelihood(found, sweeps.opened, data.INTERVAL, 2)
    for row in np.vstack([np.eye(3), -np.eye(3)]):
        aside = found * np.exp(0.02 * row)
        assert log_likelihood(aside, sweeps.opened, data.INTERVAL, 2) < best


def test_standard_errors_of_maximum_likelihood_are_those_of_its_curvature():
    """Slopes at both sides of the truth, over 2,000 sweeps; one in a few percent is noise."""
    opened = data.simulate_sweeps(9, 2000).opened
    assert opened is not None
    curvature = np.array(
        [
            (
                log_likelihoods(RATES * np.exp(-0.01 * row), opened, data.INTERVAL, 2)[1]
                - log_likelihoods(RATES * np.exp(0.01 * row), opened, data.INTERVAL, 2)[1]
            ).mean(axis=0)
            / 0.02
            for row in np.eye(3)
        ]
    )
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    expected = of_one_sweep()
    np.testing.assert_allclose(errors, expected["maximum likelihood"], rtol=0.08)
    # No estimator is better, and openings lose less than a tenth.
    ratios = expected["openings"] / expected["maximum likelihood"]
    assert np.all((ratios > 0.999) & (ratios < 1.1)), ratios


def test_a_search_that_ends_without_an_optimum_is_an_error(monkeypatch):
    sweeps = data.simulate_sweeps(1, 20)
    assert sweeps.opened is not None

    class Still:
        message, success, cost = "did not move", False, 0.1

        def __init__(self, function, start, **options):
            self.x = start

    monkeypatch.setattr(paper_channel_exact.optimize, "minimize", Still)
    monkeypatch.setattr(paper_channel_exact.optimize, "least_squares", Still)
    begin = starts(sweeps.pooled, data.WINDOWS, 2)
    with pytest.raises(FitError, match="maximum likelihood: the best of 3 starts ended without"):
        maximum_likelihood(sweeps.opened, data.INTERVAL, 2, begin)
    with pytest.raises(FitError, match="least squares: the best of 3 starts ended without"):
        least_squares(sweeps.pooled, data.WINDOWS, 2, data.INTERVAL, begin)


def test_least_squares_of_an_exact_mean_is_its_rates():
    for rates in (RATES, 3.0 * RATES, RATES[::-1]):
        means = mean_open(rates, data.WINDOWS, 2)
        found = least_squares(means, data.WINDOWS, 2, data.INTERVAL)
        np.testing.assert_allclose(found, rates, rtol=1e-4)


def test_a_rate_that_the_mean_does_not_hold_ends_at_its_bound():
    means = data.simulate_sweeps(5, 100).pooled
    found = least_squares(means, data.WINDOWS, 2, data.INTERVAL)
    ends = reached(found, data.INTERVAL, float(data.EDGES[-1]))
    assert ends == (False, True, False), found
    assert found[1] == pytest.approx(bounds(data.INTERVAL, float(data.EDGES[-1]))[0], rel=1e-3)
    with pytest.raises(DataError, match="no channel ever opens"):
        least_squares(0.0 * means, data.WINDOWS, 2, data.INTERVAL)


def test_fit_quality():
    r2, rmse, share = fit_quality(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))
    assert r2 == pytest.approx(0.5)
    assert rmse == pytest.approx(1.0 / np.sqrt(3.0))
    assert share == pytest.approx(rmse / 2.0)


def test_exact_moments_are_those_of_simulated_sweeps():
    """Means, variances and covariances of 20,000 sweeps; shows a wrong term of the recursion."""
    windows = sg.WindowAverages(data.WINDOWS.tolist())
    samples = ValuesAt(data.EDGES[:-1].tolist())
    cells = sg.simulate(data.network(), readouts=[windows, samples], trajectories=20_000, seed=5)
    opened = cells.values("O", readout=samples)
    levels = opened[:, np.round(data.STEPS / data.INTERVAL).astype(int)]
    every = data.MEANS_EVERY
    for name, moments, found in (
        ("windows", WINDOW_MOMENTS, cells.values("O", readout=windows)),
        ("levels", LEVEL_MOMENTS, np.hstack([levels[:, every - 1 :: every], data.changes(levels)])),
        ("openings", OPENING_MOMENTS, data.openings(opened[:, 1:])),
    ):
        mean, covariance = moments(RATES)
        root = np.sqrt(len(found))
        z = (found.mean(axis=0) - mean) / (found.std(axis=0) / root)
        assert np.abs(z).max() < 4.5, f"{name}: means, z {z}"
        off = found - mean
        # Products of the first with the last, of neighbours, and of each with itself.
        for shift in (0, 1, len(mean) - 1):
            other = np.roll(off, -shift, axis=1)
            exact = np.diag(np.roll(covariance, -shift, axis=1))
            product = off * other
            z = (product.mean(axis=0) - exact) / (product.std(axis=0) / root)
            assert np.abs(z).max() < 5.0, f"{name}: covariances {shift} apart, z {z}"
