"""Priors in a fit: their slopes, and the mode of a posterior that is known."""

from __future__ import annotations

import numpy as np
import pytest
from one_measurement import one_measurement

import sbmlgrad as sg
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.distribution import Distribution
from sbmlgrad.fit.penalty import penalty, penalty_slopes, prior_score, refuse_unused_priors
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.model.priors import Prior


@pytest.mark.parametrize(
    "prior",
    [Prior("normal", (2.0, 0.1)), Prior("log-normal", (0.5, 0.3)), Prior("gamma", (3.0, 0.8))],
    ids=lambda prior: prior.distribution,
)
def test_slopes_are_those_of_the_penalty(prior) -> None:
    made, at, step = one_measurement(prior), np.array([2.3]), 1e-6
    difference = (penalty(made, at + step) - penalty(made, at - step)) / (2.0 * step)
    assert penalty_slopes(made, at)[0] == pytest.approx(difference, rel=1e-6)


def test_a_fit_with_a_prior_ends_at_the_mode_of_the_posterior() -> None:
    """Mean 10 alpha, measured 30 with sd 2, prior 2 with sd 0.2: the mode is at 2.5.

    The precision of the data in alpha is (10/2)^2 = 25, that of the prior 1/0.2^2 = 25. A fit that
    ignores the prior ends at 3, one that counts it twice at 2.33. Over six seeds the values scatter
    by 0.009 with the prior and 0.008 without: 0.03 is three standard errors and more.
    """
    made = one_measurement(Prior("normal", (2.0, 0.2)))
    result = sg.fit(made, epochs=80, trajectories=256, seed=3)
    assert result.values["alpha"] == pytest.approx(2.5, abs=0.03)
    without = sg.fit(one_measurement(None), epochs=80, trajectories=256, seed=3)
    assert without.values["alpha"] == pytest.approx(3.0, abs=0.03)


def test_what_a_prior_excludes_is_an_error() -> None:
    made = one_measurement(Prior("uniform", (1.0, 2.0)))
    with pytest.raises(FitError, match=r"'alpha' has reached 2\.5, which its prior uniform"):
        penalty_slopes(made, np.array([2.5]))


def test_objectives_without_a_likelihood_refuse_priors() -> None:
    with pytest.raises(FitError, match="parameters alpha have priors"):
        refuse_unused_priors(Distribution(), one_measurement(Prior("normal", (2.0, 0.1))))
    refuse_unused_priors(Distribution(), one_measurement(None))


def test_second_derivatives_of_priors_are_those_of_normal_densities() -> None:
    """In the logarithm z of alpha, minus ln p = (e^z - 2)² / (2 · 0.04), and its slopes follow."""
    made, z = one_measurement(Prior("normal", (2.0, 0.2))), np.log([2.4])
    slope, curvature = prior_score(made, search_space(made), z)
    assert slope[0] == pytest.approx(-(2.4 - 2.0) / 0.04 * 2.4, rel=1e-9)
    assert curvature[0] == pytest.approx((2.4**2 + (2.4 - 2.0) * 2.4) / 0.04, rel=1e-5)


def test_without_priors_nothing_is_added() -> None:
    made = one_measurement(None)
    slope, curvature = prior_score(made, search_space(made), np.log([2.4]))
    assert slope.tolist() == curvature.tolist() == [0.0]


def test_second_derivatives_at_the_edge_of_a_prior_are_one_sided() -> None:
    """A uniform prior has no slope inside; a difference across its edge would be an error."""
    made = one_measurement(Prior("uniform", (1.0, 2.0)))
    inside = np.log([2.0 - 1e-5])
    slope, curvature = prior_score(made, search_space(made), inside)
    assert (slope[0], curvature[0]) == (0.0, 0.0)
    with pytest.raises(FitError, match=r"'alpha' has reached 2\.00001, which its prior uniform"):
        prior_score(made, search_space(made), np.log([2.0 + 1e-5]))
