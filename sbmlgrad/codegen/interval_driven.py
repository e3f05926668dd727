"""Bounds of propensities and conditions over boxes of states, by interpreting `Tables`.

The bytecode of `table_driven.run_program`, evaluated in interval arithmetic, in numba's subset of
Python. Use it for upper bounds of propensities that change with time and to find where the truth of
a condition may change.

The result encloses every value that `run_program` computes, in floating point, at the points of the
box; where both ends of every operand agree it is that very value, so that on a box of one point
conditions are as sharp as `run_program` itself. Symbols that occur twice are taken as independent,
which only widens the result. See `interval_elementary` for the meaning of (-inf, inf) and for
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.interval_elementary import (
    ELEMENTARY_INTERVALS,
    bounds_of_one,
    either_zero,
    is_one_value,
    known_ends,
    outwards,
    point_of_one,
)
from sbmlgrad.codegen.tables import Code, Tables


def point_of_two(op, x, y):
    """Return the value of an operator of two arguments, as `run_program` computes it."""
    if op == 10:
        return x + y
    if op == 11:
        return x - y
    if op == 12:
        return x * y
    if op == 13:
        return x / y
    if op == 14:
        return x**y
    if op == 19:
        return np.minimum(x, y)
    if op == 20:
        return np.maximum(x, y)
    if op == 22:
        return np.trunc(x / y)
    if op == 23:
        return np.fmod(x, y)
    truth = False
    if op == 30:
        truth = x < y
    elif op == 31:
        truth = x <= y
    elif op == 32:
        truth = x > y
    elif op == 33:
        truth = x >= y
    elif op == 34:
        truth = x == y
    elif op == 35:
        truth = x != y
    elif op == 40:
        truth = x != 0.0 and y != 0.0
    elif op == 41:
        truth = x != 0.0 or y != 0.0
    elif op == 45:
        truth = (x != 0.0) != (y != 0.0)
    elif op == 46:
        truth = x == 0.0 or y != 0.0
    else:
        return np.nan
    return 1.0 if truth else 0.0


def truth_bounds(low, high):
    """Return 0, 0 for what is certainly zero, 1, 1 for what is certainly not, else 0, 1."""
    if low == 0.0 and high == 0.0:
        return 0.0, 0.0
    # A number that is NaN is not 0 either, but (-inf, inf) does not say that it is.
    if low > 0.0 or high < 0.0 or (low != low and high != high):
        return 1.0, 1.0
    return 0.0, 1.0


def condition_bounds(op, low, high, low2, high2):
    """Bound a comparison of two intervals or a logical operator."""
    if op >= 40:
        low, high = truth_bounds(low, high)
        low2, high2 = truth_bounds(low2, high2)
        if op == 40:
            return min(low, low2), min(high, high2)
        if op == 41:
            return max(low, low2), max(high, high2)
        if op == 46:
            return max(1.0 - high, low2), max(1.0 - low, high2)
        if low == high and low2 == high2:
            return abs(low - low2), abs(low - low2)
        return 0.0, 1.0
    inf = np.inf
    # What may be NaN compares as false with everything; a comparison with a NaN end is false too.
    if (low == -inf and high == inf) or (low2 == -inf and high2 == inf):
        return 0.0, 1.0
    if op == 32 or op == 33:
        low, high, low2, high2 = low2, high2, low, high
        op -= 2
    is_true = is_false = False
    if op == 30:
        is_true = high < low2
        is_false = low >= high2
    elif op == 31:
        is_true = high <= low2
        is_false = low > high2
    else:
        is_apart = high < low2 or high2 < low
        is_one = low == high and low2 == high2 and low == low2
        is_true = is_one if op == 34 else is_apart
        is_false = is_apart if op == 34 else is_one
    return (1.0 if is_true else 0.0), (0.0 if is_false else 1.0)


def power_bounds(low, high, low2, high2):
    """Bound a power."""
    inf = np.inf
    is_whole = low2 == high2 and low2 == np.floor(low2)
    is_even = is_whole and low2 == 2.0 * np.floor(0.5 * low2)
    if low2 <= 0.0 and low <= 0.0 <= high and not (is_whole and low2 == 0.0):
        # A pole, or the jump of 0^0; the sign of a zero would matter too.
        return -inf, inf
    if low < 0.0:
        if not is_whole or math.isinf(low2):
            return -inf, inf
        if is_even:
            low, high = max(low, -high, 0.0), max(-low, high)
    # Monotone in base and in exponent, so the corners hold the extremes.
    a, b = low**low2, low**high2
    c, d = high**low2, high**high2
    least, most = outwards(min(a, b, c, d), max(a, b, c, d))
    # Below the smallest number the value is that number or 0.
    most = max(most, 5e-324)
    least = max(least, 0.0) if low >= 0.0 else min(least, -5e-324)
    return least, most


def remainder_bounds(low, high, low2, high2):
    """Bound a remainder, which has the sign of the dividend and is smaller than the divisor."""
    inf = np.inf
    if low2 <= 0.0 <= high2 or math.isinf(low) or math.isinf(high):
        return -inf, inf
    limit = max(-low2, high2)
    if low2 == high2 and (low >= 0.0 or high <= 0.0) and high - low < limit:
        # Remainders are exact; they fall from one end to the other only across a jump.
        first, last = np.fmod(low, low2), np.fmod(high, low2)
        if first <= last:
            return first, last
    return max(min(low, 0.0), -limit), min(max(high, 0.0), limit)


def bounds_of_two(op, low, high, low2, high2):
    """Bound an operator of two arguments; `op` is an opcode of the table of operators."""
    inf = np.inf
    if op >= 40:
        # NaN counts as true, so logical operators see it as it is.
        return condition_bounds(op, low, high, low2, high2)
    if low != low or low2 != low2:
        return (-inf, inf) if op < 30 else (0.0, 1.0)
    if op >= 30:
        return condition_bounds(op, low, high, low2, high2)
    if (low == -inf and high == inf) or (low2 == -inf and high2 == inf):
        return -inf, inf
    if op == 10:
        low, high = low + low2, high + high2
    elif op == 11:
        low, high = low - high2, high - low2
    elif op == 12:
        a, b, c, d = low * low2, low * high2, high * low2, high * high2
        if a != a or b != b or c != c or d != d:
            return -inf, inf
        low, high = min(a, b, c, d), max(a, b, c, d)
    elif op == 13 or op == 22:
        if low2 <= 0.0 <= high2:
            return -inf, inf
        a, b, c, d = low / low2, low / high2, high / low2, high / high2
        if a != a or b != b or c != c or d != d:
            return -inf, inf
        low, high = min(a, b, c, d), max(a, b, c, d)
        if op == 22:
            low, high = np.trunc(low), np.trunc(high)
    elif op == 14:
        return power_bounds(low, high, low2, high2)
    elif op == 19:
        low, high = min(low, low2), min(high, high2)
    elif op == 20:
        low, high = max(low, low2), max(high, high2)
    elif op == 23:
        return remainder_bounds(low, high, low2, high2)
    else:
        return -inf, inf
    if low != low or high != high:
        return -inf, inf
    return low, high


def run_interval(tables: Tables | Code, program, low, high, inputs, stack_low, stack_high):
    """Bound the value of one program while counts lie between `low` and `high`, ends included.

    Args:
        tables: structure and bytecode.
        program: its number.
        low: lower ends of the box, float64 [species].
        high: upper ends of the box, float64 [species]; NaN at both ends is the value NaN, at one
            end it means that nothing is known.
        inputs: exact inputs, float64 [input].
        stack_low: scratch, float64 [tables.stack_size].
        stack_high: scratch, float64 [tables.stack_size].

    Returns:
        (low, high); (-inf, inf) if the value may be undefined somewhere in the box.
    """
    inf = np.inf
    top = -1
    for i in range(tables.code_start[program], tables.code_start[program + 1]):
        op = tables.opcode[i]
        operand = tables.operand[i]
        if op <= 2:
            top += 1
            if op == 1:
                stack_low[top] = low[operand]
                stack_high[top] = high[operand]
            elif op == 2:
                stack_low[top] = inputs[operand]
                stack_high[top] = inputs[operand]
            else:
                stack_low[top] = tables.number[operand]
                stack_high[top] = tables.number[operand]
            continue
        count = 1
        if op == 21:
            count = 3
        elif op >= 10 and not (15 <= op <= 18 or op == 42 or op >= 50):
            count = 2
        top -= count - 1
        a, b = known_ends(stack_low[top], stack_high[top])
        is_point = is_one_value(a, b)
        if count == 1:
            if is_point:
                value = point_of_one(op, a)
                stack_low[top], stack_high[top] = value, value
            else:
                stack_low[top], stack_high[top] = either_zero(bounds_of_one(op, a, b))
            continue
        c, d = known_ends(stack_low[top + 1], stack_high[top + 1])
        if count == 2:
            if is_point and is_one_value(c, d):
                value = point_of_two(op, a, c)
                stack_low[top], stack_high[top] = value, value
            else:
                stack_low[top], stack_high[top] = either_zero(bounds_of_two(op, a, b, c, d))
            continue
        truth_low, truth_high = truth_bounds(c, d)
        if truth_low == 1.0:
            continue
        e, f = known_ends(stack_low[top + 2], stack_high[top + 2])
        if truth_high == 0.0:
            stack_low[top], stack_high[top] = e, f
        elif a != a or e != e:
            stack_low[top], stack_high[top] = -inf, inf
        else:
            stack_low[top], stack_high[top] = either_zero((min(a, e), max(b, f)))
    if stack_low[top] != stack_low[top] or stack_high[top] != stack_high[top]:
        return -inf, inf
    return stack_low[top], stack_high[top]


#: Source functions of interval evaluation; a kernel that calls `run_interval` includes all.
INTERVALS: tuple[Callable[..., object], ...] = (
    *ELEMENTARY_INTERVALS,
    point_of_two,
    truth_bounds,
    condition_bounds,
    power_bounds,
    remainder_bounds,
    bounds_of_two,
    run_interval,
)
