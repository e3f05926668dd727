"""The direct method for large networks: selection and sums by a tree, nothing compiled for a model.

The propensities are the leaves of a tree (`sums`), so that a firing costs a walk up from those
that it changes and one down to the next reaction. Which propensities a firing changes is the
dependency graph of Gibson & Bruck 2000, "Efficient exact stochastic simulation of chemical systems
with many species and many channels", J. Phys. Chem. A 104, 1876.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tree_tables import TreeTables, aligned, law_memory, tree_tables
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import BLOCK, Signals, quiet_signals, run_blocks, thread_count
from sbmlgrad.engines.tree.kernel import DRAWS_AT_ONCE, TREE, TreeJob, TreeMemory


def sample_tree(request: Request, *, threads: int | None, firing_limit: int) -> Sample:
    """Sample trajectories of a large network.

    Choose it from a few hundred reactions on: the cost of a firing hardly depends on how many there
    are, as long as each changes few propensities.

    Args:
        request: what to sample; of a network without a clock (`LoweredNetwork.is_timed`).
        threads: how many blocks run at a time; None uses every core.
        firing_limit: firings of one trajectory before it counts as a runaway.

    Raises:
        RequestError: the network does not fit into the kernel's packed words.
    """
    job = job_of(request, firing_limit)
    results = result_arrays(request)
    module = kernel_module(TREE)

    def work(_block: int, low: int, high: int, signals: Signals) -> None:
        watched = job._replace(**signals._asdict())
        module.sample_tree_block(watched, memory_of(job), low, high, results)

    run_blocks(
        work,
        request.trajectories,
        threads,
        request.progress,
        block=_block(request.trajectories, threads),
        points=len(request.readout.points),
    )
    return Sample(*results, engine="Native(kernel='tree')")


def job_of(request: Request, firing_limit: int) -> TreeJob:
    """Return what the kernel is told; every block puts its own signals into it."""
    laws, inputs = laws_and_inputs(request.lowered, request.inputs)
    tables = _tables_of(request.lowered, laws)
    words, numbers = law_memory(tables, inputs)
    return TreeJob(
        tables=tables,
        words=words,
        numbers=numbers,
        kind=request.readout.kind,
        points=request.readout.points,
        inputs=inputs,
        start=np.ascontiguousarray(request.start, dtype=np.float64),
        first=request.first_trajectory,
        seed=request.seed,
        limit=firing_limit,
        **quiet_signals()._asdict(),
    )


def memory_of(job: TreeJob) -> TreeMemory:
    """Return what one block of trajectories is followed in, one after another."""
    tables, species = job.tables, job.start.shape[1]
    state = np.empty(species + 1 + len(tables.copy_species))
    return TreeMemory(
        state=state,
        before=state[:species],
        after=np.empty(species),
        since=np.empty(species),
        tree=aligned(int(tables.level_start[-1]), np.float64),
        stack=np.empty(tables.stack_size),
        path=np.empty(tables.longest_list + 1, dtype=np.int64),
        waits=np.empty(DRAWS_AT_ONCE),
        chances=np.empty(DRAWS_AT_ONCE),
    )


# Keyed by identity of the frozen network and its laws.
@lru_cache(maxsize=64)
def _tables_of(lowered: LoweredNetwork, laws: KernelLaws) -> TreeTables:
    return tree_tables(lowered, laws)


def _block(trajectories: int, threads: int | None) -> int:
    """Return how many trajectories one block has: every thread gets some, even of few."""
    return max(1, min(BLOCK, trajectories // (4 * thread_count(threads))))
