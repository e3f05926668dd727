"""Window averages in the lanes of the lockstep method, as kernel functions.

`advance` adds what a state contributes when it changes. Rows of `clocks` hold since when the state
of a lane has not been counted, how wide its window is, and the averages so far.
"""

from __future__ import annotations

import math

from sbmlgrad.codegen.lockstep_source import AVERAGES, CLOCK, SINCE, WIDTH


def turn_window(counts, clocks, points, lane, size, species, values, row, now):
    """Write down the averages of the window that ends at a point, and open the one that begins."""
    end = points[now]
    if now > 0:
        share = (end - clocks[SINCE * size + lane]) / clocks[WIDTH * size + lane]
        for s in range(species):
            average = clocks[(AVERAGES + s) * size + lane]
            values[row, now - 1, s] = average + share * counts[s * size + lane]
    if now + 1 < points.shape[0]:
        clocks[SINCE * size + lane] = end
        clocks[WIDTH * size + lane] = points[now + 1] - end
        for s in range(species):
            clocks[(AVERAGES + s) * size + lane] = 0.0


def resume_window(clocks, points, species, lane, size, values, window):
    """Let a lane go on with the window that the table-driven kernel left; returns its place."""
    time = clocks[CLOCK * size + lane]
    if time < points[window]:
        clocks[WIDTH * size + lane] = math.inf
        return window
    clocks[SINCE * size + lane] = time
    clocks[WIDTH * size + lane] = points[window + 1] - points[window]
    for s in range(species):
        clocks[(AVERAGES + s) * size + lane] = values[window, s]
    return window + 1
