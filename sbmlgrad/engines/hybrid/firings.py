"""Candidate firings: whether one is kept, and which reaction fires.

The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import TriggerTables
from sbmlgrad.codegen.table_driven import program_values
from sbmlgrad.codegen.tables import Changes, Code
from sbmlgrad.engines.codes import BOUND_EXCEEDED, COMPLETED, NEGATIVE_COUNT, NO_FAULT
from sbmlgrad.engines.hybrid.bounds import check_rates
from sbmlgrad.engines.hybrid.memory import Motion
from sbmlgrad.engines.hybrid.triggers import has_changed
from sbmlgrad.engines.table.kernel import fire

#: Share by which a propensity may exceed its proven bound: the motion of rate rules that the proof
#: is about and the one that is followed agree to rounding only.
BOUND_SLACK = 1e-9


def fire_candidate(
    changes: Changes,
    code: Code,
    triggers: TriggerTables,
    motion: Motion,
    truth,
    any_rate_moves,
    rates,
    after,
    level,
    bound,
):
    """Keep or drop a candidate firing; fire it if it is kept.

    Args:
        changes: what firings change.
        code: programs.
        triggers: conditions of events.
        motion: where the state is since `bound` holds.
        truth: values of the triggers so far, [event].
        any_rate_moves: whether `rates` are no longer those at the candidate.
        rates: propensities, float64 [reaction].
        after: state at the candidate, changed by the firing, float64 [slot].
        level: the sum of propensities at which the firing is found, uniform below `bound`.
        bound: upper bound of the total propensity.

    Returns:
        (outcome, fault, reaction that fired or -1, whether a trigger changed by it).
    """
    if any_rate_moves:
        program_values(code, after, motion.inputs, motion.stack, rates)
        outcome, fault = check_rates(rates)
        if outcome != COMPLETED:
            return outcome, fault, -1, False
        total = 0.0
        for j in range(rates.shape[0]):
            total += rates[j]
        # In the shortest window the propensity is that of its start, wherever it goes from there.
        clock = after.shape[0] - 1
        is_shortest = after[clock] <= np.nextafter(motion.state[clock], math.inf)
        if total > bound * (1.0 + BOUND_SLACK) and not is_shortest:
            return BOUND_EXCEEDED, NO_FAULT, -1, False
    reached = 0.0
    for j in range(rates.shape[0]):
        reached += rates[j]
        if reached > level:
            if not fire(changes, j, after, 1.0):
                return NEGATIVE_COUNT, j, -1, False
            return COMPLETED, NO_FAULT, j, has_changed(code, triggers, motion, truth, after)
    return COMPLETED, NO_FAULT, -1, False
