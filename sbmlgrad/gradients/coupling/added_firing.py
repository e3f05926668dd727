"""Kernels of `CoupledDifference`: a trajectory run again, and where a firing is added to it.

The functions stay within numba's subset of Python; their source is compiled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.table_driven import program_values, run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.codes import COMPLETED, FIRINGS_PER_LOOK
from sbmlgrad.engines.table.kernel import fire, next_firing
from sbmlgrad.gradients.coupling.expectation_kernels import Laws, Sparsity, renew


def adding_rates(code: Code, sparsity: Sparsity, counts, inputs, stack, rates, out):
    """Fill `out` [reaction] with the rates at which firings are added, and return their sum.

    Reactions whose propensity no input moves have 0. A reaction that cannot fire but could at
    other inputs has a rate made from its derivatives; any that is positive will do, and this one
    is of the size that its propensity has where inputs move by as much as themselves.
    """
    first = sparsity.change_start.shape[0] - 1 + sparsity.state_variable.shape[0]
    total = 0.0
    for j in range(out.shape[0]):
        out[j] = 0.0
        begin, end = sparsity.input_start[j], sparsity.input_start[j + 1]
        if begin < end:
            if rates[j] > 0.0:
                out[j] = rates[j]
            else:
                for i in range(begin, end):
                    size = abs(inputs[sparsity.input_variable[i]])
                    slope = abs(run_program(code, first + i, counts, inputs, stack))
                    out[j] += slope * (size if size > 0.0 else 1.0)
            total += out[j]
    return total


def record_path(laws: Laws, last, inputs, seed, number, counts, path, room, cancel):
    """Run a trajectory again until `last`, recording it; `counts` holds its start, then its end.

    `path` is (fired, times, added): the reactions, and the times and the integrals of the rates of
    `adding_rates` until then, each after so many firings. Returns it, grown where it was too short,
    the firings, and the integral until `last`.
    """
    fired, times, added = path
    rates, extra, stack = room
    code, graph, changes, sparsity = laws.code, laws.graph, laws.changes, laws.sparsity
    program_values(code, counts, inputs, stack, rates)
    draw = 0
    times[0] = 0.0
    added[0] = 0.0
    while True:
        rate = adding_rates(code, sparsity, counts, inputs, stack, rates, extra)
        outcome, waiting, reaction = next_firing(rates, seed, number, draw, False)
        time = times[draw] + waiting
        is_cancelled = draw % FIRINGS_PER_LOOK == 0 and cancel[0] != 0
        if outcome != COMPLETED or time > last or is_cancelled:
            total = added[draw] + rate * (last - times[draw])
            return (fired, times, added), draw, total
        if draw == fired.shape[0]:
            longer_fired = np.empty(2 * draw, fired.dtype)
            longer_fired[:draw] = fired
            longer_times = np.empty(2 * draw + 1)
            longer_times[: draw + 1] = times
            longer_added = np.empty(2 * draw + 1)
            longer_added[: draw + 1] = added
            fired = longer_fired
            times = longer_times
            added = longer_added
        fired[draw] = reaction
        times[draw + 1] = time
        added[draw + 1] = added[draw] + rate * waiting
        draw += 1
        fire(changes, reaction, counts, 1.0)
        renew(code, graph, reaction, counts, inputs, stack, rates)


def choose_added(laws: Laws, u, v, inputs, path, firings, total, counts, room):
    """Draw the added firing: (firings before it, its time, its reaction).

    `counts` holds the start and then the state that the added firing finds; `room` has its
    propensities and the rates of `adding_rates` then.
    """
    fired, times, added = path
    rates, extra, stack = room
    code, changes, sparsity = laws.code, laws.changes, laws.sparsity
    target = v * total
    low, high = 0, firings
    while low < high:
        middle = (low + high + 1) // 2
        if added[middle] <= target:
            low = middle
        else:
            high = middle - 1
    for n in range(low):
        fire(changes, fired[n], counts, 1.0)
    program_values(code, counts, inputs, stack, rates)
    rate = adding_rates(code, sparsity, counts, inputs, stack, rates, extra)
    time = times[low] + (target - added[low]) / rate
    if low < firings:
        # Rounding could put it behind the firing that ends the interval.
        time = min(time, times[low + 1])
    target = (1.0 - u) * rate
    reaction = -1
    reached = 0.0
    for j in range(extra.shape[0]):
        if extra[j] > 0.0 and not (reaction >= 0 and reached > target):
            reaction = j
            reached += extra[j]
    return low, time, reaction


#: Kernel functions that add a firing, besides those that all kernels of expectations call.
ADDING: tuple[Callable[..., object], ...] = (adding_rates, record_path, choose_added)
