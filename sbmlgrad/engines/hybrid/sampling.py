"""Sampling of networks with a clock: events, explicit time and rate rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.hybrid_tables import HybridTables, hybrid_tables
from sbmlgrad.codegen.interpreted import interpreted
from sbmlgrad.codegen.interval_driven import INTERVALS
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.specialise import kernel_module
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.base import Request, Sample, result_arrays
from sbmlgrad.engines.blocks import run_blocks
from sbmlgrad.engines.draws import DRAWING
from sbmlgrad.engines.hybrid.trajectories import HYBRID
from sbmlgrad.engines.kernels import SAMPLING
from sbmlgrad.engines.readouts import AfterFirings, ValuesAt
from sbmlgrad.errors import RequestError

#: What becomes of assigned counts that are not whole, by the model's option `initial`.
_ROUNDING = {"strict": 0, "round": 1, "randomised": 2}


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
    module: Any = kernel_module(_functions()) if compiled else interpreted(_functions())
    base, hybrid = _tables_of(request.lowered)
    arrays = result_arrays(request)
    start = np.ascontiguousarray(request.start, dtype=np.float64)
    inputs = np.ascontiguousarray(request.inputs, dtype=np.float64)
    rounding = _ROUNDING[request.lowered.network.initial]

    def work(_block: int, low: int, high: int, cancel: NDArray[np.uint8]) -> None:
        with np.errstate(all="ignore"):
            module.sample_hybrid_block(
                base,
                hybrid,
                request.readout.kind,
                request.readout.points,
                start,
                inputs,
                request.seed,
                request.first_trajectory,
                low,
                high,
                firing_limit,
                rounding,
                cancel,
                arrays,
            )

    run_blocks(work, request.trajectories, threads, request.progress)
    words = "events, explicit time or rate rules"
    engine = f"Native(kernel='hybrid'): {words}" if compiled else f"Reference(): {words}"
    return Sample(*arrays, engine=engine)


def _functions() -> tuple[Callable[..., object], ...]:
    """Return the source functions of the kernel, each once."""
    found = (*SAMPLING, *DRAWING, *INTERVALS, *HYBRID)
    return tuple({function.__name__: function for function in found}.values())


@lru_cache(maxsize=64)
def _tables_of(lowered: LoweredNetwork) -> tuple[Tables, HybridTables]:
    return hybrid_tables(lowered)
