"""Values on lines between firings in the lanes of the lockstep method, as kernel functions.

A lane that has stalled before a firing holds the states before and after it: `advance` writes the
latter into rows of `clocks`. The expressions are those of `readout_kernel.keep`, to the bit.
"""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.lockstep_source import AFTER, CLOCK, NEXT


def runs_out(clocks, lane, size, species):
    """Tell whether the firing that a lane has stalled at needs more molecules than there are."""
    fewest = 0.0
    for s in range(species):
        fewest = min(fewest, clocks[(AFTER + s) * size + lane])
    return fewest < 0.0


def keep_lines(counts, clocks, draws, points, lane, size, species, values, row, now):
    """Write down all points up to the firing that a lane has stalled at; returns the next point.

    The firing beyond the last point is part of what was asked for, so it happens then.
    """
    time, next_time = clocks[CLOCK * size + lane], clocks[NEXT * size + lane]
    last = points.shape[0]
    while now < last and points[now] <= next_time:
        share = (points[now] - time) / (next_time - time)
        for s in range(species):
            before = counts[s * size + lane]
            after = clocks[(AFTER + s) * size + lane]
            values[row, now, s] = before + share * (after - before)
        now += 1
    if now == last:
        for s in range(species):
            counts[s * size + lane] = clocks[(AFTER + s) * size + lane]
        clocks[CLOCK * size + lane] = next_time
        draws[lane] += np.uint64(1)
    return now
