"""The first moment at which something changes while the clock runs: none is stepped over.

Interval arithmetic leaves behind stretches of time that cannot hold a change; the others are
halved, down to neighbouring floating-point numbers. The same search serves triggers of events and
propensities that must not turn negative.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.interval_driven import run_interval
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.hybrid.memory import Motion
from sbmlgrad.engines.hybrid.motion import box_of, move

#: What the value of a program is watched for: that it stays false, stays true, is not negative.
FALSE = 0
TRUE = 1
NOT_NEGATIVE = 2

#: Share of a stretch that is given away where a proof up to the very moment before a change fails,
#: because bounds of what moves are wider than the motion by rounding.
PROOF_MARGIN = 1e-9


def is_still(watched, value):
    """Tell whether a value is as watched; one that is no number is neither true nor false."""
    if watched == NOT_NEGATIVE:
        return not value < 0.0
    return value == value and (value != 0.0) == (watched == TRUE)


def is_still_at(code: Code, motion: Motion, program, watched, time):
    """Tell whether a program's value is as watched at a time."""
    move(motion, time, motion.trial)
    value = run_program(code, program, motion.trial, motion.inputs, motion.stack)
    return is_still(watched, value)


def is_still_throughout(code: Code, motion: Motion, program, watched, first, last):
    """Tell whether a program's value is proven to be as watched from `first` to `last`."""
    box_of(motion, first, last)
    bottom, top = run_interval(
        code, program, motion.low, motion.high, motion.inputs, motion.stack_low, motion.stack_high
    )
    if watched == NOT_NEGATIVE:
        return bottom >= 0.0
    if watched == TRUE:
        # What may be NaN is bounded by both infinities.
        return bottom > 0.0 or top < 0.0
    return bottom == 0.0 and top == 0.0


def bisected(code: Code, motion: Motion, program, watched, until):
    """Return neighbouring times, as watched at the first and not at the second.

    At `until` the value must not be as watched. There may be earlier changes.
    """
    before = motion.state[motion.state.shape[0] - 1]
    after = until
    while after > np.nextafter(before, math.inf):
        middle = before + 0.5 * (after - before)
        if not before < middle < after:
            break
        if is_still_at(code, motion, program, watched, middle):
            before = middle
        else:
            after = middle
    return before, after


def next_change(code: Code, motion: Motion, program, watched, until, most_looks):
    """Return when a program's value is first not as watched from now on; infinity if never.

    The time is exact to neighbouring floating-point numbers. Nothing is looked for after `until`.
    NaN: more than `most_looks` stretches of time had to be looked at.
    """
    first = motion.state[motion.state.shape[0] - 1]
    width = until - first
    # The end of the shortest stretch from here that may hold a change.
    doubtful = until
    if not is_still_at(code, motion, program, watched, until):
        # Most change once: find a change by point values, then prove that none is before.
        before, after = bisected(code, motion, program, watched, until)
        for margin in (0.0, PROOF_MARGIN):
            last = before - margin * (before - first)
            if is_still_throughout(code, motion, program, watched, first, last):
                if margin == 0.0:
                    return after
                first = last
                doubtful = after
                width = after - first
                break
    looks = 0
    while first < until:
        looks += 1
        if looks > most_looks:
            return math.nan
        last = min(first + width, until)
        is_shortest = last <= np.nextafter(first, math.inf)
        if is_shortest:
            last = np.nextafter(first, math.inf)
        if is_still_throughout(code, motion, program, watched, first, last):
            first = last
            width = 0.5 * (doubtful - first) if doubtful > first else 2.0 * width
        elif is_shortest:
            if not is_still_at(code, motion, program, watched, last):
                return last
            first = last
            width = 2.0 * (np.nextafter(first, math.inf) - first)
            doubtful = first
        else:
            width = 0.5 * (last - first)
            doubtful = last
    return math.inf
