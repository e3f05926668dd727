"""The direct method as kernel functions: one trajectory after another, driven by tables.

The functions stay within numba's subset of Python; `codegen.kernel_modules` compiles their source,
and nothing is compiled for a model. Kernels never raise: they write outcome codes
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
from sbmlgrad.engines.base import Results
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
)
from sbmlgrad.engines.random import (
    FIRINGS,
    narrow_pair,
    philox,
    standard_exponential,
    uniform_pair,
)
from sbmlgrad.engines.readout_kernel import close, keep


class Job(NamedTuple):
    """What a sampling kernel is told, the same for all trajectories of a job.

    Attributes:
        tables: structure of the network.
        code: programs of the laws that are no monomials.
        kind: of readout, as in `codes`.
        points: of the readout.
        inputs: of the laws, float64 [input].
        start: float64 [1 or trajectory, species].
        first: number of the first trajectory of the batch.
        seed: key of the random streams.
        limit: firings of one trajectory before it counts as a runaway.
        is_single: whether firings take their noise from the streams of single precision.
        cancel: uint8 [1], not 0 where the user interrupts.
        done: int64 [1], points finished, for whoever watches.
    """

    tables: Tables
    code: Code
    kind: int
    points: NDArray[np.float64]
    inputs: NDArray[np.float64]
    start: NDArray[np.float64]
    first: int
    seed: int
    limit: int
    is_single: bool
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


class FiringLists(NamedTuple):
    """Where firings are listed, those of all trajectories one after another.

    Attributes:
        start: where each trajectory starts, int64 [trajectory + 1]; empty where none is listed.
        times: of firings, float64 [firing].
        reactions: that fired, whole numbers [firing].
    """

    start: NDArray[np.int64]
    times: NDArray[np.float64]
    reactions: NDArray[np.integer]


class Work(NamedTuple):
    """What one trajectory at a time is followed in.

    Attributes:
        before: the state, float64 [species].
        after: what it will be, float64 [species]; the same between two firings.
        rates: propensities, float64 [reaction].
        stack: room for the programs of laws.
        lists: where firings are listed.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    rates: NDArray[np.float64]
    stack: NDArray[np.float64]
    lists: FiringLists


def first_fault(rates):
    """Return (outcome, 0, reaction) of the first propensity that is negative or not finite.

    None is at fault where only their sum overflows.
    """
    for j in range(rates.shape[0]):
        if not (rates[j] >= 0.0 and rates[j] < math.inf):
            return (NEGATIVE_PROPENSITY if rates[j] < 0.0 else NON_FINITE), 0.0, j
    return NON_FINITE, 0.0, NO_FAULT


def next_firing(rates, seed, trajectory, draw, is_single):
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
    if is_single:
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


def follow_firings(
    job: Job, work: Work, times, reactions, values, point, time, draw, number, pause
):
    """Follow one trajectory from a state to its end, or to a number of firings.

    Args:
        job: what all trajectories have in common.
        work: the state, and room.
        times: of firings; written as far as the list is long.
        reactions: likewise.
        values: what is kept of the trajectory [point, column].
        point: the first point that is not kept yet.
        time: of the last firing.
        draw: firings so far.
        number: of the trajectory.
        pause: firings after which to return (outcome PAUSED), more than `draw`.

    Returns:
        (outcome, reaction at fault, firings, time of the last one, first point not kept yet).
    """
    before, after, rates, stack = work.before, work.after, work.rates, work.stack
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
        outcome, waiting, reaction = next_firing(rates, job.seed, number, draw, job.is_single)
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


def sample_block(job: Job, work: Work, low, high, results: Results):
    """Sample trajectories `low` to `high` of a batch into `results`, and list their firings."""
    start, before, after, lists = job.start, work.before, work.after, work.lists
    values, done = results.values, job.done
    begin = end = 0
    for row in range(low, high):
        if lists.start.shape[0] > 0:
            begin, end = lists.start[row], lists.start[row + 1]
        times, reactions = lists.times[begin:end], lists.reactions[begin:end]
        source = row if start.shape[0] > 1 else 0
        for s in range(before.shape[0]):
            before[s] = start[source, s]
            after[s] = before[s]
        outcome, reaction, firings, time, _ = follow_firings(
            job, work, times, reactions, values[row], 0, 0.0, 0, job.first + row, NEVER
        )
        close(results, row, outcome, reaction, firings, time, before)
        done[0] = (row + 1 - low) * values.shape[1]


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
