"""Covariances, probabilities of sets, first passages and bounds, against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import antimony, network
from scipy import stats
from scipy.integrate import quad

from sbmlgrad import cme
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.errors import ParameterError, RequestError

TELEGRAPH = """
    substanceOnly species off in cell, on in cell, M in cell; off = 1; on = 0; M = 0;
    u = 0.6; d = 0.4; s = 4; g = 1;
    J0: off => on; u*off; J1: on => off; d*on; J2: => M; s*on; J3: M => ; g*M;
"""
BIRTHS = "substanceOnly species X in cell; X = 0; a = 3; J0: => X; a;"
TIMES = [0.5, 2.0, 6.0]


def telegraph_moments(u, d, s, g):
    """Return mean of M, its variance and the covariance with `on`, by moment equations."""
    from scipy.linalg import expm

    # Of on, M, M², on M; dx/dt = matrix x + constant, which closes as on² = on.
    matrix = np.array(
        [
            [-(u + d), 0, 0, 0],
            [s, -g, 0, 0],
            [s, g, -2 * g, 2 * s],
            [s, u, 0, -(u + d + g)],
        ]
    )
    block = np.zeros((5, 5))
    block[:4, :4], block[0, 4] = matrix, u
    rows = np.array([expm(block * t)[:4, 4] for t in TIMES])
    on, m, square, both = rows.T
    return np.array([m, square - m**2, both - on * m]).T


def test_telegraph_covariances_and_gradients() -> None:
    values = {"u": 0.6, "d": 0.4, "s": 4.0, "g": 1.0}
    projection = cme.project(antimony(TELEGRAPH), until=6.0, tolerance=1e-12)
    pairs = (("M", "M"), ("on", "M"))
    exact = telegraph_moments(**values)
    for column, pair in enumerate(pairs, start=1):
        found = cme.covariance(projection, TIMES, *pair)
        np.testing.assert_allclose(found.value, exact[:, column], rtol=1e-8)
        for k, name in enumerate(found.parameters):
            h = 1e-5
            up, down = (
                telegraph_moments(**{**values, name: values[name] + side * h})[:, column]
                for side in (1, -1)
            )
            np.testing.assert_allclose(
                found.gradient[:, k], (up - down) / (2 * h), rtol=1e-5, atol=1e-8
            )


def test_probability_of_a_set_and_its_gradient() -> None:
    """P(X > 4) of a Poisson law falls by its last term when the threshold rises."""
    projection = cme.project(antimony(BIRTHS), until=6.0, tolerance=1e-12)
    found = cme.expectation(projection, ValuesAt(TIMES), lambda x: (x[:, 0] > 4).astype(float))
    t = np.array(TIMES)
    np.testing.assert_allclose(found.value, stats.poisson.sf(4, 3 * t), atol=1e-11)
    np.testing.assert_allclose(found.gradient[:, 0], t * stats.poisson.pmf(4, 3 * t), atol=1e-10)


def test_first_passage_of_a_birth_process_is_erlang() -> None:
    found = cme.first_passage(antimony(BIRTHS), lambda x: x[:, 0] >= 7, TIMES)
    t = np.array(TIMES)
    law = stats.gamma(7, scale=1 / 3)
    np.testing.assert_allclose(found.probability.value, law.cdf(t), atol=1e-12)
    # F(a t) has the derivative t f(a t) in a.
    np.testing.assert_allclose(found.probability.gradient[:, 0], law.pdf(t) * t / 3, atol=1e-11)
    # E min(T, 6) = ∫ P(T > t) dt, and P(T > t) falls in a by t times the last term.
    waiting, _ = quad(lambda t: stats.poisson.cdf(6, 3 * t), 0, 6)
    slope, _ = quad(lambda t: -t * stats.poisson.pmf(6, 3 * t), 0, 6)
    np.testing.assert_allclose(found.waiting.value, [waiting], rtol=1e-10)
    np.testing.assert_allclose(found.waiting.gradient, [[slope]], rtol=1e-10)
    # Nothing beyond the set is visited, so there is no leak.
    assert found.projection.space.counts.max() == 7
    assert found.projection.leak(6.0) == 0.0


def test_passage_is_not_being_there() -> None:
    """Planted: without absorption a count that returns is counted too rarely."""
    model = network("immigration_death")
    reached = lambda x: x[:, 0] >= 4  # noqa: E731
    stopped = cme.first_passage(model, reached, [3.0]).probability.value
    passing = cme.expectation(
        cme.project(model, until=3.0), ValuesAt([3.0]), lambda x: 1.0 * reached(x)
    )
    assert stopped[0] > 1.2 * passing.value[0]
    start = cme.first_passage(model, lambda x: x[:, 0] >= 0, [3.0])
    np.testing.assert_array_equal(start.probability.value, [1.0])
    np.testing.assert_array_equal(start.waiting.value, [0.0])


def test_error_of_a_gradient_covers_the_coarser_one() -> None:
    model = network("immigration_death")
    exact = (1 - np.exp(-0.4 * 3.0)) / 0.4
    coarse = cme.project(model, until=3.0, tolerance=1e-4)
    plain = cme.expectation(coarse, ValuesAt([3.0]), "X", ("alpha",))
    found = cme.expectation(coarse, ValuesAt([3.0]), "X", ("alpha",), with_error=True)
    assert plain.gradient_error is None
    assert found.gradient_error is not None
    wrong = abs(found.gradient[0, 0] - exact)
    assert 0.0 < wrong < found.gradient_error[0, 0] < 0.05
    assert found.gradient_error[0, 0] > 0.5 * abs(plain.gradient[0, 0] - exact)
    with pytest.raises(RequestError, match="finer"):
        cme.expectation(coarse, ValuesAt([3.0]), np.ones(coarse.space.size), with_error=True)


def test_bounds_on_means() -> None:
    coarse = cme.project(network("immigration_death"), until=3.0, tolerance=1e-3)
    low, high = coarse.mean_bounds(ValuesAt([1.0, 3.0]), "X")
    exact = 5.0 * (1 - np.exp(-0.4 * np.array([1.0, 3.0])))
    assert (low < exact).all()
    assert (exact < high).all()
    # What leaked has at most the next count and what immigration at rate 2 adds.
    most = coarse.space.counts.max() + 1 + 2.0 * 3.0
    leak = coarse.expect(ValuesAt([1.0, 3.0]), "X").leak
    np.testing.assert_allclose(high, low + leak * most, rtol=1e-14)
    assert leak[1] > 1e-8
    conserved = cme.project(network("epidemic"), until=1.0)
    np.testing.assert_array_equal(conserved.count_bounds(), [30, 30, 30])
    low, high = conserved.mean_bounds(WindowAverages([0, 1]), "I")
    np.testing.assert_array_equal(low, high)
    explosive = antimony("substanceOnly species X in cell; X = 1; k = 1; J0: X => 2 X; k*X;")
    grown = cme.project(explosive, until=1.0, tolerance=1e-2)
    assert np.isinf(grown.mean_bounds(ValuesAt([1.0]), "X")[1]).all()
    bounds = grown.expect(ValuesAt([1.0]), lambda x: 1.0 * (x[:, 0] > 2)).within(0.0, 1.0)
    truth = (1 - np.exp(-1.0)) ** 2
    assert bounds[0][0] - 1e-14 < truth < bounds[1][0] + 1e-14


def test_bounds_use_every_conserved_total() -> None:
    model = antimony(
        "substanceOnly species A in cell, B in cell, C in cell; A = 6; B = 5; C = 0; k = 1;"
        "J0: A + B -> C; k*A*B - k*C;"
    )
    np.testing.assert_array_equal(cme.project(model, until=1.0).count_bounds(), [6, 5, 5])


DEATH = "substanceOnly species X in cell; X = 2; m = 1; J0: X => ; m*X;"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"projection": 3}, RequestError, r"expectation\(projection\): pass what .*project gives"),
        ({"readout": 3}, RequestError, "values at times and of window averages, not of int"),
        ({"function": object()}, RequestError, "function: .* are not numbers"),
        ({"function": [[1, 2], [3]]}, RequestError, "function: .* are not numbers"),
        ({"function": lambda states: "a"}, RequestError, "function: 'a' are not numbers"),
        ({"parameters": 3}, ParameterError, r"parameters=3: give a list of ids.*\['m'\]"),
        # Its letters are ids, too.
        ({"parameters": "m"}, ParameterError, "parameters='m': give a list of ids"),
        ({"parameters": [3]}, ParameterError, "parameters: 3 is no id"),
        ({"parameters": ["q"]}, ParameterError, "no parameter 'q'"),
        ({"with_error": np.ones(2)}, RequestError, "with_error=array.*: choose True or False"),
    ],
)
def test_wrong_arguments_of_an_expectation_are_named(options, error, words) -> None:
    given = {"readout": ValuesAt([1.0]), "function": "X", **options}
    given.setdefault("projection", cme.project(antimony(DEATH), until=1.0))
    with pytest.raises(error, match=words):
        cme.expectation(**given)


def test_wrong_arguments_of_covariances_and_first_passages_are_named() -> None:
    model = antimony(DEATH)
    projection = cme.project(model, until=1.0)
    wrong: Any = 3
    with pytest.raises(RequestError, match=r"covariance\(projection\): pass"):
        cme.covariance(wrong, [1.0], "X", "X")
    with pytest.raises(ParameterError, match="parameters=3"):
        cme.covariance(projection, [1.0], "X", "X", wrong)
    with pytest.raises(RequestError, match=r"first_passage\(model\): pass a loaded network"):
        cme.first_passage(wrong, lambda x: x[:, 0] < 1, [1.0])
    with pytest.raises(RequestError, match="reached=3: pass a function of states"):
        cme.first_passage(model, wrong, [1.0])
    with pytest.raises(RequestError, match="no set to reach"):
        cme.first_passage(model, None, [1.0])
    with pytest.raises(ParameterError, match="of=3: give a list of ids"):
        cme.first_passage(model, lambda x: x[:, 0] < 1, [1.0], of=wrong)
