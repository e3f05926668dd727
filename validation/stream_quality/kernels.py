"""Compiled loops over random streams, and faults that can be planted in them.

The loops call the functions of the sampling kernels (`engines.random`, `engines.table.kernel`):
what is tested is the code that engines compile, not a copy.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.engines.random import FIRINGS, uniform_pair
from sbmlgrad.engines.table.kernel import SAMPLING, next_firing

#: Bits of a uniform number, and of the slices of them that are counted.
BITS, SLICE = 53, 8


def tabulate_firings(rates, seed, first, last, draws, narrow, fine, low, high, table, chosen):
    """Count waiting times and selections of the next firing from one state.

    Args:
        rates: propensities, float64 [reaction]; their sum is 1.
        seed: of the streams.
        first: trajectory to start with.
        last: the one to stop before.
        draws: firings of each trajectory.
        narrow: whether to take the streams of single precision.
        fine: int64 [cell], cells of equal probability of a waiting time.
        low: int64 [decade]; entry k counts waiting times whose distribution function is <= 10^-k.
        high: likewise for those whose survival is <= 10^-k.
        table: int64 [cell, reaction], coarse cells of equal probability and the reaction selected.
        chosen: int64 [outcome], other outcomes than a firing; entry 0 stays 0.
    """
    cells, coarse = fine.shape[0], table.shape[0]
    for trajectory in range(first, last):
        for draw in range(draws):
            outcome, waiting, reaction = next_firing(rates, seed, trajectory, draw, narrow)
            if outcome != 0:
                chosen[outcome] += 1
                continue
            survival = np.exp(-waiting)
            below = -np.expm1(-waiting)
            # A waiting time of 0 has probability 2^-53; survival rounds to 1 more often.
            fine[min(int(below * cells), cells - 1)] += 1
            table[min(int(below * coarse), coarse - 1), reaction] += 1
            edge = 1.0
            for k in range(low.shape[0]):
                if below <= edge:
                    low[k] += 1
                if survival <= edge:
                    high[k] += 1
                edge *= 0.1


def tabulate_bits(seed, first, last, draws, table):
    """Count bytes of the bits of u and v, int64 [u or v, slice, byte], the lowest bits first."""
    mask = np.int64((1 << SLICE) - 1)
    for trajectory in range(first, last):
        for draw in range(draws):
            u, v = uniform_pair(
                np.uint64(seed), np.uint64(draw), np.uint64(trajectory), np.uint64(FIRINGS)
            )
            bits_u = np.int64(u * 9007199254740992.0) - 1
            bits_v = np.int64(v * 9007199254740992.0)
            for k in range(table.shape[1]):
                table[0, k, (bits_u >> (SLICE * k)) & mask] += 1
                table[1, k, (bits_v >> (SLICE * k)) & mask] += 1


def tabulate_pairs(left, right, tables, sums):
    """Count cells of pairs of uniform numbers, and add up products.

    Args:
        left: addresses (seed, trajectory, draw, purpose), uint64 [pair, 4].
        right: likewise.
        tables: int64 [combination, cell, cell]; combinations are u u', u v', v u', v v', and u v of
            the left address.
        sums: float64 [combination] of products, each factor with mean 0 and variance 1.
    """
    cells = tables.shape[1]
    x = np.empty(5)
    y = np.empty(5)
    for i in range(left.shape[0]):
        u, v = uniform_pair(left[i, 0], left[i, 2], left[i, 1], left[i, 3])
        other_u, other_v = uniform_pair(right[i, 0], right[i, 2], right[i, 1], right[i, 3])
        x[0], x[1], x[2], x[3], x[4] = u, u, v, v, u
        y[0], y[1], y[2], y[3], y[4] = other_u, other_v, other_u, other_v, v
        for k in range(5):
            # u may be 1; a cell holds its upper end there and its lower end elsewhere, which
            # differs with probability 2^-53.
            column = min(int(x[k] * cells), cells - 1)
            tables[k, column, min(int(y[k] * cells), cells - 1)] += 1
            sums[k] += 12.0 * (x[k] - 0.5) * (y[k] - 0.5)


def fill_streams(seeds, trajectories, into_u, into_v):
    """Write the first draws of streams, float64 [stream, draw] each."""
    for i in range(into_u.shape[0]):
        for draw in range(into_u.shape[1]):
            into_u[i, draw], into_v[i, draw] = uniform_pair(
                seeds[i], np.uint64(draw), trajectories[i], np.uint64(FIRINGS)
            )


_FAULTY = """
def uniform_pair(seed, draw, trajectory, purpose):
    {before}
    c0, c1, c2, c3 = philox(seed, draw, trajectory, purpose)
    first = c0 | (c1 << np.uint64(32))
    second = c2 | (c3 << np.uint64(32))
    u = np.float64((first >> np.uint64(11)) + np.uint64(1)) * 2.0**-53
    v = np.float64(second >> np.uint64(11)) * 2.0**-53
    {after}
    return u, v
"""


def _faulty(before: str = "pass", after: str = "pass") -> str:
    return _FAULTY.format(before=before, after=after)


#: Name of a fault → source of the function that has it in place of the right one.
PLANTS = {
    # Resolution of single precision: rare reactions and long waiting times go wrong.
    "coarse": _faulty(
        after="u, v = (np.floor(u * 2.0**23) + 1.0) * 2.0**-23, np.floor(v * 2.0**23) * 2.0**-23"
    ),
    # The number that chose the waiting time chooses the reaction too.
    "one_number": _faulty(after="v = 1.0 - u"),
    # Two trajectories share a stream.
    "shared_trajectories": _faulty("trajectory = trajectory >> np.uint64(1)"),
    # Two seeds share their streams.
    "shared_seeds": _faulty("seed = seed >> np.uint64(1)"),
    # A draw takes half of its numbers from the one before.
    "overlapping_draws": _faulty(
        after="w0, w1, w2, w3 = philox(seed, draw + np.uint64(1), trajectory, purpose)\n"
        "    v = np.float64((w0 | (w1 << np.uint64(32))) >> np.uint64(11)) * 2.0**-53"
    ),
    # Waiting times half a percent too long.
    "slow_clock": "def standard_exponential(u):\n    return -1.005 * np.log(u)\n",
}

OWN = (tabulate_firings, tabulate_bits, tabulate_pairs, fill_streams)


def stream_module(plant: str | None = None) -> ModuleType:
    """Return the compiled loops, with the functions of the engines or with a fault among them.

    Args:
        plant: key of `PLANTS`, or None.
    """
    return kernel_module((*SAMPLING, *OWN), None if plant is None else PLANTS[plant])
