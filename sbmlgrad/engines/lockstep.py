"""The lockstep method: the direct method for many trajectories at a time, in vector instructions.

Each lane of a buffer holds a trajectory. `advance`, the only function that is printed for a network
(`codegen.lockstep_source`), lets every lane fire a number of times; between such spells the lanes
are looked at. A lane that has stalled at an output point is written down, one that is finished
takes the next trajectory, and one that something is wrong with is handed to the table-driven kernel
(`kernels.follow`), which has the same firings and says what it is. How long a spell is adapts to
how often lanes stall; no result depends on it, nor on the number of lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.codegen.lockstep_source import AVERAGES, CLOCK, LIMIT, NEXT, SINCE, WIDTH
from sbmlgrad.engines.codes import (
    COMPLETED,
    FIRING_COUNTS,
    INTERPOLATED,
    NEVER,
    NO_FAULT,
    PAUSED,
    WINDOWS,
)
from sbmlgrad.engines.kernels import SAMPLING, close, follow

#: A look at a lane costs about as much as this share of a step of all lanes.
COST_OF_LOOK = 0.4

#: Longest spell between two looks at the lanes.
LONGEST_SPELL = 256.0


def enter_lane(state, request, start, lane, row, number):
    """Put a trajectory into a lane."""
    buffer, draws, numbers, lanes = state
    kind, points = request[1], request[2]
    species = start.shape[1]
    source = row if start.shape[0] > 1 else 0
    for s in range(species):
        buffer[s * lanes + lane] = start[source, s]
    own = species * lanes + lane
    buffer[own + CLOCK * lanes] = 0.0
    buffer[own + LIMIT * lanes] = points[0]
    draws[lane] = np.uint64(0)
    numbers[lane] = np.uint64(number)
    if kind == WINDOWS:
        # Nothing is averaged before the first window opens.
        open_window(state, species, lane, 0.0, math.inf)


def leave_lane(state, species, lane):
    """Mark a lane as empty: it never goes on."""
    buffer, _draws, _numbers, lanes = state
    for s in range(species):
        buffer[s * lanes + lane] = 0.0
    buffer[(species + CLOCK) * lanes + lane] = 0.0
    buffer[(species + LIMIT) * lanes + lane] = -1.0


def open_window(state, species, lane, since, width):
    """Start to average a lane's counts."""
    buffer, _draws, _numbers, lanes = state
    own = species * lanes + lane
    buffer[own + SINCE * lanes] = since
    buffer[own + WIDTH * lanes] = width
    for s in range(species):
        buffer[own + (AVERAGES + s) * lanes] = 0.0


def close_window(state, species, lane, until, values):
    """Write down a lane's averages over a window that its state holds through to the end."""
    buffer, _draws, _numbers, lanes = state
    own = species * lanes + lane
    share = (until - buffer[own + SINCE * lanes]) / buffer[own + WIDTH * lanes]
    for s in range(species):
        average = buffer[own + (AVERAGES + s) * lanes]
        values[s] = average + share * buffer[s * lanes + lane]


def write_points(state, request, species, lane, values, place):
    """Write down what a stalled lane has reached and let it go on; returns its next place.

    A place is an index into the points of the readout, whose number is that of a finished lane.
    """
    buffer, draws, _numbers, lanes = state
    kind, points = request[1], request[2]
    last = points.shape[0]
    own = species * lanes + lane
    reached = buffer[own + NEXT * lanes]
    if kind == FIRING_COUNTS:
        # A number of firings is reached once they have happened, a time only when it has passed.
        reached = np.float64(np.int64(draws[lane])) + 0.5
    while place < last and points[place] < reached:
        if kind == WINDOWS:
            if place > 0:
                close_window(state, species, lane, points[place], values[place - 1])
            if place + 1 < last:
                width = points[place + 1] - points[place]
                open_window(state, species, lane, points[place], width)
        else:
            for s in range(species):
                values[place, s] = buffer[s * lanes + lane]
            if kind == FIRING_COUNTS:
                values[place, species] = buffer[own + CLOCK * lanes]
        place += 1
    if place < last:
        buffer[own + LIMIT * lanes] = points[place]
    return place


def hand_over(state, request, work, lane, values, place, pause):
    """Follow a lane's trajectory with the table-driven kernel; returns what `follow` does."""
    buffer, draws, numbers, lanes = state
    kind = request[1]
    before, after = work[0], work[1]
    species = before.shape[0]
    own = species * lanes + lane
    take_state(state, before, lane)
    take_state(state, after, lane)
    if kind == WINDOWS and place > 0:
        place -= 1
        for s in range(species):
            values[place, s] = buffer[own + (AVERAGES + s) * lanes]
    time, draw = buffer[own + CLOCK * lanes], np.int64(draws[lane])
    return follow(request, work, values, place, time, draw, np.int64(numbers[lane]), pause)


def take_state(state, counts, lane):
    """Copy the counts of a lane."""
    buffer, _draws, _numbers, lanes = state
    for s in range(counts.shape[0]):
        counts[s] = buffer[s * lanes + lane]


