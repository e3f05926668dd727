"""The walk back of `StraightThrough` in lockstep, as kernel functions.

`record` and `walk_back` are printed for a network (`codegen.record_source`,
`codegen.straight_source`); what is here serves all networks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.straight_form import COUNTS, FIRINGS
from sbmlgrad.gradients.paths.chunks import CHUNK, keep_start, return_to_start, with_room
from sbmlgrad.gradients.paths.straight_points import begin_lane

#: Firings of a lane between two looks at whether all lanes have ended.
ROWS_BETWEEN_LOOKS = 16


class StraightGroup(NamedTuple):
    """Arrays of one group of lanes.

    Attributes:
        counts: float64 [species * lanes], where `record` keeps the state.
        clocks: float64 [2 * lanes]: the clock, and the limit of a lane.
        noise: float64 [2 * lanes], of firings.
        draws: uint64 [lanes], firings so far.
        numbers: uint64 [lanes], numbers of the trajectories.
        room: float64 [row * lanes], where `walk_back` works (`codegen.straight_form`).
        race: float64 [number * lanes], noise of the choice.
    """

    counts: NDArray[np.float64]
    clocks: NDArray[np.float64]
    noise: NDArray[np.float64]
    draws: NDArray[np.uint64]
    numbers: NDArray[np.uint64]
    room: NDArray[np.float64]
    race: NDArray[np.float64]


class StraightJob(NamedTuple):
    """What the kernel is told, the same for all groups.

    Attributes:
        kind: of readout, as in `engines.codes`.
        points: of it, float64 [point].
        cotangent: derivative of the loss in the values, float64 [trajectory or 1, point, column].
        inputs: kernel inputs, float64 [input].
        seed: of the streams.
        first_trajectory: number of the first trajectory.
        start: counts, float64 [trajectory or 1, species].
        change: of counts by a firing, float64 [reaction, species].
        inverse_temperature: 1 / temperature, or 0 for the limit at temperature zero.
        adjoint: first row of λ, and so on: see `codegen.straight_form.StraightRows`.
        source: likewise.
        gradient: likewise.
        cancel: uint8 [1].
        done: int64 [1], trajectories that are finished.
    """

    kind: int
    points: NDArray[np.float64]
    cotangent: NDArray[np.float64]
    inputs: NDArray[np.float64]
    seed: int
    first_trajectory: int
    start: NDArray[np.float64]
    change: NDArray[np.float64]
    inverse_temperature: float
    adjoint: int
    source: int
    gradient: int
    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


def record_rows(record, group, inputs, seed, fired, times, cancel):
    """Note the firings of a chunk row by row; returns whether every lane has ended."""
    counts, clocks, noise, draws, numbers, _room, _race = group
    lanes = draws.shape[0]
    begun = draws.max()
    times[:lanes] = clocks[:lanes]
    row = 0
    while cancel[0] == 0 and row < CHUNK:
        low, high = row * lanes, (row + ROWS_BETWEEN_LOOKS) * lanes
        # Row n of the times is that before firing n.
        after = times[low + lanes : high + lanes]
        steps = ROWS_BETWEEN_LOOKS
        record(counts, clocks, noise, draws, numbers, inputs, seed, steps, fired[low:high], after)
        row += ROWS_BETWEEN_LOOKS
        # A lane that is under way has fired in every step.
        if draws.max() < begun + np.uint64(row):
            return True
    return False


def straight_block(record, walk_back, job, group, low, high, gradient):
    """Add the gradient of trajectories `low` to `high` to `gradient` [slope].

    `record` and `walk_back` are the functions printed for the network.
    """
    counts, clocks, _noise, draws, numbers, room, race = group
    lanes = draws.shape[0]
    species = job.start.shape[1]
    limit = job.points[job.points.shape[0] - 1]
    batch_row = np.empty(lanes, np.int64)
    firings = np.empty(lanes, np.int64)
    place = np.empty(lanes, np.int64)
    kept = np.empty((1, (species + 1) * lanes))
    kept_draws = np.empty((1, lanes), np.uint64)
    fired = np.empty(lanes * CHUNK, np.uint8)
    times = np.empty(lanes * (CHUNK + 1))
    for base in range(low, high, lanes):
        for lane in range(lanes):
            row = min(base + lane, high - 1)
            batch_row[lane] = row
            numbers[lane] = np.uint64(job.first_trajectory + row)
            draws[lane] = np.uint64(0)
            clocks[lane] = 0.0
            # A lane without a trajectory never fires.
            clocks[lanes + lane] = limit if base + lane < high else -1.0
            origin = row if job.start.shape[0] > 1 else 0
            for s in range(species):
                counts[s * lanes + lane] = job.start[origin, s]
        chunks = 0
        while True:
            kept, kept_draws = with_room(kept, kept_draws, chunks)
            keep_start(kept, kept_draws, chunks, counts, clocks, draws)
            chunks += 1
            ended = record_rows(record, group, job.inputs, job.seed, fired, times, job.cancel)
            if job.cancel[0] != 0:
                return
            if ended:
                break
        room[:] = 0.0
        for lane in range(lanes):
            firings[lane] = np.int64(draws[lane])
            room[FIRINGS * lanes + lane] = firings[lane]
            for s in range(species):
                room[(COUNTS + s) * lanes + lane] = counts[s * lanes + lane]
            weights = job.cotangent[batch_row[lane] if job.cotangent.shape[0] > 1 else 0]
            place[lane] = begin_lane(
                room,
                lane,
                lanes,
                job.kind,
                job.points,
                weights,
                clocks[lane],
                firings[lane],
                species,
                job.adjoint,
                job.source,
            )
        most = firings.max()
        for chunk in range(chunks - 1, -1, -1):
            if chunk < chunks - 1:
                return_to_start(kept, kept_draws, chunk, counts, clocks, draws)
                record_rows(record, group, job.inputs, job.seed, fired, times, job.cancel)
            first = chunk * CHUNK
            walk_back(
                room,
                race,
                job.inputs,
                fired,
                times,
                min(most - first, CHUNK),
                first,
                numbers,
                job.seed,
                job.kind,
                job.points,
                job.cotangent,
                batch_row,
                firings,
                place,
                job.change,
                job.inverse_temperature,
                job.cancel,
            )
            if job.cancel[0] != 0:
                return
        for i in range(gradient.shape[0]):
            for lane in range(lanes):
                gradient[i] += room[(job.gradient + i) * lanes + lane]
        job.done[0] = min(base + lanes, high) - low
