"""Curves of pairs of dwells for figures: histograms, neighbours, ensembles, bursts, a trace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dwells.halves import Half
from dwells.scheme import Scheme
from dwells.statistics import COURSE, GAP, expected_bursts, expected_later, open_later

FloatArray = NDArray[np.float64]

#: Edges of histograms of open and of shut dwells, ms, evenly spread on a logarithmic axis.
OPEN_EDGES, SHUT_EDGES = np.geomspace(1e-3, 1e2, 41), np.geomspace(1e-3, 1e6, 64)

#: Classes of shuttings in front of which the mean opening is taken, ms.
NEIGHBOURS = np.array([1e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])

#: Openings that a burst may have at least.
SIZES = np.array([1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200])

#: Part of a record that is drawn, ms, and the dwells that are kept for it at most.
WINDOW, DWELLS = 120.0, 100

#: Between what 95 % of the replicates lie, with the median in the middle.
SPREAD = (2.5, 50.0, 97.5)


def curves(half: Half) -> dict[str, FloatArray]:
    """Return the curves of a half, NaN where there is nothing to take a mean of."""
    return {
        "open": np.histogram(half.opened, OPEN_EDGES)[0].astype(np.float64),
        "shut": np.histogram(half.shut, SHUT_EDGES)[0].astype(np.float64),
        "neighbours": _means(half.opened, np.digitize(half.shut, NEIGHBOURS) - 1),
        "later": open_later(half, COURSE),
        "bursts": _bursts(half.shut),
    }


def refitted_curves(half: Half, refit: Scheme, scheme: Scheme) -> dict[str, FloatArray]:
    """Return the curves of a replicate around a scheme, its fit as far off as that of a record is.

    Where the course of a curve is known in closed form, it is moved by how far the scheme that was
    fitted to the replicate is from the one that it was simulated from.

    Args:
        half: of the replicate, not fitted.
        refit: what was fitted to its other half.
        scheme: what it was simulated from.
    """
    found = curves(half)
    found["later"] += expected_later(scheme, COURSE) - expected_later(refit, COURSE)
    found["bursts"] += (expected_bursts(scheme) - expected_bursts(refit))[SIZES - 1]
    return found


def _means(values: FloatArray, places: NDArray[np.int64]) -> FloatArray:
    number = len(NEIGHBOURS) - 1
    inside = (places >= 0) & (places < number)
    counts = np.bincount(places[inside], minlength=number)
    totals = np.bincount(places[inside], weights=values[inside], minlength=number)
    return np.divide(totals, counts, out=np.full(number, np.nan), where=counts > 4)


def _bursts(shut: FloatArray) -> FloatArray:
    """Return the shares of bursts of at least so many openings; those at both ends are left out."""
    ends = np.flatnonzero(shut > GAP)
    if len(ends) < 2:
        return np.full(len(SIZES), np.nan)
    return (np.diff(ends)[:, None] >= SIZES).mean(axis=0)


def spread(found: Sequence[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return median and spread of curves of many halves, float64 [quantile, point] by name.

    A point that is missing in one of twenty or more is missing.
    """
    made = {}
    for name in found[0]:
        values = np.stack([one[name] for one in found])
        is_missing = np.isnan(values).mean(axis=0) >= 0.05
        quantiles = np.nanpercentile(np.where(is_missing, 0.0, values), SPREAD, axis=0)
        made[name] = np.where(is_missing, np.nan, quantiles)
    return made


def excerpt(half: Half) -> list[float]:
    """Return dwells of the first stretch that is as long as any, openings and shuttings in turn."""
    left = half.left
    first = int(np.argmax(left))
    own = slice(first, first + int(left[first]))
    pairs = np.stack([half.opened[own], half.shut[own]], axis=1)
    return [float(dwell) for dwell in pairs.ravel()[:DWELLS]]


def plain(values: FloatArray) -> list:
    """Return numbers for a file, five digits each, None for NaN."""
    if values.ndim > 1:
        return [plain(row) for row in values]
    return [None if np.isnan(value) else float(f"{value:.5g}") for value in values]
