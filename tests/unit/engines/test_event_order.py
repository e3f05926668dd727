"""Several events at one time in stochastic simulation: priorities, cascades, failures."""

from __future__ import annotations

import math
from typing import Any

import pytest
from clock_models import (
    failure,
    growing,
    path,
)
from sbml_text import event

import sbmlgrad as sg
from sbmlgrad.engines import Outcome


def order_of(priorities: list[str | None], **more: Any) -> float:
    """Digits in the order in which events 1, 2, ... at time 1 are executed."""
    events = [
        event(
            f"E{i}", "time >= 1", "n", f"10*n + {i}", priority=p, use_trigger_values=False, **more
        )
        for i, p in enumerate(priorities, 1)
    ]
    return path(sg.load(growing(events=events)), "n", [1])[0]


def test_priorities_order_events_at_one_time() -> None:
    assert order_of(["1", "3", "2"]) == 231
    assert order_of(["-1", "0", "-2", "5"]) == 4213


def test_priorities_are_those_at_the_execution() -> None:
    # After E1 (n = 1) the third comes before the second.
    assert order_of(["100", "5", "piecewise(9, n > 0, 1)"]) == 132


def test_an_event_triggered_by_another_takes_its_place_by_priority() -> None:
    events = [
        event("E", "time >= 1", "a", "1", priority="9"),
        event("F", "time >= 1", "n", "10*n + 1", priority="1", use_trigger_values=False),
        event("G", "a > 0", "n", "10*n + 2", priority="5", use_trigger_values=False),
    ]
    assert path(sg.load(growing(events=events)), "n", [1]) == [21]


def test_a_priority_without_a_value_is_an_error() -> None:
    events = [
        event("E", "time >= 1", "a", "1", priority="b/a - b/a"),
        event("F", "time >= 1", "b", "2", priority="1"),
    ]
    error = failure(sg.load(growing(events=events)), 2)
    assert "event 'E': its priority is not a number (NaN) at time 1, " in str(error)


@pytest.mark.parametrize(("use_trigger_values", "expected"), [(True, (1, 0)), (False, (1, 1))])
def test_events_at_one_time_see_each_other_unless_they_use_trigger_values(
    use_trigger_values: bool, expected: tuple[float, float]
) -> None:
    events = [
        event("E", "time >= 1", "a", "b", priority="2", use_trigger_values=use_trigger_values),
        event("F", "time >= 1", "b", "a", priority="1", use_trigger_values=use_trigger_values),
    ]
    model = sg.load(growing(events=events))
    assert (*path(model, "a", [1]), *path(model, "b", [1])) == expected


def test_assignments_of_one_event_are_made_all_at_once() -> None:
    model = sg.load(growing(events=[event("E", "time >= 1", "a", "b", more=[("b", "a")])]))
    assert (*path(model, "a", [1]), *path(model, "b", [1])) == (1.0, 0.0)


def test_events_trigger_each_other_within_one_moment() -> None:
    events = [event("E0", "time >= 1", "n", "1")]
    events += [event(f"E{i}", f"n >= {i}", "n", f"{i + 1}") for i in range(1, 9)]
    assert path(sg.load(growing(events=events)), "n", [1]) == [9]


@pytest.mark.parametrize("delay", [None, "0"])
def test_an_endless_cascade_is_an_error_naming_an_event(delay: str | None) -> None:
    events = [
        event("up", "a < 0.5", "a", "1", delay=delay, initial_value=False),
        event("down", "a > 0.5", "a", "0", delay=delay),
    ]
    error = failure(sg.load(growing(events=events)), 1)
    assert error.outcomes.tolist() == [Outcome.EVENT_LIMIT]
    assert "event 'up'" in str(error) or "event 'down'" in str(error)


def test_a_negative_delay_is_an_error_that_says_so() -> None:
    error = failure(sg.load(growing(events=[event("E", "time >= 1", "a", "1", delay="-b")])), 2)
    assert "event 'E': its delay is -1 at time 1, " in str(error)


def test_a_value_that_is_no_number_is_an_error_at_its_time() -> None:
    error = failure(sg.load(growing(events=[event("E", "time >= 3", "a", "n/a")])), 4)
    assert error.outcomes.tolist() == [Outcome.EVENT_UNDEFINED]
    assert "event 'E': a value that it sets is not a number (NaN) at time 3, " in str(error)


def test_an_infinite_value_is_a_number() -> None:
    events = [event("E", "time >= b", "b", "1/a", more=[("n", "n + 1")])]
    assert path(sg.load(growing(events=events)), "b", [0.5, 9]) == [1.0, math.inf]
    assert path(sg.load(growing(events=events)), "n", [0.5, 9]) == [0.0, 1.0]


def test_a_failure_shows_the_state_that_the_event_met() -> None:
    events = [
        event("E", "time >= 1", "a", "7", priority="2"),
        event(
            "F",
            "time >= 1",
            "n",
            "1",
            priority="1",
            use_trigger_values=False,
            more=[("b", "b/(a - 7) - b/(a - 7)")],
        ),
    ]
    error = failure(sg.load(growing(events=events)), 2)
    assert "event 'F': a value that it sets" in str(error)
    # What E set is there, and nothing of F.
    assert "a=7" in str(error)
    assert "n=0" in str(error)
