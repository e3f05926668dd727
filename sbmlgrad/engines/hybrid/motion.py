"""Motion between jumps: rate rules as polynomials of time, and boxes around stretches of them.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables


def flow_rates(tables: Tables, hybrid: HybridTables, state, inputs, stack, rates):
    """Fill `rates` [flow] with the rate of change of every slot that a rate rule moves."""
    for f in range(hybrid.flow_slot.shape[0]):
        rates[f] = run_program(tables, hybrid.flow_program[f], state, inputs, stack)


def move(flow_slot, path, time, origin, state):
    """Set `state` to where it is at a time, on the polynomial `path` that starts at `origin`."""
    clock = state.shape[0] - 1
    elapsed = time - origin[clock]
    state[clock] = time
    for f in range(flow_slot.shape[0]):
        slot = flow_slot[f]
        value = path[f, 3]
        for i in range(2, -1, -1):
            value = path[f, i] + elapsed * value
        state[slot] = origin[slot] + elapsed * value


def box_of(flow_slot, path, first, last, origin, low, high):
    """Set the box [low, high] to everywhere the state is from time `first` to time `last`."""
    clock = origin.shape[0] - 1
    low[clock] = first
    high[clock] = last
    least = first - origin[clock]
    most = last - origin[clock]
    for f in range(flow_slot.shape[0]):
        slot = flow_slot[f]
        bottom = path[f, 3]
        top = path[f, 3]
        for i in range(3, -1, -1):
            # Elapsed time is >= 0, so the sign of the other factor alone decides the corner.
            bottom = bottom * (least if bottom >= 0.0 else most)
            top = top * (most if top >= 0.0 else least)
            if i > 0:
                bottom += path[f, i - 1]
                top += path[f, i - 1]
        low[slot] = origin[slot] + bottom
        high[slot] = origin[slot] + top


def flow_step(tables: Tables, hybrid: HybridTables, state, inputs, stack, step, work, path):
    """Find the motion from `state` on: fill the polynomial `path` [flow, power].

    Returns (how far it holds, the step to try next); a step of 0 means that none is small enough.
    `work` is float64 [8, flow or slot].
    """
    flows = hybrid.flow_slot.shape[0]
    for f in range(flows):
        for i in range(4):
            path[f, i] = 0.0
    if flows == 0:
        return math.inf, step
    flow_rates(tables, hybrid, state, inputs, stack, work[0])
    if hybrid.flows_are_steady:
        for f in range(flows):
            if not math.isfinite(work[0, f]):
                return 0.0, 0.0
            path[f, 0] = work[0, f]
        return math.inf, step
    clock = state.shape[0] - 1
    trial = work[7]
    for s in range(state.shape[0]):
        trial[s] = state[s]
    while True:
        if not step > 1e-14 * max(abs(state[clock]), 1e-300):
            return 0.0, 0.0
        for stage in range(1, 7):
            for f in range(flows):
                slot = hybrid.flow_slot[f]
                sum_ = 0.0
                for i in range(stage):
                    sum_ += hybrid.stages[stage, i] * work[i, f]
                trial[slot] = state[slot] + step * sum_
            trial[clock] = state[clock] + hybrid.nodes[stage] * step
            flow_rates(tables, hybrid, trial, inputs, stack, work[stage])
        error = 0.0
        for f in range(flows):
            slot = hybrid.flow_slot[f]
            difference = 0.0
            for i in range(7):
                difference += hybrid.error_weights[i] * work[i, f]
            scale = hybrid.tolerance * max(abs(state[slot]), abs(trial[slot]))
            scale = max(scale, hybrid.smallest_scale)
            ratio = abs(step * difference) / scale
            if not ratio <= error:
                error = ratio
        if error <= 1.0:
            break
        step *= max(0.1, 0.9 * error**-0.2) if error < math.inf else 0.1
    for f in range(flows):
        slot = hybrid.flow_slot[f]
        # What counts as zero stands still: its error is not controlled and might turn its sign.
        if max(abs(state[slot]), abs(trial[slot])) < hybrid.smallest_scale / hybrid.tolerance:
            continue
        for i in range(4):
            coefficient = 0.0
            for stage in range(7):
                coefficient += hybrid.dense[stage, i] * work[stage, f]
            path[f, i] = coefficient / step**i
    growth = 5.0 if error < 1e-4 else min(5.0, 0.9 * error**-0.2)
    return step, step * growth
