"""Records of dwells, cut into stretches of which every other is fitted and the rest is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Label of dwells in the open state.
OPEN = "1"

#: Most dwells of a stretch.
LONGEST = 100


@dataclass(frozen=True, eq=False)
class Half:
    """Pairs of neighbouring dwells, each an opening and the shutting behind it, in order.

    Attributes:
        opened: durations beyond the dead time, ms, float64 [pair].
        shut: likewise.
        following: of the opening of the next pair, NaN where a stretch ends.
    """

    opened: FloatArray
    shut: FloatArray
    following: FloatArray

    @property
    def left(self) -> NDArray[np.int64]:
        """Pairs up to the end of the stretch, this one included, int64 [pair]."""
        ends = np.flatnonzero(np.isnan(self.following))
        numbers = np.arange(len(self.opened))
        return ends[np.searchsorted(ends, numbers)] - numbers + 1


@dataclass(frozen=True)
class Layout:
    """How a record is cut: pairs of each stretch; the second, fourth ... are not fitted."""

    pairs: tuple[int, ...]

    @property
    def count(self) -> int:
        """Pairs of all stretches."""
        return sum(self.pairs)

    def halves(self, opened: FloatArray, shut: FloatArray) -> tuple[Half, Half]:
        """Return the half to fit and the other, of the dwells of all stretches in order."""
        following = np.append(opened[1:], np.nan)
        following[np.cumsum(self.pairs) - 1] = np.nan
        is_unseen = np.repeat(np.arange(len(self.pairs)) % 2 == 1, self.pairs)
        first, second = (
            Half(opened[own], shut[own], following[own]) for own in (~is_unseen, is_unseen)
        )
        return first, second


@dataclass(frozen=True, eq=False)
class Record:
    """A record that is cut.

    Attributes:
        fitted: one half.
        unseen: the other.
        layout: how it is cut.
        sha256: of the file.
    """

    fitted: Half
    unseen: Half
    layout: Layout
    sha256: str


def read_record(path: Path, dead_time: float) -> Record:
    """Read a record and cut it.

    Args:
        path: file of `sbmlgrad.load_dwells`, durations in ms.
        dead_time: shortest dwell that could be seen, ms.
    """
    record = sg.load_dwells(path, dead_time=dead_time)
    is_open = record.state_index == record.states.index(OPEN)
    own: list[range] = []
    for first, end in _stretches(record.runs):
        own.append(range(first + int(not is_open[first]), end - 1, 2))
    beyond = record.duration - dead_time
    places = np.concatenate([np.array(stretch) for stretch in own])
    layout = Layout(tuple(map(len, own)))
    fitted, unseen = layout.halves(beyond[places], beyond[places + 1])
    return Record(fitted, unseen, layout, record.sha256)


def _stretches(runs: Sequence[tuple[int, int]], longest: int = LONGEST) -> list[tuple[int, int]]:
    """Return runs, cut into stretches that are short enough to alternate."""
    return [
        (start, min(start + longest, end))
        for first, end in runs
        for start in range(first, end, longest)
        if min(start + longest, end) - start >= 3
    ]
