"""Events mean the same in stochastic and in deterministic simulation: equal models, equal bits.

Without reactions and random draws nothing is left to chance, so that every engine must give the
same numbers at every time. What each case should give is written beside it, from SBML L3V2 section
4.11 and, where that leaves a choice, from `docs/explanation/between-firings.md`.
"""

from __future__ import annotations

import pytest
from both_modes import AT_2, ENGINES, TIMES, columns, digit, load
from sbml_text import event

BRIEFLY = "(time >= 1) && (time < 1.5)"

#: Name → (events, symbol, its values at `TIMES`).
CASES: dict[str, tuple[list[str], str, list[float]]] = {
    "a time trigger at an output time": (
        [event("E", AT_2, "a", "1")],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "a strict time trigger at an output time": (
        [event("E", "time > 2", "a", "1")],
        "a",
        [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
    ),
    "true at one moment": (
        [event("E", "time == 1.5", "a", "time")],
        "a",
        [0, 0, 0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5],
    ),
    "true at the start, false before": (
        [event("E", "b > 0", "a", "1", initial_value=False)],
        "a",
        [1] * 10,
    ),
    "true at the start and before": ([event("E", "b > 0", "a", "1")], "a", [0] * 10),
    "delayed from the start": (
        [event("E", "time >= 0", "a", "1", initial_value=False, delay="2")],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "a cascade at the start": (
        [
            event("E", "time >= 0", "a", "1", initial_value=False),
            event("F", "a > 0.5", "n", "a + 1"),
            event("G", "n > 1.5", "b", "9"),
        ],
        "b",
        [9] * 10,
    ),
    "a cascade in no time": (
        [event("E", AT_2, "n", "1")]
        + [event(f"E{i}", f"n >= {i}", "n", f"{i + 1}") for i in range(1, 9)],
        "n",
        [0, 0, 0, 0, 0, 9, 9, 9, 9, 9],
    ),
    "triggered again by itself": (
        [event("E", "time - a >= 0.75", "a", "time", more=[("n", "n + 1")])],
        "n",
        [0, 0, 1, 2, 2, 2, 3, 4, 5, 13],
    ),
    "turns itself off and on": (
        [
            event("E", "(n < 3) && (b > 0) && (time >= 1)", "n", "n + 1", more=[("b", "-b")]),
            event("F", "b < 0", "b", "-b"),
        ],
        "n",
        [0, 0, 3, 3, 3, 3, 3, 3, 3, 3],
    ),
    "without priorities: as triggered, then as in the document": (
        [digit("E", 1, AT_2), digit("F", 2, AT_2), digit("G", 3, "time >= 1", delay="1")],
        "n",
        [0, 0, 0, 0, 0, 312, 312, 312, 312, 312],
    ),
    "without priorities: due together after different delays": (
        [
            digit("E", 1, "time >= 1.5", delay="0.5"),
            digit("F", 2, "time >= 1", delay="1"),
            digit("G", 3, "time >= 0.5", delay="1.5"),
        ],
        "n",
        [0, 0, 0, 0, 0, 321, 321, 321, 321, 321],
    ),
    "priorities go before triggering order, and before none": (
        [
            digit("E", 1, "time >= 1", delay="1"),
            digit("F", 2, AT_2, priority="-5"),
            digit("G", 3, "time >= 1.5", delay="0.5", priority="7"),
            digit("H", 4, AT_2),
        ],
        "n",
        [0, 0, 0, 0, 0, 3214, 3214, 3214, 3214, 3214],
    ),
    "an infinite priority, and one that is less than all others": (
        [
            digit("E", 1, AT_2),
            digit("F", 2, AT_2, priority="-1/a"),
            digit("G", 3, AT_2, priority="1/a"),
            digit("H", 4, AT_2, priority="0"),
        ],
        "n",
        [0, 0, 0, 0, 0, 3421, 3421, 3421, 3421, 3421],
    ),
    "a priority that the execution before changes": (
        [
            digit("E", 1, AT_2, priority="100"),
            digit("F", 2, AT_2, priority="5"),
            digit("G", 3, AT_2, priority="piecewise(9, n > 0, 1)"),
        ],
        "n",
        [0, 0, 0, 0, 0, 132, 132, 132, 132, 132],
    ),
    "triggered by an execution, takes its place by priority": (
        [
            event("E", AT_2, "a", "1", priority="9"),
            digit("F", 1, AT_2, priority="1"),
            digit("G", 2, "a > 0", priority="5"),
        ],
        "n",
        [0, 0, 0, 0, 0, 21, 21, 21, 21, 21],
    ),
    "without priority, the first turns off the second": (
        [
            event("E", AT_2, "b", "0"),
            digit("F", 1, "(time >= 2) && (b > 0)", persistent=False),
        ],
        "n",
        [0] * 10,
    ),
    "without priority, the second cannot turn off the first": (
        [
            digit("F", 1, "(time >= 2) && (b > 0)", persistent=False),
            event("E", AT_2, "b", "0"),
        ],
        "n",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "by priority, the second turns off the first": (
        [
            digit("F", 1, "(time >= 2) && (b > 0)", persistent=False, priority="1"),
            event("E", AT_2, "b", "0", priority="2"),
        ],
        "n",
        [0] * 10,
    ),
    "turned off but persistent": (
        [
            event("E", AT_2, "b", "0", priority="2"),
            digit("F", 1, "(time >= 2) && (b > 0)", priority="1"),
        ],
        "n",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "turned off and on again at one time": (
        [
            event("E", AT_2, "b", "0", priority="3"),
            event("G", "b < 0.5", "b", "1", priority="2"),
            digit("F", 1, "(time >= 2) && (b > 0)", persistent=False, priority="1"),
        ],
        "n",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "a delay outlives its trigger": (
        [event("E", BRIEFLY, "a", "1", delay="1")],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "a delay does not outlive its trigger": (
        [event("E", BRIEFLY, "a", "1", delay="1", persistent=False)],
        "a",
        [0] * 10,
    ),
    "its trigger ends at the moment of execution": (
        [event("E", "(time >= 1) && (time < 2)", "a", "1", delay="1", persistent=False)],
        "a",
        [0] * 10,
    ),
    "values of the trigger time": (
        [
            event("E", "time >= 1", "a", "b", delay="1"),
            event("F", "time >= 1.5", "b", "7"),
        ],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "values of the execution": (
        [
            event("E", "time >= 1", "a", "b + time", delay="1", use_trigger_values=False),
            event("F", "time >= 1.5", "b", "7"),
        ],
        "a",
        [0, 0, 0, 0, 0, 9, 9, 9, 9, 9],
    ),
    "a swap, each with values of the trigger time": (
        [event("E", AT_2, "a", "b"), event("F", AT_2, "b", "a")],
        "b",
        [1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    ),
    "a swap, each with values of the execution": (
        [
            event("E", AT_2, "a", "b", use_trigger_values=False),
            event("F", AT_2, "b", "a + 5", use_trigger_values=False),
        ],
        "b",
        [1, 1, 1, 1, 1, 6, 6, 6, 6, 6],
    ),
    "two executions pending": (
        [
            event(
                "E",
                f"({BRIEFLY}) || ({AT_2})",
                "a",
                "time",
                delay="2",
                more=[("n", "n + 1")],
            )
        ],
        "a",
        [0, 0, 0, 0, 0, 0, 0, 1, 2, 2],
    ),
    "both executions pending are cancelled": (
        [
            digit("E", 1, f"({BRIEFLY}) || ((time >= 2) && (b > 0))", delay="5", persistent=False),
            event("F", "time >= 4", "b", "0"),
        ],
        "n",
        [0] * 10,
    ),
    "a delay of zero joins what is due": (
        [digit("E", 1, AT_2, delay="0"), digit("F", 2, AT_2, priority="1")],
        "n",
        [0, 0, 0, 0, 0, 21, 21, 21, 21, 21],
    ),
    "a delay that the trigger time gives": (
        [
            event("E", "time >= 1", "a", "time", delay="b", use_trigger_values=False),
            event("F", "time >= 1.5", "b", "100"),
        ],
        "a",
        [0, 0, 0, 0, 0, 2, 2, 2, 2, 2],
    ),
    "an infinite delay: never": ([event("E", AT_2, "a", "1", delay="1/a")], "a", [0] * 10),
    "an infinite value": (
        [event("E", AT_2, "b", "1/a"), event("F", "time >= 3", "n", "piecewise(1, b > 1e300, 2)")],
        "n",
        [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
    ),
    "a number as a trigger": (
        [event("E", "piecewise(0, time < 2, 4)", "a", "1")],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
    "a relation to something that is no number does not hold": (
        [event("E", "(a/a < 1) || (time >= 2)", "a", "1")],
        "a",
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_engine_gives_what_the_standard_says(name: str) -> None:
    events, symbol, expected = CASES[name]
    model = load(events)
    for engine in ENGINES.values():
        assert columns(model, TIMES, engine)[symbol] == expected, engine
