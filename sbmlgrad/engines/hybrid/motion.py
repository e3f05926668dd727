"""Motion between jumps: rate rules as polynomials of time, and boxes around stretches of them.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

from sbmlgrad.codegen.hybrid_tables import FlowTables
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.hybrid.memory import COEFFICIENTS, LONGEST_PACE, STAGES, Motion

#: A step shorter than this share of the time is none: the clock would not move.
SHORTEST_STEP = 1e-14

#: What counts as the time where it is 0.
LEAST_TIME = 1e-300

# How a step follows from the error of the last, as is usual (Hairer, Norsett & Wanner 1993, II.4).
SAFETY = 0.9
LEAST_FACTOR = 0.1
MOST_FACTOR = 5.0
#: Errors below it allow the largest factor; keeps a power of zero away.
SMALL_ERROR = 1e-4


def move(motion: Motion, time, state):
    """Set what moves of a state to where it is at a time."""
    clock = state.shape[0] - 1
    elapsed = time - motion.state[clock]
    for f in range(motion.slot.shape[0]):
        slot = motion.slot[f]
        value = motion.path[f, COEFFICIENTS - 1]
        for i in range(COEFFICIENTS - 2, -1, -1):
            value = motion.path[f, i] + elapsed * value
        state[slot] = motion.state[slot] + elapsed * value
    state[clock] = time


def box_of(motion: Motion, first, last):
    """Set the box [low, high] to everywhere the state is from time `first` to time `last`."""
    clock = motion.state.shape[0] - 1
    motion.low[clock] = first
    motion.high[clock] = last
    least = first - motion.state[clock]
    most = last - motion.state[clock]
    for f in range(motion.slot.shape[0]):
        slot = motion.slot[f]
        bottom = motion.path[f, COEFFICIENTS - 1]
        top = motion.path[f, COEFFICIENTS - 1]
        for i in range(COEFFICIENTS - 1, -1, -1):
            # Elapsed time is >= 0, so the sign of the other factor alone decides the corner.
            bottom = bottom * (least if bottom >= 0.0 else most)
            top = top * (most if top >= 0.0 else least)
            if i > 0:
                bottom += motion.path[f, i - 1]
                top += motion.path[f, i - 1]
        motion.low[slot] = motion.state[slot] + bottom
        motion.high[slot] = motion.state[slot] + top


def flow_rates(code: Code, flows: FlowTables, motion: Motion, state, rates):
    """Fill `rates` [flow] with the rate of change of every slot that a rate rule moves."""
    for f in range(flows.program.shape[0]):
        rates[f] = run_program(code, flows.program[f], state, motion.inputs, motion.stack)


def flow_step(code: Code, flows: FlowTables, motion: Motion, step, stages):
    """Find the motion from the state on: fill the polynomial `motion.path`.

    Returns (how far it holds, the step to try next); a step of 0 means that none is small enough.
    `stages` is room, float64 [stage + 1, flow or slot].
    """
    state = motion.state
    clock = state.shape[0] - 1
    count = flows.slot.shape[0]
    for f in range(count):
        for i in range(COEFFICIENTS):
            motion.path[f, i] = 0.0
    flow_rates(code, flows, motion, state, stages[0])
    if flows.are_steady:
        for f in range(count):
            if not math.isfinite(stages[0, f]):
                return 0.0, 0.0
            motion.path[f, 0] = stages[0, f]
        return math.inf, step
    trial = stages[STAGES]
    for s in range(state.shape[0]):
        trial[s] = state[s]
    while True:
        if not step > SHORTEST_STEP * max(abs(state[clock]), LEAST_TIME):
            return 0.0, 0.0
        error = tried_step(code, flows, motion, step, stages, trial)
        if error <= 1.0:
            break
        step *= max(LEAST_FACTOR, SAFETY * error**-0.2) if error < math.inf else LEAST_FACTOR
    for f in range(count):
        slot = flows.slot[f]
        # What counts as zero stands still: its error is not controlled and might turn its sign.
        if max(abs(state[slot]), abs(trial[slot])) < flows.smallest_scale / flows.tolerance:
            continue
        for i in range(COEFFICIENTS):
            coefficient = 0.0
            for stage in range(STAGES):
                coefficient += flows.dense[stage, i] * stages[stage, f]
            motion.path[f, i] = coefficient / step**i
    growth = MOST_FACTOR if error < SMALL_ERROR else min(MOST_FACTOR, SAFETY * error**-0.2)
    return step, min(step * growth, LONGEST_PACE)


def tried_step(code: Code, flows: FlowTables, motion: Motion, step, stages, trial):
    """Take a step to `trial`, filling the stages; return its error, which should be at most 1."""
    state = motion.state
    clock = state.shape[0] - 1
    count = flows.slot.shape[0]
    for stage in range(1, STAGES):
        for f in range(count):
            slot = flows.slot[f]
            slope = 0.0
            for i in range(stage):
                slope += flows.stages[stage, i] * stages[i, f]
            trial[slot] = state[slot] + step * slope
        trial[clock] = state[clock] + flows.nodes[stage] * step
        flow_rates(code, flows, motion, trial, stages[stage])
    error = 0.0
    for f in range(count):
        slot = flows.slot[f]
        difference = 0.0
        for i in range(STAGES):
            difference += flows.error_weights[i] * stages[i, f]
        scale = flows.tolerance * max(abs(state[slot]), abs(trial[slot]))
        scale = max(scale, flows.smallest_scale)
        ratio = abs(step * difference) / scale
        # A ratio that is no number is no small error.
        if not ratio <= error:
            error = ratio
    return error
