"""What events do in deterministic simulation, against the words of the standard."""

from __future__ import annotations

import numpy as np
import pytest
from rate_models import after, concentration, decay, event, is_, n, network, s, solve

from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.model.elements import (
    Event,
    Reaction,
)
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Apply,
    Expression,
    add,
    multiply,
    subtract,
)


@pytest.mark.parametrize(("at_trigger", "expected"), [(True, 1.0), (False, 3.0)])
def test_a_delayed_event_uses_the_values_asked_for(at_trigger: bool, expected: float) -> None:
    model = network(
        parameters={"y": 0.0, "z": 0.0},
        rate_rules={"y": ONE},
        events=(event(after(1.0), {"z": s("y")}, delay=n(2.0), use_trigger_values=at_trigger),),
    )
    found = solve(model, [0.0, 1.0, np.nextafter(3.0, 0.0), 3.0, 4.0])
    np.testing.assert_allclose(found["z"], [0.0, 0.0, 0.0, expected, expected], rtol=1e-9)


@pytest.mark.parametrize(("persistent", "expected"), [(True, 1.0), (False, 0.0)])
def test_a_trigger_that_turns_false_cancels_an_event_that_is_not_persistent(
    persistent: bool, expected: float
) -> None:
    brief = Apply("and", (after(1.0), is_("lt", TIME, n(1.5))))
    model = decay(events=(event(brief, {"y": ONE}, delay=ONE, persistent=persistent),))
    np.testing.assert_array_equal(solve(model, [0.0, 1.9, 2.0])["y"], [0.0, 0.0, expected])


def test_one_event_may_be_pending_several_times() -> None:
    # Triggered at 1, 2, 3, ... by a clock of its own; executed 2.5 later each time.
    model = network(
        parameters={"last": 0.0, "n": 0.0, "seen": -1.0},
        events=(
            event(
                is_("geq", subtract(TIME, s("last")), ONE), {"last": TIME, "n": add(s("n"), ONE)}
            ),
            event(
                is_("eq", TIME, Apply("floor", (TIME,))),
                {"seen": s("n")},
                "late",
                delay=n(2.5),
            ),
        ),
    )
    found = solve(model, [3.4, 3.5, 4.5, 5.5])
    # The values are those at the trigger, before the clock's own event at the same time.
    np.testing.assert_array_equal(found["seen"], [-1.0, 0.0, 1.0, 2.0])


def test_priorities_are_evaluated_at_execution_and_the_largest_comes_first() -> None:
    # `first` raises the priority of `last` above that of `second`.
    def digit(d: float) -> dict[str, Expression]:
        return {"y": add(multiply(n(10.0), s("y")), n(d))}

    at_execution = {"use_trigger_values": False}
    model = network(
        parameters={"y": 0.0, "p": 0.0},
        events=(
            event(after(1.0), digit(2), "second", priority=n(5.0), **at_execution),
            event(after(1.0), digit(3), "last", priority=s("p"), **at_execution),
            event(after(1.0), {**digit(1), "p": n(7.0)}, "first", priority=n(9.0), **at_execution),
        ),
    )
    np.testing.assert_array_equal(solve(model, [0.0, 1.0])["y"], [0.0, 132.0])


def test_simultaneous_events_with_trigger_values_do_not_see_each_other() -> None:
    model = network(
        parameters={"x": 1.0, "y": 2.0},
        events=(
            event(after(1.0), {"x": s("y")}, "a", priority=n(2.0)),
            event(after(1.0), {"y": s("x")}, "b", priority=n(1.0)),
        ),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1]) == (2.0, 1.0)


def test_assignments_of_one_event_are_evaluated_before_any_applies() -> None:
    swap = {"x": s("y"), "y": s("x")}
    model = network(
        parameters={"x": 1.0, "y": 2.0},
        events=(event(after(1.0), swap, use_trigger_values=False),),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1]) == (2.0, 1.0)


def test_an_execution_can_trigger_and_cancel_others_at_the_same_time() -> None:
    model = network(
        parameters={"x": 0.0, "y": 0.0, "z": 0.0},
        events=(
            event(after(1.0), {"x": ONE}, "first", priority=n(2.0)),
            event(is_("gt", s("x"), n(0.5)), {"y": ONE}, "chained"),
            event(
                Apply("and", (after(1.0), is_("lt", s("x"), n(0.5)))),
                {"z": ONE},
                "cancelled",
                priority=n(1.0),
                persistent=False,
            ),
        ),
    )
    found = solve(model, [0.0, 1.0])
    assert (found["x"][1], found["y"][1], found["z"][1]) == (1.0, 1.0, 0.0)


def test_ties_are_broken_at_random_but_reproducibly() -> None:
    def rival(name: str) -> Event:
        return event(
            is_("geq", subtract(TIME, s("last")), ONE),
            {name: add(s(name), ONE), "last": TIME},
            name,
            priority=ONE,
            persistent=False,
        )

    model = network(parameters={"a": 0.0, "b": 0.0, "last": 0.0}, events=(rival("a"), rival("b")))
    found = solve(model, [400.0])
    assert found["a"][0] + found["b"][0] == 400.0
    # |a - 200| > 50 has probability 6e-7 for fair coins.
    assert 150.0 < found["a"][0] < 250.0
    again = solve(model, [400.0])
    other = solve(model, [400.0], ODE(tie_seed=1))
    assert again["a"][0] == found["a"][0] != other["a"][0]


@pytest.mark.parametrize("with_species", [True, False])
def test_a_volume_set_by_an_event_keeps_amounts_also_those_it_sets(
    with_species: bool,
) -> None:
    assignments: dict[str, Expression] = {"cell": n(8.0)}
    if with_species:
        assignments["X"] = n(3.0)
    model = network(
        species=[concentration("X", 2.0)],
        size=4.0,
        reactions=(Reaction("none", {"X": 1}, {}, ZERO),),
        events=(event(after(1.0), assignments),),
    )
    found = solve(model, [0.0, 1.0])
    np.testing.assert_array_equal(found["cell"], [4.0, 8.0])
    # The concentration set is one in the volume before the event: an amount of 3 * 4.
    np.testing.assert_array_equal(found["X"], [2.0, 1.5 if with_species else 1.0])


def test_a_delayed_concentration_is_one_in_the_volume_at_execution() -> None:
    model = network(
        species=[concentration("X", 2.0)],
        size=1.0,
        rate_rules={"cell": ONE},
        reactions=(Reaction("none", {"X": 1}, {}, ZERO),),
        events=(event(after(1.0), {"X": n(5.0)}, delay=n(2.0)),),
    )
    found = solve(model, [3.0])
    np.testing.assert_allclose(found["X"], 5.0, rtol=1e-9)


def test_events_may_set_symbols_that_had_no_value() -> None:
    model = network(
        parameters={"k": float("nan"), "y": 0.0},
        rate_rules={"y": Apply("piecewise", (s("k"), after(1.0), ZERO))},
        events=(event(after(1.0), {"k": n(2.0)}),),
    )
    np.testing.assert_allclose(solve(model, [0.0, 2.0])["y"], [0.0, 2.0], rtol=1e-9)
