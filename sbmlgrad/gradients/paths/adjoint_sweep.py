"""The path adjoint, one trajectory after another, driven by tables.

The functions stay within numba's subset of Python; their source is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import (
    derivatives,
    propensities,
    update_derivatives,
    update_propensities,
)
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.table.kernel import fire


def times_jacobian(tables: Tables, weights, in_state, vector, out):
    """Fill `out` [species] with Σ_i c_i ∂a_i/∂x (v_i·vector)."""
    # Numba counts references to the arrays of a tuple: they are taken out of it once.
    change_start, change_species = tables.change_start, tables.change_species
    change_amount = tables.change_amount
    state_start, state_variable = tables.state_start, tables.state_variable
    for s in range(out.shape[0]):
        out[s] = 0.0
    for j in range(weights.shape[0]):
        along = 0.0
        for i in range(change_start[j], change_start[j + 1]):
            along += change_amount[i] * vector[change_species[i]]
        along *= weights[j]
        if along != 0.0:
            for i in range(state_start[j], state_start[j + 1]):
                out[state_variable[i]] += in_state[i] * along


def integrate_adjoint(
    tables: Tables, weights, in_state, source, length, adjoint, integral, term, scratch
):
    """Integrate -dλ/dt = B λ + source backwards over an interval, exactly to rounding.

    B is constant between firings, so λ is a Taylor series in the length; it is summed until its
    terms vanish, in steps short enough that they fall from the start. ∫λ dt is added to `integral`.
    """
    species = adjoint.shape[0]
    for s in range(species):
        scratch[s] = 0.0
    for j in range(weights.shape[0]):
        size = 0.0
        for i in range(tables.change_start[j], tables.change_start[j + 1]):
            size += abs(tables.change_amount[i])
        for i in range(tables.state_start[j], tables.state_start[j + 1]):
            scratch[tables.state_variable[i]] += weights[j] * abs(in_state[i]) * size
    norm = 0.0
    for s in range(species):
        norm = max(norm, scratch[s])
    if not norm * length < 1e9:
        # An infinite derivative, such as that of sqrt(X) at X = 0: the host refuses a NaN.
        for s in range(species):
            adjoint[s] = math.nan
            integral[s] = math.nan
        return
    # With |B| h <= 1 the terms fall at least as fast as 1/k!.
    steps = int(norm * length) + 1
    h = length / steps
    for _ in range(steps):
        largest = 0.0
        for s in range(species):
            term[s] = adjoint[s]
            integral[s] += h * term[s]
            largest = max(largest, abs(term[s]), abs(h * source[s]))
        order = 1
        while order < 60:
            times_jacobian(tables, weights, in_state, term, scratch)
            if order == 1:
                for s in range(species):
                    scratch[s] += source[s]
            # Divisions are dear, and there is one species after another.
            factor = h / order
            share = h / (order + 1)
            size = 0.0
            for s in range(species):
                term[s] = scratch[s] * factor
                adjoint[s] += term[s]
                integral[s] += share * term[s]
                size = max(size, abs(term[s]))
            if size <= 1e-17 * largest:
                break
            largest = max(largest, size)
            order += 1


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
    """Walk a path backwards, adding the derivative in the inputs to `gradient` [input].

    `options[0]` is what a firing of j counts of ∂log a_j times v_j·λ: half for the two-sided
    adjoint, nothing for the one-sided. Between firings a_i counts the rest where it can fire, and
    whole where it is zero (it never fires, so it has no other half).
    """
    at_firings = options[0]
    species = counts.shape[0]
    reactions = tables.change_start.shape[0] - 1
    adjoint = np.zeros(species)
    integral = np.zeros(species)
    source = np.zeros(species)
    term = np.empty(species)
    scratch = np.empty(species)
    rates = np.empty(reactions)
    weights = np.empty(reactions)
    stack = np.empty(tables.stack_size)
    in_state = np.empty(tables.state_variable.shape[0])
    in_input = np.empty(tables.input_variable.shape[0])
    point = cotangent.shape[0] - 1
    now = points[points.shape[0] - 1]
    propensities(tables, counts, inputs, stack, rates)
    derivatives(tables, counts, inputs, stack, in_state, in_input)
    for interval in range(firings, -1, -1):
        start = times[interval]
        for j in range(reactions):
            weights[j] = 1.0 - at_firings if rates[j] > 0.0 else 1.0
        for s in range(species):
            integral[s] = 0.0
        while True:
            mark = start
            if kind == 0:
                if point >= 0:
                    mark = max(start, points[point])
            else:
                for s in range(species):
                    source[s] = 0.0
                # Skip windows that end after now: they are done.
                while point >= 0 and points[point] >= now:
                    point -= 1
                if point >= 0:
                    mark = max(start, points[point])
                    width = points[point + 1] - points[point]
                    for s in range(species):
                        source[s] = cotangent[point, s] / width
            if now > mark:
                integrate_adjoint(
                    tables,
                    weights,
                    in_state,
                    source,
                    now - mark,
                    adjoint,
                    integral,
                    term,
                    scratch,
                )
                now = mark
            if kind == 0 and point >= 0 and points[point] >= start:
                for s in range(species):
                    adjoint[s] += cotangent[point, s]
                point -= 1
            elif now <= start:
                break
        for j in range(reactions):
            along = 0.0
            for i in range(tables.change_start[j], tables.change_start[j + 1]):
                along += tables.change_amount[i] * integral[tables.change_species[i]]
            along *= weights[j]
            for i in range(tables.input_start[j], tables.input_start[j + 1]):
                gradient[tables.input_variable[i]] += along * in_input[i]
        if interval == 0:
            break
        j = fired[interval - 1]
        along = 0.0
        for i in range(tables.change_start[j], tables.change_start[j + 1]):
            along += tables.change_amount[i] * adjoint[tables.change_species[i]]
        fire(tables, j, counts, -1.0)
        update_propensities(tables, j, counts, inputs, stack, rates)
        update_derivatives(tables, j, counts, inputs, stack, in_state, in_input)
        share = at_firings * along / rates[j]
        for i in range(tables.input_start[j], tables.input_start[j + 1]):
            gradient[tables.input_variable[i]] += share * in_input[i]
        for i in range(tables.state_start[j], tables.state_start[j + 1]):
            adjoint[tables.state_variable[i]] += share * in_state[i]


#: Kernel functions that `sweep` calls, besides the engine's own.
FUNCTIONS: tuple[Callable[..., object], ...] = (integrate_adjoint, times_jacobian)
