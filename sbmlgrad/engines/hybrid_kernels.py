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
from sbmlgrad.codegen.interval_driven import run_interval
from sbmlgrad.codegen.table_driven import propensities, run_program, update_propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.draws import draw
from sbmlgrad.engines.kernels import fire, keep
from sbmlgrad.engines.random import uniform_pair

# --- motion -------------------------------------------------------------------------------------


def flow_rates(tables: Tables, hybrid: HybridTables, state, inputs, stack, rates):
    """Fill `rates` [flow] with the rate of change of every slot that a rate rule moves."""
    for f in range(hybrid.flow_slot.shape[0]):
        rates[f] = run_program(tables, hybrid.flow_program[f], state, inputs, stack)


def move(flow_slot, path, time, origin, state):
    """Set `state` to where it is at a time, on the polynomial `path` that starts at `origin`."""
    clock = state.shape[0] - 1
    elapsed = time - origin[clock]
    state[clock] = time
    for f in range(flow_slot.shape[0]):
        slot = flow_slot[f]
        value = path[f, 3]
        for i in range(2, -1, -1):
            value = path[f, i] + elapsed * value
        state[slot] = origin[slot] + elapsed * value


def box_of(flow_slot, path, first, last, origin, low, high):
    """Set the box [low, high] to everywhere the state is from time `first` to time `last`."""
    clock = origin.shape[0] - 1
    low[clock] = first
    high[clock] = last
    least = first - origin[clock]
    most = last - origin[clock]
    for f in range(flow_slot.shape[0]):
        slot = flow_slot[f]
        bottom = path[f, 3]
        top = path[f, 3]
        for i in range(3, -1, -1):
            # Elapsed time is >= 0, so the sign of the other factor alone decides the corner.
            bottom = bottom * (least if bottom >= 0.0 else most)
            top = top * (most if top >= 0.0 else least)
            if i > 0:
                bottom += path[f, i - 1]
                top += path[f, i - 1]
        low[slot] = origin[slot] + bottom
        high[slot] = origin[slot] + top


def flow_step(tables: Tables, hybrid: HybridTables, state, inputs, stack, step, work, path):
    """Find the motion from `state` on: fill the polynomial `path` [flow, power].

    Returns (how far it holds, the step to try next); a step of 0 means that none is small enough.
    `work` is float64 [8, flow or slot].
    """
    flows = hybrid.flow_slot.shape[0]
    for f in range(flows):
        for i in range(4):
            path[f, i] = 0.0
    if flows == 0:
        return math.inf, step
    flow_rates(tables, hybrid, state, inputs, stack, work[0])
    if hybrid.flows_are_steady:
        for f in range(flows):
            if not math.isfinite(work[0, f]):
                return 0.0, 0.0
            path[f, 0] = work[0, f]
        return math.inf, step
    clock = state.shape[0] - 1
    trial = work[7]
    for s in range(state.shape[0]):
        trial[s] = state[s]
    while True:
        if not step > 1e-14 * max(abs(state[clock]), 1e-300):
            return 0.0, 0.0
        for stage in range(1, 7):
            for f in range(flows):
                slot = hybrid.flow_slot[f]
                sum_ = 0.0
                for i in range(stage):
                    sum_ += hybrid.stages[stage, i] * work[i, f]
                trial[slot] = state[slot] + step * sum_
            trial[clock] = state[clock] + hybrid.nodes[stage] * step
            flow_rates(tables, hybrid, trial, inputs, stack, work[stage])
        error = 0.0
        for f in range(flows):
            slot = hybrid.flow_slot[f]
            difference = 0.0
            for i in range(7):
                difference += hybrid.error_weights[i] * work[i, f]
            scale = hybrid.tolerance * max(abs(state[slot]), abs(trial[slot]))
            scale = max(scale, hybrid.smallest_scale)
            ratio = abs(step * difference) / scale
            if not ratio <= error:
                error = ratio
        if error <= 1.0:
            break
        step *= max(0.1, 0.9 * error**-0.2) if error < math.inf else 0.1
    for f in range(flows):
        for i in range(4):
            coefficient = 0.0
            for stage in range(7):
                coefficient += hybrid.dense[stage, i] * work[stage, f]
            path[f, i] = coefficient / step**i
    growth = 5.0 if error < 1e-4 else min(5.0, 0.9 * error**-0.2)
    return step, step * growth


