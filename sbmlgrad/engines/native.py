"""The native engine: the direct method compiled by numba, on several threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from sbmlgrad.engines import kernel_choice
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Request, Sample
from sbmlgrad.engines.hybrid.sampling import sample_hybrid
from sbmlgrad.engines.kernel_choice import (
    DTYPES,
    HYBRID,
    KERNELS,
    LOCKSTEP,
    TREE,
    KernelChoice,
    engine_name,
)
from sbmlgrad.engines.lockstep.sampling import sample_lockstep
from sbmlgrad.engines.table.sampling import sample_table
from sbmlgrad.engines.tree.sampling import sample_tree
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole


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
        if self.kernel == TREE and self.dtype != "float64":
            raise RequestError("Native(kernel='tree') works in double precision: leave out dtype")
        if self.threads is not None:
            whole("threads", self.threads, 1, 4096)
        whole("firing_limit", self.firing_limit, 1, 2**62)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return engine_name(self.kernel, self.dtype)

    @property
    def is_single(self) -> bool:
        """Whether it works in single precision."""
        return self.dtype == "float32"

    def choose_kernel(self, request: Request) -> KernelChoice:
        """Return the kernel for a request and, where it was not named, why it was chosen.

        Raises:
            RequestError: single precision is asked for where it cannot be had or does not pay.
        """
        return kernel_choice.choose_kernel(
            request, kernel=self.kernel, dtype=self.dtype, firing_limit=self.firing_limit
        )

    def recorded(self, choice: tuple[str, str]) -> str:
        """Return how results record what `choose_kernel` returned."""
        kernel, reason = choice
        return f"{engine_name(kernel, self.dtype)}{reason}"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories in blocks on several threads."""
        choice = self.choose_kernel(request)
        return replace(self._sample_by(choice[0], request), engine=self.recorded(choice))

    def _sample_by(self, kernel: str, request: Request) -> Sample:
        threads, limit = self.threads, self.firing_limit
        if kernel == HYBRID:
            return sample_hybrid(request, threads=threads, firing_limit=limit)
        if kernel == TREE:
            return sample_tree(request, threads=threads, firing_limit=limit)
        sample = sample_lockstep if kernel == LOCKSTEP else sample_table
        return sample(request, threads=threads, firing_limit=limit, is_single=self.is_single)
