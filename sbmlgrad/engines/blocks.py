"""Work through a batch in blocks on several threads, with progress and clean interruption."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

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


def run_blocks(
    work: Callable[[int, int, int, NDArray[np.uint8]], None],
    trajectories: int,
    threads: int | None,
    progress: Progress | None,
    *,
    block: int = BLOCK,
) -> None:
    """Call `work(block, low, high, cancel)` for every block of trajectories.

    Args:
        work: releases the GIL and stops early where `cancel[0]` becomes non-zero.
        trajectories: how many there are.
        threads: how many blocks run at a time; None uses every core.
        progress: called with (done, total), or None.
        block: trajectories per block.

    Raises:
        KeyboardInterrupt: after the running blocks have stopped.
    """
    cancel = np.zeros(1, dtype=np.uint8)
    bounds = [(low, min(low + block, trajectories)) for low in range(0, trajectories, block)]
    count = min(thread_count(threads), len(bounds))
    if count <= 1 and progress is None:
        _in_this_thread(work, bounds, cancel)
        return
    done = 0
    with ThreadPoolExecutor(max_workers=max(count, 1)) as pool:
        try:
            pending: set[Future[None]] = set()
            sizes: dict[Future[None], int] = {}
            for number, (low, high) in enumerate(bounds):
                future = pool.submit(work, number, low, high, cancel)
                sizes[future] = high - low
                pending.add(future)
            while pending:
                # A bounded wait lets the interpreter see Ctrl-C.
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += sizes[future]
                if progress is not None and finished:
                    progress(done, trajectories)
        except BaseException:
            cancel[0] = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _in_this_thread(
    work: Callable[[int, int, int, NDArray[np.uint8]], None],
    bounds: list[tuple[int, int]],
    cancel: NDArray[np.uint8],
) -> None:
    for number, (low, high) in enumerate(bounds):
        work(number, low, high, cancel)
