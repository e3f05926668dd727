"""Kernels of `CoupledDifference`: what comes of a firing that is added to a trajectory.

The auxiliary path starts where a firing is added to a trajectory and is split-coupled to the rest
of it (`gradients.coupling.split_coupling`); as that is already known, the auxiliary path takes part
in each of its firings with the conditional probability. Where the two meet they stay together.

The functions stay within numba's subset of Python; their source is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import program_values, run_program
from sbmlgrad.engines.codes import (
    COMPLETED,
    FIRING_LIMIT,
    NEGATIVE_COUNT,
    NO_FAULT,
    NON_FINITE,
    VALUES,
)
from sbmlgrad.engines.random import AUXILIARY, standard_exponential, uniform_pair
from sbmlgrad.engines.table.kernel import fire, first_fault, keep
from sbmlgrad.gradients.coupling.added_firing import ADDING, choose_added, record_path
from sbmlgrad.gradients.coupling.expectation_kernels import Laws, renew
from sbmlgrad.gradients.coupling.first_order_worth import WORTH, worth_along


def follow_auxiliary(
    laws: Laws,
    kind,
    points,
    inputs,
    seed,
    number,
    path,
    firings,
    place,
    now,
    states,
    room,
    difference,
    most,
):
    """Follow the auxiliary path until it meets the trajectory or nothing more is wanted of it.

    Args:
        laws: of the network.
        kind: of readout, VALUES or WINDOWS.
        points: of the readout.
        inputs: float64 [input].
        seed: key of the random streams.
        number: of the trajectory.
        path: of the trajectory, from `record_path`.
        firings: of the trajectory.
        place: firings of the trajectory until `now`.
        now: when the auxiliary path begins.
        states: (x, z): the trajectory and the auxiliary path then.
        room: (propensities of x, of z, difference of states, stack).
        difference: what is kept of the auxiliary path less the trajectory, float64 [point, column],
            zero at first.
        most: firings of the auxiliary path alone.

    Returns:
        (outcome, reaction at fault).
    """
    fired, times, _ = path
    x, z = states
    rates, others, apart, stack = room
    species, reactions = x.shape[0], rates.shape[0]
    code, graph = laws.code, laws.graph
    change_start, change_species = laws.changes.change_start, laws.changes.change_species
    change_amount = laws.changes.change_amount
    point = 0
    if kind == VALUES:
        while points[point] < now:
            point += 1
    program_values(code, z, inputs, stack, others)
    draw = 1
    alone = 0
    while True:
        total = 0.0
        for j in range(reactions):
            if not (others[j] >= 0.0 and others[j] < math.inf):
                outcome, _, reaction = first_fault(others)
                return outcome, reaction
            if others[j] > rates[j]:
                total += others[j] - rates[j]
        u, v = uniform_pair(
            np.uint64(seed), np.uint64(draw), np.uint64(number), np.uint64(AUXILIARY)
        )
        draw += 1
        own = now + standard_exponential(u) / total if total > 0.0 else math.inf
        until = times[place + 1] if place < firings else math.inf
        for s in range(species):
            apart[s] = z[s] - x[s]
        point = keep(kind, points, difference, point, apart, apart, now, min(own, until), 0)
        if point == difference.shape[0]:
            return COMPLETED, NO_FAULT
        valid = True
        if own < until:
            now = own
            target = v * total
            reaction = -1
            reached = 0.0
            for j in range(reactions):
                if others[j] > rates[j] and not (reaction >= 0 and reached > target):
                    reaction = j
                    reached += others[j] - rates[j]
            alone += 1
            if alone > most:
                return FIRING_LIMIT, NO_FAULT
            is_shared = True
        else:
            now = until
            reaction = fired[place]
            place += 1
            # The waiting time was cut short whatever the choice would have been, so v is unused.
            is_shared = v * rates[reaction] < others[reaction]
            for i in range(change_start[reaction], change_start[reaction + 1]):
                x[change_species[i]] += change_amount[i]
            renew(code, graph, reaction, x, inputs, stack, rates)
        if is_shared:
            for i in range(change_start[reaction], change_start[reaction + 1]):
                s = change_species[i]
                z[s] += change_amount[i]
                if z[s] < 0.0:
                    valid = False
            if not valid:
                return NEGATIVE_COUNT, reaction
            renew(code, graph, reaction, z, inputs, stack, others)
        have_met = True
        for s in range(species):
            if x[s] != z[s]:
                have_met = False
                break
        if have_met:
            return COMPLETED, NO_FAULT


def auxiliary_block(
    laws: Laws,
    kind,
    points,
    start,
    inputs,
    seed,
    first,
    low,
    high,
    cotangent,
    limits,
    difference,
    chosen,
    gradient,
):
    """Add a firing to each of the trajectories `low` to `high` and follow what comes of it.

    Args:
        laws: of the network.
        kind: of readout, VALUES or WINDOWS.
        points: of the readout.
        start: initial counts, float64 [1 or trajectory, species].
        inputs: float64 [input].
        seed: key of the random streams.
        first: number of the first trajectory of the batch.
        low: first trajectory of the block.
        high: one more than its last.
        cotangent: slopes of the functional for the control variate, float64 [trajectory, point,
            column]; no trajectories where there is none.
        limits: (most firings, uint8 [1] that is not 0 where the user interrupts).
        difference: auxiliary path less trajectory, float64 [trajectory, point, column], zero.
        chosen: (reactions of the added firings, int64 [trajectory], -1 for none; their weights,
            float64 [trajectory, derivative of the reaction]; v·λ, float64 [trajectory]).
        gradient: mean of the control variate given the trajectory, summed, float64 [input].

    Returns:
        (outcome, reaction at fault).
    """
    most, cancel = limits
    added_reaction, added_weight, expected = chosen
    species = start.shape[1]
    code, input_start = laws.code, laws.sparsity.input_start
    reactions = input_start.shape[0] - 1
    path = (np.empty(1024, np.int32), np.empty(1025), np.empty(1025))
    counts = np.empty(species)
    x = np.empty(species)
    z = np.empty(species)
    apart = np.empty(species)
    rates = np.empty(reactions)
    others = np.empty(reactions)
    extra = np.empty(reactions)
    stack = np.empty(laws.stack_size)
    room = (rates, extra, stack)
    last = points[points.shape[0] - 1]
    slope = reactions + laws.sparsity.state_variable.shape[0]
    for row in range(low, high):
        number = first + row
        source = start[row if start.shape[0] > 1 else 0]
        counts[:] = source
        path, firings, total = record_path(
            laws, last, inputs, seed, number, counts, path, room, cancel
        )
        if cancel[0] != 0:
            return COMPLETED, NO_FAULT
        if not total < math.inf:
            return NON_FINITE, NO_FAULT
        if total == 0.0:
            continue
        x[:] = source
        u, v = uniform_pair(np.uint64(seed), np.uint64(0), np.uint64(number), np.uint64(AUXILIARY))
        place, time, reaction = choose_added(laws, u, v, inputs, path, firings, total, x, room)
        added_reaction[row] = reaction
        begin, end = input_start[reaction], input_start[reaction + 1]
        for i in range(begin, end):
            value = run_program(code, slope + i, x, inputs, stack)
            added_weight[row, i - begin] = value / extra[reaction] * total
        z[:] = x
        if not fire(laws.changes, reaction, z, 1.0):
            return NEGATIVE_COUNT, reaction
        outcome, reaction = follow_auxiliary(
            laws,
            kind,
            points,
            inputs,
            seed,
            number,
            path,
            firings,
            place,
            time,
            (x, z),
            (rates, others, apart, stack),
            difference[row],
            most,
        )
        if outcome != COMPLETED:
            return outcome, reaction
        if cotangent.shape[0] > 0:
            expected[row] = worth_along(
                laws,
                kind,
                points,
                cotangent[row],
                path,
                firings,
                counts,
                inputs,
                (place, time, added_reaction[row]),
                gradient,
            )
    return COMPLETED, NO_FAULT


#: Kernel functions of auxiliary paths, besides those that all kernels of expectations call.
AUXILIARY_PATHS: tuple[Callable[..., object], ...] = (
    *ADDING,
    follow_auxiliary,
    *WORTH,
    auxiliary_block,
)
