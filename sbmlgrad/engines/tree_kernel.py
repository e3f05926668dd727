"""The tree kernel: one trajectory after another, propensities and sums of large networks.

The functions stay within numba's subset of Python, and one compilation serves all models. They pass
arrays one by one: for a tuple of arrays numba counts references to each of them at every call,
which costs more than a firing. For the same reason laws that are no products, which need such a
tuple, are in a function of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tree_tables import RECORD, SLOT_BITS, SLOT_MASK
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
from sbmlgrad.engines.kernels import close, keep
from sbmlgrad.engines.random import FIRINGS, philox, standard_exponential, uniform_pair
from sbmlgrad.engines.tree_sums import choose_child, fill_sums, node_sum, refresh_sums, select
from sbmlgrad.engines.tree_windows import add_share, close_windows

#: Draws made at a time: enough for vector instructions, few enough to waste none that matter.
DRAWS_AT_ONCE = 16


def fill_draws(seed, draw, number, waits, chances):
    """Fill waiting times in units of the mean, and numbers that choose, of draws from `draw` on."""
    for i in range(waits.shape[0]):
        u, v = uniform_pair(
            np.uint64(seed), np.uint64(draw + i), np.uint64(number), np.uint64(FIRINGS)
        )
        waits[i] = standard_exponential(u)
        chances[i] = v


def product(word, coefficient, state):
    """Return a monomial from its three slots."""
    first = state[word & SLOT_MASK]
    second = state[(word >> SLOT_BITS) & SLOT_MASK]
    return coefficient * first * second * state[word >> (2 * SLOT_BITS)]


def fill_tree(words, numbers, code, level_start, inputs, state, stack, tree):
    """Compute all propensities and sums; tell whether no propensity is negative or undefined."""
    sound = True
    for i in range(tree.shape[0]):
        tree[i] = 0.0
    for j in range(numbers.shape[0] // 2):
        word = words[2 * j]
        if word < 0:
            tree[j] = run_program(code, -1 - word, state, inputs, stack)
        else:
            tree[j] = product(word, numbers[2 * j + 1], state)
        sound = sound and tree[j] >= 0.0
    fill_sums(level_start, tree)
    return sound


def refresh_products(lists, first, stop, words, numbers, state, tree):
    """Recompute the monomials that `lists[first:stop]` names; tell as `fill_tree` does."""
    sound = True
    for i in range(first, stop):
        j = lists[i]
        word = words[2 * j]
        if word >= 0:
            tree[j] = product(word, numbers[2 * j + 1], state)
            sound = sound and tree[j] >= 0.0
    return sound


def refresh_programs(lists, first, stop, words, code, inputs, state, stack, tree):
    """Recompute the other laws that it names; tell likewise."""
    sound = True
    for i in range(first, stop):
        j = lists[i]
        word = words[2 * j]
        if word < 0:
            tree[j] = run_program(code, -1 - word, state, inputs, stack)
            sound = sound and tree[j] >= 0.0
    return sound


def fault(tree, reactions):
    """Return (outcome, reaction) of the first propensity at fault; none where the sum overflows."""
    for j in range(reactions):
        if not (tree[j] >= 0.0 and tree[j] < math.inf):
            return (NEGATIVE_PROPENSITY if tree[j] < 0.0 else NON_FINITE), j
    return NON_FINITE, NO_FAULT


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


def follow_tree(request, work, values, number):
    """Follow one trajectory to its end; returns (outcome, reaction, firings, time).

    Args:
        request: (tables, kind, points, inputs, laws, seed, limit, cancel, done) of a job.
        work: (state, before, after, since, tree, stack, path, waits, chances): `before` is the part
            of the state that holds species, the others are room.
        values: what is kept of the trajectory [point, column].
        number: of the trajectory.
    """
    tables, kind, points, inputs, laws, seed, limit, cancel, done = request
    state, before, after, since, tree, stack, path, waits, chances = work
    # One by one: passing a tuple of arrays on counts references to each of them.
    records, lists, several = tables.records, tables.lists, tables.several
    code, level_start = tables.code, tables.level_start
    words, numbers = laws
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
            outcome, reaction = fault(tree, numbers.shape[0] // 2)
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


def sample_tree_block(request, start, first, low, high, tree, result):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `result` holds the arrays of `engines.base.Sample`, which are written in place; `request` is
    that of `follow_tree`; `tree` is room for the sums.
    """
    tables, done = request[0], request[8]
    values = result[0]
    species = start.shape[1]
    copies = tables.copy_species.shape[0]
    state = np.empty(species + 1 + copies)
    before = state[:species]
    after = np.empty(species)
    since = np.empty(species)
    stack = np.empty(tables.stack_size)
    path = np.empty(tables.longest_list + 1, dtype=np.int64)
    waits = np.empty(DRAWS_AT_ONCE)
    chances = np.empty(DRAWS_AT_ONCE)
    work = (state, before, after, since, tree, stack, path, waits, chances)
    for row in range(low, high):
        source = row if start.shape[0] > 1 else 0
        for s in range(species):
            state[s] = start[source, s]
            after[s] = state[s]
            since[s] = 0.0
        state[species] = 1.0
        for i in range(copies):
            state[species + 1 + i] = state[tables.copy_species[i]] - tables.copy_offset[i]
        outcome, reaction, firings, time = follow_tree(request, work, values[row], first + row)
        close(result, row, outcome, reaction, firings, time, before)
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
    fault,
    leaves_enough,
    fire_packed,
    add_share,
    close_windows,
    keep,
    close,
    follow_tree,
    sample_tree_block,
)
