"""`CoupledDifference` against closed forms and the master equation, and what it refuses."""

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

from sbmlgrad.cme.projection import project
from sbmlgrad.engines import Native
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.coupled_difference import CoupledDifference
from sbmlgrad.gradients.functional import Functional, linear, slopes_of

RATES = ("alpha", "mu")
BOTH = [CoupledDifference(control_variate=False), CoupledDifference(control_variate=True)]


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
@pytest.mark.parametrize("name", ["small_dimer", "autoregulation", "epidemic", "hill"])
def test_means_are_those_of_the_master_equation(name: str, estimator: CoupledDifference) -> None:
    """Detects a wrong chance of firing together, a wrong weight and a wrong control variate."""
    assert_means_unbiased(estimator, name, 20_000)


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_probabilities(estimator: CoupledDifference) -> None:
    model = network("immigration_death")
    got, error = in_batches(estimator, model, ValuesAt([0.5, 2]), at_most(2), RATES, 20_000)
    exact = slopes(lambda a, m: poisson_at_most(a, m, 0.5, 2) + poisson_at_most(a, m, 2.0, 2))
    assert_unbiased(got, error, exact)


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_functions_of_several_points(estimator: CoupledDifference) -> None:
    """Detects an auxiliary path whose values before the added firing are not the trajectory's."""
    model = network("immigration_death")
    got, error = in_batches(estimator, model, ValuesAt([1, 2]), product_of_points(), RATES, 20_000)
    assert_unbiased(got, error, slopes(lambda a, m: poisson_product(a, m, 1.0, 2.0)))


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_second_moments(estimator: CoupledDifference) -> None:
    """E[X²] = m + m²: detects slopes of the control variate that belong to other states."""
    model = network("immigration_death")
    functional = Functional(lambda values: values[:, :, 0] ** 2)
    got, error = in_batches(estimator, model, ValuesAt([3]), functional, RATES, 20_000)

    def moment(alpha: float, mu: float) -> float:
        mean = poisson_mean(alpha, mu, 3.0)
        return mean + mean**2

    assert_unbiased(got, error, slopes(moment))


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_a_reaction_that_cannot_fire_is_added_all_the_same(estimator: CoupledDifference) -> None:
    """With k = 0 the mean is that of 4 survivors, and its slope in k is (1 - exp(-d t))/d."""
    model = antimony(
        "substanceOnly species X in cell; X = 4; k = 0; d = 1; birth: => X; k; death: X => ; d*X;"
    )
    functional = mean_of(model, ValuesAt([1]), "X")
    got, error = in_batches(estimator, model, ValuesAt([1]), functional, ("k", "d"), 20_000)
    assert_unbiased(got, error, [1.0 - np.exp(-1.0), -4.0 * np.exp(-1.0)])


def test_windows_that_begin_late_and_leave_gaps_before_them() -> None:
    """Windows after the start: detects a difference that is kept outside its window."""
    model = network("immigration_death")
    readout = WindowAverages([1, 1.5, 3])
    functional = mean_of(model, readout, "X")

    def total(alpha: float, mu: float) -> float:
        def integral(low: float, high: float) -> float:
            return alpha / mu * (high - low + (np.exp(-mu * high) - np.exp(-mu * low)) / mu)

        return integral(1.0, 1.5) / 0.5 + integral(1.5, 3.0) / 1.5

    for estimator in BOTH:
        got, error = in_batches(estimator, model, readout, functional, RATES, 20_000)
        assert_unbiased(got, error, slopes(total))


def test_the_control_variate_saves_noise() -> None:
    model = network("immigration_death")
    functional = mean_of(model, ValuesAt([1, 3]), "X")
    plain, controlled = (
        np.linalg.norm(in_batches(e, model, ValuesAt([1, 3]), functional, RATES, 20_000)[1])
        for e in BOTH
    )
    assert controlled < 0.8 * plain


def test_two_that_meet_stay_together() -> None:
    """What the added firing changes is 0 at every point after the two have met."""
    from sbmlgrad.gradients.coupled_difference import _add_firings

    model = antimony("substanceOnly species X in cell; X = 1; d = 5; death: X => ; d*X;")
    request = request_of(model, ValuesAt([0.01, 50.0]), 500)
    found = _add_firings("test", Native(), request, np.empty((0, 2, 1)))
    assert not found.difference[:, 1].any()
    assert set(np.unique(found.difference[:, 0])) == {-1.0, 0.0}


def test_slopes_are_exact_for_squares_and_zero_where_there_are_none() -> None:
    values = np.array([[[0.0], [3.0]]])
    squares = Functional(lambda v: v[:, :, 0] ** 2)
    np.testing.assert_array_equal(slopes_of(squares, values), [[[0.0], [6.0]]])
    logarithms = Functional(lambda v: np.log(v[:, :, 0]))
    np.testing.assert_allclose(slopes_of(logarithms, values), [[[0.0], [np.log(2) / 2]]])


def test_refuses_what_has_no_value_after_one_firing_more() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; e = 0; make = 1;leak: X => ; e; birth: => X; make;"
    )
    request = request_of(model, ValuesAt([1]), 200)
    with pytest.raises(GradientError, match=r"fails \(NEGATIVE_COUNT, reaction 'leak'\)"):
        CoupledDifference().pull_back(Native(), request, np.ones((1, 1, 1)))


def test_refuses_slopes_that_are_not_finite_only_where_they_are_used() -> None:
    """A square root has an infinite slope at 0, which the control variate alone needs."""
    model = antimony("substanceOnly species X in cell; X = 4; d = 1; death: X => ; d*sqrt(X);")
    request = request_of(model, ValuesAt([2]), 2000)
    functional = linear(np.ones((1, 1)))
    with pytest.raises(GradientError, match=r"use CoupledDifference\(control_variate=False\)"):
        CoupledDifference().pull_back_expectation(Native(), request, functional)
    exact = project(model, until=2.0).gradient(ValuesAt([2]), "X", ("d",))
    got, error = in_batches(BOTH[0], model, ValuesAt([2]), functional, ("d",), 20_000)
    assert_unbiased(got, error, exact[:, 0])


def test_refuses_single_precision_weights_that_differ_and_settings_of_the_wrong_type() -> None:
    model = network("immigration_death")
    request = request_of(model, ValuesAt([1]), 2)
    with pytest.raises(GradientError, match="leave out dtype"):
        CoupledDifference().pull_back(Native(dtype="float32"), request, np.ones((1, 1, 1)))
    with pytest.raises(GradientError, match="differentiates expectations"):
        CoupledDifference().pull_back(Native(), request, np.array([[[1.0]], [[2.0]]]))
    with pytest.raises(GradientError, match="choose True or False"):
        CoupledDifference(control_variate=1)  # type: ignore[arg-type]
