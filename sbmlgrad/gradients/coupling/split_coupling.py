"""Split coupling: two trajectories that fire together as often as their propensities allow.

Anderson 2012, "An efficient finite difference method for parameter sensitivities of continuous time
Markov chains", section 3.1: reaction j fires in both at the smaller of its two propensities, and in
one alone at what is left of the larger. Each trajectory alone has its own exact law.

The functions stay within numba's subset of Python; their source is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import program_values
from sbmlgrad.codegen.tables import Changes
from sbmlgrad.engines.codes import (
    COMPLETED,
    FIRING_COUNTS,
    FIRING_LIMIT,
    FIRINGS_PER_LOOK,
    NEGATIVE_COUNT,
    NO_FAULT,
    WINDOWS,
)
from sbmlgrad.engines.random import SPLIT, standard_exponential, uniform_pair
from sbmlgrad.engines.table.kernel import first_fault, keep
from sbmlgrad.gradients.coupling.expectation_kernels import Laws, renew


def total_of(rates):
    """Return the sum of propensities, or -1 where one is negative, or it or the sum not finite."""
    total = 0.0
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return -1.0
        total += rates[j]
    return total if total < math.inf else -1.0


def change_side(changes: Changes, kind, points, values, reaction, side, next_time):
    """Keep what the readout wants of one side until its firing, and fire; tell whether it may.

    `side` is (before, after, clock, places): the state twice, the time of the last firing [1], and
    (first point not kept yet, firings) [2].
    """
    before, after, clock, places = side
    valid = True
    for i in range(changes.change_start[reaction], changes.change_start[reaction + 1]):
        s = changes.change_species[i]
        after[s] += changes.change_amount[i]
        if after[s] < 0.0:
            valid = False
    if not valid:
        return False
    places[0] = keep(kind, points, values, places[0], before, after, clock[0], next_time, places[1])
    for i in range(changes.change_start[reaction], changes.change_start[reaction + 1]):
        s = changes.change_species[i]
        before[s] = after[s]
    clock[0] = next_time
    places[1] += 1
    if kind == FIRING_COUNTS:
        places[0] = keep(
            kind, points, values, places[0], before, after, next_time, next_time, places[1]
        )
    return True


def close_side(kind, points, values, side, next_time, rates):
    """Keep what is left of one side, whose state holds until `next_time`; it fires no more."""
    before, after, clock, places = side
    places[0] = keep(kind, points, values, places[0], before, after, clock[0], next_time, places[1])
    for j in range(rates.shape[0]):
        rates[j] = 0.0


def follow_pair(
    laws: Laws, kind, points, one, other, inputs, rates, stack, values, seed, number, limits
):
    """Follow two coupled trajectories to the end of what the readout wants of each.

    Args:
        laws: of the network.
        kind: of readout, as in `codes`.
        points: of the readout.
        one: side, as in `change_side`.
        other: likewise.
        inputs: float64 [side, input].
        rates: room, float64 [side, reaction].
        stack: room.
        values: what is kept, float64 [side, point, column].
        seed: key of the random streams.
        number: of the trajectory.
        limits: (most firings, uint8 [1] that is not 0 where the user interrupts).

    Returns:
        (outcome, reaction at fault).
    """
    most, cancel = limits
    code, graph, changes = laws.code, laws.graph, laws.changes
    count = values.shape[1]
    last = points[points.shape[0] - 1]
    # Rows, once: a view costs more than what is done with it.
    rates_one, rates_other = rates[0], rates[1]
    inputs_one, inputs_other = inputs[0], inputs[1]
    values_one, values_other = values[0], values[1]
    program_values(code, one[0], inputs_one, stack, rates_one)
    program_values(code, other[0], inputs_other, stack, rates_other)
    if kind == FIRING_COUNTS:
        one[3][0] = keep(kind, points, values_one, 0, one[0], one[1], 0.0, 0.0, 0)
        other[3][0] = keep(kind, points, values_other, 0, other[0], other[1], 0.0, 0.0, 0)
    now = 0.0
    draw = 0
    while True:
        if one[3][0] < count:
            total = total_of(rates_one)
            if total < 0.0:
                outcome, _, reaction = first_fault(rates_one)
                return outcome, reaction
            if total == 0.0:
                close_side(kind, points, values_one, one, math.inf, rates_one)
        elif total_of(rates_one) != 0.0:
            rates_one[:] = 0.0
        if other[3][0] < count:
            total = total_of(rates_other)
            if total < 0.0:
                outcome, _, reaction = first_fault(rates_other)
                return outcome, reaction
            if total == 0.0:
                close_side(kind, points, values_other, other, math.inf, rates_other)
        elif total_of(rates_other) != 0.0:
            rates_other[:] = 0.0
        if one[3][0] == count and other[3][0] == count:
            return COMPLETED, NO_FAULT
        total = 0.0
        for j in range(rates_one.shape[0]):
            total += max(rates_one[j], rates_other[j])
        u, v = uniform_pair(np.uint64(seed), np.uint64(draw), np.uint64(number), np.uint64(SPLIT))
        now += standard_exponential(u) / total
        if kind <= WINDOWS and now > last:
            # The firing is beyond all that is wanted of either side, so it never happens.
            if one[3][0] < count:
                close_side(kind, points, values_one, one, now, rates_one)
            if other[3][0] < count:
                close_side(kind, points, values_other, other, now, rates_other)
            continue
        if draw >= most:
            return FIRING_LIMIT, NO_FAULT
        if draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0:
            return COMPLETED, NO_FAULT
        target = v * total
        reaction = 0
        reached = max(rates_one[0], rates_other[0])
        # The target is below the sum, unless that is so small that their product is rounded.
        while not reached > target and reaction + 1 < rates_one.shape[0]:
            reaction += 1
            reached += max(rates_one[reaction], rates_other[reaction])
        # Of what the larger propensity adds to the sum, the last part belongs to both.
        left = reached - target
        fires_one = left <= rates_one[reaction]
        fires_other = left <= rates_other[reaction]
        if fires_one:
            if not change_side(changes, kind, points, values_one, reaction, one, now):
                return NEGATIVE_COUNT, reaction
            if one[3][0] < count:
                renew(code, graph, reaction, one[0], inputs_one, stack, rates_one)
        if fires_other:
            if not change_side(changes, kind, points, values_other, reaction, other, now):
                return NEGATIVE_COUNT, reaction
            if other[3][0] < count:
                renew(code, graph, reaction, other[0], inputs_other, stack, rates_other)
        draw += 1


def pair_block(
    laws: Laws, kind, points, start, inputs, seed, first, low, high, limits, values, faults
):
    """Sample pairs `low` to `high`: `values` [side, trajectory, point, column], outcomes, faults.

    `start` is [side, trajectory or 1, species]; `faults` [trajectory, 2] is the outcome of each
    pair and the reaction at fault.
    """
    species = start.shape[2]
    rates = np.empty((2, laws.changes.change_start.shape[0] - 1))
    stack = np.empty(laws.stack_size)
    one = (np.empty(species), np.empty(species), np.zeros(1), np.zeros(2, np.int64))
    other = (np.empty(species), np.empty(species), np.zeros(1), np.zeros(2, np.int64))
    for row in range(low, high):
        source = row if start.shape[1] > 1 else 0
        for s in range(species):
            one[0][s] = one[1][s] = start[0, source, s]
            other[0][s] = other[1][s] = start[1, source, s]
        one[2][0] = other[2][0] = 0.0
        one[3][:] = 0
        other[3][:] = 0
        outcome, reaction = follow_pair(
            laws,
            kind,
            points,
            one,
            other,
            inputs,
            rates,
            stack,
            values[:, row],
            seed,
            first + row,
            limits,
        )
        faults[row, 0] = outcome
        faults[row, 1] = reaction
        if limits[1][0] != 0:
            break


#: Kernel functions of coupled pairs, besides those that all kernels of expectations call.
PAIRS: tuple[Callable[..., object], ...] = (
    total_of,
    change_side,
    close_side,
    follow_pair,
    pair_block,
)
