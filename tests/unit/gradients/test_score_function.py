"""`ScoreFunction` against closed forms and the master equation, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from expectation_gradients import (
    assert_means_unbiased,
    assert_unbiased,
    at_most,
    in_batches,
    mean_of,
    poisson_at_most,
    poisson_mean,
    poisson_product,
    product_of_points,
    request_of,
    slopes,
)
from networks import antimony, network

from sbmlgrad.engines import Native
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.finite_difference import FiniteDifference
from sbmlgrad.gradients.functional import Functional, linear
from sbmlgrad.gradients.score_function import ScoreFunction

RATES = ("alpha", "mu")


@pytest.mark.parametrize("name", ["small_dimer", "autoregulation", "epidemic"])
def test_means_are_those_of_the_master_equation(name: str) -> None:
    """Detects a piece of the score that is left out or counted for another point."""
    assert_means_unbiased(ScoreFunction(), name, 8000)


def test_points_weigh_by_the_score_until_then() -> None:
    """Weights of opposite sign at two times: detects a shift of the weights by a point."""
    model = network("immigration_death")
    weights = np.array([[3.0], [-1.0]])
    got, error = in_batches(
        ScoreFunction(), model, ValuesAt([1, 3]), linear(weights), RATES, 20_000
    )
    exact = slopes(lambda a, m: 3.0 * poisson_mean(a, m, 1.0) - poisson_mean(a, m, 3.0))
    assert_unbiased(got, error, exact)


def test_probabilities() -> None:
    model = network("immigration_death")
    got, error = in_batches(ScoreFunction(), model, ValuesAt([0.5, 2]), at_most(2), RATES, 20_000)
    exact = slopes(lambda a, m: poisson_at_most(a, m, 0.5, 2) + poisson_at_most(a, m, 2.0, 2))
    assert_unbiased(got, error, exact)


def test_functions_of_several_points_take_the_whole_score() -> None:
    model = network("immigration_death")
    got, error = in_batches(
        ScoreFunction(), model, ValuesAt([1, 2]), product_of_points(), RATES, 20_000
    )
    assert_unbiased(got, error, slopes(lambda a, m: poisson_product(a, m, 1.0, 2.0)))


def test_the_time_of_a_firing() -> None:
    """The third firing of a Poisson process is at 3/k: detects a firing too many or too few."""
    model = antimony("substanceOnly species X in cell; X = 0; k = 2; J: => X; k;")
    weights = np.array([[0.0, 1.0]])
    got, error = in_batches(
        ScoreFunction(), model, AfterFirings([3]), linear(weights), ("k",), 8000
    )
    assert_unbiased(got, error, [-3.0 / 2.0**2])


def test_interpolation_looks_at_the_next_firing() -> None:
    """Detects a score that ends at the point: the value depends on the firing after it."""
    model = antimony("substanceOnly species X in cell; X = 0; k = 0.5; J: => X; k;")
    functional = mean_of(model, Interpolated([1]), "X")
    got, error = in_batches(ScoreFunction(), model, Interpolated([1]), functional, ("k",), 20_000)
    assert_unbiased(got, error, [_interpolated_slope(0.5)])


def _interpolated_slope(k: float) -> float:
    """Return the derivative of k + E[since/(since + ahead)] at time 1, by numerical integration."""

    def mean(k: float) -> float:
        # The time since the last firing, at most 1 as the simulation starts at 0, is exponential
        # with an atom at 1; the time to the next one is exponential and independent of it.
        nodes, weights = np.polynomial.laguerre.laggauss(60)
        ahead = nodes / k
        grid, parts = np.polynomial.legendre.leggauss(60)
        since, parts = (grid + 1.0) / 2.0, parts / 2.0
        share = (since[:, None] / (since[:, None] + ahead)) @ weights
        atom = (1.0 / (1.0 + ahead)) @ weights
        return k + (k * np.exp(-k * since) * share) @ parts + np.exp(-k) * atom

    return float((mean(k + 1e-4) - mean(k - 1e-4)) / 2e-4)


def test_centring_saves_noise_and_changes_no_expectation() -> None:
    model = network("immigration_death")
    readout = ValuesAt([3])
    functional = mean_of(model, readout, "X")
    exact = slopes(lambda a, m: poisson_mean(a, m, 3.0))
    error = {}
    for centred in (True, False):
        got, error[centred] = in_batches(
            ScoreFunction(centred), model, readout, functional, RATES, 20_000
        )
        assert_unbiased(got, error[centred], exact)
    assert np.linalg.norm(error[True]) < 0.8 * np.linalg.norm(error[False])


def test_refuses_a_propensity_that_is_zero_and_has_a_derivative() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 4; k = 0; d = 1; birth: => X; k; death: X => ; d*X;"
    )
    request = request_of(model, ValuesAt([1]), 10)
    with pytest.raises(GradientError, match=r"reaction 'birth' is zero.*derivative in 'k'"):
        ScoreFunction().pull_back(Native(), request, np.ones((1, 1, 1)))


def test_refuses_derivatives_that_are_not_finite() -> None:
    model = network("immigration_death")
    request = request_of(model, ValuesAt([1]), 50)
    with (
        np.errstate(divide="ignore", invalid="ignore"),
        pytest.raises(GradientError, match="infinite or not a number"),
    ):
        ScoreFunction().pull_back_expectation(
            Native(), request, Functional(lambda values: np.log(values[:, :, 0]))
        )


def test_refuses_one_trajectory_and_weights_that_differ() -> None:
    model = network("immigration_death")
    with pytest.raises(GradientError, match="at least two"):
        ScoreFunction().pull_back(Native(), request_of(model, ValuesAt([1]), 1), np.ones((1, 1, 1)))
    with pytest.raises(GradientError, match="differentiates expectations"):
        ScoreFunction().pull_back(
            Native(), request_of(model, ValuesAt([1]), 2), np.array([[[1.0]], [[2.0]]])
        )
    with pytest.raises(GradientError, match="choose True or False"):
        ScoreFunction(centred=1)  # type: ignore[arg-type]


def test_agrees_with_differences_for_every_readout() -> None:
    model = network("small_dimer")
    for readout in (
        ValuesAt([0.5, 1]),
        WindowAverages([0.2, 0.5, 1]),
        Interpolated([0.5, 1]),
        AfterFirings([3, 9]),
    ):
        weights = np.zeros((2, 3 + isinstance(readout, AfterFirings)))
        weights[:, 2] = 1.0
        functional = linear(weights)
        found, error = zip(
            *(
                in_batches(method, model, readout, functional, ("k1", "k2"), 8000)
                for method in (ScoreFunction(), FiniteDifference(coupling="split"))
            ),
            strict=True,
        )
        # Steps of 5 % of a rate bias central differences by well below a percent here.
        assert_unbiased(found[0], np.hypot(*error), found[1], bias=0.01)