# --- what can happen next -----------------------------------------------------------------------


def propensity_bound(
    tables: Tables, hybrid: HybridTables, rates, low, high, inputs, stack_low, stack_high
):
    """Return an upper bound of the total propensity over a box, and a lower one of every moving one.

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


def truth_of(tables: Tables, program, state, inputs, stack):
    """Return 1 if a condition holds, 0 if it does not, -1 if it has no truth value."""
    value = run_program(tables, program, state, inputs, stack)
    if math.isnan(value):
        return -1
    return 1 if value != 0.0 else 0


def next_change(
    tables: Tables, hybrid: HybridTables, event, truth, path, until, origin, inputs, stack, boxes
):
    """Return when a trigger first differs from `truth` after `origin`; infinity if not by `until`.

    The time is exact to neighbouring floating-point numbers; NaN means that it cannot be found.
    `boxes` is (low, high, trial state, two stacks).
    """
    low, high, trial, stack_low, stack_high = boxes
    program = hybrid.trigger_program[event]
    flow_slot = hybrid.flow_slot
    first = origin[origin.shape[0] - 1]
    width = until - first
    # The end of the shortest stretch from here that may hold a change.
    doubtful = until
    tries = 0
    while first < until:
        tries += 1
        if tries > 200_000:
            return math.nan
        last = min(first + width, until)
        is_shortest = last <= np.nextafter(first, math.inf)
        if is_shortest:
            last = np.nextafter(first, math.inf)
        box_of(flow_slot, path, first, last, origin, low, high)
        bottom, top = run_interval(tables, program, low, high, inputs, stack_low, stack_high)
        if bottom == top and (bottom != 0.0) == (truth == 1):
            first = last
            width = 0.5 * (doubtful - first) if doubtful > first else 2.0 * width
        elif is_shortest:
            move(flow_slot, path, last, origin, trial)
            if truth_of(tables, program, trial, inputs, stack) != truth:
                return last
            first = last
            width = 2.0 * (np.nextafter(first, math.inf) - first)
            doubtful = first
        else:
            width = 0.5 * (last - first)
            doubtful = last
    return math.inf


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


# --- events -------------------------------------------------------------------------------------


def draw_and_evaluate(
    tables: Tables, hybrid: HybridTables, event, state, inputs, stack, stream, out
):
    """Make the random draws of an event and fill `out` with its new values, none assigned yet."""
    for d in range(hybrid.draw_start[event], hybrid.draw_start[event + 1]):
        a = b = c = e = 0.0
        first = hybrid.argument_start[d]
        count = hybrid.argument_start[d + 1] - first
        if count > 0:
            a = run_program(tables, hybrid.argument_program[first], state, inputs, stack)
        if count > 1:
            b = run_program(tables, hybrid.argument_program[first + 1], state, inputs, stack)
        if count > 2:
            c = run_program(tables, hybrid.argument_program[first + 2], state, inputs, stack)
        if count > 3:
            e = run_program(tables, hybrid.argument_program[first + 3], state, inputs, stack)
        state[hybrid.draw_slot[d]] = draw(hybrid.draw_code[d], count, a, b, c, e, stream)
    first = hybrid.assignment_start[event]
    for i in range(first, hybrid.assignment_start[event + 1]):
        out[i - first] = run_program(tables, hybrid.assignment_program[i], state, inputs, stack)


def as_count(value, rounding, stream):
    """Return the whole number that an assigned count stands for, NaN if there is none."""
    nearest = np.rint(value)
    if abs(value - nearest) <= 1e-12 * max(1.0, abs(value)):
        return nearest
    if rounding == 1:
        return nearest
    if rounding == 2:
        _, v = uniform_pair(stream[0], stream[3], stream[1], stream[2])
        stream[3] += np.uint64(1)
        below = math.floor(value)
        return below + 1.0 if v < value - below else below
    return math.nan


def assign(hybrid: HybridTables, event, new, rounding, state, stream):
    """Give the slots of an event their new values; return an outcome code, 0 if all is well."""
    first = hybrid.assignment_start[event]
    for i in range(first, hybrid.assignment_start[event + 1]):
        slot = hybrid.assignment_slot[i]
        value = new[i - first]
        if not math.isfinite(value):
            return 5
        if hybrid.is_count[slot]:
            value = as_count(value, rounding, stream)
            if math.isnan(value):
                return 7
            if value < 0.0:
                return 4
        state[slot] = value
    return 0


def settle(tables: Tables, hybrid: HybridTables, state, inputs, stack, truth, queue, rounding):
    """Trigger and execute events until nothing more happens at this time.

    SBML L3V2 section 4.11.2: all triggers are looked at after every execution; of the executions
    due now the one of highest priority comes first, equal priorities in random order, and those
    without a priority last, in the order in which they were triggered.

    `truth` int8 [event] holds the triggers' values so far; `queue` is (pending times, their events,
    their new values [pending, assignment], their number [1], the trajectory's random stream).
    Returns (outcome code, the event at fault or -1, how many executions there were).
    """
    times, events, values, length, stream = queue
    now = state[state.shape[0] - 1]
    executed = 0
    while True:
        for e in range(truth.shape[0]):
            is_true = truth_of(tables, hybrid.trigger_program[e], state, inputs, stack)
            if is_true < 0:
                return 5, e, executed
            if is_true == 1 and truth[e] == 0:
                wait = 0.0
                if hybrid.delay_program[e] >= 0:
                    wait = run_program(tables, hybrid.delay_program[e], state, inputs, stack)
                if not wait >= 0.0:
                    return 5, e, executed
                place = length[0]
                if place == times.shape[0]:
                    return 8, e, executed
                times[place] = now + wait
                events[place] = e
                if hybrid.uses_trigger_values[e]:
                    draw_and_evaluate(
                        tables, hybrid, e, state, inputs, stack, stream, values[place]
                    )
                length[0] = place + 1
            elif is_true == 0 and truth[e] == 1 and not hybrid.is_persistent[e]:
                cancel_pending(e, queue)
            truth[e] = is_true
        chosen = choose_due(tables, hybrid, state, inputs, stack, queue)
        if chosen < 0:
            return 0, -1, executed
        e = events[chosen]
        new = values[times.shape[0]]
        for i in range(new.shape[0]):
            new[i] = values[chosen, i]
        remove_pending(chosen, queue)
        if not hybrid.uses_trigger_values[e]:
            draw_and_evaluate(tables, hybrid, e, state, inputs, stack, stream, new)
        outcome = assign(hybrid, e, new, rounding, state, stream)
        if outcome != 0:
            return outcome, e, executed
        executed += 1
        if executed > 100_000:
            return 8, e, executed


def choose_due(tables: Tables, hybrid: HybridTables, state, inputs, stack, queue):
    """Return the place in the queue of what is executed now, or -1 if nothing is due."""
    times, events, _, length, stream = queue
    now = state[state.shape[0] - 1]
    chosen = -1
    highest = -math.inf
    ties = 0
    for p in range(length[0]):
        if times[p] > now:
            continue
        program = hybrid.priority_program[events[p]]
        priority = -math.inf
        if program >= 0:
            priority = run_program(tables, program, state, inputs, stack)
        if chosen < 0 or priority > highest:
            chosen = p
            highest = priority
            ties = 1
        elif priority == highest and priority > -math.inf:
            ties += 1
            _, v = uniform_pair(stream[0], stream[3], stream[1], stream[2])
            stream[3] += np.uint64(1)
            if v * ties < 1.0:
                chosen = p
    return chosen


def remove_pending(place, queue):
    """Take one execution out of the queue, keeping the order of the others."""
    times, events, values, length, _ = queue
    for p in range(place, length[0] - 1):
        times[p] = times[p + 1]
        events[p] = events[p + 1]
        for i in range(values.shape[1]):
            values[p, i] = values[p + 1, i]
    length[0] -= 1


def cancel_pending(event, queue):
    """Take all executions of one event out of the queue."""
    place = 0
    while place < queue[3][0]:
        if queue[1][place] == event:
            remove_pending(place, queue)
        else:
            place += 1


def earliest(queue):
    """Return the time of the next pending execution; infinity if there is none."""
    result = math.inf
    for p in range(queue[3][0]):
        result = min(result, queue[0][p])
    return result


# --- trajectories -------------------------------------------------------------------------------


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


def check_rates(rates):
    """Return (outcome code, reaction at fault): 3 for a negative, 5 for a non-finite propensity."""
    for j in range(rates.shape[0]):
        if not rates[j] >= 0.0:
            return (3 if rates[j] < 0.0 else 5), j
        if rates[j] == math.inf:
            return 5, j
    return 0, -1


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
        while outcome == 0:
            now = state[clock]
            failed_at = now
            if kind == 3:
                point = keep(
                    kind,
                    points,
                    values[row],
                    point,
                    state[:states],
                    state[:states],
                    now,
                    now,
                    fired,
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
            if rounds > 64 * limit:
                outcome = 2
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
            for e in range(truth.shape[0]):
                if not hybrid.trigger_moves[e] or stop <= quiet_until[e]:
                    continue
                change = next_change(
                    tables,
                    hybrid,
                    e,
                    truth[e],
                    path,
                    min(stop, search_end),
                    state,
                    inputs,
                    stack,
                    boxes,
                )
                if math.isnan(change):
                    outcome = 10
                    fault = -2 - e
                    break
                if change <= stop:
                    stop = change
                    is_event = True
                elif hybrid.trigger_is_clock[e]:
                    # Looking further ahead than needed saves looking again at every firing.
                    ahead = min(stop + 15.0 * (stop - now), search_end)
                    change = next_change(
                        tables, hybrid, e, truth[e], path, ahead, state, inputs, stack, boxes
                    )
                    if math.isnan(change):
                        quiet_until[e] = stop
                    else:
                        quiet_until[e] = np.nextafter(change, 0.0) if change < math.inf else ahead
            if lowest < 0.0 and outcome == 0:
                until = min(stop, search_end)
                earliest_negative = math.inf
                for j in range(rates.shape[0]):
                    if hybrid.rate_moves[j]:
                        change = next_negative(
                            tables, hybrid, j, path, until, state, inputs, stack, boxes
                        )
                        # What happens at the same time comes first and may put it right.
                        if change < min(stop, earliest_negative):
                            outcome = 3
                            fault = j
                            earliest_negative = change
                            failed_at = change
            if outcome != 0:
                break
            if (stop == math.inf or now > 1e300) and not (kind == 0 and flows):
                outcome = 0 if hybrid.any_trigger_moves and kind < 2 else 1
                point = keep(
                    kind,
                    points,
                    values[row],
                    point,
                    state[:states],
                    state[:states],
                    now,
                    math.inf,
                    fired,
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
                    kind,
                    points,
                    values[row],
                    point,
                    state[:states],
                    state[:states],
                    now,
                    stop,
                    fired,
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
                    tables, hybrid, after, inputs, stack, rates, v * bound, bound
                )
                if outcome == 0 and changed >= 0:
                    if fired >= limit:
                        outcome = 2
                    else:
                        for e in range(truth.shape[0]):
                            if (
                                truth_of(tables, hybrid.trigger_program[e], after, inputs, stack)
                                != truth[e]
                            ):
                                is_event = True
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
            if not (kind == 0 and flows):
                point = keep(
                    kind,
                    points,
                    values[row],
                    point,
                    state[:states],
                    after[:states],
                    now,
                    stop,
                    fired,
                )
                if kind < 3 and point == values.shape[1]:
                    break
            fresh = -1
            if changed >= 0:
                fired += 1
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
                state[:states],
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


def fire_candidate(
    tables: Tables, hybrid: HybridTables, state, inputs, stack, rates, target, bound
):
    """Keep or drop a candidate firing; fire it if kept.

    Returns (outcome code, reaction that fired or -1, reaction at fault or -1).
    """
    if hybrid.any_rate_moves:
        propensities(tables, state, inputs, stack, rates)
        outcome, fault = check_rates(rates)
        if outcome != 0:
            return outcome, -1, fault
    reached = 0.0
    for j in range(rates.shape[0]):
        reached += rates[j]
        if reached > target:
            if not fire(tables, j, state, 1.0):
                return 4, -1, j
            return 0, j, -1
    if reached > bound * (1.0 + 1e-9):
        return 11, -1, -1
    return 0, -1, -1


#: Source functions of the kernel, besides those of `kernels`, `draws` and `interval_driven`.
HYBRID: tuple[Callable[..., object], ...] = (
    flow_rates,
    move,
    box_of,
    flow_step,
    propensity_bound,
    truth_of,
    next_change,
    next_negative,
    draw_and_evaluate,
    as_count,
    assign,
    settle,
    choose_due,
    remove_pending,
    cancel_pending,
    earliest,
    window_bound,
    keep_moving,
    check_rates,
    sample_hybrid_block,
    fire_candidate,
)
