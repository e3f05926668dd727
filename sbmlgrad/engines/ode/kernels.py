"""Kernel functions of the deterministic engine, within numba's subset of Python.

They run `codegen.programs` on numbers and on intervals; nothing is compiled for a model.
"""

from __future__ import annotations

from collections.abc import Callable

from sbmlgrad.codegen.interval_driven import INTERVALS, run_interval
from sbmlgrad.codegen.programs import fill_rows, fill_slots
from sbmlgrad.codegen.table_driven import run_program


def fill_bounds(tables, low, high, inputs, stack_low, stack_high):
    """Run all programs on a box of slots, whose ends are `low` and `high`."""
    for p in range(tables.code_start.shape[0] - 1):
        bounds = run_interval(tables, p, low, high, inputs, stack_low, stack_high)
        low[tables.first + p] = bounds[0]
        high[tables.first + p] = bounds[1]


def change_within(tables, low, high, clock, before, start, end, budget, rights, inputs, stacks):
    """Find the first time in (start, end] at which a result differs from `before`.

    Stretches of time in which nothing can differ, by interval arithmetic, are left behind; others
    are halved, down to neighbouring floating-point numbers.

    Args:
        tables: `Programs`.
        low: float64 [slot]; lower ends, of which the variables are given.
        high: float64 [slot]; upper ends, likewise.
        clock: slot of the time.
        before: results at the start, float64 [result].
        start: where the stretch of time begins.
        end: where it ends.
        budget: stretches to look at, at most.
        rights: scratch, float64; as long as a stretch can be halved.
        inputs: exact inputs, float64 [input].
        stacks: scratch, float64 [2, tables.stack_size].

    Returns:
        (1, time) of the change, (0, end) if there is none, (-1, time) from which on it is not known
        because the budget is used up.
    """
    first = low.shape[0] - before.shape[0]
    left = start
    top = 0
    rights[0] = end
    while top >= 0:
        budget -= 1
        if budget < 0 or top + 1 >= rights.shape[0]:
            return -1, left
        right = rights[top]
        low[clock] = left
        high[clock] = right
        fill_bounds(tables, low, high, inputs, stacks[0], stacks[1])
        is_same = True
        for i in range(before.shape[0]):
            if low[first + i] != before[i] or high[first + i] != before[i]:
                is_same = False
        if is_same:
            left = right
            top -= 1
            continue
        middle = left + (right - left) / 2.0
        if left < middle < right:
            top += 1
            rights[top] = middle
            continue
        low[clock] = right
        fill_slots(tables, low, inputs, stacks[0])
        for i in range(before.shape[0]):
            value = low[first + i]
            if value != before[i] and (value == value or before[i] == before[i]):
                return 1, right
        left = right
        top -= 1
    return 0, end


#: Source functions of the deterministic engine's kernel.
ODE_KERNEL: tuple[Callable[..., object], ...] = (
    *INTERVALS,
    run_program,
    fill_slots,
    fill_rows,
    fill_bounds,
    change_within,
)
