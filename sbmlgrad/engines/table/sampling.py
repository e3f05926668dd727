"""The direct method driven by tables: nothing compiled for a model, and firings can be listed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tables import Tables, code_of, tables
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import BLOCK, Signals, quiet_signals, run_blocks
from sbmlgrad.engines.table.kernel import SAMPLING, FiringLists, Job, Work


def sample_table(
    request: Request,
    *,
    threads: int | None,
    firing_limit: int,
    is_single: bool = False,
    lists: FiringLists | None = None,
) -> Sample:
    """Sample trajectories of a small network, or of a small job.

    Choose it where compiling code for the model would take longer than the job.

    Args:
        request: what to sample; of a network without a clock (`LoweredNetwork.is_timed`).
        threads: how many blocks run at a time; None uses every core.
        firing_limit: firings of one trajectory before it counts as a runaway.
        is_single: take the random streams of single precision; arithmetic is double all the same.
        lists: where firings are written down, long enough for all of them; None lists none.
    """
    results = result_arrays(request)
    lists = no_lists() if lists is None else lists
    module = kernel_module(SAMPLING, types=f"lists of {lists.reactions.dtype}")
    job = job_of(request, firing_limit, is_single=is_single)

    def work(_block: int, low: int, high: int, signals: Signals) -> None:
        watched = job._replace(**signals._asdict())
        module.sample_block(watched, work_of(job, lists), low, high, results)

    run_blocks(
        work,
        request.trajectories,
        threads,
        request.progress,
        block=BLOCK,
        points=len(request.readout.points),
    )
    return Sample(*results, engine="Native(kernel='table')")


def job_of(request: Request, firing_limit: int, *, is_single: bool) -> Job:
    """Return what the table-driven kernel, and the lockstep kernel with it, are told.

    Every block puts its own signals into it.
    """
    laws, inputs = laws_and_inputs(request.lowered, request.inputs)
    structure = _tables_of(request.lowered, laws)
    return Job(
        tables=structure,
        code=code_of(structure),
        kind=request.readout.kind,
        points=request.readout.points,
        inputs=inputs,
        start=np.array(request.start, dtype=np.float64, order="C"),
        first=request.first_trajectory,
        seed=request.seed,
        limit=firing_limit,
        is_single=is_single,
        **quiet_signals()._asdict(),
    )


def work_of(job: Job, lists: FiringLists) -> Work:
    """Return what one block of trajectories is followed in, one after another."""
    species = job.start.shape[1]
    return Work(
        before=np.empty(species),
        after=np.empty(species),
        rates=np.empty(len(job.tables.change_start) - 1),
        stack=np.empty(job.tables.stack_size),
        lists=lists,
    )


def no_lists() -> FiringLists:
    """Return what says that no firing is listed."""
    return FiringLists(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))


# Keyed by identity of the frozen network and its laws.
@lru_cache(maxsize=64)
def _tables_of(lowered: LoweredNetwork, laws: KernelLaws) -> Tables:
    return tables(lowered, derivatives=False, laws=laws)
