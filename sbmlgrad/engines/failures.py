"""What went wrong in a trajectory, in words: reaction, time, state and what to do."""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Outcome, Sample
from sbmlgrad.engines.codes import (
    DELAY,
    MOST_AT_ONE_TIME,
    MOST_IDLE_ROUNDS,
    MOST_PENDING,
    PRIORITY,
    TRIGGER,
    VALUE,
    part_at_fault,
)

_WORDS = {
    Outcome.FIRING_LIMIT: "more firings than the limit allows",
    Outcome.NEGATIVE_PROPENSITY: "a negative propensity",
    Outcome.NEGATIVE_COUNT: "a count that would turn negative",
    Outcome.NON_FINITE: "a propensity that is not finite",
    Outcome.CANCELLED: "cancelled before its end",
    Outcome.NON_INTEGER_COUNT: "a number of molecules that is not whole",
    Outcome.EVENT_LIMIT: f"more than {MOST_AT_ONE_TIME:,} executions of events at one time",
    Outcome.STEP_TOO_SMALL: "a rate rule that cannot be followed to the accuracy required",
    Outcome.TRIGGER_UNRESOLVED: "a trigger whose changes lie too close together",
    Outcome.BOUND_EXCEEDED: "a propensity beyond its proven bound",
    Outcome.EVENT_UNDEFINED: "an event that cannot be evaluated",
    Outcome.NOTHING_HAPPENS: f"{MOST_IDLE_ROUNDS:,} steps without a firing",
}
_ADVICE = {
    Outcome.FIRING_LIMIT: "Simulate for a shorter time, or raise `firing_limit` of the engine.",
    Outcome.NEGATIVE_PROPENSITY: (
        "Correct the kinetic law, or write it as forward minus backward rate; nothing is clamped."
    ),
    Outcome.NEGATIVE_COUNT: (
        "The kinetic law must vanish when a reactant runs out: multiply it by the reactant."
    ),
    Outcome.NON_FINITE: "Check for a division by zero or an overflow in the kinetic law.",
    Outcome.CANCELLED: "Run it again.",
    Outcome.NON_INTEGER_COUNT: (
        'Let the event assign whole numbers of molecules, or load with initial="round" or '
        'initial="randomised".'
    ),
    Outcome.EVENT_LIMIT: (
        "Look for events that trigger each other, or themselves, without end: let what an event "
        "sets turn its own trigger false."
    ),
    Outcome.STEP_TOO_SMALL: "Look for a rate rule that is stiff, or that leaves every bound.",
    Outcome.TRIGGER_UNRESOLVED: "Rewrite the trigger as comparisons that hold over some time.",
    Outcome.EVENT_UNDEFINED: "Check the event's formulas.",
    Outcome.NOTHING_HAPPENS: (
        "Simulate for a shorter time; look for rate rules or laws that change much faster than "
        "anything fires."
    ),
    Outcome.BOUND_EXCEEDED: "This is a fault of sbmlgrad itself; please report it.",
}

_COUNTS_OF_EVENTS = "Let the event set numbers of molecules >= 0; nothing is clamped."

#: What is wrong with a part of an event, and what to do.
_PARTS = {
    TRIGGER: (
        "its trigger",
        "and a trigger must be true or false",
        "check it for a division by zero, a symbol without a value, or a piecewise without a case",
    ),
    DELAY: ("its delay", "and a delay must be a number >= 0", "correct its formula"),
    PRIORITY: (
        "its priority",
        "so that the order of events cannot be told",
        "correct its formula",
    ),
    VALUE: (
        "a value that it sets",
        "and a symbol must have a number",
        "check it for a division by zero or a symbol without a value",
    ),
}


def event_fault_message(event: str, part: int, found: float, time: float) -> str:
    """Describe what is wrong with a part of an event, in the same words for every engine.

    Args:
        event: id of the event.
        part: `codes.TRIGGER`, `DELAY`, `PRIORITY` or `VALUE`.
        found: its value.
        time: when.
    """
    what, why, advice = _PARTS[part]
    words = "not a number (NaN)" if np.isnan(found) else f"{found:.10g}"
    return f"event '{event}': {what} is {words} at time {time:.6g}, {why}; {advice}"


def failure_message(sample: Sample, lowered: LoweredNetwork, first_trajectory: int) -> str | None:
    """Describe the first trajectory that failed, or return None if none did.

    Args:
        sample: what an engine gave back.
        lowered: the network that was sampled.
        first_trajectory: number of the sample's first trajectory.
    """
    failed = np.flatnonzero(sample.outcomes > Outcome.ABSORBED)
    if not failed.size:
        return None
    row = int(failed[0])
    outcome = Outcome(int(sample.outcomes[row]))
    state = ", ".join(
        f"{s}={n:.10g}" for s, n in zip(lowered.state_ids, sample.end_states[row], strict=True)
    )
    return (
        f"{failed.size} of {len(sample.outcomes)} trajectories failed; the first is trajectory "
        f"{first_trajectory + row}: {_story(sample, lowered, row, outcome, state)}"
    )


def _story(sample: Sample, lowered: LoweredNetwork, row: int, outcome: Outcome, state: str) -> str:
    """Say what one trajectory failed by, when, in which state, and what to do."""
    fault, time = int(sample.failed_reaction[row]), float(sample.end_times[row])
    found = np.nan if sample.found is None else float(sample.found[row])
    at_fault = part_at_fault(fault)
    if at_fault is None:
        culprit = f" by reaction '{lowered.channels[fault].id}'" if fault >= 0 else ""
        return f"{_WORDS[outcome]}{culprit} at time {time:.6g} in state {state}. {_ADVICE[outcome]}"
    event, part = at_fault
    name = lowered.events[event].id
    if outcome is Outcome.EVENT_UNDEFINED:
        return f"{event_fault_message(name, part, found, time)} (state {state})"
    words, advice = _WORDS[outcome], _ADVICE[outcome]
    if outcome is Outcome.EVENT_LIMIT and part == DELAY:
        words = f"more than {MOST_PENDING:,} executions waiting for their delays to pass"
        advice = "Look for an event that is triggered again and again within its delay."
    elif outcome is Outcome.NEGATIVE_COUNT:
        words, advice = f"a negative count ({found:.10g})", _COUNTS_OF_EVENTS
    elif outcome is Outcome.NON_INTEGER_COUNT:
        words += f" ({found:.10g})"
    return f"{words} by event '{name}' at time {time:.6g} in state {state}. {advice}"
