"""Launches of a CUDA kernel, short ones one after another, until a batch is done."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sbmlgrad.codegen.cuda_kept import Keeps
from sbmlgrad.codegen.numba_cuda import WHOLE_ROWS, real_rows
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.cuda.device import DeviceArray, DeviceSample
from sbmlgrad.engines.readouts import columns, point_count

#: Steps of every thread in the first launch, and at most.
FIRST_STEPS = 1_024
MOST_STEPS = 1 << 24

#: Seconds that a launch should last: long beside the cost of launching, short enough for Ctrl-C,
#: progress and the watchdog of a GPU that also draws a screen.
SHORTEST, LONGEST = 0.05, 0.2


@dataclass(frozen=True)
class Shape:
    """Blocks of threads in one launch."""

    blocks: int
    threads: int


def bytes_needed(request: Request, threads: int) -> tuple[int, int]:
    """Return the bytes on the device that each trajectory's results take, and all the rest.

    Args:
        request: what is to be sampled.
        threads: of a launch; each has a trajectory under way.
    """
    species = len(request.lowered.state_ids)
    values = point_count(request.readout) * columns(request.readout, species)
    starts = species if request.start.shape[0] > 1 else 0
    # Outcome, firings, failed reaction and end time are 25 bytes.
    each = 8 * (values + species + starts) + 25
    under_way = 8 * (WHOLE_ROWS + real_rows(species, "averages"))
    once = len(request.readout.points) + len(request.inputs) + len(request.lowered.channels)
    return each, under_way * min(threads, request.trajectories) + 8 * (once + species) + 1024


def run(
    cuda: Any,
    kernel: Any,
    request: Request,
    keeps: Keeps,
    inputs: np.ndarray,
    shape: Shape,
    firing_limit: int,
    engine: str,
    device: int,
    progress: Callable[[int], None],
) -> DeviceSample:
    """Sample a batch on the current device.

    Args:
        cuda: `numba.cuda`.
        kernel: from `kernels.compiled`.
        request: the batch; its progress is not used.
        keeps: what the kernel keeps.
        inputs: inputs of the kernel, float64 [input].
        shape: of a launch.
        firing_limit: firings of one trajectory before it counts as a runaway.
        engine: name recorded in the sample.
        device: number of the device.
        progress: called with the trajectories done.
    """
    n, species = request.trajectories, len(request.lowered.state_ids)
    slots = min(n, shape.blocks * shape.threads)
    whole = np.zeros((WHOLE_ROWS, slots), dtype=np.int64)
    whole[0] = -1
    start = np.ascontiguousarray(request.start.T, dtype=np.float64)
    values = cuda.device_array(
        (point_count(request.readout), columns(request.readout, species), n), np.float64
    )
    results = (
        values,
        cuda.device_array(n, np.int8),
        cuda.device_array(n, np.int64),
        cuda.device_array(n, np.int64),
        cuda.device_array(n, np.float64),
        cuda.device_array((species, n), np.float64),
    )
    queue = cuda.to_device(np.zeros(2, dtype=np.int64))
    fixed = (
        cuda.to_device(np.ascontiguousarray(request.readout.points, dtype=np.float64)),
        # An axis of length 0 has no memory on a device.
        cuda.to_device(np.append(inputs, 0.0)),
        cuda.to_device(start),
        np.uint64(request.seed),
        np.int64(request.first_trajectory),
        np.int64(firing_limit),
    )
    kept = (
        queue,
        cuda.to_device(whole),
        cuda.to_device(np.zeros((real_rows(species, keeps), slots))),
    )
    blocks = -(-slots // shape.threads)
    launch = _configured(kernel, blocks, shape.threads)
    steps, done = FIRST_STEPS, 0
    while done < n:
        began = time.perf_counter()
        launch(*fixed, np.int64(steps), *kept, *results)
        # Copying waits for the launch to end.
        done = int(queue.copy_to_host()[1])
        steps = next_steps(steps, time.perf_counter() - began)
        progress(done)
    arrays = [DeviceArray(array, device) for array in results]
    return DeviceSample(*arrays, engine=engine)


def _configured(kernel: Any, blocks: int, threads: int) -> Any:
    with warnings.catch_warnings():
        # A small job leaves most of a GPU idle, which is not for numba to warn of.
        warnings.filterwarnings("ignore", message="Grid size")
        return kernel[blocks, threads]


def next_steps(steps: int, seconds: float) -> int:
    """Return the steps of the next launch, by how long the last one took."""
    if seconds < SHORTEST:
        return min(2 * steps, MOST_STEPS)
    return max(steps // 2, FIRST_STEPS) if seconds > LONGEST else steps
