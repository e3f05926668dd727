"""Finite state projection against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony, network
from scipy import stats

from sbmlgrad.cme.projection import project
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt, WindowAverages
from sbmlgrad.errors import RequestError, StateSpaceError

TIMES = ValuesAt([0.5, 1.0, 3.0])


def test_immigration_death_is_poisson() -> None:
    projection = project(network("immigration_death"), until=3.0, tolerance=1e-12)
    mean = 5.0 * (1 - np.exp(-0.4 * TIMES.points))
    got = projection.distributions(TIMES.points)
    expected = stats.poisson.pmf(projection.space.states[:, 0][None], mean[:, None])
    np.testing.assert_allclose(got, expected, atol=1e-11)
    assert 0.0 <= projection.leak(3.0) < 1e-12
    np.testing.assert_allclose(projection.moments(TIMES, "X")[0], mean, rtol=1e-10)
    np.testing.assert_allclose(projection.moments(TIMES, "X")[1], mean, rtol=1e-9)


def test_window_average_is_the_integral() -> None:
    projection = project(network("immigration_death"), until=3.0, tolerance=1e-12)
    edges = np.array([0.5, 1.0, 3.0])
    integral = 5.0 * (edges + np.exp(-0.4 * edges) / 0.4)
    exact = np.diff(integral) / np.diff(edges)
    got, _ = projection.moments(WindowAverages(edges.tolist()), "X")
    np.testing.assert_allclose(got, exact, rtol=1e-10)


def test_gradient_is_the_closed_form() -> None:
    projection = project(network("immigration_death"), until=3.0, tolerance=1e-12)
    t, mu, alpha = TIMES.points, 0.4, 2.0
    decay = np.exp(-mu * t)
    exact = [(1 - decay) / mu, alpha * (t * decay / mu - (1 - decay) / mu**2)]
    got = projection.gradient(TIMES, "X", ("alpha", "mu"))
    np.testing.assert_allclose(got, exact, rtol=1e-8)


@pytest.mark.parametrize("name", ["autoregulation", "hill", "michaelis_menten", "enzyme"])
def test_gradient_is_the_difference_quotient(name: str) -> None:
    model = network(name)
    species = model.species_ids[-1]
    projection = project(model, until=3.0, tolerance=1e-10)
    for parameter in model.parameter_ids:
        value = model.parameter_values[model.parameter_ids.index(parameter)]
        h = 1e-5 * value
        sides = [
            project(model, until=3.0, tolerance=1e-10, parameters={parameter: value + s * h})
            for s in (1, -1)
        ]
        up, down = (p.moments(TIMES, species)[0] for p in sides)
        (got,) = projection.gradient(TIMES, species, (parameter,))
        np.testing.assert_allclose(got, (up - down) / (2 * h), rtol=1e-5, atol=1e-7)


def test_state_space_grows_until_the_leak_is_small() -> None:
    model = antimony(
        "substanceOnly species X in cell; X = 0; a = 900; m = 1; J0: => X; a; J1: X => ; m*X;"
    )
    projection = project(model, until=5.0, tolerance=1e-8)
    assert len(projection.space.states) > 900
    assert projection.leak(5.0) <= 1e-8
    with pytest.raises(StateSpaceError, match="more than"):
        project(model, until=5.0, tolerance=1e-8, largest=300)


def test_refusals() -> None:
    with pytest.raises(StateSpaceError, match="negative counts"):
        project(antimony("substanceOnly species X in cell; X = 2; k=1; J0: X => ; k;"), until=1.0)
    with pytest.raises(RequestError, match="AfterFirings"):
        project(network("hill"), until=1.0).moments(AfterFirings([1]), "X")
