"""One step of the solver with derivatives, in numba's subset of Python: stages, error and slopes.

A step of collocation has values at several stages, as moves from its start, which solve one system
of equations.
"""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.programs import fill_slots
from sbmlgrad.engines.ode.linear import back_substitute, factorise, stage_system

#: Rounds of a Newton iteration at most; it ends when what is left is this share of the tolerance.
MOST_ROUNDS, LEFT_OVER = 12, 0.01

#: A polynomial is extended up to so many times its own step, to guess the next one.
EXTENDED = 2.5


def rates_at(tables, slots, inputs, stack, time, state, out):
    """Put rates of change into `out`; tell whether all are finite."""
    count = state.shape[0]
    for i in range(count):
        slots[i] = state[i]
    slots[count] = time
    fill_slots(tables, slots, inputs, stack)
    first = slots.shape[0] - count
    is_finite = True
    for i in range(count):
        out[i] = slots[first + i]
        is_finite = is_finite and np.isfinite(out[i])
    return is_finite


def slopes_at(tables, slots, inputs, stack, time, state, places, shifts, jacobian, forcing):
    """Fill the slopes of the rates in state and parameters; tell whether all are finite.

    Args:
        tables: programs of the slopes that are not zero.
        slots: their work space.
        inputs: float64 [input].
        stack: work space.
        time: when.
        state: float64 [state].
        places: int64 [slope, 2]: rate, and state, or else number of states plus input.
        shifts: slopes of the inputs, float64 [input, parameter].
        jacobian: float64 [state, state].
        forcing: float64 [state, parameter], through the inputs.
    """
    count = state.shape[0]
    for i in range(count):
        slots[i] = state[i]
    slots[count] = time
    fill_slots(tables, slots, inputs, stack)
    first = slots.shape[0] - places.shape[0]
    jacobian[:, :] = 0.0
    forcing[:, :] = 0.0
    is_finite = True
    for k in range(places.shape[0]):
        value = slots[first + k]
        is_finite = is_finite and np.isfinite(value)
        row, column = places[k, 0], places[k, 1]
        if column < count:
            jacobian[row, column] = value
        else:
            for j in range(forcing.shape[1]):
                forcing[row, j] += value * shifts[column - count, j]
    return is_finite


def basis_at(nodes, at, out):
    """Fill `out` [1 + stage] with the polynomials that are 1 at 0 or one node, 0 at the others."""
    for k in range(out.shape[0]):
        here = 0.0 if k == 0 else nodes[k - 1]
        value = 1.0
        for m in range(out.shape[0]):
            if m != k:
                there = 0.0 if m == 0 else nodes[m - 1]
                value *= (at - there) / (here - there)
        out[k] = value


def largest_share(vector, scale):
    """Return the largest magnitude in units of the scale."""
    worst = 0.0
    for i in range(scale.shape[0]):
        share = abs(vector[i, 0]) / scale[i]
        if not np.isfinite(share):
            return np.inf
        worst = max(worst, share)
    return worst


def guess_stages(nodes, step, last_step, last_moves, moves):
    """Put into `moves` what the polynomial of the step before says, or nothing."""
    stages = nodes.shape[0]
    count = moves.shape[0] // stages
    moves[:, :] = 0.0
    if not last_step > 0.0 or step > EXTENDED * last_step:
        return
    basis = np.empty(stages + 1)
    for i in range(stages):
        basis_at(nodes, 1.0 + nodes[i] * step / last_step, basis)
        for r in range(count):
            # Moves of the last step are counted from its start, which is left by its last.
            value = -last_moves[(stages - 1) * count + r, 0]
            for k in range(stages):
                value += basis[k + 1] * last_moves[k * count + r, 0]
            moves[i * count + r, 0] = value


def solve_stages(
    rates, slots, inputs, stack, tableau, time, step, state, scale, factors, order, moves
):
    """Solve for the moves of the stages from a guess, by simplified Newton; tell whether it did."""
    nodes, weights = tableau[0], tableau[1]
    stages, count = nodes.shape[0], state.shape[0]
    point, stage_rates = np.empty(count), np.empty((stages, count))
    change = np.empty((stages * count, 1))
    before = -1.0
    for _ in range(MOST_ROUNDS):
        for i in range(stages):
            for r in range(count):
                point[r] = state[r] + moves[i * count + r, 0]
            now = time + nodes[i] * step
            if not rates_at(rates, slots, inputs, stack, now, point, stage_rates[i]):
                return False
        for i in range(stages):
            for r in range(count):
                value = -moves[i * count + r, 0]
                for j in range(stages):
                    value += step * weights[i, j] * stage_rates[j, r]
                change[i * count + r, 0] = value
        back_substitute(factors, order, change)
        largest = 0.0
        for i in range(stages):
            share = largest_share(change[i * count : (i + 1) * count], scale)
            largest = max(largest, share)
        if not np.isfinite(largest):
            return False
        for k in range(stages * count):
            moves[k, 0] += change[k, 0]
        if largest <= LEFT_OVER:
            return True
        if before > 0.0:
            factor = largest / before
            if factor >= 2.0 or (factor >= 1.0 and largest > 1.0):
                return False
            if factor < 1.0 and largest * factor <= LEFT_OVER * (1.0 - factor):
                return True
        before = largest
    return False


def error_of_step(tableau, step, state, first_rates, jacobian, moves, rtol, atol):
    """Return the error of a step in units of the tolerances."""
    error_weights, first = tableau[2], tableau[3]
    stages, count = error_weights.shape[0], state.shape[0]
    error, scale = np.empty((count, 1)), np.empty(count)
    matrix, order = np.empty((count, count)), np.empty(count, np.int64)
    for r in range(count):
        end = state[r] + moves[(stages - 1) * count + r, 0]
        scale[r] = atol[r] + rtol * max(abs(state[r]), abs(end))
        value = first * step * first_rates[r]
        for i in range(stages):
            value += error_weights[i] * moves[i * count + r, 0]
        error[r, 0] = value
        for c in range(count):
            matrix[r, c] = -step * first * jacobian[r, c]
        matrix[r, r] += 1.0
    # What is stiff is damped, as the method itself does.
    if factorise(matrix, order):
        back_substitute(matrix, order, error)
    return largest_share(error, scale)


def slopes_of_step(tableau, step, slope, jacobians, forcings, system, order, moves):
    """Put the moves of the slopes at the stages into `moves`; tell whether they are defined."""
    weights = tableau[1]
    stages, count, parameters = forcings.shape
    stage_system(system, weights, step, jacobians)
    if not factorise(system, order):
        return False
    for j in range(stages):
        for r in range(count):
            for c in range(count):
                value = jacobians[j, r, c]
                if value != 0.0:
                    for q in range(parameters):
                        forcings[j, r, q] += value * slope[c, q]
    moves[:, :] = 0.0
    for i in range(stages):
        for j in range(stages):
            weight = step * weights[i, j]
            for r in range(count):
                for q in range(parameters):
                    moves[i * count + r, q] += weight * forcings[j, r, q]
    back_substitute(system, order, moves)
    return True


def interpolate(nodes, share, start, moves, out):
    """Put into `out` [state, column] the polynomial through start and stages of a step."""
    basis = np.empty(nodes.shape[0] + 1)
    basis_at(nodes, share, basis)
    count, columns = start.shape
    for r in range(count):
        for q in range(columns):
            value = start[r, q]
            for k in range(nodes.shape[0]):
                value += basis[k + 1] * moves[k * count + r, q]
            out[r, q] = value
