"""When events happen in stochastic simulation, to the bit.

Models are SBML text, so that the words of the standard (SBML L3V2 section 4.11) are tested from the
document to the ensemble.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from clock_models import (
    NATIVE,
    REFERENCE,
    growing,
    path,
)
from events import load
from sbml_text import event, reaction

import sbmlgrad as sg
from sbmlgrad.engines import Outcome
from sbmlgrad.engines.readouts import AfterFirings


@pytest.mark.parametrize("engine", [NATIVE, REFERENCE], ids=str)
@pytest.mark.parametrize(("relation", "at_five"), [(">=", 1.0), (">", 0.0)])
def test_a_time_event_happens_at_its_time_although_nothing_else_can(
    relation: str, at_five: float, engine: Any
) -> None:
    model = load(
        reaction("J", "a*X", "X"),
        counts={"X": 3},
        values={"a": 0.0, "b": 0.0},
        events=[event("E", f"time {relation} 5", "b", "1")],
    )
    times = [0.0, 4.9, math.nextafter(5.0, 0.0), 5.0, math.nextafter(5.0, 9.0), 6.0]
    assert path(model, "b", times, engine=engine) == [0.0, 0.0, 0.0, at_five, 1.0, 1.0]
    assert path(model, "b", [5.0], engine=engine) == [at_five]


@pytest.mark.parametrize(("initial_value", "expected"), [(False, 1.0), (True, 0.0)])
def test_at_time_0_only_what_was_false_before_is_triggered(
    initial_value: bool, expected: float
) -> None:
    model = sg.load(growing(events=[event("E", "b > 0", "a", "1", initial_value=initial_value)]))
    assert path(model, "a", [0, 1]) == [expected, expected]


def test_a_trigger_that_holds_from_the_start_is_triggered_when_it_holds_again() -> None:
    events = [event("E", "b > 0", "a", "a + 1"), event("F", "time >= 2", "b", "-b")]
    events.append(event("G", "time >= 3", "b", "-b"))
    assert path(sg.load(growing(events=events)), "a", [1, 2, 3, 4]) == [0, 0, 1, 1]


def test_a_trigger_that_holds_at_one_moment_only_is_not_missed() -> None:
    events = [event("E", "time == 2.5", "a", "time")]
    assert path(sg.load(growing(events=events)), "a", [2.4, 2.5, 9]) == [0, 2.5, 2.5]


def test_a_periodic_trigger_happens_every_time() -> None:
    events = [event("E", "sin(time) > 0.999999", "n", "n + 1")]
    assert path(sg.load(growing(events=events)), "n", [2, 2 * math.pi * 100]) == [1, 100]


def test_a_brief_trigger_far_away_is_found_between_output_times() -> None:
    events = [event("E", "(time > 777.77) && (time < 777.7700000001)", "a", "time")]
    values = path(sg.load(growing(events=events)), "a", [700, 1000])
    assert values[0] == 0.0
    assert values[1] == math.nextafter(777.77, 1e3)


@pytest.mark.parametrize("rate", [0.0, 10.0])
def test_a_trigger_that_cannot_be_resolved_is_an_error_and_never_late(rate: float) -> None:
    """The first part comes within 1e-12 of holding at time 1 and hides the second from a search."""
    trigger = "(time^2 - 2*time + 1 < -1e-12) || (time >= 1.5)"
    model = load(
        reaction("J", str(rate), "", "X"),
        counts={"X": 0},
        values={"a": 0.0},
        events=[event("E", trigger, "a", "time")],
    )
    cells = sg.simulate(model, times=[3], trajectories=2, seed=1, on_failure="mark")
    lost = cells.outcomes == Outcome.TRIGGER_UNRESOLVED
    assert np.all(lost | (cells.values("a")[:, 0] == 1.5))


def test_a_state_trigger_is_seen_after_the_very_firing() -> None:
    model = load(
        reaction("J", "1", "", "X"),
        counts={"X": 0},
        values={"a": 0.0},
        events=[event("E", "X >= 4", "X", "0", more=[("a", "a + 1")])],
    )
    cells = sg.simulate(model, readouts=[AfterFirings(range(13))], trajectories=3, seed=1)
    counts = [i % 4 for i in range(13)]
    assert cells.values("X").tolist() == [counts] * 3
    assert cells.values("a").tolist() == [[i // 4 for i in range(13)]] * 3


@pytest.mark.parametrize(("use_trigger_values", "expected"), [(True, 1.0), (False, 7.0)])
def test_values_of_a_delayed_event_are_from_the_trigger_or_the_execution(
    use_trigger_values: bool, expected: float
) -> None:
    events = [
        event("E", "time >= 1", "a", "b", delay="2", use_trigger_values=use_trigger_values),
        event("F", "time >= 2", "b", "7"),
    ]
    model = sg.load(growing(events=events))
    assert path(model, "a", [1, math.nextafter(3.0, 0), 3, 4]) == [0, 0, expected, expected]


def test_a_delay_is_that_of_the_trigger_time() -> None:
    events = [event("E", "time >= 1", "a", "time", delay="b + time", use_trigger_values=False)]
    events.append(event("F", "time >= 1.5", "b", "100"))
    assert path(sg.load(growing(events=events)), "a", [2.9, 3, 200]) == [0, 3, 3]


@pytest.mark.parametrize(("persistent", "expected"), [(True, [1, 2]), (False, [0, 1])])
def test_a_trigger_that_stops_holding_cancels_unless_persistent(
    persistent: bool, expected: list[int]
) -> None:
    trigger = "((time >= 1) && (time < 2)) || (time >= 6)"
    events = [event("E", trigger, "n", "n + 1", delay="3", persistent=persistent)]
    assert path(sg.load(growing(events=events)), "n", [5, 10]) == expected


def test_another_event_at_the_same_time_can_cancel_one_that_is_not_persistent() -> None:
    def last(persistent: bool) -> list[float]:
        events = [
            event("E", "time >= 1", "b", "0", priority="2"),
            event("F", "(time >= 1) && (b > 0)", "a", "1", priority="1", persistent=persistent),
        ]
        return path(sg.load(growing(events=events)), "a", [2])

    assert last(True) == [1.0]
    assert last(False) == [0.0]


def test_two_executions_of_one_event_may_be_pending_with_values_of_their_own() -> None:
    trigger = "((time >= 1) && (time < 1.5)) || (time >= 2)"
    events = [event("E", trigger, "a", "time", delay="5", more=[("n", "n + 1")])]
    model = sg.load(growing(events=events))
    assert path(model, "a", [5.9, 6, 6.9, 7, 9]) == [0, 1, 1, 2, 2]
    # Both took n when they were triggered, before either was executed.
    assert path(model, "n", [6, 9]) == [1, 1]


def test_a_delayed_event_happens_at_its_time_between_firings() -> None:
    model = load(
        reaction("J", "b*X", "X"),
        counts={"X": 50},
        values={"b": 1.0, "a": 0.0},
        events=[event("E", "X < 25", "a", "time", delay="2", more=[("b", "0")])],
    )
    fired = sg.simulate(model, readouts=[AfterFirings([26])], trajectories=5, seed=1).values("time")
    cells = sg.simulate(model, times=[60], trajectories=5, seed=1)
    assert cells.values("b").tolist() == [[0.0]] * 5
    for row, late in enumerate(cells.values("a")[:, 0]):
        # Values are from the trigger time, so `a` holds the time of the 26th firing.
        assert late == fired[row, 0]
