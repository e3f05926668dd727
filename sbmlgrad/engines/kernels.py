"""The direct method as kernel functions: one trajectory after another, tables or printed rates.

The functions stay within numba's subset of Python. `codegen.specialise` compiles their source,
bound either to the table-driven rates (nothing compiled for a model) or to one model's printed
rates. Kernels never raise: they write outcome codes (`engines.base.Outcome`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    NEVER,
    NO_FAULT,
    NON_FINITE,
    PAUSED,
    VALUES,
    WINDOWS,
)
from sbmlgrad.engines.random import (
    FIRINGS,
    narrow_pair,
    philox,
    standard_exponential,
    uniform_pair,
)


class Job(NamedTuple):
    """What a sampling kernel is told, the same for all trajectories of a job.

    Attributes:
        tables: structure and bytecode of the network.
        kind: of readout, as in `codes`.
        points: of the readout.
        inputs: of the laws, float64 [input].
        seed: key of the random streams.
        limit: firings of one trajectory before it counts as a runaway.
        narrow: whether firings take their noise from the streams of single precision.
        cancel: uint8 [1], not 0 where the user interrupts.
        done: int64 [1], points finished, for whoever watches.
    """

    tables: Tables
    kind: int
    points: NDArray[np.float64]
    inputs: NDArray[np.float64]
    seed: int
    limit: int
    narrow: bool
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


def next_firing(rates, seed, trajectory, draw, narrow):
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
    key, number, place = np.uint64(seed), np.uint64(trajectory), np.uint64(draw)
    if narrow:
        u, v = narrow_pair(key, place, number)
    else:
        u, v = uniform_pair(key, place, number, np.uint64(FIRINGS))
    target = v * total
    reaction = 0
    reached = rates[0]
    # The target is below the sum, unless that is so small that their product is rounded.
    while not reached > target and reaction + 1 < rates.shape[0]:
        reaction += 1
        reached += rates[reaction]
    return COMPLETED, standard_exponential(u) / total, reaction


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


def follow_firings(job: Job, work, values, point, time, draw, number, pause):
    """Follow one trajectory from a state to its end, or to a number of firings.

    Args:
        job: what all trajectories have in common.
        work: (before, after, rates, stack): the state twice, and room.
        values: what is kept of the trajectory [point, column].
        point: the first point that is not kept yet.
        time: of the last firing.
        draw: firings so far.
        number: of the trajectory.
        pause: firings after which to return (outcome PAUSED), more than `draw`.

    Returns:
        (outcome, reaction at fault, firings, time of the last one, first point not kept yet).
    """
    before, after, rates, stack = work
    kind, points = job.kind, job.points
    last_point = points[points.shape[0] - 1]
    looks_beyond = kind in (INTERPOLATED, FIRING_COUNTS)
    propensities(job.tables, before, job.inputs, stack, rates)
    while True:
        if kind == FIRING_COUNTS:
            point = keep(kind, points, values, point, before, after, time, time, draw)
            if point == values.shape[0]:
                return COMPLETED, NO_FAULT, draw, time, point
        if draw >= pause:
            return PAUSED, NO_FAULT, draw, time, point
        outcome, waiting, reaction = next_firing(rates, job.seed, number, draw, job.narrow)
        if outcome == COMPLETED and (looks_beyond or time + waiting <= last_point):
            # A firing beyond the last point never happens, so it cannot fail either.
            if draw >= job.limit:
                outcome = FIRING_LIMIT
            elif draw % FIRINGS_PER_LOOK == 0 and job.cancel[0] != 0:
                outcome = CANCELLED
            elif not fire(job.tables, reaction, after, 1.0):
                outcome = NEGATIVE_COUNT
        if outcome != COMPLETED:
            keep(kind, points, values, point, before, before, time, math.inf, draw)
            return outcome, reaction, draw, time, point
        next_time = time + waiting
        reached = keep(kind, points, values, point, before, after, time, next_time, draw)
        job.done[0] += reached - point
        point = reached
        if point == values.shape[0]:
            return COMPLETED, NO_FAULT, draw, time, point
        time = next_time
        draw += 1
        for i in range(job.tables.change_start[reaction], job.tables.change_start[reaction + 1]):
            s = job.tables.change_species[i]
            before[s] = after[s]
        update_propensities(job.tables, reaction, before, job.inputs, stack, rates)


def close(result, row, outcome, reaction, firings, time, state):
    """Write down how a trajectory ended."""
    _values, outcomes, counts, failed, end_times, end_states = result
    outcomes[row] = outcome
    counts[row] = firings
    failed[row] = reaction if outcome > ABSORBED else NO_FAULT
    end_times[row] = time
    for s in range(state.shape[0]):
        end_states[row, s] = state[s]


def sample_block(job: Job, start, first, low, high, result):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `result` holds the arrays of `engines.base.Sample`, which are written in place.
    """
    species = start.shape[1]
    before = np.empty(species)
    after = np.empty(species)
    rates = np.empty(job.tables.change_start.shape[0] - 1)
    stack = np.empty(job.tables.stack_size)
    work = (before, after, rates, stack)
    values = result[0]
    for row in range(low, high):
        source = row if start.shape[0] > 1 else 0
        for s in range(species):
            before[s] = start[source, s]
            after[s] = before[s]
        outcome, reaction, firings, time, _ = follow_firings(
            job, work, values[row], 0, 0.0, 0, first + row, NEVER
        )
        close(result, row, outcome, reaction, firings, time, before)
        job.done[0] = (row + 1 - low) * values.shape[1]


#: Source functions of a sampling kernel, rates last so that a model's own can replace them.
SAMPLING: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    narrow_pair,
    standard_exponential,
    next_firing,
    fire,
    keep,
    follow_firings,
    close,
    sample_block,
    run_program,
    propensities,
    update_propensities,
)
