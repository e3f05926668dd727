"""Minimisation within bounds: parabolas, curved valleys, places without a value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sbmlgrad.fit.rate_equations.bounded_scoring import minimise

WIDE = np.full(2, 10.0)


def parabola(centre, curvature):
    centre, curvature = np.array(centre), np.array(curvature)

    def value(z):
        return 0.5 * float((z - centre) @ curvature @ (z - centre))

    def slopes(z):
        return curvature @ (z - centre), curvature

    return value, slopes


def valley(z):
    """Rosenbrock's function as half a sum of squares."""
    return 0.5 * float(100.0 * (z[1] - z[0] ** 2) ** 2 + (1.0 - z[0]) ** 2)


def valley_slopes(z):
    jacobian = np.array([[-20.0 * z[0], 10.0], [-1.0, 0.0]])
    residuals = np.array([10.0 * (z[1] - z[0] ** 2), 1.0 - z[0]])
    return jacobian.T @ residuals, jacobian.T @ jacobian


def test_a_parabola_within_the_bounds() -> None:
    value, slopes = parabola([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])
    found, reason = minimise(value, slopes, np.array([9.0, 9.0]), -WIDE, WIDE, 50)
    np.testing.assert_allclose(found, [1.0, -2.0], atol=1e-9)
    assert reason


def test_a_bound_that_holds_moves_the_minimum_of_the_other() -> None:
    """With z0 held at 0 the best z1 is that of the parabola left, not the free one."""
    value, slopes = parabola([1.0, -2.0], [[2.0, 0.5], [0.5, 1.0]])
    high = np.array([0.0, 10.0])
    found, _ = minimise(value, slopes, np.array([-5.0, 5.0]), -WIDE, high, 50)
    np.testing.assert_allclose(found, [0.0, -1.5], atol=1e-9)


def test_a_curved_valley_is_followed() -> None:
    calls = []

    def counted(z):
        calls.append(z)
        return valley_slopes(z)

    found, _ = minimise(valley, counted, np.array([-1.2, 1.0]), -WIDE, WIDE, 200)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-7)
    assert len(calls) < 60


def test_curvature_that_is_missing_is_learned() -> None:
    """Expected curvature half the true one: whole steps would go twice too far, for ever."""
    value, slopes = parabola([0.5, 0.25], [[4.0, 1.0], [1.0, 3.0]])
    calls = []

    def half(z):
        calls.append(z)
        gradient, curvature = slopes(z)
        return gradient, 0.45 * curvature

    found, _ = minimise(value, half, np.array([3.0, -3.0]), -WIDE, WIDE, 200)
    np.testing.assert_allclose(found, [0.5, 0.25], atol=1e-6)
    assert len(calls) < 30


def test_places_without_a_value_are_kept_away_from() -> None:
    """A wall of infinity between the start and the minimum beyond it."""
    value, slopes = parabola([3.0, 0.0], np.eye(2))

    def walled(z):
        return math.inf if z[0] > 1.0 else value(z)

    found, _ = minimise(walled, slopes, np.array([-4.0, 2.0]), -WIDE, WIDE, 200)
    assert 0.5 < found[0] <= 1.0
    assert walled(found) < walled(np.array([-4.0, 2.0]))


def test_a_start_at_the_minimum_stays() -> None:
    value, slopes = parabola([1.0, 1.0], np.eye(2))
    found, reason = minimise(value, slopes, np.ones(2), -WIDE, WIDE, 10)
    assert found.tolist() == [1.0, 1.0]
    assert reason == "no step makes it smaller"


def test_flat_directions_do_no_harm() -> None:
    value, slopes = parabola([1.0, 0.0], [[1.0, 0.0], [0.0, 0.0]])
    found, _ = minimise(value, slopes, np.array([-3.0, 4.0]), -WIDE, WIDE, 50)
    assert found[0] == pytest.approx(1.0, abs=1e-9)
    assert found[1] == pytest.approx(4.0)


def test_the_number_of_steps_is_bounded() -> None:
    _, reason = minimise(valley, valley_slopes, np.array([-1.2, 1.0]), -WIDE, WIDE, 3)
    assert reason == "3 steps were taken"