def look(state, request, species, row_of, stalled):
    """Find the lanes that wait to be attended to.

    One call for all lanes, since passing arrays to a function costs more than looking at a lane.

    Returns (how many are written down in `stalled`, most firings of a lane that goes on).
    """
    buffer, draws, _numbers, lanes = state
    kind, limit = request[1], request[5]
    count = 0
    most = 0
    for lane in range(lanes):
        if row_of[lane] < 0:
            continue
        own = species * lanes + lane
        next_time, until = buffer[own + NEXT * lanes], buffer[own + LIMIT * lanes]
        draw = np.int64(draws[lane])
        if kind == FIRING_COUNTS:
            goes_on = draw < until and next_time < math.inf
        elif kind == INTERPOLATED:
            goes_on = next_time < until
        else:
            goes_on = next_time <= until
        if goes_on and draw < limit:
            most = max(most, draw)
        else:
            stalled[count] = lane
            count += 1
    return count, most


def attend(state, request, work, lane, values, place):
    """Do what a stalled lane waits for.

    Returns (whether it is over, next place, outcome, reaction at fault); work[0] and the lane's
    draw and clock are the last state where it is over.
    """
    buffer, draws, _numbers, lanes = state
    kind, points, limit, done = request[1], request[2], request[5], request[7]
    species = work[0].shape[0]
    own = species * lanes + lane
    draw = np.int64(draws[lane])
    is_plain = kind != INTERPOLATED and draw < limit
    if is_plain and (kind == FIRING_COUNTS or buffer[own + NEXT * lanes] < math.inf):
        reached = write_points(state, request, species, lane, values, place)
        done[0] += reached - place
        if reached == points.shape[0]:
            take_state(state, work[0], lane)
            return True, reached, COMPLETED, NO_FAULT
        if reached > place:
            return False, reached, COMPLETED, NO_FAULT
    # An interpolated value needs the state after the firing that the lane has stalled at.
    pause = draw + 1 if kind == INTERPOLATED else NEVER
    outcome, reaction, draw, time, place = hand_over(
        state, request, work, lane, values, place, pause
    )
    draws[lane] = np.uint64(draw)
    buffer[own + CLOCK * lanes] = time
    if outcome != PAUSED:
        return True, place, outcome, reaction
    for s in range(species):
        buffer[s * lanes + lane] = work[0][s]
    buffer[own + LIMIT * lanes] = points[place]
    return False, place, COMPLETED, NO_FAULT


def next_spell(spell, stalled, lanes):
    """Return how many steps to take between two looks, given how many lanes have stalled.

    A stalled lane waits for half a spell on average, and a look costs the same however long the
    spell was; the sum is least where stalls per spell times its length is twice the cost of a look.
    """
    best = math.sqrt(2.0 * COST_OF_LOOK * spell * lanes / max(stalled, 0.25))
    return min(max(0.5 * (spell + best), 1.0), LONGEST_SPELL)


def sample_lockstep_block(advance, request, start, first, low, high, lanes, result):
    """Sample trajectories `low` to `high` of a batch whose first has the number `first`.

    `advance` is the function printed for the network, `request` that of `kernels.follow`.
    """
    tables, inputs, seed, limit, cancel = request[0], request[3], request[4], request[5], request[6]
    species = start.shape[1]
    buffer = np.zeros((2 * species + AVERAGES) * lanes)
    noise = np.empty(2 * lanes)
    draws = np.zeros(lanes, dtype=np.uint64)
    numbers = np.zeros(lanes, dtype=np.uint64)
    state = (buffer, draws, numbers, lanes)
    row_of = np.full(lanes, -1)
    place = np.zeros(lanes, dtype=np.int64)
    rates = np.empty(tables.change_start.shape[0] - 1)
    work = (np.empty(species), np.empty(species), rates, np.empty(tables.stack_size))
    stalled = np.empty(lanes, dtype=np.int64)
    coming = low
    for lane in range(lanes):
        leave_lane(state, species, lane)
        if coming < high:
            enter_lane(state, request, start, lane, coming, first + coming)
            row_of[lane] = coming
            coming += 1
    finished = low
    spell = 8.0
    most = 0
    while finished < high and cancel[0] == 0:
        advance(buffer, noise, draws, numbers, inputs, seed, max(min(int(spell), limit - most), 1))
        count, most = look(state, request, species, row_of, stalled)
        for i in range(count):
            lane = stalled[i]
            row = row_of[lane]
            is_over, place[lane], outcome, reaction = attend(
                state, request, work, lane, result[0][row], place[lane]
            )
            if is_over:
                time = buffer[(species + CLOCK) * lanes + lane]
                close(result, row, outcome, reaction, np.int64(draws[lane]), time, work[0])
                finished += 1
                row_of[lane] = -1
                leave_lane(state, species, lane)
                if coming < high:
                    enter_lane(state, request, start, lane, coming, first + coming)
                    row_of[lane] = coming
                    place[lane] = 0
                    coming += 1
            else:
                most = max(most, np.int64(draws[lane]))
        spell = next_spell(spell, count, lanes)


#: Source functions of the kernel, besides those of the table-driven one.
LOCKSTEP: tuple[Callable[..., object], ...] = (
    *SAMPLING,
    open_window,
    close_window,
    enter_lane,
    leave_lane,
    write_points,
    take_state,
    hand_over,
    look,
    attend,
    next_spell,
    sample_lockstep_block,
)
