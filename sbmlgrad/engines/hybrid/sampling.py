"""Sampling of networks with a clock: events, explicit time and rate rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from sbmlgrad.codegen.hybrid_tables import HybridTables, hybrid_tables
from sbmlgrad.codegen.interpreted import interpreted
from sbmlgrad.codegen.interval_driven import INTERVALS
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.table_driven import program_values, update_propensities
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import BLOCK, Signals, run_blocks, thread_count
from sbmlgrad.engines.codes import event_fault
from sbmlgrad.engines.draws import DRAWING
from sbmlgrad.engines.hybrid import ahead, bounds, events, firings, motion, queue, search, triggers
from sbmlgrad.engines.hybrid import trajectories as paths
from sbmlgrad.engines.hybrid.memory import job_of, memory_of
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt
from sbmlgrad.engines.table.kernel import SAMPLING, fire
from sbmlgrad.errors import RequestError

#: Source functions of the kernel.
HYBRID: tuple[Callable[..., object], ...] = (
    *SAMPLING,
    fire,
    program_values,
    update_propensities,
    *DRAWING,
    *INTERVALS,
    event_fault,
    motion.flow_rates,
    motion.move,
    motion.box_of,
    motion.tried_step,
    motion.flow_step,
    search.is_still,
    search.is_still_at,
    search.is_still_throughout,
    search.bisected,
    search.next_change,
    bounds.check_rates,
    bounds.propensity_bound,
    bounds.window_bound,
    bounds.first_negative,
    triggers.earliest_change,
    triggers.has_changed,
    queue.next_share,
    queue.choose_due,
    queue.remove_pending,
    queue.cancel_pending,
    queue.earliest,
    events.draw_and_evaluate,
    events.as_count,
    events.assign,
    events.look_at_triggers,
    events.settle,
    firings.fire_candidate,
    ahead.look_ahead,
    ahead.next_moment,
    paths.begin,
    paths.stops,
    paths.patience,
    paths.keep_moving,
    paths.follow,
    paths.sample_hybrid_block,
)


def sample_hybrid(
    request: Request, *, threads: int | None, firing_limit: int, compiled: bool = True
) -> Sample:
    """Sample trajectories of a network with a clock; see `engines.hybrid.trajectories`.

    Args:
        request: what to sample.
        threads: how many blocks run at a time; None uses every core.
        firing_limit: firings of one trajectory before it counts as a runaway.
        compiled: use machine code, else the same functions as plain Python (slow).

    Raises:
        RequestError: a readout that is not defined while rate rules move the state.
    """
    if request.lowered.flows and not isinstance(request.readout, ValuesAt | AfterFirings):
        raise RequestError(
            f"{type(request.readout).__name__}: the model has rate rules, whose motion between "
            "firings this readout does not follow; ask for values at times"
        )
    functions = tuple({function.__name__: function for function in HYBRID}.values())
    module: Any = kernel_module(functions) if compiled else interpreted(functions)
    base, hybrid = _tables_of(request.lowered)
    arrays = result_arrays(request)
    found = np.full(request.trajectories, np.nan)

    def work(_block: int, low: int, high: int, signals: Signals) -> None:
        job = job_of(request, firing_limit, signals.cancel)
        memory = memory_of(base, hybrid, request.inputs)
        with np.errstate(all="ignore"):
            module.sample_hybrid_block(base, hybrid, job, memory, low, high, arrays, found)

    # Trajectories take long here: small blocks let every thread work, and progress be seen.
    block = max(1, min(BLOCK, request.trajectories // (8 * thread_count(threads))))
    run_blocks(work, request.trajectories, threads, request.progress, block=block)
    words = "events, explicit time or rate rules"
    engine = f"Native(kernel='hybrid'): {words}" if compiled else f"Reference(): {words}"
    return Sample(*arrays, engine=engine, found=found)


@lru_cache(maxsize=64)
def _tables_of(lowered: LoweredNetwork) -> tuple[Tables, HybridTables]:
    return hybrid_tables(lowered)
