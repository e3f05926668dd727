"""Bounds of propensities that move between firings, and the moment at which one turns negative.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.interval_driven import run_interval
from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.hybrid.motion import box_of, move


def check_rates(rates):
    """Return (outcome code, reaction at fault): 3 for a negative, 5 for a non-finite propensity."""
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return (3 if rates[j] < 0.0 else 5), j
        if rates[j] == math.inf:
            return 5, j
    return 0, -1


def propensity_bound(
    tables: Tables, hybrid: HybridTables, rates, low, high, inputs, stack_low, stack_high
):
    """Return an upper bound of the total propensity over a box and a lower one of each that moves.

    `rates` are those at the start of the box.
    """
    total = 0.0
    lowest = 0.0
    for j in range(rates.shape[0]):
        if hybrid.rate_moves[j]:
            bottom, top = run_interval(tables, j, low, high, inputs, stack_low, stack_high)
            total += max(top, 0.0)
            lowest = min(lowest, bottom)
        else:
            total += rates[j]
    return total * (1.0 + 1e-12), lowest


def window_bound(
    tables: Tables, hybrid: HybridTables, rates, state, path, longest, window, inputs, boxes
):
    """Return (bound of the total propensity, lower bound of each, window, window to try next).

    The window, for which the bounds hold, is halved until fewer than one candidate in it is
    expected or the bound is within a factor of two of the propensity at its start. The shortest
    window ends at the next floating-point number: there the propensity is that of its start.
    """
    low, high, _, stack_low, stack_high = boxes
    total = 0.0
    for j in range(rates.shape[0]):
        total += rates[j]
    now = state[state.shape[0] - 1]
    window = min(window, longest)
    shortest = np.nextafter(now, math.inf) - now
    is_first = True
    while window > shortest:
        box_of(hybrid.flow_slot, path, now, now + window, state, low, high)
        bound, lowest = propensity_bound(
            tables, hybrid, rates, low, high, inputs, stack_low, stack_high
        )
        if bound <= 2.0 * total or bound * window <= 1.0:
            return bound, lowest, window, window * 2.0 if is_first else window
        is_first = False
        window *= 0.5
    return total, 0.0, shortest, 2.0 * shortest


def next_negative(
    tables: Tables, hybrid: HybridTables, reaction, path, until, origin, inputs, stack, boxes
):
    """Return when a propensity is first seen to be negative after `origin`; else infinity.

    A propensity that may be negative over stretches too short to tell apart within 1,000 looks, as
    one that touches 0 may, is left to the checks wherever it is used.
    """
    low, high, trial, stack_low, stack_high = boxes
    first = origin[origin.shape[0] - 1]
    width = until - first
    doubtful = until
    for _ in range(1_000):
        if not first < until:
            return math.inf
        last = min(first + width, until)
        is_shortest = last <= np.nextafter(first, math.inf)
        if is_shortest:
            last = np.nextafter(first, math.inf)
        box_of(hybrid.flow_slot, path, first, last, origin, low, high)
        bottom, _ = run_interval(tables, reaction, low, high, inputs, stack_low, stack_high)
        if bottom >= 0.0:
            first = last
            width = 0.5 * (doubtful - first) if doubtful > first else 2.0 * width
        elif is_shortest:
            move(hybrid.flow_slot, path, last, origin, trial)
            if run_program(tables, reaction, trial, inputs, stack) < 0.0:
                return last
            first = last
            width = 2.0 * (np.nextafter(first, math.inf) - first)
            doubtful = first
        else:
            width = 0.5 * (last - first)
            doubtful = last
    return math.inf


def first_negative(tables: Tables, hybrid: HybridTables, path, until, state, inputs, stack, boxes):
    """Return (time, reaction) of the first propensity to turn negative; (infinity, -1) if none."""
    earliest = math.inf
    reaction = -1
    for j in range(hybrid.rate_moves.shape[0]):
        if hybrid.rate_moves[j]:
            change = next_negative(tables, hybrid, j, path, until, state, inputs, stack, boxes)
            if change < earliest:
                earliest = change
                reaction = j
    return earliest, reaction
