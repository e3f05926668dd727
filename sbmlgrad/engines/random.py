"""Counter-based random streams: Philox4x32-10 keyed by (seed, trajectory, draw).

Every draw is a pure function of its address, so trajectories do not depend on threads, batch
splits or output times, and a gradient can replay a trajectory instead of storing its noise.

Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.2.
The 64-bit seed is the key; the 128-bit counter holds the draw (64 bits), the trajectory (32 bits)
and the purpose (32 bits).

Functions of one draw stay within numba's subset of Python: kernels compile their source.
`uniform_pairs` says the same as `uniform_pair` for arrays.
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
NARROW_FIRINGS = 5
NARROW_REST = 6
AUXILIARY = 7
SPLIT = 8

#: Rounds of Philox, what its words are multiplied by, and what its keys grow by each round.
ROUNDS = 10
MULTIPLIER0, MULTIPLIER1 = 0xD2511F53, 0xCD9E8D57
KEY_STEP0, KEY_STEP1 = 0x9E3779B9, 0xBB67AE85

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
    for _ in range(ROUNDS):
        product0 = c0 * np.uint64(MULTIPLIER0)
        product1 = c2 * np.uint64(MULTIPLIER1)
        c0 = (product1 >> shift) ^ c1 ^ key0
        c2 = (product0 >> shift) ^ c3 ^ key1
        c1 = product1 & low
        c3 = product0 & low
        key0 = (key0 + np.uint64(KEY_STEP0)) & low
        key1 = (key1 + np.uint64(KEY_STEP1)) & low
    return c0, c1, c2, c3


def uniform_pair(seed, draw, trajectory, purpose):
    """Return u in (0, 1] and v in [0, 1), each with 53 random bits, for an address (all uint64)."""
    c0, c1, c2, c3 = philox(seed, draw, trajectory, purpose)
    first = c0 | (c1 << np.uint64(32))
    second = c2 | (c3 << np.uint64(32))
    u = np.float64((first >> np.uint64(11)) + np.uint64(1)) * 1.1102230246251565e-16
    v = np.float64(second >> np.uint64(11)) * 1.1102230246251565e-16
    return u, v


def narrow_pair(seed, draw, trajectory):
    """Return u in (0, 1] and v in [0, 1) for a firing in single precision (all uint64).

    One call of Philox serves two firings, so that each number begins with 32 bits; another call
    gives the bits after them, 53 in all, which are only worth their price where 32 do not decide.
    """
    shift = np.uint64(32)
    c0, c1, c2, c3 = philox(seed, draw >> np.uint64(1), trajectory, np.uint64(NARROW_FIRINGS))
    rest0, rest1, _, _ = philox(seed, draw, trajectory, np.uint64(NARROW_REST))
    is_second = (draw & np.uint64(1)) != np.uint64(0)
    first = ((c2 if is_second else c0) << shift) | rest0
    second = ((c3 if is_second else c1) << shift) | rest1
    u = np.float64((first >> np.uint64(11)) + np.uint64(1)) * 1.1102230246251565e-16
    v = np.float64(second >> np.uint64(11)) * 1.1102230246251565e-16
    return u, v


def standard_exponential(u):
    """Return -log(u) for u in (0, 1], within one unit in the last place.

    One polynomial for every kernel: scalar code and code for many lanes at once then give the same
    bits, which library functions do not, and compilers turn it into vector instructions.

    Source: W. J. Cody and W. Waite 1980, "Software manual for the elementary functions"; the
    coefficients are those of FreeBSD's msun, e_log.c (error below 2^-58.45).
    """
    bits = np.float64(u).view(np.uint64) + np.uint64(0x00095F6200000000)
    exponent = np.float64(np.int64(bits >> np.uint64(52)) - np.int64(0x3FF))
    mantissa = np.uint64((bits & np.uint64(0x000FFFFFFFFFFFFF)) + np.uint64(0x3FE6A09E00000000))
    f = mantissa.view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    series = 1.531383769920937332e-01 + z * 1.479819860511658591e-01
    series = 1.818357216161805012e-01 + z * series
    series = 2.222219843214978396e-01 + z * series
    series = 2.857142874366239149e-01 + z * series
    series = 3.999999999940941908e-01 + z * series
    series = z * (6.666666666666735130e-01 + z * series)
    small = half_square - (s * (half_square + series) + exponent * 1.90821492927058770002e-10)
    return (small - f) - exponent * 6.93147180369123816490e-01


def standard_exponential_single(u):
    """Return -log(u) in single precision for u in (0, 1], as `standard_exponential` does.

    Source: the coefficients are those of FreeBSD's msun, e_logf.c (error below 2^-34.24).
    """
    bits = np.uint32(np.float32(u).view(np.uint32) + np.uint32(0x004AFB0D))
    exponent = np.float32(np.int32(np.int32(bits >> np.uint32(23)) - np.int32(0x7F)))
    mantissa = np.uint32(np.uint32(bits & np.uint32(0x007FFFFF)) + np.uint32(0x3F3504F3))
    f = mantissa.view(np.float32) - np.float32(1.0)
    s = f / (np.float32(2.0) + f)
    z = s * s
    w = z * z
    half_square = np.float32(0.5) * f * f
    series = z * (np.float32(0.66666662693) + w * np.float32(0.28498786688))
    series = series + w * (np.float32(0.40000972152) + w * np.float32(0.24279078841))
    small = half_square - (s * (half_square + series) + exponent * np.float32(9.0580006145e-06))
    return (small - f) - exponent * np.float32(6.9313812256e-01)


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
