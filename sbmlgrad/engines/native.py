"""The native engine: the direct method compiled by numba, on several threads, double precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.numba_cpu import rate_source
from sbmlgrad.codegen.specialise import kernel_module
from sbmlgrad.codegen.tables import Tables, tables
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Outcome, Request, Sample, result_arrays
from sbmlgrad.engines.blocks import run_blocks
from sbmlgrad.engines.hybrid.sampling import sample_hybrid
from sbmlgrad.engines.kernels import SAMPLING
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole

#: Above this, straight-line code grows faster than it helps and the tables are used.
LARGEST_SPECIALISED = 200

#: Firings of a whole job from which compiling code for the model pays (it costs a few seconds).
WORTH_COMPILING = 2 * 10**7

#: Firings that the pilot trajectory may spend to estimate the size of a job.
PILOT_FIRINGS = 200_000

KERNELS = ("auto", "table", "specialised")


@dataclass(frozen=True)
class Native:
    """Direct method in machine code: the engine for nearly every job.

    The same (seed, trajectory) gives the same bits for any number of threads and any split of the
    batch. Waiting times and choices use one Philox draw a firing (`engines.random`).

    Args:
        threads: None uses every core of this process.
        dtype: only `"float64"`.
        kernel: `"table"` interprets the model (nothing to compile), `"specialised"` compiles code
            for the model (kept on disk), `"auto"` chooses by the firings of a pilot trajectory.
        firing_limit: firings of one trajectory before it counts as a runaway.
    """

    threads: int | None = None
    dtype: str = "float64"
    kernel: str = "auto"
    firing_limit: int = DEFAULT_FIRING_LIMIT
    is_deterministic: ClassVar[Literal[False]] = False

    def __post_init__(self) -> None:
        if self.dtype != "float64":
            raise RequestError(f"Native(dtype={self.dtype!r}): only 'float64' is available")
        if self.kernel not in KERNELS:
            raise RequestError(f"Native(kernel={self.kernel!r}): choose one of {KERNELS}")
        if self.threads is not None:
            whole("threads", self.threads, 1, 4096)
        whole("firing_limit", self.firing_limit, 1, 2**62)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"Native(kernel={self.kernel!r})"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories in blocks on several threads."""
        if request.lowered.is_timed:
            return sample_hybrid(request, threads=self.threads, firing_limit=self.firing_limit)
        kernel, reason = self.choose_kernel(request)
        module = sampling_module(request.lowered if kernel == "specialised" else None)
        arrays = result_arrays(request)
        structure = sampling_tables(request.lowered)
        start = np.ascontiguousarray(request.start, dtype=np.float64)
        inputs = np.ascontiguousarray(request.inputs, dtype=np.float64)
        points = request.readout.points

        def work(_block: int, low: int, high: int, cancel: NDArray[np.uint8]) -> None:
            module.sample_block(
                structure,
                request.readout.kind,
                points,
                start,
                inputs,
                request.seed,
                request.first_trajectory,
                low,
                high,
                self.firing_limit,
                cancel,
                arrays,
            )

        run_blocks(work, request.trajectories, self.threads, request.progress)
        return Sample(*arrays, engine=f"Native(kernel={kernel!r}){reason}")

    def choose_kernel(self, request: Request) -> tuple[str, str]:
        """Return the kernel and, where it was not named, why it was chosen."""
        if self.kernel != "auto":
            return self.kernel, ""
        reactions = len(request.lowered.channels)
        if reactions > LARGEST_SPECIALISED:
            return "table", f": {reactions} reactions are too many for code of their own"
        if request.trajectories * self.firing_limit < WORTH_COMPILING:
            return "table", ": small job"
        pilot = replace(request, trajectories=1, start=request.start[:1], progress=None)
        limit = min(PILOT_FIRINGS, self.firing_limit)
        sample = Native(1, kernel="table", firing_limit=limit).sample(pilot)
        firings = int(sample.firings[0])
        reached = sample.outcomes[0] == Outcome.FIRING_LIMIT
        expected = firings * request.trajectories
        words = f"about {'at least ' if reached else ''}{expected:.0e} firings expected"
        if expected >= WORTH_COMPILING or (reached and limit == PILOT_FIRINGS):
            return "specialised", f": {words}"
        return "table", f": {words}"


def sampling_module(lowered: LoweredNetwork | None) -> ModuleType:
    """Return the sampling kernel, with code of its own for a model or table-driven."""
    return kernel_module(SAMPLING, None if lowered is None else _sampling_rates(lowered))


# Keyed by identity of the frozen network object: printing the same rates twice is waste.
@lru_cache(maxsize=64)
def _sampling_rates(lowered: LoweredNetwork) -> str:
    return rate_source(lowered, derivatives=False)


@lru_cache(maxsize=64)
def sampling_tables(lowered: LoweredNetwork) -> Tables:
    """Return the tables that sampling needs."""
    return tables(lowered, derivatives=False)
