"""Features for `FittedValue`: conservation laws, edges, what is chosen, and training."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.values.basis import value_basis
from sbmlgrad.gradients.values.features import EveryState, Polynomial, Visited, free_species
from sbmlgrad.gradients.values.network_features import SmallNetwork, _misfit
from sbmlgrad.gradients.values.spline_features import Spline
from sbmlgrad.gradients.values.states import unique_rows

STATES = np.array([[s, 20 - s - es, es, 3 - es] for s in range(12) for es in range(4)], dtype=float)


def visited(states: np.ndarray) -> Visited:
    rng = np.random.default_rng(1)

    def paths(number: int) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.integers(len(states), size=(number, 9))
        return states[rows], np.sin(states[rows, 0])

    return Visited(states, np.ones(len(states)), free_species(states), paths)


def test_conserved_and_constant_species_are_left_out() -> None:
    constant = np.concatenate([STATES, np.full((len(STATES), 1), 7.0)], axis=1)
    free = free_species(constant)
    assert len(free) == 2
    assert 4 not in free
    rest = np.concatenate([constant[:, free], np.ones((len(STATES), 1))], axis=1)
    solution = np.linalg.lstsq(rest, constant, rcond=None)[0]
    np.testing.assert_allclose(rest @ solution, constant, atol=1e-9)
    assert free_species(STATES[:1]).size == 0


@pytest.mark.parametrize(
    "features",
    [Polynomial(3), Spline(), Spline(pieces=2, degree=1), EveryState(), SmallNetwork(units=5)],
    ids=repr,
)
def test_every_kind_has_its_size_and_contains_constants_and_counts(features) -> None:
    basis = features.lay_out(visited(STATES))
    values = basis(STATES)
    assert values.shape == (len(STATES), basis.size)
    assert basis.name
    wanted = np.concatenate([np.ones((len(STATES), 1)), STATES], axis=1)
    solution = np.linalg.lstsq(values, wanted, rcond=1e-12)[0]
    np.testing.assert_allclose(values @ solution, wanted, atol=1e-8)


@pytest.mark.parametrize("degree", [1, 3])
def test_a_spline_goes_on_as_a_straight_line(degree: int) -> None:
    states = np.arange(31.0)[:, None]
    basis = Spline(pieces=5, degree=degree).lay_out(visited(states))
    for edge in ([30.0, 31.0, 34.0, 37.0], [0.0, -1.0, -4.0, -7.0]):
        at = basis(np.array(edge)[:, None])
        np.testing.assert_allclose(at[3] - at[2], at[2] - at[1], atol=1e-12)
        np.testing.assert_allclose(at[2] - at[1], 3.0 * (at[1] - at[0]), atol=1e-12)


def test_an_indicator_joins_features_that_lack_it_and_only_those() -> None:
    view = visited(np.arange(31.0)[:, None])

    def rest(states: np.ndarray) -> np.ndarray:
        is_high = (states[:, 0] >= 13).astype(float)
        return np.stack([states[:, 0], is_high, 2.0 * is_high + 1.0, 0.0 * is_high], axis=1)

    spline = value_basis(Spline().lay_out(view), rest, view.states)
    # The third is a combination of the second and a constant; either may join.
    assert list(spline.own) in ([1], [2])
    table = value_basis(EveryState().lay_out(view), rest, view.states)
    assert list(table.own) == []


def test_too_many_states_are_refused() -> None:
    with pytest.raises(GradientError, match="48 states"):
        EveryState(most=20).lay_out(visited(STATES))


def test_training_follows_the_derivative_and_reduces_the_error() -> None:
    rng = np.random.default_rng(2)
    states = rng.normal(size=(300, 2))
    target = np.tanh(3.0 * states[:, 0] * states[:, 1])
    sets = [(states, target), (states, target**2)]
    weights = rng.normal(size=3 * 6)
    _, slope = _misfit(weights, sets)
    for place in range(len(weights)):
        step = np.zeros(len(weights))
        step[place] = 1e-5
        sides = [_misfit(weights + sign * step, sets)[0] for sign in (1.0, -1.0)]
        assert slope[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-7)
    view = visited(np.arange(31.0)[:, None])
    few, many = (SmallNetwork(units=12, iterations=n).lay_out(view) for n in (1, 300))

    def missed(basis) -> float:
        features = basis(view.states)
        wanted = np.sin(view.states[:, 0])
        solution = np.linalg.lstsq(features, wanted, rcond=1e-6)[0]
        return float(np.linalg.norm(features @ solution - wanted))

    assert missed(many) < 0.7 * missed(few)


def test_equal_states_are_found_whatever_the_counts() -> None:
    rng = np.random.default_rng(3)
    small = rng.integers(4, size=(200, 3)).astype(float)
    # Too far apart to be numbered by one whole number.
    for states in (small, small * 2.0**40):
        distinct, row = unique_rows(states)
        np.testing.assert_array_equal(distinct[row], states)
        assert len(distinct) == len(np.unique(states, axis=0))
