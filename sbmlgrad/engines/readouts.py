"""Readouts: which numbers of a trajectory are kept.

Each readout turns one trajectory into an array [point, species]. They are asked for through
`simulate(times=...)` (values at times) or `simulate(readouts=[...])`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, VALUES, WINDOWS
from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import as_numbers


@dataclass(frozen=True)
class ValuesAt:
    """Values at given times: the state just after everything that happens then.

    What `simulate(times=...)` means. As a function of firing times it is a step, so estimators
    that reparameterise waiting times cannot differentiate it.
    """

    times: tuple[float, ...]
    kind: ClassVar[int] = VALUES

    def __init__(self, times: Sequence[float]) -> None:
        object.__setattr__(self, "times", _increasing(times, "times", least=1))

    @property
    def points(self) -> NDArray[np.float64]:
        """Times [point]."""
        return np.array(self.times)

    @property
    def labels(self) -> NDArray[np.float64]:
        """What each point is called in tables and plots, float64 [point]."""
        return self.points


@dataclass(frozen=True)
class WindowAverages:
    """Averages over consecutive windows: the exact time integral of the step function over length.

    Choose it for data that are averages, and for gradients by `StraightThrough`: it varies smoothly
    with the firing times.
    """

    edges: tuple[float, ...]
    kind: ClassVar[int] = WINDOWS

    def __init__(self, edges: Sequence[float]) -> None:
        object.__setattr__(self, "edges", _increasing(edges, "edges", least=2))

    @property
    def points(self) -> NDArray[np.float64]:
        """Window edges [point + 1]."""
        return np.array(self.edges)

    @property
    def labels(self) -> NDArray[np.float64]:
        """Middles of the windows, float64 [point]."""
        return (self.points[:-1] + self.points[1:]) / 2.0


@dataclass(frozen=True)
class Interpolated:
    """Values at given times on straight lines between firings, as in the straight-through study.

    Not exact in law (a trajectory is a step function); use it to reproduce published results.
    """

    times: tuple[float, ...]
    kind: ClassVar[int] = INTERPOLATED

    def __init__(self, times: Sequence[float]) -> None:
        object.__setattr__(self, "times", _increasing(times, "times", least=1))

    @property
    def points(self) -> NDArray[np.float64]:
        """Times [point]."""
        return np.array(self.times)

    @property
    def labels(self) -> NDArray[np.float64]:
        """Times [point]."""
        return self.points


@dataclass(frozen=True)
class AfterFirings:
    """States after given numbers of firings, with the time then as the extra symbol `time`."""

    counts: tuple[int, ...]
    kind: ClassVar[int] = FIRING_COUNTS

    def __init__(self, counts: Sequence[int]) -> None:
        numbers = _increasing([float(c) for c in counts], "counts", least=1)
        if any(n != int(n) for n in numbers):
            raise RequestError("counts: numbers of firings are whole numbers")
        object.__setattr__(self, "counts", tuple(int(n) for n in numbers))

    @property
    def points(self) -> NDArray[np.float64]:
        """Numbers of firings [point]."""
        return np.array(self.counts, dtype=np.float64)

    @property
    def labels(self) -> NDArray[np.float64]:
        """Numbers of firings [point]."""
        return self.points


Readout = ValuesAt | WindowAverages | Interpolated | AfterFirings


def columns(readout: Readout, species: int) -> int:
    """Return the columns of a readout's values: one a species, and the time after firings."""
    return species + (readout.kind == FIRING_COUNTS)


def point_count(readout: Readout) -> int:
    """Return how many points a readout has."""
    return len(readout.labels)


def _increasing(values: Sequence[float], what: str, *, least: int) -> tuple[float, ...]:
    array = np.atleast_1d(as_numbers(what, values))
    if array.ndim != 1 or array.size < least:
        raise RequestError(f"{what}: give at least {least} number(s) in one row, got {values!r}")
    if not np.all(np.isfinite(array)):
        raise RequestError(f"{what}: every number must be finite, got {array.tolist()}")
    if array[0] < 0.0:
        raise RequestError(
            f"{what}: {array[0]:g} is negative; a simulation starts at time 0, so shift the times"
        )
    if np.any(np.diff(array) <= 0.0):
        place = int(np.argmax(np.diff(array) <= 0.0))
        raise RequestError(
            f"{what}: must increase, but {array[place]:g} is followed by {array[place + 1]:g}"
        )
    return tuple(array.tolist())
