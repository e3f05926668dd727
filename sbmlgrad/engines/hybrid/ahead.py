"""What comes next while nothing happens: how far bounds hold, and which moment is the first.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

from sbmlgrad.codegen.hybrid_tables import FlowTables, TriggerTables
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.codes import (
    COMPLETED,
    NEGATIVE_PROPENSITY,
    NO_FAULT,
    NON_FINITE,
    STEP_TOO_SMALL,
    TRIGGER,
    TRIGGER_UNRESOLVED,
    event_fault,
)
from sbmlgrad.engines.hybrid.bounds import first_negative, window_bound
from sbmlgrad.engines.hybrid.memory import LONGEST_PACE, STEP, WINDOW, Motion, Queue
from sbmlgrad.engines.hybrid.motion import flow_step
from sbmlgrad.engines.hybrid.queue import earliest
from sbmlgrad.engines.hybrid.triggers import earliest_change


def look_ahead(
    code: Code,
    flows: FlowTables,
    motion: Motion,
    any_rate_moves,
    rate_moves,
    may_turn_negative,
    rates,
    pace,
    stages,
):
    """Find the motion from here on, and bounds of the propensities along it.

    Returns (outcome, bound of the total propensity, lower bound of each, how long they hold).
    """
    # What moves is set anew wherever these are used.
    for s in range(motion.state.shape[0]):
        motion.low[s] = motion.state[s]
        motion.high[s] = motion.state[s]
        motion.trial[s] = motion.state[s]
    longest = math.inf
    if motion.slot.shape[0] > 0:
        longest, pace[STEP] = flow_step(code, flows, motion, pace[STEP], stages)
        if longest == 0.0:
            return STEP_TOO_SMALL, 0.0, 0.0, 0.0
    bound = 0.0
    lowest = 0.0
    if any_rate_moves:
        bound, lowest, longest = window_bound(
            code, motion, rate_moves, may_turn_negative, rates, longest, pace
        )
    else:
        for j in range(rates.shape[0]):
            bound += rates[j]
    return (COMPLETED if bound < math.inf else NON_FINITE), bound, lowest, longest


def next_moment(
    code: Code,
    triggers: TriggerTables,
    motion: Motion,
    truth,
    quiet_until,
    queue: Queue,
    pace,
    may_turn_negative,
    stop,
    lowest,
    end,
):
    """Find what comes first: `stop`, a pending event, or a trigger that changes.

    `lowest` bounds every propensity from below, so that one may turn negative before where it is
    negative. Nothing is looked for after `end`.

    Returns (outcome, fault, time of the failure, time of what comes first, whether it is an event).
    """
    now = motion.state[motion.state.shape[0] - 1]
    if stop == math.inf and end == math.inf and triggers.any_moves:
        stop = now + pace[WINDOW]
        pace[WINDOW] = min(2.0 * pace[WINDOW], LONGEST_PACE)
    due = earliest(queue)
    is_event = due <= stop
    stop = min(stop, due)
    if triggers.any_moves:
        change, event = earliest_change(code, triggers, motion, truth, quiet_until, stop, end)
        if math.isnan(change):
            return TRIGGER_UNRESOLVED, event_fault(event, TRIGGER), now, stop, False
        if event >= 0:
            stop = change
            is_event = True
    if lowest < 0.0:
        change, reaction = first_negative(code, motion, may_turn_negative, min(stop, end))
        # What happens at the same time comes first and may put it right.
        if change < stop:
            return NEGATIVE_PROPENSITY, reaction, change, stop, False
    return COMPLETED, NO_FAULT, now, stop, is_event
