"""What is written down of a trajectory, as kernel functions: points of a readout, and the end.

Kernels with memory of another kind have their own forms of `keep`: `lockstep.kernel.look` and
`turn_window` for lanes, `tree.windows` for windows of many species.
"""

from __future__ import annotations

import math

from sbmlgrad.engines.codes import (
    FIRING_COUNTS,
    FIRING_LIMIT,
    INTERPOLATED,
    NO_FAULT,
    VALUES,
    WINDOWS,
)


def keep(kind, points, values, point, before, after, time, next_time, firings):
    """Keep what the readout wants of the state `before`, held from `time` to `next_time`.

    Returns the number of points that are complete. `firings` is the number before the interval.
    """
    species = before.shape[0]
    count = values.shape[0]
    if kind == VALUES:
        while point < count and points[point] < next_time:
            for s in range(species):
                values[point, s] = before[s]
            point += 1
    elif kind == WINDOWS:
        while point < count and points[point] < next_time:
            low = max(time, points[point])
            high = min(next_time, points[point + 1])
            if high > low:
                share = (high - low) / (points[point + 1] - points[point])
                for s in range(species):
                    values[point, s] += share * before[s]
            if points[point + 1] > next_time:
                break
            point += 1
    elif kind == INTERPOLATED:
        while point < count and points[point] <= next_time:
            share = 0.0
            if next_time < math.inf:
                share = (points[point] - time) / (next_time - time)
            for s in range(species):
                values[point, s] = before[s] + share * (after[s] - before[s])
            point += 1
    elif kind == FIRING_COUNTS:
        while point < count and (points[point] <= firings or next_time == math.inf):
            for s in range(species):
                values[point, s] = before[s]
            values[point, species] = time
            point += 1
    return point


def close(results, row, outcome, reaction, firings, time, state):
    """Write down how a trajectory ended in `results` (`engines.base.Results`)."""
    results.outcomes[row] = outcome
    results.firings[row] = firings
    results.failed_reaction[row] = reaction if outcome > FIRING_LIMIT else NO_FAULT
    results.end_times[row] = time
    for s in range(state.shape[0]):
        results.end_states[row, s] = state[s]
