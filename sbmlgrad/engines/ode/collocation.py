"""Kernel of the solver with derivatives: a collocation method of high order, in numba's Python.

Radau IIA collocation (Hairer & Wanner 1999, J. Comput. Appl. Math. 111, 93) is implicit, so that it
takes stiff systems, and its order makes long steps at small tolerances. The derivatives of a step
in the parameters are those of its own equations, so that they are exact for the steps taken
(internal differentiation, Bock 1981, Springer Ser. Chem. Phys. 18, 102). Nothing is compiled for a
model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.programs import fill_slots
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.engines.ode.linear import back_substitute, factorise, stage_system
from sbmlgrad.engines.ode.stages import (
    basis_at,
    error_of_step,
    guess_stages,
    interpolate,
    largest_share,
    rates_at,
    slopes_at,
    slopes_of_step,
    solve_stages,
)

#: How a solution ends: complete, after too many steps, with vanishing steps, or at a rate or a
#: slope that is not finite.
COMPLETE, TOO_MANY_STEPS, VANISHING_STEPS, NOT_FINITE = 0, 1, 2, 3

#: Steps at the most.
MOST_STEPS = 20000

#: By how much a step may grow or shrink, safety included; shrinking where Newton's method fails.
GROWTH, SHRINKING, SAFETY, AFTER_FAILURE = 8.0, 0.2, 0.9, 0.25


def first_step(rates, longest, state, rtol, atol, stages):
    """Return a step to begin with.

    What an explicit step would change in units of the tolerances, to the power of the error.
    """
    worst = 1.0
    for i in range(state.shape[0]):
        share = atol[i] + rtol * abs(state[i])
        worst = max(worst, abs(rates[i]) * longest / share)
    return longest * worst ** (-1.0 / (stages + 1))


def collocate(
    rates, slopes, places, tableau, modes, inputs, shifts,
    time, stop, longest, state, slope, rtol, atol, times, states_out, slopes_out,
):  # fmt: skip
    """Follow a smooth system and the slopes of its state in parameters.

    Args:
        rates: programs of the rates over state, time and modes.
        slopes: programs of their slopes that are not zero.
        places: of those (`slopes_at`).
        tableau: nodes [stage], weights [stage, stage], weights of the error [stage], and its first.
        modes: float64 [mode], constant values in the slots after the time.
        inputs: float64 [input].
        shifts: slopes of the inputs, float64 [input, parameter].
        time: when the state is given.
        stop: last time.
        longest: longest step.
        state: float64 [state, 1], changed in place.
        slope: of the state, float64 [state, parameter], changed in place.
        rtol: relative error of a step.
        atol: absolute error of each state, float64 [state].
        times: output times after `time` and up to `stop`, float64 [time].
        states_out: float64 [time, state, 1], filled.
        slopes_out: float64 [time, state, parameter], filled.

    Returns:
        (how it ended, time reached, steps, last step).
    """
    nodes, weights = tableau[0], tableau[1]
    stages, count, parameters = nodes.shape[0], state.shape[0], slope.shape[1]
    rate_slots = np.empty(rates.first + rates.code_start.shape[0] - 1)
    slope_slots = np.empty(slopes.first + slopes.code_start.shape[0] - 1)
    for i in range(modes.shape[0]):
        rate_slots[count + 1 + i] = modes[i]
        slope_slots[count + 1 + i] = modes[i]
    stack = np.empty(max(rates.stack_size, slopes.stack_size))
    size = stages * count
    system, order = np.empty((size, size)), np.empty(size, np.int64)
    jacobian, forcing = np.empty((count, count)), np.empty((count, parameters))
    jacobians = np.empty((stages, count, count))
    forcings = np.empty((stages, count, parameters))
    moves, last_moves = np.zeros((size, 1)), np.zeros((size, 1))
    slope_moves = np.empty((size, parameters))
    scale, here, first_rates, point = (
        np.empty(count), np.empty(count), np.empty(count), np.empty(count),
    )  # fmt: skip
    here[:] = state[:, 0]
    if not rates_at(rates, rate_slots, inputs, stack, time, here, first_rates) or not slopes_at(
        slopes, slope_slots, inputs, stack, time, here, places, shifts, jacobian, forcing
    ):
        return NOT_FINITE, time, 0, 0.0
    step = first_step(first_rates, longest, here, rtol, atol, stages)
    last_step, done, taken = 0.0, 0, 0
    is_after_failure = False
    while time < stop:
        if taken >= MOST_STEPS:
            return TOO_MANY_STEPS, time, taken, step
        taken += 1
        step = min(step, longest)
        left = stop - time
        if step >= 0.99 * left:
            step = left
        elif step > 0.5 * left:
            step = 0.5 * left
        if not step > 16.0 * np.spacing(abs(time)):
            return VANISHING_STEPS, time, taken, step
        for i in range(count):
            scale[i] = atol[i] + rtol * abs(here[i])
        guess_stages(nodes, step, last_step, last_moves, moves)
        for i in range(stages):
            jacobians[i] = jacobian
        stage_system(system, weights, step, jacobians)
        if not factorise(system, order) or not solve_stages(
            rates, rate_slots, inputs, stack, tableau, time, step, here, scale, system, order, moves
        ):
            step *= AFTER_FAILURE
            is_after_failure = True
            continue
        error = error_of_step(tableau, step, here, first_rates, jacobian, moves, rtol, atol)
        if not np.isfinite(error):
            step *= AFTER_FAILURE
            is_after_failure = True
            continue
        wanted = GROWTH if error == 0.0 else SAFETY * error ** (-1.0 / (stages + 1))
        wanted = min(GROWTH, max(SHRINKING, wanted))
        if error > 1.0:
            step *= min(wanted, SAFETY)
            is_after_failure = True
            continue
        # The step is taken; its own equations give the slopes.
        for i in range(stages):
            for r in range(count):
                point[r] = here[r] + moves[i * count + r, 0]
            if not slopes_at(
                slopes, slope_slots, inputs, stack, time + nodes[i] * step, point, places, shifts,
                jacobians[i], forcings[i],
            ):  # fmt: skip
                return NOT_FINITE, time, taken, step
        if parameters and not slopes_of_step(
            tableau, step, slope, jacobians, forcings, system, order, slope_moves
        ):
            step *= AFTER_FAILURE
            is_after_failure = True
            continue
        end = stop if step == left else time + step
        while done < times.shape[0] and times[done] <= end:
            share = (times[done] - time) / step
            interpolate(nodes, share, state, moves, states_out[done])
            interpolate(nodes, share, slope, slope_moves, slopes_out[done])
            done += 1
        for r in range(count):
            state[r, 0] += moves[size - count + r, 0]
            for q in range(parameters):
                slope[r, q] += slope_moves[size - count + r, q]
        here[:] = state[:, 0]
        last_moves[:, :] = moves
        jacobian[:, :] = jacobians[stages - 1]
        last_step = step
        time = end
        if not rates_at(rates, rate_slots, inputs, stack, time, here, first_rates):
            return NOT_FINITE, time, taken, step
        step *= min(wanted, 1.0) if is_after_failure else wanted
        is_after_failure = False
    return COMPLETE, time, taken, last_step


#: Source functions of the kernel.
COLLOCATION_KERNEL: tuple[Callable[..., object], ...] = (
    run_program,
    fill_slots,
    factorise,
    back_substitute,
    stage_system,
    rates_at,
    slopes_at,
    basis_at,
    largest_share,
    guess_stages,
    solve_stages,
    error_of_step,
    slopes_of_step,
    interpolate,
    first_step,
    collocate,
)
