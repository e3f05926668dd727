"""The native engine: the direct method compiled by numba, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_laws import KernelLaws, laws_and_inputs
from sbmlgrad.codegen.lockstep_single import (
    LEAST_NORMAL,
    MOST_CHANGED,
    MOST_SINGLE,
    SIGNATURE_SINGLE,
    lockstep_source_single,
    room_of_counts,
)
from sbmlgrad.codegen.lockstep_source import AVERAGES, SIGNATURE, LockstepKind, lockstep_source
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.specialise import bound_to, kernel_module, printed_function
from sbmlgrad.codegen.tables import Tables, code_of, tables
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Outcome, Request, Sample, result_arrays
from sbmlgrad.engines.blocks import Signals, run_blocks, thread_count
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS
from sbmlgrad.engines.hybrid.sampling import sample_hybrid
from sbmlgrad.engines.kernels import SAMPLING, Job
from sbmlgrad.engines.lockstep import LOCKSTEP
from sbmlgrad.engines.noise_source import noise_source
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.tree import sample_tree
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole

#: Reactions above which code of their own takes longer to compile than most jobs run: it grows
#: like their square, to a quarter of a minute at a hundred and, in single precision, at thirty.
LARGEST_LOCKSTEP, LARGEST_SINGLE = 100, 32

#: Firings of a whole job from which compiling code for a small network pays (it takes seconds).
WORTH_COMPILING = 2 * 10**7

#: Firings that the pilot trajectory may spend to estimate the size of a job.
PILOT_FIRINGS = 200_000

#: Lanes of the lockstep kernel, by how many trajectories there are: enough of them hide how long an
#: instruction takes, and idle ones cost as much as busy ones.
FEW_LANES, LANES = 16, 64

#: Trajectories that one call of a kernel takes, and at most takes in lockstep.
BLOCK, LARGEST_BLOCK = 128, 4096

DTYPES = ("float64", "float32")
KERNELS = ("auto", "table", "lockstep", "tree")


@dataclass(frozen=True)
class Native:
    """Direct method in machine code: the engine for nearly every job.

    The same (seed, trajectory) gives the same bits for any number of threads, any split of the
    batch and either of the kernels "table" and "lockstep"; "tree" adds in another order, so that
    its times differ in the last bits. In single precision the choices are the same likewise, but
    times are only so to a relative 1e-7. Waiting times and choices use one Philox draw a firing
    (`engines.random`).

    Args:
        threads: None uses every core of this process.
        dtype: `"float64"`, or `"float32"` for twice the lanes in a vector instruction. Trajectories
            are others then (streams of their own); what fires is still decided exactly, and waiting
            times have a relative error of 1e-7 (`codegen.lockstep_single`).
        kernel: `"table"` interprets the model (nothing to compile); `"lockstep"` compiles code for
            the model, kept on disk, that advances many trajectories at a time in vector
            instructions; `"tree"` interprets it too and selects reactions by a tree of sums, for
            networks of hundreds of reactions and more; `"auto"` chooses by the number of reactions
            and the firings of a pilot trajectory.
        firing_limit: firings of one trajectory before it counts as a runaway.
    """

    threads: int | None = None
    dtype: str = "float64"
    kernel: str = "auto"
    firing_limit: int = DEFAULT_FIRING_LIMIT
    is_deterministic: ClassVar[Literal[False]] = False

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise RequestError(f"Native(dtype={self.dtype!r}): choose one of {DTYPES}")
        if self.kernel not in KERNELS:
            raise RequestError(f"Native(kernel={self.kernel!r}): choose one of {KERNELS}")
        if self.kernel == "tree" and self.dtype != "float64":
            raise RequestError("Native(kernel='tree') works in double precision: leave out dtype")
        if self.threads is not None:
            whole("threads", self.threads, 1, 4096)
        whole("firing_limit", self.firing_limit, 1, 2**62)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return self._named(self.kernel)

    def _named(self, kernel: str) -> str:
        precision = "" if self.dtype == "float64" else f", dtype={self.dtype!r}"
        return f"Native(kernel={kernel!r}{precision})"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories in blocks on several threads."""
        if request.lowered.is_timed:
            if self.dtype != "float64":
                raise RequestError(
                    f"{self.name}: events, explicit time and rate rules are followed in double "
                    "precision; leave out dtype"
                )
            return sample_hybrid(request, threads=self.threads, firing_limit=self.firing_limit)
        kernel, reason = self.choose_kernel(request)
        if kernel == "tree":
            sample = sample_tree(request, threads=self.threads, firing_limit=self.firing_limit)
            return replace(sample, engine=f"{self._named(kernel)}{reason}")
        if kernel == "lockstep":
            arrays = self._sample_lockstep(request)
        else:
            return replace(self.sample_table(request), engine=f"{self._named(kernel)}{reason}")
        return Sample(*arrays, engine=f"{self._named(kernel)}{reason}")

    def sample_table(
        self, request: Request, lists: tuple[NDArray[np.int64], NDArray, NDArray] | None = None
    ) -> Sample:
        """Sample trajectories by the table-driven kernel, and list their firings.

        Args:
            request: what to sample.
            lists: where each trajectory starts in the lists, int64 [trajectory + 1], and the lists
                to be written: times and reactions.
        """
        start = np.array(request.start, dtype=np.float64, order="C")
        arrays = result_arrays(request)
        wanted = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))
        wanted = wanted if lists is None else lists
        module = kernel_module(SAMPLING, types=f"lists of {wanted[2].dtype}")

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            job = self._job(request, signals)
            module.sample_block(job, start, request.first_trajectory, low, high, wanted, arrays)

        self._run(work, request, BLOCK)
        return Sample(*arrays, engine=self._named("table"))

    def _sample_lockstep(self, request: Request) -> tuple[NDArray, ...]:
        block = _lockstep_block(request.trajectories, self.threads)
        lanes = FEW_LANES if min(block, request.trajectories) <= FEW_LANES else LANES
        laws, _ = laws_and_inputs(request.lowered, request.inputs)
        kind = lockstep_kind(request.readout)
        advance = _advance(request.lowered, laws, kind, lanes, self.dtype)
        start = np.array(request.start, dtype=np.float64, order="C")
        arrays = result_arrays(request)
        first, species = request.first_trajectory, start.shape[1]

        def arguments(low: int, high: int, signals: Signals) -> tuple[Any, ...]:
            rooms = _rooms(species, lanes, self.dtype)
            return self._job(request, signals), start, first, low, high, lanes, rooms, arrays

        example = arguments(0, 0, Signals(np.zeros(1, np.uint8), np.zeros(1, np.int64)))
        driver = kernel_module(LOCKSTEP, types=self.dtype).sample_lockstep_block
        sample = bound_to(driver, advance, *example)

        def work(_block: int, low: int, high: int, signals: Signals) -> None:
            sample(advance, *arguments(low, high, signals))

        self._run(work, request, block)
        return arrays

    def _run(self, work: Callable[[int, int, int, Signals], None], request: Request, block: int):
        run_blocks(
            work,
            request.trajectories,
            self.threads,
            request.progress,
            block=block,
            points=len(request.readout.points),
        )

    def _job(self, request: Request, signals: Signals) -> Job:
        laws, inputs = laws_and_inputs(request.lowered, request.inputs)
        structure = sampling_tables(request.lowered, laws)
        return Job(
            tables=structure,
            code=code_of(structure),
            kind=request.readout.kind,
            points=request.readout.points,
            inputs=inputs,
            seed=request.seed,
            limit=self.firing_limit,
            narrow=self.dtype == "float32",
            cancel=signals.cancel,
            done=signals.done,
        )

    def choose_kernel(self, request: Request) -> tuple[str, str]:
        """Return the kernel and, where it was not named, why it was chosen."""
        reactions = len(request.lowered.channels)
        if reactions == 0:
            return "table", ": there are no reactions"
        if self.dtype == "float32" and self.kernel in ("auto", "lockstep"):
            reason = too_much_for_single(request, self.firing_limit)
            if reason:
                return "table", f": {reason}, which single precision does not hold"
        if self.kernel != "auto":
            return self.kernel, ""
        if reactions > LARGEST_SINGLE and self.dtype != "float64":
            raise RequestError(
                f"Native(dtype={self.dtype!r}): single precision pays up to {LARGEST_SINGLE} "
                f"reactions, and there are {reactions}; use double precision, or name a kernel"
            )
        if reactions > LARGEST_LOCKSTEP:
            return "tree", f": {reactions} reactions are too many for code of their own"
        if request.trajectories * self.firing_limit < WORTH_COMPILING:
            return "table", ": small job"
        pilot = replace(request, trajectories=1, start=request.start[:1], progress=None)
        limit = min(PILOT_FIRINGS, self.firing_limit)
        sample = replace(self, threads=1, kernel="table", firing_limit=limit).sample(pilot)
        firings = int(sample.firings[0])
        reached = sample.outcomes[0] == Outcome.FIRING_LIMIT
        expected = firings * request.trajectories
        words = f": {'at least' if reached else 'about'} {expected:.0e} firings expected"
        is_large = expected >= worth_compiling(reactions) or (reached and limit == PILOT_FIRINGS)
        return "lockstep" if is_large else "table", words


