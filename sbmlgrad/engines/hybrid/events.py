"""Events at one moment: what is triggered, delayed, cancelled, executed and assigned.

SBML L3V2 section 4.11. The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import ExecutionTables, TriggerTables
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.codes import (
    COMPLETED,
    DELAY,
    EVENT_LIMIT,
    EVENT_UNDEFINED,
    MOST_AT_ONE_TIME,
    NEGATIVE_COUNT,
    NO_FAULT,
    NON_INTEGER_COUNT,
    PRIORITY,
    RANDOMISED,
    ROUNDED,
    STRICT,
    TRIGGER,
    VALUE,
    event_fault,
)
from sbmlgrad.engines.draws import draw
from sbmlgrad.engines.hybrid.memory import Agenda
from sbmlgrad.engines.hybrid.queue import cancel_pending, choose_due, next_share, remove_pending
from sbmlgrad.engines.hybrid.search import FALSE, TRUE
from sbmlgrad.model.elements import WHOLE_NUMBER_TOLERANCE


def draw_and_evaluate(
    code: Code, executions: ExecutionTables, event, state, inputs, stack, stream, out
):
    """Make the random draws of an event and fill `out` with its new values, none assigned yet."""
    for d in range(executions.draw_start[event], executions.draw_start[event + 1]):
        a = b = c = e = 0.0
        first = executions.argument_start[d]
        count = executions.argument_start[d + 1] - first
        if count > 0:
            a = run_program(code, executions.argument_program[first], state, inputs, stack)
        if count > 1:
            b = run_program(code, executions.argument_program[first + 1], state, inputs, stack)
        if count > 2:
            c = run_program(code, executions.argument_program[first + 2], state, inputs, stack)
        if count > 3:
            e = run_program(code, executions.argument_program[first + 3], state, inputs, stack)
        state[executions.draw_slot[d]] = draw(executions.draw_code[d], count, a, b, c, e, stream)
    first = executions.assignment_start[event]
    for i in range(first, executions.assignment_start[event + 1]):
        out[i - first] = run_program(code, executions.assignment_program[i], state, inputs, stack)


def as_count(value, rounding, stream):
    """Return the whole number that an assigned count stands for, NaN if there is none."""
    if not math.isfinite(value):
        return math.nan
    nearest = np.rint(value)
    is_whole = abs(value - nearest) <= WHOLE_NUMBER_TOLERANCE * max(1.0, abs(value))
    # A trace of a molecule is not the rounding error of none.
    if is_whole and not (nearest == 0.0 and value != 0.0 and rounding == STRICT):
        return nearest
    if rounding == ROUNDED:
        return nearest
    if rounding == RANDOMISED:
        below = math.floor(value)
        return below + 1.0 if next_share(stream) < value - below else below
    return math.nan


def assign(
    code: Code,
    executions: ExecutionTables,
    agenda: Agenda,
    event,
    rounding,
    state,
    inputs,
    stack,
):
    """Give the slots of an event the values `agenda.new`, or none of them; return an outcome.

    A concentration becomes a number of molecules in the volume just before, even where the event
    sets that too: all assignments are made from one state (SBML test suite, case 1780).
    """
    new = agenda.new
    first = executions.assignment_start[event]
    last = executions.assignment_start[event + 1]
    for i in range(first, last):
        value = new[i - first]
        size = executions.size_program[i]
        if size >= 0:
            value *= run_program(code, size, state, inputs, stack)
        agenda.found[0] = value
        if math.isnan(value):
            return EVENT_UNDEFINED
        if executions.is_count[executions.assignment_slot[i]]:
            value = as_count(value, rounding, agenda.stream)
            if math.isnan(value):
                return NON_INTEGER_COUNT
            if value < 0.0:
                return NEGATIVE_COUNT
        new[i - first] = value
    for i in range(first, last):
        state[executions.assignment_slot[i]] = new[i - first]
    return COMPLETED


def look_at_triggers(
    code: Code,
    triggers: TriggerTables,
    executions: ExecutionTables,
    agenda: Agenda,
    state,
    inputs,
    stack,
):
    """Queue what is triggered now and cancel what no longer holds; return (outcome, fault).

    An event whose delay is infinite is never executed, so that nothing of it is kept.
    """
    queue, truth = agenda.queue, agenda.truth
    now = state[state.shape[0] - 1]
    for e in range(truth.shape[0]):
        value = run_program(code, triggers.program[e], state, inputs, stack)
        if math.isnan(value):
            agenda.found[0] = value
            return EVENT_UNDEFINED, event_fault(e, TRIGGER)
        is_true = value != 0.0
        if is_true and truth[e] == FALSE:
            due = now
            if triggers.delay_program[e] >= 0:
                delay = run_program(code, triggers.delay_program[e], state, inputs, stack)
                if not delay >= 0.0:
                    agenda.found[0] = delay
                    return EVENT_UNDEFINED, event_fault(e, DELAY)
                due = now + delay
            if due < math.inf:
                place = queue.length[0]
                if place == queue.times.shape[0]:
                    return EVENT_LIMIT, event_fault(e, DELAY)
                queue.times[place] = due
                queue.events[place] = e
                queue.length[0] = place + 1
                if executions.uses_trigger_values[e]:
                    out = queue.values[place]
                    draw_and_evaluate(code, executions, e, state, inputs, stack, agenda.stream, out)
        elif not is_true and truth[e] == TRUE and not triggers.is_persistent[e]:
            cancel_pending(queue, e)
        truth[e] = TRUE if is_true else FALSE
    return COMPLETED, NO_FAULT


def settle(
    code: Code,
    triggers: TriggerTables,
    executions: ExecutionTables,
    agenda: Agenda,
    rounding,
    state,
    inputs,
    stack,
):
    """Trigger and execute events until nothing more happens at this time.

    SBML L3V2 section 4.11.2: all triggers are looked at after every execution, and `choose_due`
    says which of the executions due now is next.

    Returns (outcome, fault, how many executions there were). After a failure `state` is that in
    which it occurred.
    """
    queue = agenda.queue
    executed = 0
    while True:
        outcome, fault = look_at_triggers(code, triggers, executions, agenda, state, inputs, stack)
        if outcome != COMPLETED:
            return outcome, fault, executed
        chosen, priority = choose_due(
            code, executions.priority_program, queue, state, inputs, stack, agenda.stream
        )
        if chosen < 0:
            return COMPLETED, NO_FAULT, executed
        e = queue.events[chosen]
        if math.isnan(priority):
            agenda.found[0] = priority
            return EVENT_UNDEFINED, event_fault(e, PRIORITY), executed
        for i in range(agenda.new.shape[0]):
            agenda.new[i] = queue.values[chosen, i]
        remove_pending(queue, chosen)
        if not executions.uses_trigger_values[e]:
            draw_and_evaluate(code, executions, e, state, inputs, stack, agenda.stream, agenda.new)
        outcome = assign(code, executions, agenda, e, rounding, state, inputs, stack)
        if outcome != COMPLETED:
            return outcome, event_fault(e, VALUE), executed
        executed += 1
        if executed > MOST_AT_ONE_TIME:
            return EVENT_LIMIT, event_fault(e, TRIGGER), executed
