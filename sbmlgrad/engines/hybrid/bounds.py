"""Bounds of propensities that move between firings, and the moment at which one turns negative.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.interval_driven import run_interval
from sbmlgrad.codegen.tables import Code
from sbmlgrad.engines.codes import (
    COMPLETED,
    MOST_LOOKS_AT_RATE,
    NEGATIVE_PROPENSITY,
    NO_FAULT,
    NON_FINITE,
)
from sbmlgrad.engines.hybrid.memory import LONGEST_PACE, WINDOW, Motion
from sbmlgrad.engines.hybrid.motion import box_of
from sbmlgrad.engines.hybrid.search import NOT_NEGATIVE, next_change

#: Relative error of a sum of propensities, generously: what a bound must be above it.
SUM_SLACK = 1e-12


def check_rates(rates):
    """Return (outcome, reaction at fault) for propensities that are negative or not finite."""
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return (NEGATIVE_PROPENSITY if rates[j] < 0.0 else NON_FINITE), j
        if rates[j] == math.inf:
            return NON_FINITE, j
    return COMPLETED, NO_FAULT


def propensity_bound(code: Code, motion: Motion, rate_moves, may_turn_negative, rates):
    """Return an upper bound of the total propensity over a box, and a lower one of each.

    The lower one is 0 where no propensity is known to be able to turn negative.

    `rates` are those at the start of the box.
    """
    total = 0.0
    lowest = 0.0
    for j in range(rates.shape[0]):
        if rate_moves[j]:
            bottom, top = run_interval(
                code,
                j,
                motion.low,
                motion.high,
                motion.inputs,
                motion.stack_low,
                motion.stack_high,
            )
            total += max(top, 0.0)
            if may_turn_negative[j]:
                lowest = min(lowest, bottom)
        else:
            total += rates[j]
    return total * (1.0 + SUM_SLACK), lowest


def window_bound(code: Code, motion: Motion, rate_moves, may_turn_negative, rates, longest, pace):
    """Return (bound of the total propensity, lower bound of each, window for which they hold).

    The window is halved until fewer than one candidate in it is expected or the bound is within a
    factor of two of the propensity at its start. The shortest window ends at the next
    floating-point number: there the propensity is that of its start.
    """
    total = 0.0
    for j in range(rates.shape[0]):
        total += rates[j]
    now = motion.state[motion.state.shape[0] - 1]
    window = min(pace[WINDOW], longest)
    shortest = np.nextafter(now, math.inf) - now
    is_first = True
    while window > shortest:
        box_of(motion, now, now + window)
        bound, lowest = propensity_bound(code, motion, rate_moves, may_turn_negative, rates)
        if bound <= 2.0 * total or bound * window <= 1.0:
            pace[WINDOW] = min(2.0 * window, LONGEST_PACE) if is_first else window
            return bound, lowest, window
        is_first = False
        window *= 0.5
    pace[WINDOW] = 2.0 * shortest
    return total, 0.0, shortest


def first_negative(code: Code, motion: Motion, may_turn_negative, until):
    """Return (time, reaction) of the first propensity to turn negative; (infinity, -1) if none.

    A propensity that may be negative over stretches too short to tell apart, as one that touches 0
    may, is left to the checks wherever it is used.
    """
    # Constants would make a version of the search of its own.
    watched, most_looks = np.int64(NOT_NEGATIVE), np.int64(MOST_LOOKS_AT_RATE)
    earliest = math.inf
    reaction = NO_FAULT
    for j in range(may_turn_negative.shape[0]):
        if may_turn_negative[j]:
            change = next_change(code, motion, j, watched, until, most_looks)
            if change < earliest:
                earliest = change
                reaction = j
    return earliest, reaction
