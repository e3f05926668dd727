"""Long trajectories in chunks of firings, as kernel functions.

The first pass keeps the state at the start of every chunk only, and chunks are replayed from there
as the walk back reaches them, so that memory grows by one state in `CHUNK` firings.
"""

from __future__ import annotations

import numpy as np

#: Firings of a lane that are noted at a time.
CHUNK = 2**16


def with_room(kept, kept_draws, chunk):
    """Return the arrays that keep starts, twice as long where they end before a chunk.

    Args:
        kept: counts and clocks, float64 [chunk, (species + 1) * lanes].
        kept_draws: firings so far, uint64 [chunk, lane].
        chunk: whose start is to be kept next.
    """
    if chunk < kept.shape[0]:
        return kept, kept_draws
    more = np.empty((2 * chunk, kept.shape[1]))
    more_draws = np.empty((2 * chunk, kept_draws.shape[1]), np.uint64)
    more[:chunk] = kept
    more_draws[:chunk] = kept_draws
    return more, more_draws


def keep_start(kept, kept_draws, chunk, counts, clocks, draws):
    """Keep where all lanes stand before a chunk."""
    kept[chunk, : counts.shape[0]] = counts
    kept[chunk, counts.shape[0] :] = clocks[: draws.shape[0]]
    kept_draws[chunk] = draws


def return_to_start(kept, kept_draws, chunk, counts, clocks, draws):
    """Put all lanes where they stood before a chunk."""
    counts[:] = kept[chunk, : counts.shape[0]]
    clocks[: draws.shape[0]] = kept[chunk, counts.shape[0] :]
    draws[:] = kept_draws[chunk]
