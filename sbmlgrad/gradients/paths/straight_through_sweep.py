"""The kernel of `StraightThrough`: one walk back over a replayed trajectory.

Functions stay within numba's subset of Python; `gradients.paths.reverse` compiles their source.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import derivatives, propensities, update_propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS
from sbmlgrad.engines.random import ESTIMATOR, uniform_pair
from sbmlgrad.engines.table.kernel import fire


def race(rates, total, reaction, seed, trajectory, draw, lateness):
    """Draw the race that `reaction` won: fill `lateness` with log(time of r / time of the winner).

    The winner's time is E_0 / a_0 and the others' E_0 / a_0 + E_r / a_r, with E exponential; that
    is the law of exponential clocks given who rings first, and log a_r + G_r = -log(time of r).
    The winner's lateness is 0, and that of a reaction that cannot fire is infinite.
    """
    count = rates.shape[0]
    blocks = (count + 2) // 2
    first, second = uniform_pair(
        np.uint64(seed), np.uint64(draw * blocks), np.uint64(trajectory), np.uint64(ESTIMATOR)
    )
    winner = -math.log(first) / total
    for r in range(count):
        if r % 2 == 1:
            first, second = uniform_pair(
                np.uint64(seed),
                np.uint64(draw * blocks + (r + 1) // 2),
                np.uint64(trajectory),
                np.uint64(ESTIMATOR),
            )
        if r == reaction:
            lateness[r] = 0.0
        elif rates[r] > 0.0:
            excess = -math.log(first if r % 2 == 1 else 1.0 - second)
            lateness[r] = math.log1p(excess / (rates[r] * winner))
        else:
            lateness[r] = math.inf


def choice_weights(rates, total, reaction, along, temperature, lateness, weights):
    """Fill `weights` [reaction] with the derivative of the choice in each propensity.

    `along` [reaction] is v_r·λ after the firing; `lateness` is what `race` drew.
    """
    count = rates.shape[0]
    won = along[reaction]
    if temperature == 0.0:
        balance = 0.0
        for r in range(count):
            half = 0.5 if rates[r] > 0.0 else 1.0
            weights[r] = half * (along[r] - won) / total
            balance += weights[r] * rates[r]
        weights[reaction] -= balance / rates[reaction]
        return
    # Shares relative to the winner's: none overflows, and what underflows is nothing beside 1.
    # Differences to the winner's worth, too: at low temperature the others' shares would be lost
    # in a mean, and they are divided by the temperature.
    norm = 0.0
    mean = 0.0
    for r in range(count):
        weights[r] = math.exp(-lateness[r] / temperature)
        norm += weights[r]
        mean += weights[r] * (along[r] - won)
    mean /= norm
    for r in range(count):
        # One that cannot fire has no part in the choice. Below temperature 1 its weight vanishes
        # with its propensity; from 1 on it would not, and its mean would be infinite.
        if weights[r] > 0.0:
            gain = weights[r] / norm * ((along[r] - won) - mean)
            weights[r] = gain / rates[r] / temperature


def worth(change_start, change_species, change_amount, reaction, cotangent):
    """Return (change of the state by a firing)·cotangent, for a `cotangent` [species]."""
    total = 0.0
    for i in range(change_start[reaction], change_start[reaction + 1]):
        total += change_amount[i] * cotangent[change_species[i]]
    return total


def average_interval(points, cotangent, place, before, after, earlier):
    """Add to `earlier` [species] what windows take of the state held from `before` to `after`.

    `place` is the last window that starts at or before `before`, or 0. Returns the last window
    that starts before `after`, or `place`.
    """
    last = place
    for w in range(place, cotangent.shape[0]):
        if points[w] >= after:
            break
        last = w
        width = points[w + 1] - points[w]
        overlap = min(after, points[w + 1]) - max(before, points[w])
        if overlap > 0.0:
            for s in range(earlier.shape[0]):
                earlier[s] += cotangent[w, s] * (overlap / width)
    return last


def sweep(
    tables: Tables,
    kind,
    points,
    cotangent,
    fired,
    times,
    firings,
    counts,
    inputs,
    seed,
    trajectory,
    options,
    gradient,
):
    """Walk a path backwards, adding the derivative in the inputs to `gradient` [input]."""
    species = counts.shape[0]
    temperature = options[0]
    # Numba counts references to the arrays of a tuple: they are taken out of it once.
    change_start, change_species = tables.change_start, tables.change_species
    change_amount = tables.change_amount
    state_start, state_variable = tables.state_start, tables.state_variable
    input_start, input_variable = tables.input_start, tables.input_variable
    reactions = change_start.shape[0] - 1
    adjoint = np.zeros(species)
    earlier = np.zeros(species)
    rates = np.empty(reactions)
    along = np.empty(reactions)
    lateness = np.empty(reactions)
    weights = np.empty(reactions)
    stack = np.empty(tables.stack_size)
    in_state = np.empty(state_variable.shape[0])
    in_input = np.empty(input_variable.shape[0])
    # The last point at or before the start of the interval, or the first.
    place = max(np.searchsorted(points, times[firings], side="right") - 1, 0)
    # After the last firing the state persists; nothing there depends on a firing that never comes.
    if kind == WINDOWS:
        end = points[points.shape[0] - 1]
        average_interval(points, cotangent, place, times[firings], end, adjoint)
    elif kind == INTERPOLATED:
        for k in range(place, cotangent.shape[0]):
            if points[k] > times[firings] or firings == 0:
                for s in range(species):
                    adjoint[s] += cotangent[k, s]
    propensities(tables, counts, inputs, stack, rates)
    point = cotangent.shape[0] - 1
    clock = 0.0
    for interval in range(firings, 0, -1):
        j = fired[interval - 1]
        before, after = times[interval - 1], times[interval]
        waiting = after - before
        clock_before = 0.0
        for s in range(species):
            earlier[s] = 0.0
        if kind == FIRING_COUNTS:
            while point >= 0 and points[point] >= interval:
                for s in range(species):
                    adjoint[s] += cotangent[point, s]
                clock += cotangent[point, species]
                point -= 1
        else:
            while place > 0 and points[place] > before:
                place -= 1
        if kind == WINDOWS:
            last = average_interval(points, cotangent, place, before, after, earlier)
            if points[last] < after <= points[last + 1]:
                slope = worth(change_start, change_species, change_amount, j, cotangent[last])
                clock -= slope / (points[last + 1] - points[last])
        elif kind == INTERPOLATED:
            for k in range(place, cotangent.shape[0]):
                if points[k] > after:
                    break
                if points[k] > before or interval == 1:
                    share = (points[k] - before) / waiting
                    slope = worth(change_start, change_species, change_amount, j, cotangent[k])
                    for s in range(species):
                        adjoint[s] += share * cotangent[k, s]
                        earlier[s] += (1.0 - share) * cotangent[k, s]
                    clock_before -= (1.0 - share) * slope / waiting
                    clock -= share * slope / waiting
        fire(tables, j, counts, -1.0)
        update_propensities(tables, j, counts, inputs, stack, rates)
        derivatives(tables, counts, inputs, stack, in_state, in_input)
        total = 0.0
        for r in range(reactions):
            total += rates[r]
            along[r] = worth(change_start, change_species, change_amount, r, adjoint)
        if temperature > 0.0:
            race(rates, total, j, seed, trajectory, interval - 1, lateness)
        choice_weights(rates, total, j, along, temperature, lateness, weights)
        waiting_weight = -clock * waiting / total
        for r in range(reactions):
            weight = weights[r] + waiting_weight
            for i in range(input_start[r], input_start[r + 1]):
                gradient[input_variable[i]] += weight * in_input[i]
            for i in range(state_start[r], state_start[r + 1]):
                earlier[state_variable[i]] += weight * in_state[i]
        for s in range(species):
            adjoint[s] += earlier[s]
        clock += clock_before


#: Kernel functions that `sweep` calls, besides those of every replay.
FUNCTIONS: tuple[Callable[..., object], ...] = (
    race,
    choice_weights,
    worth,
    average_interval,
)
