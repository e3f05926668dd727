"""The moments at which triggers change while the clock runs: none is stepped over, however short.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.interval_driven import run_interval
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.hybrid.motion import box_of, move


def truth_of(tables: Tables, program, state, inputs, stack):
    """Return 1 if a condition holds, 0 if it does not, -1 if it has no truth value."""
    value = run_program(tables, program, state, inputs, stack)
    if math.isnan(value):
        return -1
    return 1 if value != 0.0 else 0


def truth_at(tables: Tables, program, flow_slot, path, time, origin, inputs, stack, trial):
    """Return the truth of a condition at a time, on the motion that starts at `origin`."""
    move(flow_slot, path, time, origin, trial)
    return truth_of(tables, program, trial, inputs, stack)


def next_change(
    tables: Tables, hybrid: HybridTables, event, truth, path, until, origin, inputs, stack, boxes
):
    """Return when a trigger first differs from `truth` after `origin`; infinity if not by `until`.

    The time is exact to neighbouring floating-point numbers; NaN means that it cannot be found.
    `boxes` is (low, high, trial state, two stacks).
    """
    low, high, trial, stack_low, stack_high = boxes
    program = hybrid.trigger_program[event]
    flow_slot = hybrid.flow_slot
    first = origin[origin.shape[0] - 1]
    width = until - first
    # The end of the shortest stretch from here that may hold a change.
    doubtful = until
    if truth_at(tables, program, flow_slot, path, until, origin, inputs, stack, trial) != truth:
        # Most triggers change once: find a change by point values, then prove that none is before.
        before = first
        after = until
        while after > np.nextafter(before, math.inf):
            middle = before + 0.5 * (after - before)
            if not before < middle < after:
                break
            if (
                truth_at(tables, program, flow_slot, path, middle, origin, inputs, stack, trial)
                == truth
            ):
                before = middle
            else:
                after = middle
        for margin in (0.0, 1e-9):
            last = before - margin * (before - first)
            box_of(flow_slot, path, first, last, origin, low, high)
            bottom, top = run_interval(tables, program, low, high, inputs, stack_low, stack_high)
            if bottom == top and (bottom != 0.0) == (truth == 1):
                if margin == 0.0:
                    return after
                first = last
                doubtful = after
                width = after - first
                break
    tries = 0
    while first < until:
        tries += 1
        if tries > 200_000:
            return math.nan
        last = min(first + width, until)
        is_shortest = last <= np.nextafter(first, math.inf)
        if is_shortest:
            last = np.nextafter(first, math.inf)
        box_of(flow_slot, path, first, last, origin, low, high)
        bottom, top = run_interval(tables, program, low, high, inputs, stack_low, stack_high)
        if bottom == top and (bottom != 0.0) == (truth == 1):
            first = last
            width = 0.5 * (doubtful - first) if doubtful > first else 2.0 * width
        elif is_shortest:
            move(flow_slot, path, last, origin, trial)
            if truth_of(tables, program, trial, inputs, stack) != truth:
                return last
            first = last
            width = 2.0 * (np.nextafter(first, math.inf) - first)
            doubtful = first
        else:
            width = 0.5 * (last - first)
            doubtful = last
    return math.inf


def earliest_change(
    tables: Tables,
    hybrid: HybridTables,
    truth,
    quiet_until,
    path,
    stop,
    end,
    state,
    inputs,
    stack,
    boxes,
):
    """Return (time, event) of the first trigger that changes by `stop`, or (`stop`, -1).

    Nothing is looked for after `end`. NaN as time: the changes of a trigger cannot be resolved.
    `quiet_until` [event] remembers until when a trigger on the clock alone stays as it is.
    """
    now = state[state.shape[0] - 1]
    found = -1
    for e in range(truth.shape[0]):
        if not hybrid.trigger_moves[e] or stop <= quiet_until[e]:
            continue
        until = min(stop, end)
        change = next_change(tables, hybrid, e, truth[e], path, until, state, inputs, stack, boxes)
        if math.isnan(change):
            return math.nan, e
        if change <= stop:
            stop = change
            found = e
        elif hybrid.trigger_is_clock[e]:
            # Looking further ahead than needed saves looking again at every firing.
            ahead = min(stop + 15.0 * (stop - now), end)
            change = next_change(
                tables, hybrid, e, truth[e], path, ahead, state, inputs, stack, boxes
            )
            if math.isnan(change):
                quiet_until[e] = stop
            else:
                quiet_until[e] = np.nextafter(change, 0.0) if change < math.inf else ahead
    return stop, found


def has_changed(tables: Tables, hybrid: HybridTables, truth, state, inputs, stack):
    """Tell whether a firing has changed a trigger; those on the clock alone it cannot change."""
    for e in range(truth.shape[0]):
        if not hybrid.trigger_is_clock[e]:
            now = truth_of(tables, hybrid.trigger_program[e], state, inputs, stack)
            if now != truth[e]:
                return True
    return False
