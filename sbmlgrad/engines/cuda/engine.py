"""The CUDA engine: the direct method on an NVIDIA GPU, one trajectory a thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from sbmlgrad.codegen.kernel_laws import laws_and_inputs
from sbmlgrad.engines.base import DEFAULT_FIRING_LIMIT, Request, Sample
from sbmlgrad.engines.cuda.device import DeviceSample
from sbmlgrad.engines.cuda.kernels import (
    ADVICE,
    KEEPS,
    check,
    compiled,
    cuda_module,
    is_simulated,
    source_of,
)
from sbmlgrad.engines.cuda.launch import Shape, bytes_needed, run
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import whole

#: Part of the device's free memory that results may take.
MEMORY_SHARE = 0.8

#: Threads for each multiprocessor that a launch asks for; what does not fit at once waits its turn.
THREADS_PER_MULTIPROCESSOR = 2_048

#: Threads on the simulator, which runs them one after another.
SIMULATED_THREADS = 64


@dataclass(frozen=True)
class Cuda:
    """Direct method on a GPU in double precision: choose it for 10^5 trajectories and more.

    Needs an NVIDIA GPU and the extra `cuda`. The random streams are those of the CPU engines, so a
    trajectory is the same one. Its bits are the same too where rate laws are made of sums,
    products and quotients; powers and functions such as `exp` are rounded differently in the last
    place, which can, rarely, decide between two reactions. Networks whose rates change between
    firings (events, rate rules, explicit time) are refused.

    Args:
        threads_per_block: a multiple of 32.
        blocks: blocks of a launch; None fills the device.
        device: number of the device.
        firing_limit: firings of one trajectory before it counts as a runaway.
        dtype: only `"float64"`.
    """

    threads_per_block: int = 128
    blocks: int | None = None
    device: int = 0
    firing_limit: int = DEFAULT_FIRING_LIMIT
    dtype: str = "float64"
    is_deterministic: ClassVar[Literal[False]] = False

    def __post_init__(self) -> None:
        if self.dtype != "float64":
            raise RequestError(f"Cuda(dtype={self.dtype!r}): only 'float64' is available")
        whole("threads_per_block", self.threads_per_block, 32, 1024)
        if self.threads_per_block % 32:
            raise RequestError(
                f"Cuda(threads_per_block={self.threads_per_block}): threads run 32 at a time, so "
                "give a multiple of 32"
            )
        if self.blocks is not None:
            whole("blocks", self.blocks, 1, 2**31 - 1)
        whole("device", self.device, 0, 2**16)
        whole("firing_limit", self.firing_limit, 1, 2**62)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "Cuda()"

    def sample(self, request: Request) -> Sample:
        """Sample trajectories, in several batches where the device's memory is too small for one.

        Raises:
            RequestError: no device, or a network that this engine cannot sample.
        """
        check(request.lowered)
        cuda = self._device_or_raise()
        with cuda.gpus[self.device]:
            batch = min(self._most_at_once(cuda, request), request.trajectories)
            parts = []
            for low in range(0, request.trajectories, batch):
                part = _part(request, low, min(low + batch, request.trajectories))
                parts.append(self._run(cuda, part, low, request).to_sample())
        return _joined(parts)

    def sample_on_device(self, request: Request) -> DeviceSample:
        """Sample trajectories and leave the results on the device.

        Raises:
            RequestError: no device, too little memory on it, or a network that this engine cannot
                sample.
        """
        check(request.lowered)
        cuda = self._device_or_raise()
        with cuda.gpus[self.device]:
            most = self._most_at_once(cuda, request)
            if most < request.trajectories:
                raise RequestError(
                    f"Cuda(): {request.trajectories:,} trajectories do not fit into the free "
                    f"memory of device {self.device}, which holds {most:,} of them; ask for fewer "
                    "at a time (`first_trajectory` continues a batch), or for fewer points"
                )
            return self._run(cuda, request, 0, request)

    def _run(self, cuda: Any, part: Request, before: int, job: Request) -> DeviceSample:
        laws, inputs = laws_and_inputs(part.lowered, part.inputs)
        keeps = KEEPS[part.readout.kind]
        kernel = compiled(source_of(part.lowered, laws, keeps))

        def progress(done: int) -> None:
            if job.progress is not None:
                job.progress(before + done, job.trajectories)

        shape = Shape(self._blocks(cuda), self.threads_per_block)
        return run(
            cuda,
            kernel,
            part,
            keeps,
            inputs,
            shape,
            self.firing_limit,
            self.name,
            self.device,
            progress,
        )

    def _device_or_raise(self) -> Any:
        """Return `numba.cuda` if the device can be used."""
        cuda = cuda_module()
        if not cuda.is_available():
            reason = " ".join(str(cuda.cuda_error() or "no device answers").split())
            raise RequestError(f"Cuda(): no CUDA device can be used here ({reason}); {ADVICE}")
        if self.device >= len(cuda.gpus):
            raise RequestError(
                f"Cuda(device={self.device}): this machine has {len(cuda.gpus)} device(s), "
                "numbered from 0"
            )
        return cuda

    def _most_at_once(self, cuda: Any, request: Request) -> int:
        """Return how many trajectories' results fit into the device's free memory."""
        free = cuda.current_context().get_memory_info().free
        if free == np.inf:  # the simulator
            return request.trajectories
        each, rest = bytes_needed(request, self._blocks(cuda) * self.threads_per_block)
        most = int((MEMORY_SHARE * free - rest) // each)
        if most < 1:
            raise RequestError(
                f"Cuda(): one trajectory needs {each:,} bytes for its results, and device "
                f"{self.device} has {int(free):,} bytes free; ask for fewer points"
            )
        return most

    def _blocks(self, cuda: Any) -> int:
        if self.blocks is not None:
            return self.blocks
        if is_simulated():
            return max(SIMULATED_THREADS // self.threads_per_block, 1)
        resident = THREADS_PER_MULTIPROCESSOR // self.threads_per_block
        return cuda.get_current_device().MULTIPROCESSOR_COUNT * resident


def _part(request: Request, low: int, high: int) -> Request:
    start = request.start[low:high] if request.start.shape[0] > 1 else request.start
    return replace(
        request,
        start=start,
        trajectories=high - low,
        first_trajectory=request.first_trajectory + low,
    )


def _joined(parts: list[Sample]) -> Sample:
    if len(parts) == 1:
        return parts[0]
    fields = ("values", "outcomes", "firings", "failed_reaction", "end_times", "end_states")
    return replace(
        parts[0], **{f: np.concatenate([getattr(part, f) for part in parts]) for f in fields}
    )
