"""The lockstep method: code of its own for a model, many trajectories in one vector instruction."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import bound_to, kernel_module, printed_function
from sbmlgrad.codegen.lockstep_single import (
    SIGNATURE_SINGLE,
    lockstep_source_single,
    room_of_counts,
)
from sbmlgrad.codegen.lockstep_source import AVERAGES, SIGNATURE, LockstepKind, lockstep_source
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import Signals, quiet_signals, run_blocks, thread_count
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS
from sbmlgrad.engines.lockstep.kernel import LOCKSTEP, Lanes
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.table.sampling import job_of, no_lists, work_of

#: Lanes, by how many trajectories there are: enough of them hide how long an instruction takes, and
#: idle ones cost as much as busy ones.
FEW_LANES, LANES = 16, 64

#: Trajectories that one call of the kernel takes at most.
LARGEST_BLOCK = 4096


def sample_lockstep(
    request: Request, *, threads: int | None, firing_limit: int, is_single: bool
) -> Sample:
    """Sample trajectories of a small network by code printed for it.

    Choose it for large jobs: compiling takes seconds, and a firing a fraction of what it takes
    other kernels.

    Args:
        request: what to sample; of a network without a clock (`LoweredNetwork.is_timed`).
        threads: how many blocks run at a time; None uses every core.
        firing_limit: firings of one trajectory before it counts as a runaway.
        is_single: work in single precision (`codegen.lockstep_single`).
    """
    block = _block(request.trajectories, threads)
    size = FEW_LANES if min(block, request.trajectories) <= FEW_LANES else LANES
    laws, _ = laws_and_inputs(request.lowered, request.inputs)
    advance = _advance(request.lowered, laws, kind_of(request.readout), size, is_single)
    results = result_arrays(request)
    species = len(request.lowered.species_ids)

    job = job_of(request, firing_limit, is_single=is_single)

    def arguments(low: int, high: int, signals: Signals) -> tuple[Any, ...]:
        watched = job._replace(**signals._asdict())
        lanes = lanes_of(species, size, is_single=is_single)
        return watched, work_of(job, no_lists()), lanes, low, high, results

    precision = "float32" if is_single else "float64"
    driver = kernel_module(LOCKSTEP, types=precision).sample_lockstep_block
    sample = bound_to(driver, (advance,), *arguments(0, 0, quiet_signals()))

    def work(_block: int, low: int, high: int, signals: Signals) -> None:
        sample(advance, *arguments(low, high, signals))

    run_blocks(
        work,
        request.trajectories,
        threads,
        request.progress,
        block=block,
        points=len(request.readout.points),
    )
    return Sample(*results, engine="Native(kernel='lockstep')")


def kind_of(readout: Readout) -> LockstepKind:
    """Return what a readout means for the form of the printed code."""
    return LockstepKind(
        by_firings=readout.kind == FIRING_COUNTS,
        short_of=readout.kind == INTERPOLATED,
        averages=readout.kind == WINDOWS,
    )


def lanes_of(species: int, size: int, *, is_single: bool) -> Lanes:
    """Return empty lanes."""
    precision = np.float32 if is_single else np.float64
    return Lanes(
        counts=np.zeros((room_of_counts(species) if is_single else species) * size, precision),
        clocks=np.zeros((species + AVERAGES) * size),
        noise=np.zeros((4 if is_single else 2) * size, precision),
        draws=np.zeros(size, np.uint64),
        numbers=np.zeros(size, np.uint64),
        row_of=np.full(size, -1),
        place=np.zeros(size, np.int64),
        outcome=np.zeros(size, np.int8),
        reaction=np.zeros(size, np.int64),
        by_hand=np.zeros(size, np.bool_),
        over=np.arange(size),
        odd=np.empty(size, np.int64),
    )


def _block(trajectories: int, threads: int | None) -> int:
    """Return how many trajectories one call of the kernel takes.

    Lanes run empty at the end of a call, so calls are long; but where there are many trajectories,
    every thread should have several calls, since some finish sooner.
    """
    count = thread_count(threads)
    shared = -(-trajectories // count)
    return max(min(shared, LARGEST_BLOCK, max(shared // 4, 4 * LANES)), 1)


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _advance(
    lowered: LoweredNetwork, laws: KernelLaws, kind: LockstepKind, lanes: int, is_single: bool
) -> Any:
    printed = lockstep_source_single if is_single else lockstep_source
    source = printed(lowered, laws, noise_source(), kind, lanes)
    return printed_function(source, "advance", SIGNATURE_SINGLE if is_single else SIGNATURE)
