"""The direct method for large networks: selection and sums by a tree, nothing compiled for a model.

The propensities are the leaves of a tree (`tree_sums`), so that a firing costs a walk up from those
that it changes and one down to the next reaction. Which propensities a firing changes is the
dependency graph of Gibson & Bruck 2000, "Efficient exact stochastic simulation of chemical systems
with many species and many channels", J. Phys. Chem. A 104, 1876.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.specialise import kernel_module
from sbmlgrad.codegen.tree_tables import TreeTables, aligned, law_memory, tree_tables
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import Signals, run_blocks, thread_count
from sbmlgrad.engines.tree_kernel import TREE


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
    laws, inputs = laws_and_inputs(request.lowered, request.inputs)
    tables = _tables_of(request.lowered, laws)
    memory = law_memory(tables, inputs)
    start = np.ascontiguousarray(request.start, dtype=np.float64)
    arrays = result_arrays(request)
    module = kernel_module(TREE)
    readout = request.readout

    def work(_block: int, low: int, high: int, signals: Signals) -> None:
        job = (
            tables,
            readout.kind,
            readout.points,
            inputs,
            memory,
            request.seed,
            firing_limit,
            signals.cancel,
            signals.done,
        )
        tree = aligned(int(tables.level_start[-1]), np.float64)
        first = request.first_trajectory
        module.sample_tree_block(job, start, first, low, high, tree, arrays)

    run_blocks(
        work,
        request.trajectories,
        threads,
        request.progress,
        block=_block(request.trajectories, threads),
        points=arrays[0].shape[1],
    )
    return Sample(*arrays, engine="Native(kernel='tree')")


# Keyed by identity of the frozen network and its laws.
@lru_cache(maxsize=64)
def _tables_of(lowered: LoweredNetwork, laws: KernelLaws) -> TreeTables:
    return tree_tables(lowered, laws)


def _block(trajectories: int, threads: int | None) -> int:
    """Return how many trajectories one block has: every thread gets some, even of few."""
    return max(1, min(128, trajectories // (4 * thread_count(threads))))
