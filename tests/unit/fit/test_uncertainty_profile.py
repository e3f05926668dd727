"""Profiles and chains: smoothing, thresholds, open ends, and the intervals of a known model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.plots import plot_uncertainty
from sbmlgrad.fit.uncertainty.profile import profile
from sbmlgrad.fit.uncertainty.smoothing import crossing
from sbmlgrad.model.expression import Number
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Problem, ProblemParameter, species_observables

CHI2 = 2.7055


def noisy(rng, sd: float, curve, points: int = 13):
    x = np.linspace(-3.0, 3.0, points)
    return x, curve(x) + sd * rng.normal(size=points), np.full(points, sd)


def test_exact_quadratics_are_crossed_where_they_should_be() -> None:
    x = np.linspace(-3.0, 3.0, 13)
    found = crossing(x, (x - 0.4) ** 2 + 7.0, np.full(13, 1e-4), CHI2)
    assert found.minimum == pytest.approx(0.4, abs=0.01)
    assert found.lower == pytest.approx(0.4 - math.sqrt(CHI2), abs=0.02)
    assert found.upper == pytest.approx(0.4 + math.sqrt(CHI2), abs=0.02)
    assert found.threshold == pytest.approx(CHI2, rel=1e-3)


def test_noise_is_smoothed_and_raises_the_threshold() -> None:
    """Over 200 noisy profiles, ends scatter less than single points would have them."""
    ends, thresholds = [], []
    for seed in range(200):
        found = crossing(*noisy(np.random.default_rng(seed), 0.5, lambda x: x**2), CHI2)
        ends.append(found.upper)
        thresholds.append(found.threshold)
    # A point alone is off by 0.5 / slope = 0.5 / (2 * 1.64).
    error = np.std(ends, ddof=1)
    assert error < 0.15 * 1.2
    z = (np.mean(ends) - math.sqrt(np.mean(thresholds))) / (error / math.sqrt(200))
    assert abs(z) < 5.0, f"z = {z:.2f}"
    assert all(threshold > CHI2 for threshold in thresholds)


def test_what_is_no_quadratic_is_followed_too() -> None:
    """exp(x) - x - 1 doubled: a long tail on one side."""
    x = np.linspace(-4.0, 2.0, 15)
    found = crossing(x, 2.0 * (np.exp(x) - x - 1.0), np.full(15, 0.05), CHI2)
    exact = (-2.215, 1.246)
    assert found.lower == pytest.approx(exact[0], abs=0.1)
    assert found.upper == pytest.approx(exact[1], abs=0.1)


def test_open_ends_are_infinite() -> None:
    x = np.linspace(-3.0, 3.0, 13)
    found = crossing(x, np.where(x < 0.0, x**2, 0.05 * x), np.full(13, 0.02), CHI2)
    assert math.isfinite(found.lower)
    assert math.isinf(found.upper)


def known(lower: float = 0.2, upper: float = 20.0, prior: Prior | None = None) -> Fitted:
    """Return a fit of one rate to exact means with known noise; mu is fixed."""
    times = np.array([1.0, 2.0, 4.0, 8.0])
    value = 2.0 / 0.4 * (1.0 - np.exp(-0.4 * times))
    blank = ("",) * 4
    data = Measurements(("X",), times, np.zeros(4, dtype=np.int64), value, blank, blank)
    model = network("immigration_death")
    observables = tuple(
        replace(o, noise=Noise("normal", Number(0.5))) for o in species_observables(model, ("X",))
    )
    free = ProblemParameter("alpha", 2.0, lower, upper, "lin", prior=prior)
    problem = Problem(model, observables, data, (free,))
    return Fitted(
        problem,
        search_space(problem),
        np.array([2.0]),
        MeanTrajectory(),
        sg.gradients.TwoSidedAdjoint(),
        sg.engines.Native(threads=1, kernel="table"),
        5,
    )


def exact_error() -> float:
    """Standard error of alpha: the mean is linear in it."""
    times = np.array([1.0, 2.0, 4.0, 8.0])
    slopes = (1.0 - np.exp(-0.4 * times)) / 0.4
    return 0.5 / math.sqrt(float(slopes @ slopes))


def test_profile_of_a_linear_parameter(tmp_path) -> None:
    """Monte-Carlo error of the ends: that of the mean of 4000 trajectories, some 0.02."""
    found = profile(known(), deviance_trajectories=4000, points=7)
    width = math.sqrt(CHI2) * exact_error()
    assert found.lower[0] == pytest.approx(2.0 - width, abs=0.08)
    assert found.upper[0] == pytest.approx(2.0 + width, abs=0.08)
    assert found.standard_errors[0] == pytest.approx(exact_error(), rel=0.1)
    own = found.details["alpha"]
    assert len(own["coordinates"]) == len(own["deviance"]) == 7
    figure = plot_uncertainty(found, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000
    assert len(figure.axes) == 1


def test_profiles_that_end_at_a_bound_are_open_and_say_so() -> None:
    found = profile(known(lower=1.9), deviance_trajectories=2000, points=5)
    assert found.lower[0] == -math.inf
    assert np.isfinite(found.upper[0])
    assert any("no lower limit" in flag for flag in found.parameter_flags["alpha"])
    assert any("its bound, 1.9" in flag for flag in found.parameter_flags["alpha"])
    with pytest.raises(FitError, match="profile of beta"):
        profile(known(), ids=["beta"])


def test_chains_sample_likelihood_times_prior() -> None:
    """Against the normal posterior of a linear model with a normal prior."""
    pytest.importorskip("emcee", reason="the extra `mcmc` is missing")
    from sbmlgrad.fit.uncertainty.sampling import mcmc

    prior = Prior("normal", (2.5, 0.2))
    found = mcmc(known(prior=prior), steps=60, trajectories=1500)
    precision = exact_error() ** -2 + 0.2**-2
    mean = (2.0 * exact_error() ** -2 + 2.5 * 0.2**-2) / precision
    samples = found.details["samples"][:, 0]
    time = float(found.settings["autocorrelation time"])
    simulation = 0.033  # of the optimum, 1500 trajectories
    error = math.hypot(precision**-0.5 * math.sqrt(2.0 * time / samples.size), simulation)
    z = (samples.mean() - mean) / error
    assert abs(z) < 4.0, f"z = {z:.2f}"
    assert found.standard_errors[0] == pytest.approx(precision**-0.5, rel=0.3)
    assert found.kind == "credible"
    assert any("chains are short" in flag for flag in found.flags) == (50.0 * time > 112)
