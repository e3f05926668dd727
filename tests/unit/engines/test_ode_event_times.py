"""When events happen in deterministic simulation."""

from __future__ import annotations

import numpy as np
import pytest
from rate_models import after, decay, event, is_, n, network, s, solve

from sbmlgrad.model.expression import (
    ONE,
    TIME,
    Apply,
    add,
    multiply,
    negate,
    subtract,
)


def test_a_time_trigger_takes_effect_at_its_time_exactly() -> None:
    model = decay(events=(event(after(5.0), {"X": n(7.0)}),))
    before = np.nextafter(5.0, 0.0)
    found = solve(model, [0.0, before, 5.0, 6.0])
    np.testing.assert_allclose(
        found["X"], np.array([1.0, np.exp(-5.0), 7.0, 7.0 * np.exp(-1.0)]), rtol=1e-7
    )
    assert found["X"][2] == 7.0


def test_time_triggers_are_found_where_nothing_moves() -> None:
    brief = Apply("and", (after(1234.5), is_("lt", TIME, n(1234.6))))
    model = network(parameters={"y": 0.0}, events=(event(brief, {"y": add(s("y"), ONE)}),))
    found = solve(model, [0.0, np.nextafter(1234.5, 0.0), 1234.5, 1e6])
    np.testing.assert_array_equal(found["y"], [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("moving", [True, False])
def test_a_trigger_may_be_true_at_one_point_of_time(moving: bool) -> None:
    model = network(
        parameters={"y": 0.0, "z": 0.0},
        rate_rules={"z": ONE} if moving else {},
        events=(event(is_("eq", TIME, n(0.3)), {"y": add(s("y"), ONE)}),),
    )
    found = solve(model, [0.0, 0.29, 0.3, 10.0])
    np.testing.assert_array_equal(found["y"], [0.0, 0.0, 1.0, 1.0])


def test_a_state_trigger_is_located_within_a_step() -> None:
    # X falls to 0.1 at ln 10 and starts again from 1, over and over.
    model = decay(events=(event(is_("leq", s("X"), n(0.1)), {"X": ONE, "y": TIME}),))
    times = np.linspace(0.0, 30.0, 31)
    found = solve(model, list(times))
    period = np.log(10.0)
    np.testing.assert_allclose(found["X"], np.exp(-(times % period)), rtol=1e-6)
    np.testing.assert_allclose(found["y"], period * (times // period), rtol=1e-7, atol=1e-12)


def test_a_clock_that_events_reset_ticks_regularly() -> None:
    tick = is_("geq", subtract(TIME, s("y")), n(0.01))
    model = decay(events=(event(tick, {"y": TIME, "z": add(s("z"), ONE)}),))
    found = solve(model, [0.0, 0.995, 1.995])
    np.testing.assert_array_equal(found["z"], [0.0, 99.0, 199.0])


@pytest.mark.parametrize(("initial_value", "expected"), [(True, 0.0), (False, 1.0)])
def test_the_initial_value_decides_whether_an_event_fires_at_the_start(
    initial_value: bool, expected: float
) -> None:
    model = decay(events=(event(after(0.0), {"y": add(s("y"), ONE)}, initial_value=initial_value),))
    np.testing.assert_array_equal(solve(model, [0.0, 1.0])["y"], expected)


def test_an_event_fires_on_the_rising_edge_only() -> None:
    # sin t > 0.5 rises at pi/6, pi/6 + 2 pi, ...: three times in 0 < t < 15.
    phase = multiply(n(1.0), s("y"))
    wave = network(
        parameters={"y": 0.0, "x": 1.0, "z": 0.0},
        rate_rules={"y": s("x"), "x": negate(phase)},
        events=(event(is_("gt", s("y"), n(0.5)), {"z": add(s("z"), ONE)}),),
    )
    times = [0.0, 0.5, 0.6, 6.8, 6.9, 13.0, 13.1, 15.0]
    np.testing.assert_array_equal(solve(wave, times)["z"], [0, 0, 1, 1, 2, 2, 3, 3])
