"""Executions of events that are waiting: which is next, and how they leave.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.hybrid.memory import NEXT_DRAW, PURPOSE, SEED, TRAJECTORY, Queue
from sbmlgrad.engines.random import uniform_pair


def next_share(stream):
    """Return a random number in [0, 1) from the stream of events, and advance it."""
    _, v = uniform_pair(stream[SEED], stream[NEXT_DRAW], stream[TRAJECTORY], stream[PURPOSE])
    stream[NEXT_DRAW] += np.uint64(1)
    return v


def choose_due(code: Code, priority_program, queue: Queue, state, inputs, stack, stream):
    """Return (place in the queue of what is executed now or -1, its priority).

    The highest priority comes first, equal ones in random order; where nothing that is due has a
    priority, what was triggered first. A priority that is NaN has no order: its place is returned.
    """
    now = state[state.shape[0] - 1]
    chosen = -1
    highest = -math.inf
    ties = 0
    for p in range(queue.length[0]):
        if queue.times[p] > now:
            continue
        program = priority_program[queue.events[p]]
        if program < 0:
            if chosen < 0:
                chosen = p
            continue
        priority = run_program(code, program, state, inputs, stack)
        if math.isnan(priority):
            return p, priority
        if ties == 0 or priority > highest:
            chosen = p
            highest = priority
            ties = 1
        elif priority == highest:
            ties += 1
            if next_share(stream) * ties < 1.0:
                chosen = p
    return chosen, highest


def remove_pending(queue: Queue, place):
    """Take one execution out of the queue, keeping the order of the others."""
    for p in range(place, queue.length[0] - 1):
        queue.times[p] = queue.times[p + 1]
        queue.events[p] = queue.events[p + 1]
        for i in range(queue.values.shape[1]):
            queue.values[p, i] = queue.values[p + 1, i]
    queue.length[0] -= 1


def cancel_pending(queue: Queue, event):
    """Take all executions of one event out of the queue."""
    place = np.int64(0)
    while place < queue.length[0]:
        if queue.events[place] == event:
            remove_pending(queue, place)
        else:
            place += 1


def earliest(queue: Queue):
    """Return the time of the next pending execution; infinity if there is none."""
    result = math.inf
    for p in range(queue.length[0]):
        result = min(result, queue.times[p])
    return result
