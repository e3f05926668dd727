"""Events that cannot be evaluated are refused by every engine, in the same words."""

from __future__ import annotations

import pytest
from both_modes import AT_2, ENGINES, TIMES, columns, digit, load
from sbml_text import event

import sbmlgrad as sg

#: Events → how the message goes on after the event's id.
FAULTS: dict[str, tuple[list[str], str]] = {
    "trigger without a case": (
        [event("E", "piecewise(0, time < 2, 1, time >= 4)", "a", "1")],
        "its trigger is not a number (NaN) at time 2, ",
    ),
    "trigger that is no number from the start": (
        [event("E", "a/a", "b", "1")],
        "its trigger is not a number (NaN) at time 0, ",
    ),
    "trigger made so by another event": (
        [event("F", AT_2, "b", "0"), event("E", "a/b", "n", "1")],
        "its trigger is not a number (NaN) at time 2, ",
    ),
    "trigger out of its domain": (
        [event("E", "ln(2.5 - time)", "n", "1")],
        "its trigger is not a number (NaN) at time 2.5, ",
    ),
    "negative delay": (
        [event("E", AT_2, "a", "1", delay="-b")],
        "its delay is -1 at time 2, ",
    ),
    "delay that is no number": (
        [event("E", AT_2, "a", "1", delay="a/a")],
        "its delay is not a number (NaN) at time 2, ",
    ),
    "delay that is minus infinity": (
        [event("E", AT_2, "a", "1", delay="-b/a")],
        "its delay is -inf at time 2, ",
    ),
    "priority that is no number, with a rival": (
        [digit("E", 1, AT_2, priority="a/a"), digit("F", 2, AT_2, priority="1")],
        "its priority is not a number (NaN) at time 2, ",
    ),
    "priority that is no number, alone": (
        [digit("E", 1, "time >= 1", delay="1", priority="a/a")],
        "its priority is not a number (NaN) at time 2, ",
    ),
    "value that is no number": (
        [event("E", AT_2, "b", "a/a")],
        "a value that it sets is not a number (NaN) at time 2, ",
    ),
    "value that was no number when triggered": (
        [event("E", "time >= 1", "b", "a/a", delay="1"), event("F", "time >= 1.5", "a", "1")],
        "a value that it sets is not a number (NaN) at time 2, ",
    ),
    "the first of two in the document": (
        [event("E", AT_2, "a", "1", delay="-1"), event("F", "time >= 2", "a", "1", delay="a/a")],
        "its delay is -1 at time 2, ",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_engine_refuses_what_has_no_meaning_in_the_same_words(name: str) -> None:
    events, words = FAULTS[name]
    model = load(events)
    for engine in ENGINES.values():
        with pytest.raises(sg.SimulationError) as caught:
            sg.simulate(model, times=TIMES, seed=1, engine=engine)
        assert f"event 'E': {words}" in str(caught.value), engine


def test_a_cancelled_event_is_not_asked_for_values_that_it_has_not() -> None:
    events = [
        event("E", "(time >= 1) && (time < 1.5)", "b", "a/a", delay="1", persistent=False),
        event("F", AT_2, "n", "1"),
    ]
    for engine in ENGINES.values():
        assert columns(load(events), TIMES, engine)["n"][-1] == 1.0


def test_many_infinite_delays_fill_no_queue() -> None:
    """A ticking clock triggers an event that is never executed 100,000 times."""
    events = [
        event("tick", "time - a >= 1e-4", "a", "time", more=[("b", "-b")]),
        event("E", "b > 0", "n", "1", delay="1/0"),
    ]
    engine = ENGINES["Native"]
    assert columns(load(events), [14.0], engine)["n"] == [0.0]
