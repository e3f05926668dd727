"""Periods and amplitudes of the repressor: what nobody fits, and the model should get right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg
from genetic_oscillator.model import all_values, engine, network

FloatArray = NDArray[np.float64]

#: Hours that are left out at the start, that are looked at, and between two looks.
BEFORE, LASTING, BETWEEN = 50.0, 450.0, 0.25

#: A cycle begins when R rises through the upper level after it was below the lower one.
LOWER, UPPER = 300.0, 800.0


@dataclass(frozen=True, eq=False)
class Cycles:
    """Cycles of R.

    Attributes:
        periods: hours between two beginnings, float64 [cycle].
        amplitudes: most molecules of R in it, float64 [cycle].
        cell: of each, int [cycle].
    """

    periods: FloatArray
    amplitudes: FloatArray
    cell: NDArray[np.intp]

    def told(self) -> dict[str, tuple[float, float]]:
        """Return name → mean over cycles, and its standard error from that between cells."""
        found = {}
        for name, values in (("period", self.periods), ("amplitude", self.amplitudes)):
            # Long cycles are fewer in a time, so that cells must weigh as many as they have.
            number = np.bincount(self.cell)
            total = np.bincount(self.cell, weights=values)
            kept = number > 0
            number, total = number[kept], total[kept]
            mean = float(values.mean())
            off = total - mean * number
            cells = len(number)
            error = np.sqrt(cells / (cells - 1) * np.sum(off**2)) / number.sum()
            found[name] = (mean, float(error))
        return found


def simulate_r(
    logarithms: FloatArray | None, cells: int, end: float, seed: int, threads: int
) -> tuple[FloatArray, FloatArray]:
    """Return times [time] and R of cells, float64 [cell, time]; None is the truth."""
    times = np.linspace(0.0, end, round(end / BETWEEN) + 1)
    found = sg.simulate(
        network(),
        None if logarithms is None else all_values(logarithms),
        times=times.tolist(),
        trajectories=cells,
        seed=seed,
        engine=engine(threads),
    )
    return times, np.asarray(found.values("R"), dtype=np.float64)


def cycles(logarithms: FloatArray | None, cells: int, seed: int, threads: int) -> Cycles:
    """Simulate cells and return their cycles."""
    times, r = simulate_r(logarithms, cells, BEFORE + LASTING, seed, threads)
    return cycles_of(times, r, BEFORE)


def cycles_of(times: FloatArray, r: FloatArray, before: float) -> Cycles:
    """Return the cycles that begin after some time.

    Args:
        times: increasing, float64 [time].
        r: molecules, float64 [cell, time].
        before: cycles that begin earlier are left out.
    """
    periods, amplitudes, cell = [], [], []
    for number, row in enumerate(r):
        begins = [b for b in _beginnings(times, row) if b[0] >= before]
        for (start, first), (end, last) in pairwise(begins):
            periods.append(end - start)
            amplitudes.append(row[first:last].max())
            cell.append(number)
    return Cycles(np.array(periods), np.array(amplitudes), np.array(cell, dtype=np.intp))


def aligned(
    times: FloatArray, r: FloatArray, before: float, around: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Return the mean course of R around the beginnings of cycles.

    Args:
        times: equally spaced, float64 [time].
        r: molecules, float64 [cell, time].
        before: cycles that begin earlier are left out.
        around: hours before (negative) and after.

    Returns:
        Hours since the beginning, float64 [point], and the mean, float64 [point].
    """
    step = times[1] - times[0]
    low, high = (round(hours / step) for hours in around)
    pieces = [
        row[place + low : place + high + 1]
        for row in r
        for begin, place in _beginnings(times, row)
        if begin >= before and place + low >= 0 and place + high < len(row)
    ]
    return np.arange(low, high + 1) * step, np.mean(pieces, axis=0)


def _beginnings(times: FloatArray, row: FloatArray) -> list[tuple[float, int]]:
    """Return (time, place after it) of every beginning."""
    found, was_low, step = [], False, times[1] - times[0]
    # Only where a level is passed, which is much less often than a look.
    for place in np.flatnonzero((row < LOWER) | (row >= UPPER)):
        if row[place] < LOWER:
            was_low = True
        elif was_low:
            was_low = False
            share = (UPPER - row[place - 1]) / (row[place] - row[place - 1])
            found.append((float(times[place - 1] + share * step), int(place)))
    return found


def emergent(
    logarithms: FloatArray, cells: int, seed: int, threads: int
) -> Mapping[str, tuple[float, float, float, float]]:
    """Return name → mean and standard error under the truth, then under learned values."""
    true = cycles(None, cells, seed, threads).told()
    learned = cycles(logarithms, cells, seed + 1, threads).told()
    return {name: (*true[name], *learned[name]) for name in true}
