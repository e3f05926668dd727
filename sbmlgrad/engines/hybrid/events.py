"""Events at one moment: what is triggered, delayed, cancelled, chosen and assigned.

SBML L3V2 section 4.11. The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.draws import draw
from sbmlgrad.engines.hybrid.triggers import truth_of
from sbmlgrad.engines.random import uniform_pair


def draw_and_evaluate(
    tables: Tables, hybrid: HybridTables, event, state, inputs, stack, stream, out
):
    """Make the random draws of an event and fill `out` with its new values, none assigned yet."""
    for d in range(hybrid.draw_start[event], hybrid.draw_start[event + 1]):
        a = b = c = e = 0.0
        first = hybrid.argument_start[d]
        count = hybrid.argument_start[d + 1] - first
        if count > 0:
            a = run_program(tables, hybrid.argument_program[first], state, inputs, stack)
        if count > 1:
            b = run_program(tables, hybrid.argument_program[first + 1], state, inputs, stack)
        if count > 2:
            c = run_program(tables, hybrid.argument_program[first + 2], state, inputs, stack)
        if count > 3:
            e = run_program(tables, hybrid.argument_program[first + 3], state, inputs, stack)
        state[hybrid.draw_slot[d]] = draw(hybrid.draw_code[d], count, a, b, c, e, stream)
    first = hybrid.assignment_start[event]
    for i in range(first, hybrid.assignment_start[event + 1]):
        out[i - first] = run_program(tables, hybrid.assignment_program[i], state, inputs, stack)


def as_count(value, rounding, stream):
    """Return the whole number that an assigned count stands for, NaN if there is none."""
    nearest = np.rint(value)
    if nearest == 0.0 and value != 0.0 and rounding == 0:
        return math.nan
    if abs(value - nearest) <= 1e-12 * max(1.0, abs(value)):
        return nearest
    if rounding == 1:
        return nearest
    if rounding == 2:
        _, v = uniform_pair(stream[0], stream[3], stream[1], stream[2])
        stream[3] += np.uint64(1)
        below = math.floor(value)
        return below + 1.0 if v < value - below else below
    return math.nan


def assign(
    tables: Tables, hybrid: HybridTables, event, new, rounding, state, inputs, stack, stream
):
    """Give the slots of an event their new values; return an outcome code, 0 if all is well.

    A concentration becomes a number of molecules in the volume just before, even where the event
    sets that too: all assignments are made from one state (SBML test suite, case 1780).
    """
    first = hybrid.assignment_start[event]
    for i in range(first, hybrid.assignment_start[event + 1]):
        size = hybrid.size_program[i]
        if size >= 0:
            new[i - first] *= run_program(tables, size, state, inputs, stack)
    for i in range(first, hybrid.assignment_start[event + 1]):
        slot = hybrid.assignment_slot[i]
        value = new[i - first]
        if not math.isfinite(value):
            return 12
        if hybrid.is_count[slot]:
            value = as_count(value, rounding, stream)
            if math.isnan(value):
                return 7
            if value < 0.0:
                return 4
        state[slot] = value
    return 0


def settle(tables: Tables, hybrid: HybridTables, state, inputs, stack, truth, queue, rounding):
    """Trigger and execute events until nothing more happens at this time.

    SBML L3V2 section 4.11.2: all triggers are looked at after every execution; of the executions
    due now the one of highest priority comes first, equal priorities in random order, and those
    without a priority last, in the order in which they were triggered.

    `truth` int8 [event] holds the triggers' values so far; `queue` is (pending times, their events,
    their new values [pending, assignment], their number [1], the trajectory's random stream).
    Returns (outcome code, the event at fault or -1, how many executions there were).
    """
    times, events, values, length, stream = queue
    now = state[state.shape[0] - 1]
    executed = 0
    while True:
        for e in range(truth.shape[0]):
            is_true = truth_of(tables, hybrid.trigger_program[e], state, inputs, stack)
            if is_true < 0:
                return 12, e, executed
            if is_true == 1 and truth[e] == 0:
                wait = 0.0
                if hybrid.delay_program[e] >= 0:
                    wait = run_program(tables, hybrid.delay_program[e], state, inputs, stack)
                if not wait >= 0.0:
                    return 12, e, executed
                place = length[0]
                if place == times.shape[0]:
                    return 8, e, executed
                times[place] = now + wait
                events[place] = e
                if hybrid.uses_trigger_values[e]:
                    draw_and_evaluate(
                        tables, hybrid, e, state, inputs, stack, stream, values[place]
                    )
                length[0] = place + 1
            elif is_true == 0 and truth[e] == 1 and not hybrid.is_persistent[e]:
                cancel_pending(e, queue)
            truth[e] = is_true
        chosen = choose_due(tables, hybrid, state, inputs, stack, queue)
        if chosen < -1:
            return 12, events[-2 - chosen], executed
        if chosen < 0:
            return 0, -1, executed
        e = events[chosen]
        new = values[times.shape[0]]
        for i in range(new.shape[0]):
            new[i] = values[chosen, i]
        remove_pending(chosen, queue)
        if not hybrid.uses_trigger_values[e]:
            draw_and_evaluate(tables, hybrid, e, state, inputs, stack, stream, new)
        outcome = assign(tables, hybrid, e, new, rounding, state, inputs, stack, stream)
        if outcome != 0:
            return outcome, e, executed
        executed += 1
        if executed > 100_000:
            return 8, e, executed


def choose_due(tables: Tables, hybrid: HybridTables, state, inputs, stack, queue):
    """Return the place in the queue of what is executed now; -1: nothing is due.

    -2 - p: the priority at place p has no value.
    """
    times, events, _, length, stream = queue
    now = state[state.shape[0] - 1]
    chosen = -1
    highest = -math.inf
    ties = 0
    for p in range(length[0]):
        if times[p] > now:
            continue
        program = hybrid.priority_program[events[p]]
        priority = -math.inf
        if program >= 0:
            priority = run_program(tables, program, state, inputs, stack)
            if math.isnan(priority):
                return -2 - p
        if chosen < 0 or priority > highest:
            chosen = p
            highest = priority
            ties = 1
        elif priority == highest and priority > -math.inf:
            ties += 1
            _, v = uniform_pair(stream[0], stream[3], stream[1], stream[2])
            stream[3] += np.uint64(1)
            if v * ties < 1.0:
                chosen = p
    return chosen


def remove_pending(place, queue):
    """Take one execution out of the queue, keeping the order of the others."""
    times, events, values, length, _ = queue
    for p in range(place, length[0] - 1):
        times[p] = times[p + 1]
        events[p] = events[p + 1]
        for i in range(values.shape[1]):
            values[p, i] = values[p + 1, i]
    length[0] -= 1


def cancel_pending(event, queue):
    """Take all executions of one event out of the queue."""
    place = 0
    while place < queue[3][0]:
        if queue[1][place] == event:
            remove_pending(place, queue)
        else:
            place += 1


def earliest(queue):
    """Return the time of the next pending execution; infinity if there is none."""
    result = math.inf
    for p in range(queue[3][0]):
        result = min(result, queue[0][p])
    return result
