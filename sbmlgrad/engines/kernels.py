"""The direct method as kernel functions: one trajectory after another, tables or printed rates.

The functions stay within numba's subset of Python. `codegen.specialise` compiles their source,
bound either to the table-driven rates (nothing compiled for a model) or to one model's printed
rates. Kernels never raise: they write outcome codes (`engines.base.Outcome`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import (
    propensities,
    run_program,
    update_propensities,
)
from sbmlgrad.codegen.tables import Changes, Tables
from sbmlgrad.engines.codes import (
    ABSORBED,
    CANCELLED,
    COMPLETED,
    FIRING_COUNTS,
    FIRING_LIMIT,
    FIRINGS_PER_LOOK,
    INTERPOLATED,
    NEGATIVE_COUNT,
    NEGATIVE_PROPENSITY,
    NO_FAULT,
    NON_FINITE,
    VALUES,
    WINDOWS,
)
from sbmlgrad.engines.random import FIRINGS, philox, uniform_pair


def next_firing(rates, seed, trajectory, draw):
    """Return (outcome, waiting time, reaction) of the next firing, which happens if COMPLETED."""
    total = 0.0
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return (NEGATIVE_PROPENSITY if rates[j] < 0.0 else NON_FINITE), 0.0, j
        total += rates[j]
    if total == math.inf:
        for j in range(rates.shape[0]):
            if rates[j] == math.inf:
                return NON_FINITE, 0.0, j
        return NON_FINITE, 0.0, NO_FAULT
    if total == 0.0:
        return ABSORBED, math.inf, NO_FAULT
    u, v = uniform_pair(np.uint64(seed), np.uint64(draw), np.uint64(trajectory), np.uint64(FIRINGS))
    target = v * total
    reaction = 0
    reached = rates[0]
    while not reached > target:
        reaction += 1
        reached += rates[reaction]
    return COMPLETED, -math.log(u) / total, reaction


def fire(tables: Tables | Changes, reaction, counts, sign):
    """Apply a firing (sign 1) or take it back (sign -1); tell whether all counts stay >= 0."""
    valid = True
    for i in range(tables.change_start[reaction], tables.change_start[reaction + 1]):
        species = tables.change_species[i]
        counts[species] += sign * tables.change_amount[i]
        if counts[species] < 0.0:
            valid = False
    return valid


def keep(kind, points, values, point, before, after, time, next_time, firings):
    """Keep what the readout wants of the state `before`, held from `time` to `next_time`.

    Returns the number of points that are complete. `firings` is the number before the interval.
    """
    species = before.shape[0]
    count = values.shape[0]
    if kind == VALUES:
        while point < count and points[point] < next_time:
            for s in range(species):
                values[point, s] = before[s]
            point += 1
    elif kind == WINDOWS:
        while point < count and points[point] < next_time:
            low = max(time, points[point])
            high = min(next_time, points[point + 1])
            if high > low:
                share = (high - low) / (points[point + 1] - points[point])
                for s in range(species):
                    values[point, s] += share * before[s]
            if points[point + 1] > next_time:
                break
            point += 1
    elif kind == INTERPOLATED:
        while point < count and points[point] <= next_time:
            share = 0.0
            if next_time < math.inf:
                share = (points[point] - time) / (next_time - time)
            for s in range(species):
                values[point, s] = before[s] + share * (after[s] - before[s])
            point += 1
    else:
        while point < count and (points[point] <= firings or next_time == math.inf):
            for s in range(species):
                values[point, s] = before[s]
            values[point, species] = time
            point += 1
    return point


def sample_block(
    tables: Tables, kind, points, start, inputs, seed, first, low, high, limit, cancel, result
):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `result` holds the arrays of `engines.base.Sample`, which are written in place.
    """
    values, outcomes, firings, failed, end_times, end_states = result
    species = start.shape[1]
    rates = np.empty(tables.change_start.shape[0] - 1)
    stack = np.empty(tables.stack_size)
    before = np.empty(species)
    after = np.empty(species)
    last_point = points[points.shape[0] - 1]
    for row in range(low, high):
        source = row if start.shape[0] > 1 else 0
        for s in range(species):
            before[s] = start[source, s]
            after[s] = before[s]
        time = 0.0
        point = 0
        draw = 0
        outcome = COMPLETED
        reaction = NO_FAULT
        propensities(tables, before, inputs, stack, rates)
        while True:
            if kind == FIRING_COUNTS:
                point = keep(kind, points, values[row], point, before, after, time, time, draw)
                if point == values.shape[1]:
                    break
            outcome, waiting, reaction = next_firing(rates, seed, first + row, draw)
            looks_beyond = kind in (INTERPOLATED, FIRING_COUNTS)
            if outcome == COMPLETED and (looks_beyond or time + waiting <= last_point):
                # A firing beyond the last point never happens, so it cannot fail either.
                if draw >= limit:
                    outcome = FIRING_LIMIT
                elif draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0:
                    outcome = CANCELLED
                elif not fire(tables, reaction, after, 1.0):
                    outcome = NEGATIVE_COUNT
            if outcome != COMPLETED:
                keep(kind, points, values[row], point, before, before, time, math.inf, draw)
                break
            next_time = time + waiting
            point = keep(kind, points, values[row], point, before, after, time, next_time, draw)
            if point == values.shape[1]:
                break
            time = next_time
            draw += 1
            for i in range(tables.change_start[reaction], tables.change_start[reaction + 1]):
                s = tables.change_species[i]
                before[s] = after[s]
            update_propensities(tables, reaction, before, inputs, stack, rates)
        outcomes[row] = outcome
        firings[row] = draw
        failed[row] = reaction if outcome > ABSORBED else NO_FAULT
        end_times[row] = time
        for s in range(species):
            end_states[row, s] = before[s]


#: Source functions of a sampling kernel, rates last so that a model's own can replace them.
SAMPLING: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    next_firing,
    fire,
    keep,
    sample_block,
    run_program,
    propensities,
    update_propensities,
)
