"""The native engine: the direct method compiled by numba, on several threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_laws import KernelLaws, kernel_inputs, kernel_laws, written_laws
from sbmlgrad.codegen.lockstep_source import LockstepKind, lockstep_source
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.specialise import bound_to, kernel_module, printed_module
from sbmlgrad.codegen.tables import Tables, tables
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Outcome, Request, Sample, result_arrays
from sbmlgrad.engines.blocks import Signals, run_blocks, thread_count
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS
from sbmlgrad.engines.hybrid.sampling import sample_hybrid
from sbmlgrad.engines.kernels import SAMPLING
from sbmlgrad.engines.lockstep import LOCKSTEP
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole

#: Above this, straight-line code grows faster than it helps and the tables are used.
LARGEST_LOCKSTEP = 200

#: Firings of a whole job from which compiling code for the model pays (it costs a few seconds).
WORTH_COMPILING = 2 * 10**7

#: Firings that the pilot trajectory may spend to estimate the size of a job.
PILOT_FIRINGS = 200_000

#: Lanes of the lockstep kernel, by how many trajectories there are: enough of them hide how long an
#: instruction takes, and idle ones cost as much as busy ones.
FEW_LANES, LANES = 16, 32

#: Trajectories that one call of a kernel takes, and at most takes in lockstep.
BLOCK, LARGEST_BLOCK = 128, 4096

KERNELS = ("auto", "table", "lockstep")


@dataclass(frozen=True)
class Native:
    """Direct method in machine code: the engine for nearly every job.

    The same (seed, trajectory) gives the same bits for any number of threads, any split of the
    batch and any of the kernels. Waiting times and choices use one Philox draw a firing
    (`engines.random`).

    Args:
        threads: None uses every core of this process.
        dtype: only `"float64"`.
        kernel: `"table"` interprets the model (nothing to compile); `"lockstep"` compiles code for
            the model, kept on disk, that advances many trajectories at a time in vector
            instructions; `"auto"` chooses by the firings of a pilot trajectory.
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
        if kernel == "lockstep":
            arrays = self._sample_lockstep(request)
        else:
            arrays = self._sample_table(request)
        return Sample(*arrays, engine=f"Native(kernel={kernel!r}){reason}")

    def _sample_table(self, request: Request) -> tuple[NDArray, ...]:
        module = kernel_module(SAMPLING)
        job, start = self._job(request)
        arrays = result_arrays(request)

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            module.sample_block(
                (*job, *signals), start, request.first_trajectory, low, high, arrays
            )

        points = len(request.readout.points)
        run_blocks(
            work, request.trajectories, self.threads, request.progress, block=BLOCK, points=points
        )
        return arrays

    def _sample_lockstep(self, request: Request) -> tuple[NDArray, ...]:
        block = _lockstep_block(request.trajectories, self.threads)
        lanes = FEW_LANES if min(block, request.trajectories) <= FEW_LANES else LANES
        laws, _ = laws_and_inputs(request)
        advance = _advance(request.lowered, laws, _kind(request.readout), lanes)
        job, start = self._job(request)
        arrays = result_arrays(request)
        first = request.first_trajectory
        signals = Signals(np.zeros(1, np.uint8), np.zeros(1, np.int64))
        others = ((*job, *signals), start, first, 0, 0, lanes, arrays)
        sample = bound_to(kernel_module(LOCKSTEP).sample_lockstep_block, advance, *others)

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            sample(advance, (*job, *signals), start, first, low, high, lanes, arrays)

        points = len(request.readout.points)
        run_blocks(
            work, request.trajectories, self.threads, request.progress, block=block, points=points
        )
        return arrays

    def _job(self, request: Request) -> tuple[tuple[Any, ...], NDArray[np.float64]]:
        """Return what kernels are told (see `kernels.follow`), signals apart, and the starts."""
        laws, inputs = laws_and_inputs(request)
        structure = sampling_tables(request.lowered, laws)
        readout = request.readout
        job = (structure, readout.kind, readout.points, inputs, request.seed, self.firing_limit)
        return job, np.array(request.start, dtype=np.float64, order="C")

    def choose_kernel(self, request: Request) -> tuple[str, str]:
        """Return the kernel and, where it was not named, why it was chosen."""
        reactions = len(request.lowered.channels)
        if reactions == 0:
            return "table", ": there are no reactions"
        if self.kernel != "auto":
            return self.kernel, ""
        if reactions > LARGEST_LOCKSTEP:
            return "table", f": {reactions} reactions are too many for code of their own"
        if request.trajectories * self.firing_limit < WORTH_COMPILING:
            return "table", ": small job"
        pilot = replace(request, trajectories=1, start=request.start[:1], progress=None)
        limit = min(PILOT_FIRINGS, self.firing_limit)
        sample = Native(1, kernel="table", firing_limit=limit).sample(pilot)
        firings = int(sample.firings[0])
        reached = sample.outcomes[0] == Outcome.FIRING_LIMIT
        expected = firings * request.trajectories
        words = f": about {'at least ' if reached else ''}{expected:.0e} firings expected"
        is_large = expected >= WORTH_COMPILING or (reached and limit == PILOT_FIRINGS)
        return "lockstep" if is_large else "table", words


def laws_and_inputs(request: Request) -> tuple[KernelLaws, NDArray[np.float64]]:
    """Return the propensities as kernels evaluate them, and the inputs that these use."""
    laws = kernel_laws(request.lowered)
    inputs = kernel_inputs(laws, request.inputs)
    if inputs is not None:
        return laws, inputs
    return written_laws(request.lowered), np.ascontiguousarray(request.inputs, dtype=np.float64)


def _lockstep_block(trajectories: int, threads: int | None) -> int:
    """Return how many trajectories one call of the lockstep kernel takes.

    Lanes run empty at the end of a call, so calls are long; but where there are many trajectories,
    every thread should have several calls, since some finish sooner.
    """
    count = thread_count(threads)
    shared = -(-trajectories // count)
    return max(min(shared, LARGEST_BLOCK, max(shared // 4, 4 * LANES)), 1)


def _kind(readout: Readout) -> LockstepKind:
    return LockstepKind(
        by_firings=readout.kind == FIRING_COUNTS,
        short_of=readout.kind == INTERPOLATED,
        averages=readout.kind == WINDOWS,
    )


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _advance(lowered: LoweredNetwork, laws: KernelLaws, kind: LockstepKind, lanes: int) -> Any:
    source = lockstep_source(lowered, laws, noise_source(), kind, lanes)
    return printed_module(source).advance


@lru_cache(maxsize=64)
def sampling_tables(lowered: LoweredNetwork, laws: KernelLaws) -> Tables:
    """Return the tables that sampling needs."""
    return tables(lowered, derivatives=False, laws=laws)
