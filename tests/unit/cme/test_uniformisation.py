"""Series of a uniformised chain: weights, legs, and the exponential of a generator."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network
from scipy import stats
from scipy.linalg import expm

from sbmlgrad.cme.projection import project
from sbmlgrad.cme.uniformisation import LEFT_OUT, advance, legs_of, series_of


@pytest.mark.parametrize("mean", [0.3, 1.0, 7.5, 400.0, 2000.0])
def test_weights_are_poisson_and_tails_add_up_to_the_time(mean: float) -> None:
    rate = 3.0
    series = series_of(rate, mean / rate)
    powers = np.arange(len(series.weights))
    np.testing.assert_allclose(series.weights, stats.poisson.pmf(powers, mean), atol=1e-14)
    assert stats.poisson.sf(powers[-1], mean) < 10 * LEFT_OUT
    np.testing.assert_allclose(series.tails.sum(), mean / rate, rtol=1e-12)


def test_a_step_is_the_exponential_and_its_integral() -> None:
    projection = project(network("enzyme"), until=2.0)
    matrix = projection.generator.toarray()
    start = projection.start_probability
    after, occupation = advance(projection.edges, start, 0.7)
    np.testing.assert_allclose(after, expm(0.7 * matrix) @ start, atol=1e-13)
    # ∫ exp(A s) p ds is a corner of the exponential of [[A, p], [0, 0]].
    block = np.zeros((len(start) + 1,) * 2)
    block[:-1, :-1], block[:-1, -1] = matrix, start
    np.testing.assert_allclose(occupation, expm(0.7 * block)[:-1, -1], atol=1e-13)


def test_probability_that_does_not_stay_leaks() -> None:
    projection = project(network("immigration_death"), until=2.0, tolerance=0.3)
    after, occupation = advance(projection.edges, projection.start_probability, 2.0)
    lost = projection.edges.leaking @ occupation
    assert lost > 1e-6
    np.testing.assert_allclose(1.0 - after.sum(), lost, atol=1e-14)


def test_legs_meet_the_times() -> None:
    legs = legs_of(100.0, np.array([0.0, 1.0, 31.0]), jumps=1000.0)
    assert [(leg.start, leg.end, leg.steps) for leg in legs] == [(0.0, 1.0, 1), (1.0, 31.0, 3)]
    assert legs_of(100.0, np.array([0.0])) == []


def test_many_short_steps_are_one_long_one() -> None:
    projection = project(network("autoregulation"), until=3.0)
    one, _ = advance(projection.edges, projection.start_probability, 3.0)
    several = projection.start_probability
    for _ in range(30):
        several, _ = advance(projection.edges, several, 0.1)
    np.testing.assert_allclose(several, one, atol=1e-13)
