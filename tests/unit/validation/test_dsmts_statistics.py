"""The statistics of the stochastic suite accept right samples and find planted wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from suites.dsmts_case import Case, Quantity
from suites.dsmts_statistics import (
    FIRST_BOUND,
    case_scores,
    judged_points,
    scores,
    second_bound,
    stage_one,
    stage_two,
)

N = 10_000
MEAN = 20.0


def quantity(mean: float, deviation: float | None, *, is_logarithm: bool = False) -> Quantity:
    """One quantity that is exactly 0 at its first time."""
    sigma = None if deviation is None else np.array([0.0, deviation])
    return Quantity("X", is_logarithm, np.array([0.0, mean]), sigma)


def case(*quantities: Quantity) -> Case:
    return Case("00001", 1.0, 1, quantities, (-3.0, 3.0), (-5.0, 5.0), {})


def sample(values: np.ndarray) -> np.ndarray:
    """Return amounts [trajectory, time]: 0, then the values."""
    return np.stack([np.zeros(len(values)), values], axis=-1)


def poisson(rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(MEAN, N).astype(float)


def test_z_and_y_by_hand() -> None:
    found = scores(quantity(2.0, 2.0), sample(np.array([0.0, 1.0, 4.0, 7.0])))
    # Distances -2, -1, 2, 5: mean 1, mean square 8.5, mean fourth power 164.5.
    np.testing.assert_allclose(found.z, [0.0, 2 * 1 / 2])
    np.testing.assert_allclose(found.suite_y, [0.0, np.sqrt(2) * (8.5 / 4 - 1)])
    np.testing.assert_allclose(found.y, [0.0, 2 * (8.5 - 4) / np.sqrt(164.5 - 8.5**2)])


def test_right_samples_pass_with_the_stated_spread() -> None:
    rng = np.random.default_rng(1)
    right = quantity(MEAN, np.sqrt(MEAN))
    found = [scores(right, sample(poisson(rng))) for _ in range(300)]
    for values in ([s.z[1] for s in found], [s.y[1] for s in found]):
        # The spread of 300 standard normals is within 5 standard errors of 1.
        assert abs(np.std(values) - 1.0) < 5.0 / np.sqrt(2 * 300)
        assert abs(np.mean(values)) < 5.0 / np.sqrt(300)


def test_the_calibrated_statistic_stands_heavy_tails_and_the_suites_does_not() -> None:
    rng = np.random.default_rng(2)
    p, size = 0.01, 50.0
    heavy = quantity(p * size, size * np.sqrt(p * (1 - p)))
    found = [scores(heavy, sample(size * rng.binomial(1, p, N))) for _ in range(300)]
    assert np.std([s.suite_y[1] for s in found]) > 5.0
    assert 0.85 < np.std([s.y[1] for s in found]) < 1.2


PLANTED = {
    "mean off by a tenth of a deviation": (lambda x: x + 0.1 * np.sqrt(MEAN), "mean"),
    "deviation off by 5 %": (lambda x: MEAN + 1.05 * (x - MEAN), "deviation"),
    "no spread at all": (lambda x: np.full_like(x, MEAN), "deviation"),
    "not finite": (lambda x: np.where(np.arange(N) == 7, np.nan, x), "mean"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_wrong_samples_are_found_in_both_stages(name: str) -> None:
    rng = np.random.default_rng(3)
    spoil, which = PLANTED[name]
    judged = case(quantity(MEAN, np.sqrt(MEAN)))
    first, second = (case_scores(judged, sample(spoil(poisson(rng)))[:, :, None]) for _ in range(2))
    both = stage_one(judged, first) & stage_two(4.0, second)
    assert getattr(both, which)[0, 1]


def test_a_false_alarm_of_one_stage_does_not_count() -> None:
    rng = np.random.default_rng(4)
    judged = case(quantity(MEAN, np.sqrt(MEAN)))
    wrong = case_scores(judged, sample(poisson(rng) + 1.0)[:, :, None])
    right = case_scores(judged, sample(poisson(rng))[:, :, None])
    assert stage_one(judged, wrong).count == 2
    assert (stage_one(judged, wrong) & stage_two(3.5, right)).count == 0


def test_where_nothing_may_vary_any_difference_is_infinite() -> None:
    values = sample(np.full(N, MEAN))
    values[17, 0] = 1.0
    found = scores(quantity(MEAN, np.sqrt(MEAN)), values)
    assert np.isinf(found.z[0])
    assert np.isinf(found.y[0])


def test_a_fair_coin_whose_squared_distance_never_varies() -> None:
    rng = np.random.default_rng(5)
    coin = rng.integers(0, 2, N).astype(float)
    right = scores(quantity(0.5, 0.5), sample(coin))
    assert right.y[1] == 0.0
    assert np.isinf(scores(quantity(0.5, 0.4), sample(coin)).y[1])


def test_a_median_is_judged_by_signs_where_there_is_no_deviation() -> None:
    rng = np.random.default_rng(6)
    cauchy = 1.0 + 2.0 * rng.standard_cauchy(N)
    right = scores(quantity(1.0, None), sample(cauchy))
    assert np.abs(right.z).max() < 4.0
    assert np.isnan(right.y).all()
    shifted = scores(quantity(1.0, None), sample(cauchy + 0.2))
    # The chance of lying above the median grows by 0.2 times the density 1/(2π) there.
    assert shifted.z[1] > 4.0
    assert not stage_one(case(quantity(1.0, None)), (shifted,)).deviation.any()


def test_logarithms_leave_out_the_time_before_the_first_draw() -> None:
    rng = np.random.default_rng(7)
    values = sample(np.exp(rng.normal(1.0, 2.0, N)))
    found = scores(quantity(1.0, 2.0, is_logarithm=True), values)
    assert np.isnan(found.z[0])
    assert abs(found.z[1]) < 4.0
    values[3, 1] = 0.0
    assert np.isinf(scores(quantity(1.0, 2.0, is_logarithm=True), values).z).all()


@pytest.mark.parametrize("points", [1, 100, 6000, 10**6])
def test_the_second_bound_keeps_the_family_wise_error(points: int) -> None:
    error = 0.01
    bound = second_bound(points, error)
    chance = points * 2 * stats.norm.sf(FIRST_BOUND) * 2 * stats.norm.sf(bound)
    assert chance <= error * (1 + 1e-9)
    assert bound >= FIRST_BOUND
    if bound > FIRST_BOUND:
        assert chance > 0.999 * error


def test_only_random_statistics_are_counted() -> None:
    assert judged_points(case(quantity(1.0, 2.0), quantity(1.0, None))) == 2 + 2
