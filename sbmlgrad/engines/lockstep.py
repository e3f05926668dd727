"""The lockstep method: the direct method for many trajectories at a time, in vector instructions.

Each lane of a buffer holds a trajectory. `advance`, the only function that is printed for a network
(`codegen.lockstep_source`), lets every lane fire a number of times; between such spells the lanes
are looked at. A lane that has stalled at an output point is written down, one that is finished
takes the next trajectory, and one that something is wrong with is handed to the table-driven kernel
(`kernels.follow_firings`), which has the same firings and says what it is. How long a spell is
adapts to how often lanes stall; no result depends on it, nor on the number of lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.lockstep_single import MOST_SINGLE
from sbmlgrad.codegen.lockstep_source import AVERAGES, CLOCK, LIMIT, NEXT, SINCE, WIDTH
from sbmlgrad.engines.codes import (
    COMPLETED,
    FIRING_COUNTS,
    FIRING_LIMIT,
    INTERPOLATED,
    NEVER,
    NO_FAULT,
    PAUSED,
    WINDOWS,
)
from sbmlgrad.engines.kernels import SAMPLING, Job, follow_firings

#: A look at a lane costs about as much as this share of a step of all lanes.
COST_OF_LOOK = 0.4

#: Longest spell between two looks at the lanes.
LONGEST_SPELL = 256.0


def look(state, job: Job, row_of, place, values, over, odd):
    """Look at every lane: write down the output points that stalled ones have reached.

    One call for all lanes, since passing arrays to a function costs more than looking at a lane.
    A place is an index into the points of the readout, whose number is that of a finished lane.

    Returns:
        (lanes that had stalled, lanes written down in `over` as finished, lanes in `odd` that the
        table-driven kernel has to see, most firings of a lane that goes on).
    """
    counts, clocks, draws, _numbers, lanes = state
    kind, points = job.kind, job.points
    # In single precision lanes fire in pairs.
    limit = job.limit - job.narrow
    last = points.shape[0]
    species = values.shape[2] - (kind == FIRING_COUNTS)
    stalled = finished = strange = most = 0
    for lane in range(lanes):
        row = row_of[lane]
        if row < 0:
            continue
        reached = clocks[NEXT * lanes + lane]
        until = clocks[LIMIT * lanes + lane]
        draw = np.int64(draws[lane])
        if kind == FIRING_COUNTS:
            goes_on = draw < until and reached < math.inf
        elif kind == INTERPOLATED:
            goes_on = reached < until
        else:
            goes_on = reached <= until
        if goes_on and draw < limit:
            most = max(most, draw)
            continue
        stalled += 1
        if kind == FIRING_COUNTS and draw >= until:
            # A number of firings is reached once they have happened, a time when it has passed.
            reached = draw + 0.5
        if kind == INTERPOLATED or draw >= limit or not reached < math.inf:
            odd[strange] = lane
            strange += 1
            continue
        now = place[lane]
        while now < last and points[now] < reached:
            if kind == WINDOWS:
                turn_window(state, points, lane, species, values, row, now)
            else:
                for s in range(species):
                    values[row, now, s] = counts[s * lanes + lane]
                if kind == FIRING_COUNTS:
                    values[row, now, species] = clocks[CLOCK * lanes + lane]
            now += 1
        job.done[0] += now - place[lane]
        place[lane] = now
        if now == last:
            over[finished] = lane
            finished += 1
        else:
            clocks[LIMIT * lanes + lane] = points[now]
            most = max(most, draw)
    return stalled, finished, strange, most


def turn_window(state, points, lane, species, values, row, now):
    """Write down the averages of the window that ends at a point, and open the one that begins."""
    counts, clocks, _draws, _numbers, lanes = state
    end = points[now]
    if now > 0:
        share = (end - clocks[SINCE * lanes + lane]) / clocks[WIDTH * lanes + lane]
        for s in range(species):
            average = clocks[(AVERAGES + s) * lanes + lane]
            values[row, now - 1, s] = average + share * counts[s * lanes + lane]
    if now + 1 < points.shape[0]:
        clocks[SINCE * lanes + lane] = end
        clocks[WIDTH * lanes + lane] = points[now + 1] - end
        for s in range(species):
            clocks[(AVERAGES + s) * lanes + lane] = 0.0


def hand_over(state, job: Job, work, lane, values, place):
    """Let the table-driven kernel take a lane on; returns (outcome, reaction at fault, place).

    Where a value is interpolated between the states around a firing, or single precision did not
    decide which reaction fires, that is for one firing (PAUSED), else to the end of the trajectory.
    More molecules than single precision counts stay with double precision.
    """
    counts, clocks, draws, numbers, lanes = state
    before, after = work[0], work[1]
    species = before.shape[0]
    is_short = job.kind == INTERPOLATED or job.narrow
    for s in range(species):
        before[s] = counts[s * lanes + lane]
        after[s] = before[s]
        if job.narrow and before[s] > MOST_SINGLE:
            is_short = False
    if job.kind == WINDOWS and place > 0:
        place -= 1
        for s in range(species):
            values[place, s] = clocks[(AVERAGES + s) * lanes + lane]
    time, draw = clocks[CLOCK * lanes + lane], np.int64(draws[lane])
    pause = draw + 1 if is_short else NEVER
    outcome, reaction, draw, time, place = follow_firings(
        job, work, values, place, time, draw, np.int64(numbers[lane]), pause
    )
    draws[lane] = np.uint64(draw)
    clocks[CLOCK * lanes + lane] = time
    for s in range(species):
        counts[s * lanes + lane] = before[s]
    if outcome == PAUSED:
        if job.kind == WINDOWS:
            place = resume_window(state, job.points, species, lane, values, place)
        clocks[LIMIT * lanes + lane] = job.points[place]
    return outcome, reaction, place


def resume_window(state, points, species, lane, values, window):
    """Let a lane go on with the window that the table-driven kernel left; returns its place."""
    _counts, clocks, _draws, _numbers, lanes = state
    time = clocks[CLOCK * lanes + lane]
    if time < points[window]:
        clocks[WIDTH * lanes + lane] = math.inf
        return window
    clocks[SINCE * lanes + lane] = time
    clocks[WIDTH * lanes + lane] = points[window + 1] - points[window]
    for s in range(species):
        clocks[(AVERAGES + s) * lanes + lane] = values[window, s]
    return window + 1


def close_and_refill(state, job: Job, start, first, coming, high, lanes_over, row_of, place, fate):
    """Write down how finished lanes ended, and put the next trajectories into them.

    `fate` is (arrays of the sample; outcome, reaction at fault and whether the table-driven kernel
    ended it, by lane). Returns the next trajectory that has not begun.
    """
    counts, clocks, draws, numbers, lanes = state
    (_values, outcomes, firings, failed, end_times, end_states), outcome, reaction, by_hand = fate
    species = start.shape[1]
    for i in range(lanes_over.shape[0]):
        lane = lanes_over[i]
        row = row_of[lane]
        if row >= 0:
            outcomes[row] = outcome[lane]
            firings[row] = np.int64(draws[lane])
            failed[row] = reaction[lane] if outcome[lane] > FIRING_LIMIT else NO_FAULT
            end_times[row] = clocks[CLOCK * lanes + lane]
            # Where the table-driven kernel ended it, it wrote the state down in double precision.
            for s in range(0 if by_hand[lane] else species):
                end_states[row, s] = counts[s * lanes + lane]
        outcome[lane] = COMPLETED
        by_hand[lane] = False
        place[lane] = 0
        draws[lane] = np.uint64(0)
        clocks[CLOCK * lanes + lane] = 0.0
        # Nothing is averaged before the first window opens.
        clocks[SINCE * lanes + lane] = 0.0
        clocks[WIDTH * lanes + lane] = math.inf
        row_of[lane] = coming if coming < high else -1
        source = coming if start.shape[0] > 1 and coming < high else 0
        for s in range(species):
            counts[s * lanes + lane] = start[source, s]
            clocks[(AVERAGES + s) * lanes + lane] = 0.0
        # An empty lane never goes on.
        clocks[LIMIT * lanes + lane] = job.points[0] if coming < high else -1.0
        if coming < high:
            numbers[lane] = np.uint64(first + coming)
            coming += 1
    return coming


def next_spell(spell, stalled, lanes):
    """Return how many steps to take between two looks, given how many lanes have stalled.

    A stalled lane waits for half a spell on average, and a look costs the same however long the
    spell was; the sum is least where stalls per spell times its length is twice the cost of a look.
    """
    best = math.sqrt(2.0 * COST_OF_LOOK * spell * lanes / max(stalled, 0.25))
    return min(max(0.5 * (spell + best), 1.0), LONGEST_SPELL)


def sample_lockstep_block(advance, job: Job, start, first, low, high, lanes, rooms, result):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `advance` is the function printed for the network, `rooms` the arrays (counts, clocks, noise)
    that it works in.
    """
    counts, clocks, noise = rooms
    species = start.shape[1]
    draws = np.zeros(lanes, dtype=np.uint64)
    numbers = np.zeros(lanes, dtype=np.uint64)
    state = (counts, clocks, draws, numbers, lanes)
    row_of = np.full(lanes, -1)
    place = np.zeros(lanes, dtype=np.int64)
    over = np.arange(lanes)
    odd = np.empty(lanes, dtype=np.int64)
    outcome = np.zeros(lanes, dtype=np.int8)
    reaction = np.zeros(lanes, dtype=np.int64)
    by_hand = np.zeros(lanes, dtype=np.bool_)
    fate = (result, outcome, reaction, by_hand)
    rates = np.empty(job.tables.change_start.shape[0] - 1)
    before, after, stack = np.empty(species), np.empty(species), np.empty(job.tables.stack_size)
    work = (before, after, rates, stack, np.empty(0), np.empty(0, dtype=np.uint8))
    coming = close_and_refill(state, job, start, first, low, high, over, row_of, place, fate)
    left = high - low
    spell = 8.0
    most = 0
    while left > 0 and job.cancel[0] == 0:
        steps = max(min(int(spell), job.limit - job.narrow - most), 1)
        advance(counts, clocks, noise, draws, numbers, job.inputs, job.seed, steps)
        stalled, finished, strange, most = look(state, job, row_of, place, result[0], over, odd)
        for i in range(strange):
            lane = odd[i]
            row = row_of[lane]
            ended, reaction[lane], place[lane] = hand_over(
                state, job, work, lane, result[0][row], place[lane]
            )
            # A lane that may fire no more does not go back to where it would.
            while ended == PAUSED and np.int64(draws[lane]) >= job.limit - job.narrow:
                ended, reaction[lane], place[lane] = hand_over(
                    state, job, work, lane, result[0][row], place[lane]
                )
            if ended == PAUSED:
                most = max(most, np.int64(draws[lane]))
            else:
                outcome[lane] = ended
                by_hand[lane] = True
                for s in range(species):
                    result[5][row, s] = work[0][s]
                over[finished] = lane
                finished += 1
        if finished > 0:
            left -= finished
            coming = close_and_refill(
                state, job, start, first, coming, high, over[:finished], row_of, place, fate
            )
        spell = next_spell(spell, stalled, lanes)


#: Source functions of the kernel, besides those of the table-driven one.
LOCKSTEP: tuple[Callable[..., object], ...] = (
    *SAMPLING,
    turn_window,
    look,
    resume_window,
    hand_over,
    close_and_refill,
    next_spell,
    sample_lockstep_block,
)
