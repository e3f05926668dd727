"""Path adjoints for many trajectories at a time, in vector instructions.

A group of trajectories, one a lane, is replayed from its random streams while the reaction and the
time of every firing are noted (`record`), and then walked back together (`walk_back`); each lane
goes at its own pace, from firing to firing and from output point to output point. Long trajectories
are noted in chunks: the first pass keeps the state at the start of each chunk only, and chunks are
replayed once more as the walk reaches them, so that memory does not grow with the number of
firings.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.adjoint_form import (
    COUNTS,
    FIRED,
    NOW,
    TARGET,
    AdjointForm,
    adjoint_form,
)
from sbmlgrad.codegen.adjoint_source import (
    INLINED,
    WALK_BACK_SIGNATURE,
    walk_source,
)
from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import bound_to, kernel_module, printed_function
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.record_source import RECORD_SIGNATURE, record_source
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.blocks import Signals, run_blocks
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.gradients.paths.look_back import CHUNK, look_back
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.operators import evaluate

#: Firings of a lane between two looks at whether all lanes have ended.
SPELL = 64

#: Trajectories that are walked back together.
LANES = 32

#: Trajectories that one call of the kernel takes. Fixed, so that sums over blocks do not depend on
#: the number of threads.
BLOCK = 256


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
            if chunks == kept.shape[0]:
                more = np.empty((2 * chunks, kept.shape[1]))
                more_draws = np.empty((2 * chunks, lanes), np.uint64)
                more[:chunks] = kept
                more_draws[:chunks] = kept_draws
                kept = more
                kept_draws = more_draws
            kept[chunks, : species * lanes] = counts
            kept[chunks, species * lanes :] = clocks[:lanes]
            kept_draws[chunks] = draws
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
                counts[:] = kept[chunk, : species * lanes]
                clocks[:lanes] = kept[chunk, species * lanes :]
                draws[:] = kept_draws[chunk]
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


def pull_back_lockstep(
    engine: Native, request: Request, cotangent: NDArray[np.float64], *, two_sided: bool
) -> NDArray[np.float64]:
    """Return the path adjoint's gradient, float64 [input], by kernels printed for the network.

    Args:
        engine: gives the threads.
        request: the request that gave the values; values at times or window averages.
        cotangent: derivative of the loss in them, float64 [trajectory or 1, point, species].
        two_sided: take half of each difference of values at the firings themselves.
    """
    lowered = request.lowered
    laws, inputs = laws_and_inputs(lowered, request.inputs)
    is_window = isinstance(request.readout, WindowAverages)
    printed = _printed(lowered, laws, two_sided, is_window)
    form, kernels = printed.form, (printed.record, printed.walk_back)
    start = np.array(request.start, dtype=np.float64, order="C")
    points = np.array(request.readout.points, dtype=np.float64, order="C")
    weights = np.array(cotangent, dtype=np.float64, order="C")
    # One row a block, added up in order: the sum does not depend on the number of threads.
    partial = np.zeros((-(-request.trajectories // BLOCK), 1, len(form.used_inputs)))

    def arguments(low: int, high: int, signals: Signals) -> tuple[Any, ...]:
        job = Job(
            is_window,
            points,
            weights,
            inputs,
            request.seed,
            request.first_trajectory,
            start,
            signals.cancel,
            signals.done,
        )
        group = _group(len(lowered.species_ids), form)
        return job, group, low, high, form.rows.gradient, form.group

    example = arguments(0, 0, Signals(np.zeros(1, np.uint8), np.zeros(1, np.int64)))
    driver = kernel_module((record_chunk, reverse_lockstep_block)).reverse_lockstep_block
    reverse = bound_to(driver, kernels, *example, partial[0])

    def work(block: int, low: int, high: int, signals: Signals) -> None:
        reverse(*kernels, *arguments(low, high, signals), partial[block])

    run_blocks(work, request.trajectories, engine.threads, request.progress, block=BLOCK)
    return in_inputs(lowered, laws, inputs, form.used_inputs, partial.sum(axis=(0, 1)))


def _group(species: int, form: AdjointForm) -> Group:
    return Group(
        counts=np.zeros(species * LANES),
        clocks=np.zeros(2 * LANES),
        noise=np.zeros(2 * LANES),
        draws=np.zeros(LANES, np.uint64),
        numbers=np.zeros(LANES, np.uint64),
        room=np.zeros(form.rows.count * LANES),
    )


def in_inputs(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    inputs: NDArray[np.float64],
    used: tuple[int, ...],
    slopes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return a gradient in the inputs, float64 [input], given that in kernel inputs.

    It is 0 for constants that no parameter moves, as in `LoweredNetwork.input_partials`.
    """
    moved = {partial.variable for partial in lowered.input_partials}
    result = np.zeros(len(lowered.input_ids))
    count = len(result)
    place = {symbol: i for i, symbol in enumerate(lowered.input_ids)}
    values = dict(zip(laws.input_ids, inputs.tolist(), strict=True))
    for at, slope in zip(used, slopes, strict=True):
        if at < count:
            result[at] += slope
            continue
        coefficient = laws.coefficients[at - count]
        for symbol in sorted(symbols(coefficient)):
            result[place[symbol]] += slope * float(
                evaluate(derivative(coefficient, symbol), values)
            )
    result[[i for i in range(count) if i not in moved]] = 0.0
    return result


class _Printed(NamedTuple):
    form: AdjointForm
    record: Any
    walk_back: Any


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _printed(
    lowered: LoweredNetwork, laws: KernelLaws, two_sided: bool, with_source: bool
) -> _Printed:
    form = adjoint_form(lowered, laws)
    record = record_source(lowered, laws, noise_source(), LANES)
    names = {"FIRED": FIRED, "NOW": NOW, "TARGET": TARGET, "CHUNK": CHUNK}
    source = "".join(f"{name} = {number}\n" for name, number in names.items())
    source += f"\n\n{INLINED}\n{inspect.getsource(look_back)}\n\n"
    source += walk_source(lowered, laws, form, LANES, two_sided=two_sided, with_source=with_source)
    return _Printed(
        form,
        printed_function(record, "record", RECORD_SIGNATURE),
        printed_function(source, "walk_back", WALK_BACK_SIGNATURE),
    )
