"""What went wrong in a trajectory, in words: reaction, time, state and what to do."""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Outcome, Sample

_WORDS = {
    Outcome.FIRING_LIMIT: "more firings than the limit allows",
    Outcome.NEGATIVE_PROPENSITY: "a negative propensity",
    Outcome.NEGATIVE_COUNT: "a count that would turn negative",
    Outcome.NON_FINITE: "a propensity that is not finite",
    Outcome.CANCELLED: "cancelled before its end",
    Outcome.NON_INTEGER_COUNT: "a number of molecules that is not whole",
    Outcome.EVENT_LIMIT: "more than 100,000 events at one time, or 1,024 waiting",
    Outcome.STEP_TOO_SMALL: "a rate rule that cannot be followed to the accuracy required",
    Outcome.TRIGGER_UNRESOLVED: "a trigger whose changes lie too close together",
    Outcome.BOUND_EXCEEDED: "a propensity beyond its proven bound",
    Outcome.EVENT_UNDEFINED: "a trigger, delay, priority or new value that is no number",
    Outcome.NOTHING_HAPPENS: "two million steps without a firing",
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
    Outcome.EVENT_LIMIT: "Look for events that trigger each other, or themselves, without end.",
    Outcome.STEP_TOO_SMALL: "Look for a rate rule that is stiff, or that leaves every bound.",
    Outcome.TRIGGER_UNRESOLVED: "Rewrite the trigger as comparisons that hold over some time.",
    Outcome.EVENT_UNDEFINED: (
        "Check the event's formulas for a division by zero, a symbol without a value, or a delay "
        "below zero."
    ),
    Outcome.NOTHING_HAPPENS: (
        "Simulate for a shorter time; look for rate rules or laws that change much faster than "
        "anything fires."
    ),
    Outcome.BOUND_EXCEEDED: "This is a fault of sbmlgrad itself; please report it.",
}


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
    place = int(sample.failed_reaction[row])
    culprit = ""
    if place >= 0:
        culprit = f" by reaction '{lowered.channels[place].id}'"
    elif place < -1:
        culprit = f" by event '{lowered.events[-2 - place].id}'"
    state = ", ".join(
        f"{s}={n:.10g}" for s, n in zip(lowered.state_ids, sample.end_states[row], strict=True)
    )
    return (
        f"{failed.size} of {len(sample.outcomes)} trajectories failed; the first is trajectory "
        f"{first_trajectory + row}: {_WORDS[outcome]}{culprit} at time "
        f"{sample.end_times[row]:.6g} in state {state}. {_ADVICE[outcome]}"
    )
