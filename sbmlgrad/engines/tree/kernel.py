"""The tree kernel: one trajectory after another, propensities and sums of large networks.

The functions stay within numba's subset of Python, and one compilation serves all models. They pass
arrays one by one: for a tuple of arrays numba counts references to each of them at every call,
which costs more than a firing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tree_tables import RECORD, SLOT_BITS, SLOT_MASK, TreeTables
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
    NO_FAULT,
    VALUES,
    WINDOWS,
)
from sbmlgrad.engines.random import FIRINGS, philox, standard_exponential, uniform_pair
from sbmlgrad.engines.readout_kernel import close, keep
from sbmlgrad.engines.table.kernel import first_fault
from sbmlgrad.engines.tree.laws import fill_tree, product, refresh_products, refresh_programs
from sbmlgrad.engines.tree.sums import choose_child, fill_sums, node_sum, refresh_sums, select
from sbmlgrad.engines.tree.windows import add_share, close_windows

#: Draws made at a time: enough for vector instructions, few enough to waste none that matter.
DRAWS_AT_ONCE = 16


class TreeJob(NamedTuple):
    """What the tree kernel is told, the same for all trajectories of a job.

    Attributes:
        tables: structure of the network.
        words: laws, int64 [2 reaction], as `codegen.tree_tables.law_memory` packs them.
        numbers: likewise, float64 [2 reaction], in the same memory.
        kind: of readout, as in `codes`.
        points: of the readout.
        inputs: of the laws, float64 [input].
        start: float64 [1 or trajectory, species].
        first: number of the first trajectory of the batch.
        seed: key of the random streams.
        limit: firings of one trajectory before it counts as a runaway.
        cancel: uint8 [1], not 0 where the user interrupts.
        done: int64 [1], points finished, for whoever watches.
    """

    tables: TreeTables
    words: NDArray[np.int64]
    numbers: NDArray[np.float64]
    kind: int
    points: NDArray[np.float64]
    inputs: NDArray[np.float64]
    start: NDArray[np.float64]
    first: int
    seed: int
    limit: int
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


class TreeMemory(NamedTuple):
    """What one trajectory at a time is followed in.

    Attributes:
        state: float64 [slot], slots as in `codegen.tree_tables.TreeTables`.
        before: the part of it that holds species.
        after: the state after a firing, float64 [species], where values are interpolated.
        since: since when a species has not been counted in its window, float64 [species].
        tree: propensities and sums, float64 [node].
        stack: room for the programs of laws.
        path: room for the nodes that are computed anew.
        waits: waiting times drawn ahead, in units of their mean.
        chances: numbers drawn ahead that choose.
    """

    state: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    since: NDArray[np.float64]
    tree: NDArray[np.float64]
    stack: NDArray[np.float64]
    path: NDArray[np.int64]
    waits: NDArray[np.float64]
    chances: NDArray[np.float64]


def fill_draws(seed, draw, number, waits, chances):
    """Fill waiting times in units of the mean, and numbers that choose, of draws from `draw` on."""
    for i in range(waits.shape[0]):
        u, v = uniform_pair(
            np.uint64(seed), np.uint64(draw + i), np.uint64(number), np.uint64(FIRINGS)
        )
        waits[i] = standard_exponential(u)
        chances[i] = v


def leaves_enough(records, first, stop, state, species):
    """Tell whether no count turns negative by the changes `records[first:stop]`."""
    valid = True
    for i in range(first, stop):
        slot = records[i] & SLOT_MASK
        # Copies less a number may well be negative.
        valid = valid and (slot >= species or state[slot] + (records[i] >> SLOT_BITS) >= 0.0)
    return valid


def fire_packed(records, first, stop, state, size):
    """Apply changes to the first `size` slots of a state."""
    for i in range(first, stop):
        slot = records[i] & SLOT_MASK
        if slot < size:
            state[slot] += records[i] >> SLOT_BITS


def follow_tree(job: TreeJob, memory: TreeMemory, values, number):
    """Follow one trajectory to its end; returns (outcome, reaction, firings, time).

    Args:
        job: what all trajectories have in common.
        memory: holds the state at the start.
        values: what is kept of the trajectory [point, column].
        number: of the trajectory.
    """
    # One by one: passing a tuple of arrays on counts references to each of them.
    kind, points, inputs, seed, limit = job.kind, job.points, job.inputs, job.seed, job.limit
    words, numbers, cancel, done = job.words, job.numbers, job.cancel, job.done
    records, lists, several = job.tables.records, job.tables.lists, job.tables.several
    code, level_start = job.tables.code, job.tables.level_start
    state, before, after, since = memory.state, memory.before, memory.after, memory.since
    tree, stack, path = memory.tree, memory.stack, memory.path
    waits, chances = memory.waits, memory.chances
    species = before.shape[0]
    last_point = points[points.shape[0] - 1]
    looks_beyond = kind in (INTERPOLATED, FIRING_COUNTS)
    root = tree.shape[0] - 1
    time = 0.0
    point = 0
    draw = 0
    has_programs = code.code_start.shape[0] > 1
    sound = fill_tree(words, numbers, code, level_start, inputs, state, stack, tree)
    while True:
        if kind == FIRING_COUNTS:
            point = keep(kind, points, values, point, before, before, time, time, draw)
            if point == values.shape[0]:
                return COMPLETED, NO_FAULT, draw, time
        total = tree[root]
        outcome = COMPLETED
        reaction = NO_FAULT
        next_time = math.inf
        first = 0
        stop = 0
        if not (sound and total < math.inf):
            outcome, _, reaction = first_fault(tree[: numbers.shape[0] // 2])
        elif total == 0.0:
            outcome = ABSORBED
        else:
            turn = draw % DRAWS_AT_ONCE
            if turn == 0:
                fill_draws(seed, draw, number, waits, chances)
            next_time = time + waits[turn] / total
            reaction = select(tree, level_start, chances[turn] * total)
            first = RECORD * reaction + 2
            count = records[first - 2]
            if count < 0:
                first = -count
                count = records[first - 1]
            stop = first + count
            if looks_beyond or next_time <= last_point:
                # A firing beyond the last point never happens, so it cannot fail either.
                if draw >= limit:
                    outcome = FIRING_LIMIT
                elif draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0:
                    outcome = CANCELLED
                elif not leaves_enough(records, first, stop, state, species):
                    outcome = NEGATIVE_COUNT
        until = next_time if outcome == COMPLETED else math.inf
        if kind == VALUES and until <= points[point]:
            reached = point
        elif kind == WINDOWS:
            reached = close_windows(points, values, point, before, since, until)
        elif kind == INTERPOLATED and outcome == COMPLETED:
            fire_packed(records, first, stop, after, species)
            reached = keep(kind, points, values, point, before, after, time, until, draw)
        else:
            reached = keep(kind, points, values, point, before, before, time, until, draw)
        if outcome != COMPLETED:
            return outcome, reaction, draw, time
        if reached == values.shape[0]:
            if kind == INTERPOLATED:
                # The firing beyond the last point is part of what was asked for.
                fire_packed(records, first, stop, state, species)
                return COMPLETED, NO_FAULT, draw + 1, next_time
            return COMPLETED, NO_FAULT, draw, time
        if kind == WINDOWS:
            for i in range(first, stop):
                s = records[i] & SLOT_MASK
                if s < species:
                    add_share(points, values, reached, before, since, s, until)
        done[0] += reached - point
        point = reached
        time = next_time
        draw += 1
        fire_packed(records, first, stop, state, state.shape[0])
        listed = records[RECORD * reaction + 1]
        if listed >= 0:
            first, stop = stop, stop + listed
            sound = refresh_products(records, first, stop, words, numbers, state, tree)
            if has_programs and not refresh_programs(
                records, first, stop, words, code, inputs, state, stack, tree
            ):
                sound = False
            refresh_sums(records, first, stop, level_start, tree, path)
            continue
        row = -1 - listed
        for i in range(row + 1, row + 1 + several[row]):
            first = several[i] + 1
            stop = first + lists[first - 1]
            if not refresh_products(lists, first, stop, words, numbers, state, tree):
                sound = False
            if has_programs and not refresh_programs(
                lists, first, stop, words, code, inputs, state, stack, tree
            ):
                sound = False
            refresh_sums(lists, first, stop, level_start, tree, path)


def sample_tree_block(job: TreeJob, memory: TreeMemory, low, high, results: Results):
    """Sample trajectories `low` to `high` of a batch into `results`."""
    start, values, done = job.start, results.values, job.done
    copy_species, copy_offset = job.tables.copy_species, job.tables.copy_offset
    state, before, after, since = memory.state, memory.before, memory.after, memory.since
    species = start.shape[1]
    for row in range(low, high):
        source = row if start.shape[0] > 1 else 0
        for s in range(species):
            state[s] = start[source, s]
            after[s] = state[s]
            since[s] = 0.0
        state[species] = 1.0
        for i in range(copy_species.shape[0]):
            state[species + 1 + i] = state[copy_species[i]] - copy_offset[i]
        outcome, reaction, firings, time = follow_tree(job, memory, values[row], job.first + row)
        close(results, row, outcome, reaction, firings, time, before)
        done[0] = (row + 1 - low) * values.shape[1]


#: Source functions of the tree kernel; one compilation serves all models.
TREE: tuple[Callable[..., object], ...] = (
    philox,
    uniform_pair,
    standard_exponential,
    fill_draws,
    run_program,
    product,
    node_sum,
    choose_child,
    select,
    fill_sums,
    fill_tree,
    refresh_products,
    refresh_programs,
    refresh_sums,
    first_fault,
    leaves_enough,
    fire_packed,
    add_share,
    close_windows,
    keep,
    close,
    follow_tree,
    sample_tree_block,
)
