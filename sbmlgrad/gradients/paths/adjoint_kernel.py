"""The walk back of path adjoints in lockstep, as kernel functions.

`record` and `walk_back` are printed for a network (`codegen.record_source`,
`codegen.adjoint_source`); what is here serves all networks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.adjoint_form import COUNTS, NOW, TARGET
from sbmlgrad.gradients.paths.chunks import CHUNK, keep_start, return_to_start, with_room

#: Firings of a lane between two looks at whether all lanes have ended.
SPELL = 64

#: Trajectories that are walked back together.
LANES = 32


class Group(NamedTuple):
    """Arrays of one group of lanes.

    Attributes:
        counts: float64 [species * lanes], where `record` keeps the state.
        clocks: float64 [2 * lanes]: the clock, and the time up to which lanes go on.
        noise: float64 [2 * lanes].
        draws: uint64 [lanes], firings so far.
        numbers: uint64 [lanes], numbers of the trajectories.
        room: float64 [row * lanes], where `walk` works (`codegen.adjoint_form.Rows`).
    """

    counts: NDArray[np.float64]
    clocks: NDArray[np.float64]
    noise: NDArray[np.float64]
    draws: NDArray[np.uint64]
    numbers: NDArray[np.uint64]
    room: NDArray[np.float64]


class Job(NamedTuple):
    """What the kernel is told, the same for all groups.

    Attributes:
        is_window: the readout averages over windows; else it gives values at times.
        points: times or edges, float64 [point].
        cotangent: derivative of the loss in the values, float64 [trajectory or 1, point, species].
        inputs: kernel inputs, float64 [input].
        seed: of the streams.
        first_trajectory: number of the first trajectory.
        start: counts, float64 [trajectory or 1, species].
        cancel: uint8 [1].
        done: int64 [1], trajectories that are finished.
    """

    is_window: bool
    points: NDArray[np.float64]
    cotangent: NDArray[np.float64]
    inputs: NDArray[np.float64]
    seed: int
    first_trajectory: int
    start: NDArray[np.float64]
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


def record_chunk(record, group, inputs, seed, fired, times, cancel):
    """Note the firings of a chunk, lane after lane; returns whether every lane has ended."""
    counts, clocks, noise, draws, numbers, _room = group
    lanes = draws.shape[0]
    spell_fired = np.empty(SPELL * lanes, np.uint8)
    spell_times = np.empty(SPELL * lanes)
    begun = draws.max()
    row = 0
    while cancel[0] == 0 and row < CHUNK:
        record(counts, clocks, noise, draws, numbers, inputs, seed, SPELL, spell_fired, spell_times)
        for lane in range(lanes):
            for step in range(SPELL):
                fired[lane * CHUNK + row + step] = spell_fired[step * lanes + lane]
                times[lane * CHUNK + row + step] = spell_times[step * lanes + lane]
        row += SPELL
        # A lane that is under way has fired in every step.
        if draws.max() < begun + np.uint64(row):
            return True
    return False


def reverse_lockstep_block(record, walk_back, job, group, low, high, slopes, size, gradient):
    """Add the gradient of trajectories `low` to `high` to `gradient` [1 or trajectory, slope].

    `record` and `walk_back` are the functions printed for the network, `slopes` is the first row of
    the gradient in the room, whose groups have `size` lanes.
    """
    counts, clocks, _noise, draws, numbers, room = group
    rows = room.shape[0] // draws.shape[0]
    species, slope_count = job.start.shape[1], gradient.shape[1]
    lanes = draws.shape[0]
    last = job.points[job.points.shape[0] - 1]
    trajectory = np.full(lanes, -1)
    cursor = np.empty(lanes, np.int64)
    begin = np.empty(lanes)
    place = np.empty(lanes, np.int64)
    kept = np.empty((1, (species + 1) * lanes))
    kept_draws = np.empty((1, lanes), np.uint64)
    fired = np.empty(lanes * CHUNK, np.uint8)
    times = np.empty(lanes * CHUNK)
    for base in range(low, high, lanes):
        for lane in range(lanes):
            row = base + lane if base + lane < high else -1
            trajectory[lane] = row
            numbers[lane] = np.uint64(job.first_trajectory + max(row, 0))
            draws[lane] = np.uint64(0)
            clocks[lane] = 0.0
            clocks[lanes + lane] = last if row >= 0 else -1.0
            origin = row if row >= 0 and job.start.shape[0] > 1 else 0
            for s in range(species):
                counts[s * lanes + lane] = job.start[origin, s]
        chunks = 0
        while True:
            kept, kept_draws = with_room(kept, kept_draws, chunks)
            keep_start(kept, kept_draws, chunks, counts, clocks, draws)
            chunks += 1
            ended = record_chunk(record, group, job.inputs, job.seed, fired, times, job.cancel)
            if ended or job.cancel[0] != 0:
                break
        room[:] = 0.0
        for lane in range(lanes):
            at = (lane // size) * (rows * size) + lane % size
            cursor[lane] = np.int64(draws[lane])
            begin[lane] = clocks[lane]
            place[lane] = job.points.shape[0] - 1
            room[NOW * size + at] = last
            room[TARGET * size + at] = last
            for s in range(species):
                room[(COUNTS + s) * size + at] = counts[s * lanes + lane]
        for chunk in range(chunks - 1, -1, -1):
            if chunk < chunks - 1:
                return_to_start(kept, kept_draws, chunk, counts, clocks, draws)
                record_chunk(record, group, job.inputs, job.seed, fired, times, job.cancel)
            walk_back(
                room,
                job.inputs,
                fired,
                times,
                chunk * CHUNK,
                kept[chunk, species * lanes :],
                job.is_window,
                job.points,
                job.cotangent,
                trajectory,
                cursor,
                begin,
                place,
                job.cancel,
            )
            if job.cancel[0] != 0:
                return
        for lane in range(lanes):
            at = (lane // size) * (rows * size) + lane % size
            if trajectory[lane] >= 0:
                row = trajectory[lane] - low if gradient.shape[0] > 1 else 0
                for i in range(slope_count):
                    gradient[row, i] += room[(slopes + i) * size + at]
        job.done[0] = min(base + lanes, high) - low
