"""`FiniteDifference` with either coupling, against closed forms; its couplings compared."""

from __future__ import annotations

from dataclasses import replace

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
from sbmlgrad.gradients.finite_difference import COUPLINGS, FiniteDifference
from sbmlgrad.gradients.functional import linear

RATES = ("alpha", "mu")
BOTH = [FiniteDifference(coupling=coupling) for coupling in COUPLINGS]
SPLIT = FiniteDifference(coupling="split")


@pytest.mark.parametrize("name", ["small_dimer", "autoregulation", "epidemic"])
def test_means_of_split_coupling_are_those_of_the_master_equation(name: str) -> None:
    """Detects sides that fire together too often or too seldom."""
    # Steps of 5 % of a rate bias central differences by below a percent on these networks.
    assert_means_unbiased(SPLIT, name, 8000, bias=0.01)


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_probabilities_and_functions_of_several_points(estimator: FiniteDifference) -> None:
    model = network("immigration_death")
    got, error = in_batches(estimator, model, ValuesAt([0.5, 2]), at_most(2), RATES, 20_000)
    exact = slopes(lambda a, m: poisson_at_most(a, m, 0.5, 2) + poisson_at_most(a, m, 2.0, 2))
    assert_unbiased(got, error, exact, bias=0.01)
    readout = ValuesAt([1, 2])
    got, error = in_batches(estimator, model, readout, product_of_points(), RATES, 20_000)
    exact = slopes(lambda a, m: poisson_product(a, m, 1.0, 2.0))
    assert_unbiased(got, error, exact, bias=0.01)


@pytest.mark.parametrize(
    "readout",
    [
        ValuesAt([0, 0.5, 1]),
        WindowAverages([0.2, 0.5, 1]),
        Interpolated([0.5, 1]),
        AfterFirings([0, 3, 9]),
    ],
    ids=lambda r: type(r).__name__,
)
def test_each_side_of_a_pair_has_the_law_of_its_own_parameters(readout) -> None:
    """Means and variances at both sides against samples: detects what one side does to the other.

    The dimer never ends; an epidemic ends, on one side before the other.
    """
    for name in ("small_dimer", "epidemic"):
        model = network(name)
        request = request_of(model, readout, 6000)
        inputs = np.tile(request.inputs, (2, 1))
        inputs[:, 0] *= [1.5, 0.5]
        upper, lower = (replace(request, inputs=own) for own in inputs)
        sides = SPLIT._split(Native(), upper, lower, "")
        for values, own in zip(sides, inputs, strict=True):
            other = replace(request, inputs=own, seed=77)
            sample = Native(kernel="table").sample(other).values
            spread = np.sqrt((values.var(axis=0) + sample.var(axis=0)) / 6000)
            apart = np.abs(values.mean(axis=0) - sample.mean(axis=0))
            # Some 40 numbers: more than 4.5 standard errors with p < 0.001.
            assert np.all(apart <= 4.5 * spread + 1e-12)
            np.testing.assert_allclose(values.std(axis=0), sample.std(axis=0), rtol=0.1, atol=1e-9)


def test_sides_that_are_equal_never_part() -> None:
    model = network("autoregulation")
    request = request_of(model, WindowAverages([0, 1, 2]), 300)
    upper, lower = SPLIT._split(Native(), request, request, "")
    np.testing.assert_array_equal(upper, lower)
    assert upper.any()


def test_split_coupling_saves_noise_over_long_times() -> None:
    """Under common random numbers the two sides soon take their noise for other reactions."""
    model = network("immigration_death")
    readout = ValuesAt([10])
    functional = mean_of(model, readout, "X")
    split, common = (
        np.linalg.norm(in_batches(e, model, readout, functional, RATES, 8000)[1]) for e in BOTH
    )
    assert split < 0.7 * common


def test_parameters_that_were_left_out_are_nan_and_others_do_not_change() -> None:
    model = network("immigration_death")
    request = request_of(model, ValuesAt([1]), 400)
    both = SPLIT.pull_back(Native(), request, np.ones((1, 1, 1)))
    one = FiniteDifference(coupling="split", parameters=("mu",)).pull_back(
        Native(), request, np.ones((1, 1, 1))
    )
    assert np.isnan(one[0])
    assert one[1] == both[1]
    exact = slopes(lambda a, m: poisson_mean(a, m, 1.0))
    np.testing.assert_allclose(both / 400, exact, rtol=0.5)


@pytest.mark.parametrize("estimator", BOTH, ids=lambda e: e.name)
def test_refuses_zero_steps_failing_sides_and_values_that_are_not_finite(estimator) -> None:
    weights = np.ones((1, 1, 1))
    model = antimony("substanceOnly species X in cell; X = 4; k = 0; J: => X; k*X;")
    with pytest.raises(GradientError, match="'k' is zero"):
        estimator.pull_back(Native(), request_of(model, ValuesAt([1]), 10), weights)
    model = antimony("substanceOnly species X in cell; X = 4; k = 2; J: X => ; 2.05 - k;")
    with pytest.raises(GradientError, match="trajectories fail at k = "):
        estimator.pull_back(Native(), request_of(model, ValuesAt([1]), 10), weights)
    model = network("immigration_death")
    with pytest.raises(GradientError, match="infinite or not a number"):
        estimator.pull_back_expectation(
            Native(), request_of(model, ValuesAt([1]), 10), linear(np.full((1, 1), np.inf))
        )
    with pytest.raises(GradientError, match="differentiates expectations"):
        estimator.pull_back(
            Native(), request_of(model, ValuesAt([1]), 2), np.array([[[1.0]], [[2.0]]])
        )


def test_refuses_settings_that_make_no_sense() -> None:
    with pytest.raises(GradientError, match="choose one of"):
        FiniteDifference(coupling="none")
    with pytest.raises(GradientError, match="between 0 and 1"):
        FiniteDifference(relative_step=1.0)
    with pytest.raises(GradientError, match="give a tuple of ids"):
        FiniteDifference(parameters="mu")  # type: ignore[arg-type]
    with pytest.raises(GradientError, match="give a tuple of ids"):
        FiniteDifference(parameters=(1,))  # type: ignore[arg-type]
    listed = FiniteDifference(parameters=["mu"])  # type: ignore[arg-type]
    assert {listed} == {FiniteDifference(parameters=("mu",))}


def test_split_coupling_refuses_what_happens_between_firings() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 4; d = 1; death: X => ; d*X; at (time > 1): X = 9;"
    )
    with pytest.raises(GradientError, match=r'events.*use coupling="crn"'):
        SPLIT.pull_back(Native(), request_of(model, ValuesAt([2]), 10), np.ones((1, 1, 1)))


def test_common_random_numbers_see_parameters_that_only_events_use() -> None:
    """X is set to 10 r at time 1 and dies from then: E[X(2)] = 10 r exp(-d)."""
    model = antimony(
        "substanceOnly species X in cell; X = 4; d = 1; r = 2; death: X => ; d*X;"
        "at (time > 1): X = 10*r;"
    )
    estimator = FiniteDifference(0.5, coupling="crn")
    functional = mean_of(model, ValuesAt([2]), "X")
    got, error = in_batches(estimator, model, ValuesAt([2]), functional, ("r",), 2000)
    assert_unbiased(got, error, [10.0 * np.exp(-1.0)])
