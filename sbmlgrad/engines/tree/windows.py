"""Window averages of many species, as kernel functions: a firing visits only what it changes.

`readout_kernel.keep` adds to the averages of all species at every firing, which is right for few of
them. Here every species remembers since when it has not been counted.
"""

from __future__ import annotations


def add_share(points, values, point, before, since, s, until):
    """Add to a window what a species contributed from `since[s]` until a time within it."""
    low = max(since[s], points[point])
    if until > low:
        values[point, s] += (until - low) / (points[point + 1] - points[point]) * before[s]
    since[s] = until


def close_windows(points, values, point, before, since, until):
    """Complete the windows that end until a time; returns the first that does not.

    Between the ends of windows only the species that change are visited.
    """
    while point < values.shape[0] and points[point + 1] <= until:
        for s in range(before.shape[0]):
            add_share(points, values, point, before, since, s, points[point + 1])
        point += 1
    return point
