"""The lockstep method as kernel functions: the direct method for many trajectories at a time.

Each lane of a buffer holds a trajectory. `advance`, the only function that is printed for a network
(`codegen.lockstep_source`), lets every lane fire a number of times; between such spells the lanes
are looked at. A lane that has stalled at an output point is written down, one that is finished
takes the next trajectory, and one that something is wrong with is handed to the table-driven kernel
(`table.kernel.follow_firings`), which has the same firings and says what it is. How long a spell is
adapts to how often lanes stall; no result depends on it, nor on the number of lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lockstep_single import MOST_SINGLE
from sbmlgrad.codegen.lockstep_source import AVERAGES, CLOCK, LIMIT, NEXT, SINCE, WIDTH
from sbmlgrad.engines.base import Results
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
from sbmlgrad.engines.lockstep.lines import keep_lines, runs_out
from sbmlgrad.engines.lockstep.windows import resume_window, turn_window
from sbmlgrad.engines.table.kernel import SAMPLING, Job, Work, follow_firings

#: A look at a lane costs about as much as this share of a step of all lanes.
COST_OF_LOOK = 0.4

#: Longest spell between two looks at the lanes.
LONGEST_SPELL = 256.0


class Lanes(NamedTuple):
    """Trajectories side by side; a row of an array is as long as there are lanes.

    Attributes:
        counts: rows of species, float64 or, with more rows of `lockstep_single`, float32.
        clocks: rows of `codegen.lockstep_source`, then one a species for averages, float64.
        noise: room for the random numbers of a step, as `counts`.
        draws: firings so far, uint64 [lane].
        numbers: of the trajectories, uint64 [lane].
        row_of: where in the results a trajectory is, int64 [lane]; -1 in an empty lane.
        place: the next point of the readout, int64 [lane].
        outcome: int8 [lane].
        reaction: at fault, int64 [lane].
        by_hand: whether the table-driven kernel ended the trajectory, bool [lane].
        over: int64 [lane], begins with the lanes that are finished.
        odd: int64 [lane], begins with the lanes that the table-driven kernel has to see.
    """

    counts: NDArray[np.floating]
    clocks: NDArray[np.float64]
    noise: NDArray[np.floating]
    draws: NDArray[np.uint64]
    numbers: NDArray[np.uint64]
    row_of: NDArray[np.int64]
    place: NDArray[np.int64]
    outcome: NDArray[np.int8]
    reaction: NDArray[np.int64]
    by_hand: NDArray[np.bool_]
    over: NDArray[np.int64]
    odd: NDArray[np.int64]


def look(lanes: Lanes, job: Job, values):
    """Look at every lane: write down the output points that stalled ones have reached.

    One call for all lanes, since passing arrays to a function costs more than looking at a lane.
    A place is an index into the points of the readout, whose number is that of a finished lane.

    Returns:
        (lanes that had stalled, lanes listed as finished in `lanes.over`, those listed in
        `lanes.odd`, most firings of a lane that goes on).
    """
    counts, clocks, draws = lanes.counts, lanes.clocks, lanes.draws
    row_of, place, over, odd = lanes.row_of, lanes.place, lanes.over, lanes.odd
    kind, points, done = job.kind, job.points, job.done
    size = row_of.shape[0]
    limit = firings_in_lanes(job)
    last = points.shape[0]
    species = values.shape[2] - (kind == FIRING_COUNTS)
    stalled = finished = strange = most = 0
    for lane in range(size):
        row = row_of[lane]
        if row < 0:
            continue
        reached = clocks[NEXT * size + lane]
        until = clocks[LIMIT * size + lane]
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
        is_odd = draw >= limit or not reached < math.inf
        if kind == INTERPOLATED and not is_odd:
            is_odd = job.is_single or runs_out(clocks, lane, size, species)
        if is_odd:
            odd[strange] = lane
            strange += 1
            continue
        now = place[lane]
        if kind == INTERPOLATED:
            now = keep_lines(counts, clocks, draws, points, lane, size, species, values, row, now)
        while now < last and points[now] < reached:
            if kind == WINDOWS:
                turn_window(counts, clocks, points, lane, size, species, values, row, now)
            else:
                for s in range(species):
                    values[row, now, s] = counts[s * size + lane]
                if kind == FIRING_COUNTS:
                    values[row, now, species] = clocks[CLOCK * size + lane]
            now += 1
        done[0] += now - place[lane]
        place[lane] = now
        if now == last:
            over[finished] = lane
            finished += 1
        else:
            clocks[LIMIT * size + lane] = points[now]
            most = max(most, draw)
    return stalled, finished, strange, most


def firings_in_lanes(job: Job):
    """Return the firings after which the table-driven kernel takes a lane on.

    In single precision lanes fire in pairs, so that a spell may not begin one below the limit.
    """
    return job.limit - 1 if job.is_single else job.limit


def hand_over(lanes: Lanes, job: Job, work: Work, lane, values):
    """Let the table-driven kernel take a lane on; returns the outcome.

    In single precision, which may not have decided what fires, and does not keep what values are
    interpolated from, that is for one firing (PAUSED), else to the end of the trajectory. More
    molecules than single precision counts stay with double precision.
    """
    counts, clocks, draws = lanes.counts, lanes.clocks, lanes.draws
    before, after = work.before, work.after
    species, size = before.shape[0], draws.shape[0]
    place = lanes.place[lane]
    is_short = job.is_single
    for s in range(species):
        before[s] = counts[s * size + lane]
        after[s] = before[s]
        if job.is_single and before[s] > MOST_SINGLE:
            is_short = False
    if job.kind == WINDOWS and place > 0:
        place -= 1
        for s in range(species):
            values[place, s] = clocks[(AVERAGES + s) * size + lane]
    time, draw = clocks[CLOCK * size + lane], np.int64(draws[lane])
    pause = draw + 1 if is_short else NEVER
    number = np.int64(lanes.numbers[lane])
    times, reactions = work.lists.times, work.lists.reactions
    outcome, reaction, draw, time, place = follow_firings(
        job, work, times, reactions, values, place, time, draw, number, pause
    )
    draws[lane] = np.uint64(draw)
    clocks[CLOCK * size + lane] = time
    for s in range(species):
        counts[s * size + lane] = before[s]
    if outcome == PAUSED:
        if job.kind == WINDOWS:
            place = resume_window(clocks, job.points, species, lane, size, values, place)
        clocks[LIMIT * size + lane] = job.points[place]
    lanes.reaction[lane] = reaction
    lanes.place[lane] = place
    return outcome


def close_and_refill(lanes: Lanes, job: Job, finished, coming, high, results: Results):
    """Write down how finished lanes ended, and put the next trajectories into them.

    The lanes are the first `finished` of `lanes.over`. Returns the next trajectory that has not
    begun.
    """
    counts, clocks, draws, numbers = lanes.counts, lanes.clocks, lanes.draws, lanes.numbers
    row_of, place, outcome, by_hand = lanes.row_of, lanes.place, lanes.outcome, lanes.by_hand
    start, points = job.start, job.points
    size, species = row_of.shape[0], start.shape[1]
    for i in range(finished):
        lane = lanes.over[i]
        row = row_of[lane]
        if row >= 0:
            is_fault = outcome[lane] > FIRING_LIMIT
            results.outcomes[row] = outcome[lane]
            results.firings[row] = np.int64(draws[lane])
            results.failed_reaction[row] = lanes.reaction[lane] if is_fault else NO_FAULT
            results.end_times[row] = clocks[CLOCK * size + lane]
            # Where the table-driven kernel ended it, it wrote the state down in double precision.
            for s in range(0 if by_hand[lane] else species):
                results.end_states[row, s] = counts[s * size + lane]
        outcome[lane] = COMPLETED
        by_hand[lane] = False
        place[lane] = 0
        draws[lane] = np.uint64(0)
        clocks[CLOCK * size + lane] = 0.0
        # Nothing is averaged before the first window opens.
        clocks[SINCE * size + lane] = 0.0
        clocks[WIDTH * size + lane] = math.inf
        row_of[lane] = coming if coming < high else -1
        source = coming if start.shape[0] > 1 and coming < high else 0
        for s in range(species):
            counts[s * size + lane] = start[source, s]
            clocks[(AVERAGES + s) * size + lane] = 0.0
        # An empty lane never goes on.
        clocks[LIMIT * size + lane] = points[0] if coming < high else -1.0
        if coming < high:
            numbers[lane] = np.uint64(job.first + coming)
            coming += 1
    return coming


def next_spell(spell, stalled, lanes):
    """Return how many steps to take between two looks, given how many lanes have stalled.

    A stalled lane waits for half a spell on average, and a look costs the same however long the
    spell was; the sum is least where stalls per spell times its length is twice the cost of a look.
    """
    best = math.sqrt(2.0 * COST_OF_LOOK * spell * lanes / max(stalled, 0.25))
    return min(max(0.5 * (spell + best), 1.0), LONGEST_SPELL)


def sample_lockstep_block(advance, job: Job, work: Work, lanes: Lanes, low, high, results: Results):
    """Sample trajectories `low` to `high` of a batch by `advance`, printed for the network.

    All lanes are empty, and all are listed in `lanes.over`.
    """
    counts, clocks, noise = lanes.counts, lanes.clocks, lanes.noise
    draws, numbers, row_of = lanes.draws, lanes.numbers, lanes.row_of
    inputs, cancel, values, before = job.inputs, job.cancel, results.values, work.before
    size = row_of.shape[0]
    limit = firings_in_lanes(job)
    coming = close_and_refill(lanes, job, size, low, high, results)
    left = high - low
    spell = 8.0
    most = 0
    while left > 0 and cancel[0] == 0:
        steps = max(min(int(spell), limit - most), 1)
        advance(counts, clocks, noise, draws, numbers, inputs, job.seed, steps)
        stalled, finished, strange, most = look(lanes, job, values)
        for i in range(strange):
            lane = lanes.odd[i]
            row = row_of[lane]
            ended = hand_over(lanes, job, work, lane, values[row])
            # A lane that may fire no more does not go back to where it would.
            while ended == PAUSED and np.int64(draws[lane]) >= limit:
                ended = hand_over(lanes, job, work, lane, values[row])
            if ended == PAUSED:
                most = max(most, np.int64(draws[lane]))
            else:
                lanes.outcome[lane] = ended
                lanes.by_hand[lane] = True
                for s in range(before.shape[0]):
                    results.end_states[row, s] = before[s]
                lanes.over[finished] = lane
                finished += 1
        if finished > 0:
            left -= finished
            coming = close_and_refill(lanes, job, finished, coming, high, results)
        spell = next_spell(spell, stalled, size)


#: Source functions of the kernel, besides those of the table-driven one.
LOCKSTEP: tuple[Callable[..., object], ...] = (
    *SAMPLING,
    turn_window,
    runs_out,
    keep_lines,
    firings_in_lanes,
    look,
    resume_window,
    hand_over,
    close_and_refill,
    next_spell,
    sample_lockstep_block,
)
