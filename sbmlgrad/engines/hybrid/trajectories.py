"""The direct method with a clock: events, explicit time and rate rules, as kernel functions.

Between firings and events the counts stand still, while symbols with rate rules and formulas that
hold the clock move. Three things must then not be missed, however short:

- the next firing: candidates come from a Poisson process whose rate is an upper bound of the total
  propensity over a window, found by interval arithmetic, and one is kept with probability
  propensity / bound (thinning: Lewis & Shedler 1979, algorithm 1; Thanh & Priami 2015);
- the moment at which a trigger changes: interval arithmetic excludes what cannot hold one, and
  bisection ends at neighbouring floating-point numbers;
- the motion of rate rules: an embedded Runge-Kutta pair of orders 5 and 4 (Dormand & Prince 1980)
  with dense output of order 4; motion at constant speed is exact.

A candidate that an event or the end of a window comes before is dropped and drawn anew, which the
memoryless waiting time allows. What is drawn depends on the trajectory alone, not on output times.

State arrays hold: the state, places for random draws of events, and last the clock.
The functions stay within numba's subset of Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.table_driven import propensities, update_propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.hybrid.bounds import (
    check_rates,
    first_negative,
    next_negative,
    propensity_bound,
    window_bound,
)
from sbmlgrad.engines.hybrid.events import (
    as_count,
    assign,
    cancel_pending,
    choose_due,
    draw_and_evaluate,
    earliest,
    remove_pending,
    settle,
)
from sbmlgrad.engines.hybrid.motion import box_of, flow_rates, flow_step, move
from sbmlgrad.engines.hybrid.triggers import (
    earliest_change,
    has_changed,
    next_change,
    truth_at,
    truth_of,
)
from sbmlgrad.engines.kernels import fire, keep
from sbmlgrad.engines.random import uniform_pair


def sample_hybrid_block(
    tables: Tables,
    hybrid: HybridTables,
    kind,
    points,
    start,
    inputs,
    seed,
    first,
    low_row,
    high_row,
    limit,
    rounding,
    cancel,
    result,
):
    """Sample trajectories of a network with a clock; arguments as in `kernels.sample_block`.

    `rounding` says what becomes of counts that events assign and that are not whole: 0 an error,
    1 rounded, 2 rounded up or down at random with the right mean.
    """
    values, outcomes, firings, failed, end_times, end_states = result
    states = start.shape[1]
    slots = hybrid.slots
    clock = slots - 1
    rates = np.empty(tables.change_start.shape[0] - 1)
    stack = np.empty(tables.stack_size)
    state = np.zeros(slots)
    after = np.zeros(slots)
    boxes = (
        np.zeros(slots),
        np.zeros(slots),
        np.zeros(slots),
        np.empty(tables.stack_size),
        np.empty(tables.stack_size),
    )
    path = np.zeros((hybrid.flow_slot.shape[0], 4))
    work = np.zeros((8, slots))
    truth = np.zeros(hybrid.trigger_program.shape[0], dtype=np.int8)
    # Until when it is known that a trigger on the clock alone does not change.
    quiet_until = np.zeros(truth.shape[0])
    pending = 1024 if truth.shape[0] > 0 else 0
    queue = (
        np.zeros(pending),
        np.zeros(pending, dtype=np.int64),
        np.zeros((pending + 1, hybrid.most_assignments)),
        np.zeros(1, dtype=np.int64),
        np.zeros(4, dtype=np.uint64),
    )
    stream = queue[4]
    flows = hybrid.flow_slot.shape[0] > 0
    last_point = points[points.shape[0] - 1]
    # Values and averages do not depend on what happens after the last point.
    search_end = last_point if kind < 2 else math.inf
    for row in range(low_row, high_row):
        source = row if start.shape[0] > 1 else 0
        for s in range(slots):
            state[s] = start[source, s] if s < states else 0.0
        for e in range(truth.shape[0]):
            truth[e] = hybrid.initial_truth[e]
            quiet_until[e] = 0.0
        queue[3][0] = 0
        stream[0] = np.uint64(seed)
        stream[1] = np.uint64(first + row)
        stream[2] = np.uint64(3)
        stream[3] = np.uint64(0)
        point = 0
        draws = 0
        fired = 0
        step = 1.0
        window = 1.0
        rounds = 0
        # Which reaction fired last and left the other propensities as they were; -1: none did.
        fresh = -1
        outcome, event, executed = settle(
            tables, hybrid, state, inputs, stack, truth, queue, rounding
        )
        fault = -2 - event if outcome != 0 else -1
        failed_at = 0.0
        held_since = 0.0
        kept = state[:states]
        while outcome == 0:
            now = state[clock]
            failed_at = now
            if kind == 3:
                point = keep(
                    kind, points, values[row], point, kept, state[:states], now, now, fired
                )
                if point == values.shape[1]:
                    break
            if fresh >= 0:
                update_propensities(tables, fresh, state, inputs, stack, rates)
            else:
                propensities(tables, state, inputs, stack, rates)
            outcome, fault = check_rates(rates)
            if outcome != 0:
                break
            # What moves is set anew wherever these are used.
            for s in range(slots):
                boxes[0][s] = state[s]
                boxes[1][s] = state[s]
                boxes[2][s] = state[s]
            rounds += 1
            if rounds % 256 == 0 and cancel[0] != 0:
                outcome = 6
                break
            if rounds > 2_000_000:
                outcome = 13
                break
            # Big tables are costly to pass on, so nothing is called that has nothing to do.
            longest = math.inf
            if flows:
                longest, step = flow_step(tables, hybrid, state, inputs, stack, step, work, path)
                if longest == 0.0:
                    outcome = 9
                    break
            if hybrid.any_rate_moves:
                bound, lowest, longest, window = window_bound(
                    tables, hybrid, rates, state, path, longest, window, inputs, boxes
                )
            else:
                bound = 0.0
                lowest = 0.0
                for j in range(rates.shape[0]):
                    bound += rates[j]
            if not bound < math.inf:
                outcome = 5
                break
            candidate = math.inf
            v = 0.0
            if bound > 0.0:
                u, v = uniform_pair(
                    np.uint64(seed), np.uint64(draws), np.uint64(first + row), np.uint64(0)
                )
                draws += 1
                candidate = now - math.log(u) / bound
            stop = min(candidate, now + longest)
            if stop == math.inf and search_end == math.inf and hybrid.any_trigger_moves:
                stop = now + window
                window *= 2.0
            due = earliest(queue)
            is_event = due <= stop
            stop = min(stop, due)
            if hybrid.any_trigger_moves:
                change, event = earliest_change(
                    tables,
                    hybrid,
                    truth,
                    quiet_until,
                    path,
                    stop,
                    search_end,
                    state,
                    inputs,
                    stack,
                    boxes,
                )
                if math.isnan(change):
                    outcome = 10
                    fault = -2 - event
                    break
                if event >= 0:
                    stop = change
                    is_event = True
            if lowest < 0.0:
                until = min(stop, search_end)
                change, reaction = first_negative(
                    tables, hybrid, path, until, state, inputs, stack, boxes
                )
                # What happens at the same time comes first and may put it right.
                if change < stop:
                    outcome = 3
                    fault = reaction
                    failed_at = change
                    break
            if (stop == math.inf or now > 1e300) and not (kind == 0 and flows):
                outcome = 0 if hybrid.any_trigger_moves and kind < 2 else 1
                point = keep(
                    kind, points, values[row], point, kept, state[:states], now, math.inf, fired
                )
                break
            if kind == 0 and flows:
                point = keep_moving(
                    tables, hybrid, points, values[row], point, state, path, stop, boxes[2]
                )
                if stop > last_point:
                    break
            elif kind < 2 and stop > last_point:
                point = keep(
                    kind, points, values[row], point, kept, state[:states], now, stop, fired
                )
                break
            for s in range(slots):
                after[s] = state[s]
            if flows:
                move(hybrid.flow_slot, path, stop, state, after)
            else:
                after[clock] = stop
            failed_at = stop
            changed = -1
            executed = 0
            if not is_event and stop == candidate:
                outcome, changed, fault = fire_candidate(
                    tables, hybrid, after, inputs, stack, rates, v * bound, bound, now
                )
                if outcome == 0 and changed >= 0:
                    if fired >= limit:
                        outcome = 2
                    else:
                        is_event = has_changed(tables, hybrid, truth, after, inputs, stack)
            if outcome == 0 and is_event:
                outcome, event, executed = settle(
                    tables, hybrid, after, inputs, stack, truth, queue, rounding
                )
                if outcome != 0:
                    fault = -2 - event
                for e in range(truth.shape[0]):
                    quiet_until[e] = after[clock]
            if outcome != 0:
                break
            # A line between firings does not end where a candidate is dropped or a window ends.
            if not (kind == 0 and flows) and (kind != 2 or changed >= 0 or executed > 0):
                since = held_since if kind == 2 else now
                point = keep(
                    kind,
                    points,
                    values[row],
                    point,
                    kept,
                    after[:states],
                    since,
                    stop,
                    fired,
                )
                held_since = stop
                if kind < 3 and point == values.shape[1]:
                    break
            fresh = -1
            if changed >= 0:
                fired += 1
                rounds = 0
                if executed == 0 and not hybrid.any_rate_moves:
                    fresh = changed
            for s in range(slots):
                state[s] = after[s]
        if outcome > 1:
            if failed_at > state[clock]:
                move(hybrid.flow_slot, path, failed_at, state, state)
            keep(
                kind,
                points,
                values[row],
                point,
                kept,
                state[:states],
                state[clock],
                math.inf,
                fired,
            )
        outcomes[row] = outcome
        firings[row] = fired
        failed[row] = fault if outcome > 1 else -1
        end_times[row] = state[clock]
        for s in range(states):
            end_states[row, s] = state[s]


def keep_moving(
    tables: Tables, hybrid: HybridTables, points, values, point, state, path, next_time, trial
):
    """Keep the state at output times before `next_time`, where it moves along `path`."""
    while point < values.shape[0] and points[point] < next_time:
        move(hybrid.flow_slot, path, points[point], state, trial)
        for s in range(values.shape[1]):
            values[point, s] = trial[s]
        point += 1
    return point


def fire_candidate(
    tables: Tables, hybrid: HybridTables, state, inputs, stack, rates, target, bound, since
):
    """Keep or drop a candidate firing; fire it if kept. `bound` holds since the time `since`.

    Returns (outcome code, reaction that fired or -1, reaction at fault or -1).
    """
    if hybrid.any_rate_moves:
        propensities(tables, state, inputs, stack, rates)
        outcome, fault = check_rates(rates)
        if outcome != 0:
            return outcome, -1, fault
        total = 0.0
        for j in range(rates.shape[0]):
            total += rates[j]
        # In the shortest window the propensity is that of its start, wherever it goes from there.
        is_shortest = state[state.shape[0] - 1] <= np.nextafter(since, math.inf)
        if total > bound * (1.0 + 1e-9) and not is_shortest:
            return 11, -1, -1
    reached = 0.0
    for j in range(rates.shape[0]):
        reached += rates[j]
        if reached > target:
            if not fire(tables, j, state, 1.0):
                return 4, -1, j
            return 0, j, -1
    return 0, -1, -1


#: Source functions of the kernel, besides those of `kernels`, `draws` and `interval_driven`.
HYBRID: tuple[Callable[..., object], ...] = (
    flow_rates,
    move,
    box_of,
    flow_step,
    check_rates,
    propensity_bound,
    window_bound,
    next_negative,
    first_negative,
    truth_of,
    truth_at,
    next_change,
    earliest_change,
    has_changed,
    draw_and_evaluate,
    as_count,
    assign,
    settle,
    choose_due,
    remove_pending,
    cancel_pending,
    earliest,
    sample_hybrid_block,
    keep_moving,
    fire_candidate,
)
