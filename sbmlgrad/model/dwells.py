"""Dwells: how long a channel, or any observed system, stayed in one state after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError
from sbmlgrad.model.labels import fault_of, refuse_unknown


@dataclass(frozen=True, eq=False)
class Dwells:
    """An idealised record: consecutive dwells, each in one observed state.

    A dwell shorter than the dead time cannot be seen; a likelihood has to allow for those that were
    missed. A dwell that is not usable has an uncertain duration and ends the run of dwells that
    belong together. Arrays are copied and read-only.

    Attributes:
        states: labels of the observed states, numbers in increasing order.
        state_index: int64 [dwell], position in `states`; neighbours differ.
        duration: float64 [dwell], in `unit`; positive, usable ones no shorter than `dead_time`.
        usable: bool [dwell].
        unit: of time, as written in the file, or empty.
        dead_time: in `unit`; 0 if every dwell was seen.
        source_name: file name without folders.
        sha256: hash of the file's bytes, hexadecimal.
        notes: what was assumed, converted or ignored when the file was read, in words.

    Raises:
        DataError: axes that disagree, durations that are not positive or shorter than the dead
            time, states that are unknown or follow themselves.
    """

    states: tuple[str, ...]
    state_index: NDArray[np.int64]
    duration: NDArray[np.float64]
    usable: NDArray[np.bool_]
    unit: str = ""
    dead_time: float = 0.0
    source_name: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", tuple(self.states))
        for name, dtype in (
            ("state_index", np.int64),
            ("duration", np.float64),
            ("usable", np.bool_),
        ):
            array = np.array(getattr(self, name), dtype=dtype)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if problems := list(_problems(self)):
            listed = "".join(f"\n  - {problem}" for problem in problems)
            raise DataError(f"{self.source_name or 'dwells'}: unusable record:{listed}")

    def _content(self) -> tuple[object, ...]:
        arrays = (self.state_index, self.duration, self.usable)
        return (self.states, self.unit, self.dead_time, *(array.tobytes() for array in arrays))

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Dwells) else False

    def __hash__(self) -> int:
        return hash(self._content())

    def __len__(self) -> int:
        return self.duration.size

    @cached_property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """First and one past the last of every run of consecutive usable dwells."""
        edges = np.diff(np.concatenate(([0], self.usable.astype(np.int8), [0])))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        return tuple(zip(starts.tolist(), stops.tolist(), strict=True))

    def of(self, state: str) -> NDArray[np.float64]:
        """Return the durations of the usable dwells in one state, in order.

        Args:
            state: one of `states`.

        Returns:
            float64 [dwell], in `unit`.

        Raises:
            DataError: there is no such state.
        """
        refuse_unknown(self.source_name or "dwells", "state", state, self.states)
        return self.duration[self.usable & (self.state_index == self.states.index(state))]


def _problems(dwells: Dwells) -> Iterator[str]:
    index, duration, usable = dwells.state_index, dwells.duration, dwells.usable
    shapes = {index.shape, duration.shape, usable.shape}
    if len(shapes) > 1 or duration.ndim != 1:
        yield f"the columns differ in shape, or have not the one axis [dwell]: {shapes}"
        return
    if not duration.size:
        yield "there is no dwell"
    for label in (*dwells.states, dwells.unit):
        if fault := fault_of(label):
            yield f"the label {label!r} {fault}"
    if len(set(dwells.states)) < len(dwells.states):
        yield f"a state is listed twice among {dwells.states}"
    if not np.isin(index, np.arange(len(dwells.states))).all():
        yield "a dwell is in a state that is not listed"
        return
    if not (np.isfinite(duration) & (duration > 0.0)).all():
        yield "a duration is not positive or not finite"
    if not (math.isfinite(dwells.dead_time) and dwells.dead_time >= 0.0):
        yield f"the dead time is {dwells.dead_time}; it must be finite and not negative"
    short = np.flatnonzero(usable & (duration < dwells.dead_time))
    if short.size:
        yield (
            f"dwell {short[0]} lasts {duration[short[0]]}, less than the dead time "
            f"{dwells.dead_time}; give a shorter one, or impose it on the record first"
        )
    again = np.flatnonzero((index[1:] == index[:-1]) & usable[1:] & usable[:-1])
    if again.size:
        yield (
            f"dwells {again[0]} and {again[0] + 1} are both in state "
            f"{dwells.states[index[again[0]]]!r}; join them to one"
        )
