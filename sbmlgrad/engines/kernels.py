"""The direct method as kernel functions: one trajectory after another, driven by tables.

The functions stay within numba's subset of Python; `codegen.specialise` compiles their source, and
nothing is compiled for a model. Kernels never raise: they write outcome codes
(`engines.base.Outcome`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Changes, Code, Tables
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
        tables: structure of the network.
        code: programs of the laws that are no monomials.
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
    code: Code
    kind: int
    points: NDArray[np.float64]
    inputs: NDArray[np.float64]
    seed: int
    limit: int
    narrow: bool
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


def first_fault(rates):
    """Return (outcome, 0, reaction) of the first propensity that is negative or not finite.

    None is at fault where only their sum overflows.
    """
    for j in range(rates.shape[0]):
        if not (rates[j] >= 0.0 and rates[j] < math.inf):
            return (NEGATIVE_PROPENSITY if rates[j] < 0.0 else NON_FINITE), 0.0, j
    return NON_FINITE, 0.0, NO_FAULT


def next_firing(rates, seed, trajectory, draw, narrow):
    """Return (outcome, waiting time, reaction) of the next firing, which happens if COMPLETED."""
    total = 0.0
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return first_fault(rates)
        total += rates[j]
    if total == math.inf:
        return first_fault(rates)
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


def law_values(job: Job, counts, stack, rates):
    """Fill `rates` [reaction] with every propensity: inputs times counts, or values of programs."""
    tables = job.tables
    for j in range(rates.shape[0]):
        if tables.coefficient[j] < 0:
            rates[j] = run_program(job.code, j, counts, job.inputs, stack)
            continue
        rates[j] = job.inputs[tables.coefficient[j]]
        for i in range(tables.factor_start[j], tables.factor_start[j + 1]):
            rates[j] *= counts[tables.factor_species[i]] - tables.factor_offset[i]


def follow_firings(job: Job, work, values, point, time, draw, number, pause):
    """Follow one trajectory from a state to its end, or to a number of firings.

    Args:
        job: what all trajectories have in common.
        work: (before, after, rates, stack, times, reactions): the state twice, room, and lists of
            firings, which are written as far as they are long.
        values: what is kept of the trajectory [point, column].
        point: the first point that is not kept yet.
        time: of the last firing.
        draw: firings so far.
        number: of the trajectory.
        pause: firings after which to return (outcome PAUSED), more than `draw`.

    Returns:
        (outcome, reaction at fault, firings, time of the last one, first point not kept yet).
    """
    before, after, rates, stack, times, reactions = work
    # One by one and without calls: numba counts a reference to each array that it passes on, which
    # takes longer than most of what is done with them.
    kind, points, inputs, code = job.kind, job.points, job.inputs, job.code
    cancel, done = job.cancel, job.done
    change_start, change_species = job.tables.change_start, job.tables.change_species
    change_amount, groups_start = job.tables.change_amount, job.tables.groups_start
    groups, members_start, members = job.tables.groups, job.tables.members_start, job.tables.members
    coefficient, factor_start = job.tables.coefficient, job.tables.factor_start
    factor_species, factor_offset = job.tables.factor_species, job.tables.factor_offset
    last_point = points[points.shape[0] - 1]
    looks_beyond = kind in (INTERPOLATED, FIRING_COUNTS)
    law_values(job, before, stack, rates)
    while True:
        if kind == FIRING_COUNTS:
            point = keep(kind, points, values, point, before, after, time, time, draw)
            if point == values.shape[0]:
                return COMPLETED, NO_FAULT, draw, time, point
        if draw >= pause:
            return PAUSED, NO_FAULT, draw, time, point
        outcome, waiting, reaction = next_firing(rates, job.seed, number, draw, job.narrow)
        next_time = time + waiting
        first, stop = change_start[reaction], change_start[reaction + 1]
        if outcome == COMPLETED and (looks_beyond or next_time <= last_point):
            # A firing beyond the last point never happens, so it cannot fail either.
            if draw >= job.limit:
                outcome = FIRING_LIMIT
            elif draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0:
                outcome = CANCELLED
            else:
                for i in range(first, stop):
                    s = change_species[i]
                    after[s] = before[s] + change_amount[i]
                    if after[s] < 0.0:
                        outcome = NEGATIVE_COUNT
        if outcome != COMPLETED:
            keep(kind, points, values, point, before, before, time, math.inf, draw)
            return outcome, reaction, draw, time, point
        if kind != VALUES or points[point] < next_time:
            reached = keep(kind, points, values, point, before, after, time, next_time, draw)
            done[0] += reached - point
            point = reached
            if point == values.shape[0] and kind != INTERPOLATED:
                return COMPLETED, NO_FAULT, draw, time, point
        if draw < times.shape[0]:
            times[draw] = next_time
            reactions[draw] = reaction
        time = next_time
        draw += 1
        for i in range(first, stop):
            before[change_species[i]] = after[change_species[i]]
        if kind == INTERPOLATED and point == values.shape[0]:
            # The firing beyond the last point is part of what was asked for.
            return COMPLETED, NO_FAULT, draw, time, point
        for g in range(groups_start[reaction], groups_start[reaction + 1]):
            for d in range(members_start[groups[g]], members_start[groups[g] + 1]):
                j = members[d]
                if coefficient[j] < 0:
                    rates[j] = run_program(code, j, before, inputs, stack)
                    continue
                rate = inputs[coefficient[j]]
                for i in range(factor_start[j], factor_start[j + 1]):
                    rate *= before[factor_species[i]] - factor_offset[i]
                rates[j] = rate


def close(result, row, outcome, reaction, firings, time, state):
    """Write down how a trajectory ended."""
    _values, outcomes, counts, failed, end_times, end_states = result
    outcomes[row] = outcome
    counts[row] = firings
    failed[row] = reaction if outcome > FIRING_LIMIT else NO_FAULT
    end_times[row] = time
    for s in range(state.shape[0]):
        end_states[row, s] = state[s]


def sample_block(job: Job, start, first, low, high, lists, result):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `result` holds the arrays of `engines.base.Sample`, which are written in place; `lists` is where
    trajectories start in lists of firings (empty where none are wanted), times and reactions.
    """
    species = start.shape[1]
    before = np.empty(species)
    after = np.empty(species)
    rates = np.empty(job.tables.change_start.shape[0] - 1)
    stack = np.empty(job.tables.stack_size)
    values = result[0]
    list_start, times, reactions = lists
    begin = end = 0
    for row in range(low, high):
        if list_start.shape[0] > 0:
            begin, end = list_start[row], list_start[row + 1]
        work = (before, after, rates, stack, times[begin:end], reactions[begin:end])
        source = row if start.shape[0] > 1 else 0
        for s in range(species):
            before[s] = start[source, s]
            after[s] = before[s]
        outcome, reaction, firings, time, _ = follow_firings(
            job, work, values[row], 0, 0.0, 0, first + row, NEVER
        )
        close(result, row, outcome, reaction, firings, time, before)
        job.done[0] = (row + 1 - low) * values.shape[1]


#: Source functions of the table-driven kernel; one compilation serves all models.
SAMPLING: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    narrow_pair,
    standard_exponential,
    first_fault,
    next_firing,
    keep,
    run_program,
    law_values,
    follow_firings,
    close,
    sample_block,
)
