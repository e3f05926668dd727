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

The functions stay within numba's subset of Python. Tables are long lists of arrays and costly to
pass on, so nothing is called that has nothing to do.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.table_driven import program_values, update_propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.codes import (
    ABSORBED,
    CANCELLED,
    COMPLETED,
    FIRING_COUNTS,
    FIRING_LIMIT,
    INTERPOLATED,
    MOST_IDLE_ROUNDS,
    NO_FAULT,
    NOTHING_HAPPENS,
    ROUNDS_PER_LOOK,
    VALUES,
)
from sbmlgrad.engines.hybrid.ahead import look_ahead, next_moment
from sbmlgrad.engines.hybrid.bounds import check_rates
from sbmlgrad.engines.hybrid.events import settle
from sbmlgrad.engines.hybrid.firings import fire_candidate
from sbmlgrad.engines.hybrid.memory import (
    NEXT_DRAW,
    PURPOSE,
    SEED,
    STEP,
    TRAJECTORY,
    WINDOW,
    Job,
    Memory,
    Motion,
)
from sbmlgrad.engines.hybrid.motion import move
from sbmlgrad.engines.random import EVENTS, FIRINGS, uniform_pair
from sbmlgrad.engines.readout_kernel import keep

#: A clock beyond it no longer tells one firing from the next, for any rate that fires at all.
END_OF_TIME = 1e300


def sample_hybrid_block(
    tables: Tables, hybrid: HybridTables, job: Job, memory: Memory, low_row, high_row, result, found
):
    """Sample trajectories `low_row` to `high_row` of a batch.

    `result` holds the arrays of `engines.base.Sample`, which are written in place; `found` float64
    [trajectory] receives the value of an event's part at fault.
    """
    values, outcomes, firings, failed, end_times, end_states = result
    state = memory.motion.state
    for row in range(low_row, high_row):
        begin(hybrid, job, memory, row)
        outcome, fault, fired = follow(tables, hybrid, job, memory, values[row])
        outcomes[row] = outcome
        firings[row] = fired
        failed[row] = fault if outcome > ABSORBED else NO_FAULT
        found[row] = memory.agenda.found[0]
        end_times[row] = state[state.shape[0] - 1]
        for s in range(end_states.shape[1]):
            end_states[row, s] = state[s]


def begin(hybrid: HybridTables, job: Job, memory: Memory, row):
    """Put everything to the start of a trajectory."""
    state, agenda = memory.motion.state, memory.agenda
    states = job.start.shape[1]
    source = row if job.start.shape[0] > 1 else 0
    for s in range(state.shape[0]):
        state[s] = job.start[source, s] if s < states else 0.0
    for e in range(agenda.truth.shape[0]):
        agenda.truth[e] = hybrid.triggers.initial_truth[e]
        memory.quiet_until[e] = 0.0
    memory.pace[STEP] = 1.0
    memory.pace[WINDOW] = 1.0
    agenda.queue.length[0] = 0
    agenda.stream[SEED] = np.uint64(job.seed)
    agenda.stream[TRAJECTORY] = np.uint64(job.first + row)
    agenda.stream[PURPOSE] = np.uint64(EVENTS)
    agenda.stream[NEXT_DRAW] = np.uint64(0)
    agenda.found[0] = math.nan


