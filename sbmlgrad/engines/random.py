"""Counter-based random streams: Philox4x32-10 keyed by (seed, trajectory, draw).

Every draw is a pure function of its address, so trajectories do not depend on threads, batch
splits or output times, and a gradient can replay a trajectory instead of storing its noise.

Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.2.
The 64-bit seed is the key; the 128-bit counter holds the draw (64 bits), the trajectory (32 bits)
and the purpose (32 bits).

`philox` and `uniform_pair` stay within numba's subset of Python: kernels compile their source.
`uniform_pairs` says the same for arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: What a stream is for; each purpose has draws of its own.
FIRINGS = 0
INITIAL_STATE = 1
ESTIMATOR = 2
EVENTS = 3
INITIAL_DRAWS = 4

#: Trajectories that one seed can address.
LARGEST_TRAJECTORY = 2**32 - 1


def philox(seed, draw, trajectory, purpose):
    """Return four random 32-bit words (as uint64) for an address (all uint64)."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    key0 = seed & low
    key1 = seed >> shift
    c0 = draw & low
    c1 = draw >> shift
    c2 = trajectory
    c3 = purpose
    for _ in range(10):
        product0 = c0 * np.uint64(0xD2511F53)
        product1 = c2 * np.uint64(0xCD9E8D57)
        c0 = (product1 >> shift) ^ c1 ^ key0
        c2 = (product0 >> shift) ^ c3 ^ key1
        c1 = product1 & low
        c3 = product0 & low
        key0 = (key0 + np.uint64(0x9E3779B9)) & low
        key1 = (key1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


def uniform_pair(seed, draw, trajectory, purpose):
    """Return u in (0, 1] and v in [0, 1), each with 53 random bits, for an address (all uint64)."""
    c0, c1, c2, c3 = philox(seed, draw, trajectory, purpose)
    first = c0 | (c1 << np.uint64(32))
    second = c2 | (c3 << np.uint64(32))
    u = np.float64((first >> np.uint64(11)) + np.uint64(1)) * 1.1102230246251565e-16
    v = np.float64(second >> np.uint64(11)) * 1.1102230246251565e-16
    return u, v


def uniform_pairs(
    seed: int,
    draws: NDArray[np.uint64] | int,
    trajectories: NDArray[np.uint64],
    purpose: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `uniform_pair` for many trajectories at once, float64 [trajectory] each."""
    # The scalar functions are array functions too: NumPy's uint64 arithmetic wraps the same way.
    address = np.broadcast_arrays(np.asarray(draws, np.uint64), trajectories)
    with np.errstate(over="ignore"):
        c0, c1, c2, c3 = philox(
            np.uint64(seed), address[0], address[1], np.full_like(address[1], purpose)
        )
    first = c0 | (c1 << np.uint64(32))
    second = c2 | (c3 << np.uint64(32))
    u = ((first >> np.uint64(11)) + np.uint64(1)).astype(np.float64) * 2.0**-53
    v = (second >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return u, v