def worth_compiling(reactions: int) -> float:
    """Return the firings of a job from which code for a network of so many reactions pays."""
    return WORTH_COMPILING * max(1.0, (reactions / 40.0) ** 2)


def too_much_for_single(request: Request, limit: int) -> str:
    """Say what of a job single precision does not hold; empty where it holds everything."""
    if limit < 2:
        return "a firing limit of 1"
    if float(np.max(request.start, initial=0.0)) > MOST_SINGLE:
        return f"counts above {MOST_SINGLE:.0f}"
    changes = (abs(n) for c in request.lowered.channels for n in c.change.values())
    if max(changes, default=0) > MOST_CHANGED:
        return f"a firing that changes a count by more than {MOST_CHANGED}"
    _, inputs = laws_and_inputs(request.lowered, request.inputs)
    sizes = np.abs(inputs[inputs != 0.0])
    if sizes.size and not (sizes.min() >= LEAST_NORMAL and sizes.max() < 2.0**127):
        return f"a coefficient of {sizes.min():.2g} or {sizes.max():.2g}"
    return ""


def _lockstep_block(trajectories: int, threads: int | None) -> int:
    """Return how many trajectories one call of the lockstep kernel takes.

    Lanes run empty at the end of a call, so calls are long; but where there are many trajectories,
    every thread should have several calls, since some finish sooner.
    """
    count = thread_count(threads)
    shared = -(-trajectories // count)
    return max(min(shared, LARGEST_BLOCK, max(shared // 4, 4 * LANES)), 1)


def _rooms(species: int, lanes: int, dtype: str) -> tuple[NDArray, NDArray, NDArray]:
    """Return the arrays (counts, clocks, noise) that one call of the lockstep kernel works in."""
    clocks = np.zeros((species + AVERAGES) * lanes)
    if dtype == "float64":
        return np.zeros(species * lanes), clocks, np.zeros(2 * lanes)
    counts = np.zeros(room_of_counts(species) * lanes, dtype=np.float32)
    return counts, clocks, np.zeros(4 * lanes, dtype=np.float32)


def lockstep_kind(readout: Readout) -> LockstepKind:
    """Return what a readout means for the form of the lockstep kernel."""
    return LockstepKind(
        by_firings=readout.kind == FIRING_COUNTS,
        short_of=readout.kind == INTERPOLATED,
        averages=readout.kind == WINDOWS,
    )


# Keyed by identity of the frozen network and its laws: printing the same twice is waste.
@lru_cache(maxsize=64)
def _advance(
    lowered: LoweredNetwork, laws: KernelLaws, kind: LockstepKind, lanes: int, dtype: str
) -> Any:
    is_double = dtype == "float64"
    printed = lockstep_source if is_double else lockstep_source_single
    source = printed(lowered, laws, noise_source(), kind, lanes)
    return printed_function(source, "advance", SIGNATURE if is_double else SIGNATURE_SINGLE)


@lru_cache(maxsize=64)
def sampling_tables(lowered: LoweredNetwork, laws: KernelLaws) -> Tables:
    """Return the tables that sampling needs."""
    return tables(lowered, derivatives=False, laws=laws)