def follow(tables: Tables, hybrid: HybridTables, job: Job, memory: Memory, values):
    """Follow one trajectory from its start, keeping what the readout wants in `values`.

    Returns (outcome, fault, number of firings); `memory.motion.state` is where it ends or fails.
    """
    kind, points = job.kind, job.points
    code, triggers, executions = hybrid.code, hybrid.triggers, hybrid.executions
    motion, agenda, after, rates = memory.motion, memory.agenda, memory.after, memory.rates
    state, inputs, stack = motion.state, motion.inputs, motion.stack
    clock = state.shape[0] - 1
    shown, shown_after = state[: job.start.shape[1]], after[: job.start.shape[1]]
    last_point = points[points.shape[0] - 1]
    flows = motion.slot.shape[0] > 0
    # Constants would make versions of the functions they are passed to of their own.
    point = np.int64(0)
    draws = np.int64(0)
    fired = np.int64(0)
    rounds = np.int64(0)
    looks = np.int64(0)
    # Which reaction fired last and left the other propensities as they were.
    fresh = np.int64(NO_FAULT)
    held_since = 0.0
    failed_at = 0.0
    outcome, fault, executed = settle(
        code, triggers, executions, agenda, job.rounding, state, inputs, stack
    )
    while outcome == COMPLETED:
        now = state[clock]
        failed_at = now
        if kind == FIRING_COUNTS:
            point = keep(kind, points, values, point, shown, shown, now, now, fired)
            if point == values.shape[0]:
                break
        if fresh >= 0:
            update_propensities(tables, fresh, state, inputs, stack, rates)
        else:
            program_values(code, state, inputs, stack, rates)
        outcome, fault = check_rates(rates)
        if outcome == COMPLETED:
            rounds += 1
            looks += 1
            outcome = patience(looks, rounds, job.cancel)
        if outcome != COMPLETED:
            break
        outcome, bound, lowest, longest = look_ahead(
            code,
            hybrid.flows,
            motion,
            hybrid.any_rate_moves,
            hybrid.rate_moves,
            hybrid.may_turn_negative,
            rates,
            memory.pace,
            memory.stages,
        )
        if outcome != COMPLETED:
            break
        candidate = math.inf
        level = 0.0
        if bound > 0.0:
            u, v = uniform_pair(
                agenda.stream[SEED], np.uint64(draws), agenda.stream[TRAJECTORY], np.uint64(FIRINGS)
            )
            draws += 1
            candidate = now - math.log(u) / bound
            level = v * bound
        outcome, fault, failed_at, stop, is_event = next_moment(
            code,
            triggers,
            motion,
            agenda.truth,
            memory.quiet_until,
            agenda.queue,
            memory.pace,
            hybrid.may_turn_negative,
            min(candidate, now + longest),
            lowest,
            job.search_end,
        )
        if outcome != COMPLETED:
            break
        if kind == VALUES and flows:
            point = keep_moving(motion, points, values, point, stop)
            if stop > last_point:
                break
        elif stop == math.inf or now > END_OF_TIME:
            # Nothing more happens, unless a trigger beyond the end, for which nobody looked.
            outcome = COMPLETED if triggers.any_moves and stops(kind) else ABSORBED
            keep(kind, points, values, point, shown, shown, now, math.inf, fired)
            break
        elif stops(kind) and stop > last_point:
            keep(kind, points, values, point, shown, shown, now, stop, fired)
            break
        for s in range(after.shape[0]):
            after[s] = state[s]
        if flows:
            move(motion, stop, after)
        else:
            after[clock] = stop
        failed_at = stop
        changed = NO_FAULT
        executed = 0
        if not is_event and stop == candidate:
            outcome, fault, changed, is_event = fire_candidate(
                hybrid.changes,
                code,
                triggers,
                motion,
                agenda.truth,
                hybrid.any_rate_moves,
                rates,
                after,
                level,
                bound,
            )
            if changed >= 0 and fired >= job.limit:
                outcome = FIRING_LIMIT
            if outcome != COMPLETED:
                break
        if is_event:
            outcome, fault, executed = settle(
                code, triggers, executions, agenda, job.rounding, after, inputs, stack
            )
            for e in range(memory.quiet_until.shape[0]):
                memory.quiet_until[e] = stop
            if outcome != COMPLETED:
                # What the event met, which other events of this moment may have changed.
                for s in range(after.shape[0]):
                    state[s] = after[s]
                break
        # A line between firings does not end where a candidate is dropped or a window ends.
        is_corner = kind != INTERPOLATED or changed >= 0 or executed > 0
        if is_corner and not (kind == VALUES and flows):
            since = held_since if kind == INTERPOLATED else now
            point = keep(kind, points, values, point, shown, shown_after, since, stop, fired)
            held_since = stop
            if kind != FIRING_COUNTS and point == values.shape[0]:
                break
        fresh = NO_FAULT
        if changed >= 0:
            fired += 1
            rounds = 0
            if executed == 0 and not hybrid.any_rate_moves:
                fresh = changed
        for s in range(after.shape[0]):
            state[s] = after[s]
    if outcome > ABSORBED:
        if failed_at > state[clock]:
            move(motion, failed_at, state)
        keep(kind, points, values, point, shown, shown, state[clock], math.inf, fired)
    return outcome, fault, fired


def stops(kind):
    """Tell whether a readout wants nothing of what happens after its last point."""
    return kind != INTERPOLATED and kind != FIRING_COUNTS


def patience(looks, rounds, cancel):
    """Return the outcome of a trajectory after `looks` rounds, so many without a firing."""
    if looks % ROUNDS_PER_LOOK == 0 and cancel[0] != 0:
        return CANCELLED
    return NOTHING_HAPPENS if rounds > MOST_IDLE_ROUNDS else COMPLETED


def keep_moving(motion: Motion, points, values, point, next_time):
    """Keep the state at output times before `next_time`, where it moves along its path."""
    while point < values.shape[0] and points[point] < next_time:
        move(motion, points[point], motion.trial)
        for s in range(values.shape[1]):
            values[point, s] = motion.trial[s]
        point += 1
    return point
