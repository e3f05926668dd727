"""Scores of noise against differences of its density; information against the scores' variance."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate

from sbmlgrad.errors import FitError
from sbmlgrad.fit.noise import log_density
from sbmlgrad.fit.uncertainty.noise_information import noise_information, noise_score
from sbmlgrad.model.noise import NOISES

SCALE = {"binomial": 9.0, "negative-binomial": 2.5}
Y = 2.2


def scale_of(name: str) -> float:
    return SCALE.get(name, 0.6)


@pytest.mark.parametrize("name", NOISES)
def test_scores_are_derivatives_of_the_density(name) -> None:
    measured, s, step = np.array([1.0, 3.0, 7.0]), scale_of(name), 1e-6
    by_prediction, by_scale = noise_score(name, measured, Y, s)
    ends = [log_density(name, measured, Y + d, s) for d in (step, -step)]
    np.testing.assert_allclose(by_prediction, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)
    if not NOISES[name].scale:
        assert not by_scale.any()
    elif name == "binomial":
        assert np.isnan(by_scale).all()
    else:
        ends = [log_density(name, measured, Y, s + d) for d in (step, -step)]
        np.testing.assert_allclose(by_scale, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


def expectation(name: str, place: int, other: int) -> float:
    """Return the mean of a product of scores: a sum over counts, or an integral."""
    s = scale_of(name)

    def weighted(x: float) -> float:
        scores = noise_score(name, x, Y, s)
        return float(scores[place] * scores[other]) * math.exp(float(log_density(name, x, Y, s)))

    if NOISES[name].is_count:
        return sum(weighted(float(x)) for x in range(10 if name == "binomial" else 400))
    if NOISES[name].is_positive:
        # Over the logarithm, in which the tails are short.
        ends = math.log(Y) - 30.0, math.log(Y) + 30.0
        return scipy.integrate.quad(
            lambda u: math.exp(u) * weighted(math.exp(u)), *ends, points=[math.log(Y)], limit=400
        )[0]
    return scipy.integrate.quad(weighted, -40.0, 60.0, points=[Y], limit=400)[0]


@pytest.mark.parametrize("name", NOISES)
def test_information_is_the_variance_of_the_score(name) -> None:
    by_prediction, by_scale = noise_information(name, Y, scale_of(name))
    assert expectation(name, 0, 0) == pytest.approx(float(by_prediction), rel=1e-4)
    if name == "binomial":
        assert np.isnan(by_scale)
        return
    assert expectation(name, 1, 1) == pytest.approx(float(by_scale), rel=1e-4)
    assert expectation(name, 0, 1) == pytest.approx(0.0, abs=1e-4)


def test_arrays_and_unknown_names() -> None:
    pairs = np.array([[2.0, 3.0], [2.0, 5.0]])
    found = noise_information("negative-binomial", pairs, 2.5)[1]
    assert found.shape == (2, 2)
    assert found[0, 0] == found[1, 0] < found[0, 1] < found[1, 1]
    with pytest.raises(FitError, match="'gauss'"):
        noise_information("gauss", 1.0)
