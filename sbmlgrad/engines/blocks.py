"""Work through a batch in blocks on several threads, with progress and clean interruption."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Progress

#: Trajectories per block. Fixed, so that sums over blocks do not depend on the number of threads.
BLOCK = 128


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use: as asked, or the cores this process may run on."""
    return threads if threads is not None else available_cores()


def available_cores() -> int:
    """Return how many cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


class Signals(NamedTuple):
    """What a running block and whoever waits for it tell each other.

    Attributes:
        cancel: uint8 [1]; a block stops early where it becomes non-zero.
        done: int64 [1]; points of the readout that the block has finished, if it says so.
    """

    cancel: NDArray[np.uint8]
    done: NDArray[np.int64]


def quiet_signals() -> Signals:
    """Return signals to nobody, for what no block runs with."""
    return Signals(np.zeros(1, dtype=np.uint8), np.zeros(1, dtype=np.int64))


def run_blocks(
    work: Callable[[int, int, int, Signals], None],
    trajectories: int,
    threads: int | None,
    progress: Progress | None,
    *,
    block: int = BLOCK,
    points: int = 1,
) -> None:
    """Call `work(block, low, high, signals)` for every block of trajectories.

    Args:
        work: releases the GIL and stops early where `signals.cancel[0]` becomes non-zero.
        trajectories: how many there are.
        threads: how many blocks run at a time; None uses every core.
        progress: called with (done, total) trajectories, or None. Parts of those under way count
            too: a trajectory that is half done is half a one.
        block: trajectories per block.
        points: points of the readout per trajectory, in which blocks count what they have done.

    Raises:
        KeyboardInterrupt: after the running blocks have stopped.
    """
    cancel = np.zeros(1, dtype=np.uint8)
    bounds = [(low, min(low + block, trajectories)) for low in range(0, trajectories, block)]
    count = min(thread_count(threads), len(bounds))
    done = np.zeros(len(bounds), dtype=np.int64)
    with ThreadPoolExecutor(max_workers=max(count, 1)) as pool:
        try:
            pending: set[Future[None]] = set()
            blocks: dict[Future[None], int] = {}
            for number, (low, high) in enumerate(bounds):
                signals = Signals(cancel, done[number : number + 1])
                future = pool.submit(work, number, low, high, signals)
                blocks[future] = number
                pending.add(future)
            while pending:
                # A bounded wait lets the interpreter see Ctrl-C, and progress be told.
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    low, high = bounds[blocks[future]]
                    done[blocks[future]] = (high - low) * points
                if progress is not None:
                    progress(float(done.sum()) / points, trajectories)
        except BaseException:
            cancel[0] = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise
