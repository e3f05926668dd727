"""Finding states: from given ones by firings, each entered once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.kernels import compiled
from sbmlgrad.cme.state_space import (
    NOWHERE,
    OUTSIDE,
    UNDEFINED,
    StateSet,
    StateSpace,
    input_partials,
    propensities_at,
    values_at,
)
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import RequestError, StateSpaceError, TooManyStatesError
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: States that are entered at a time. With hundreds of reactions, what the states of one shell lead
#: to is many times what a network may have.
AT_A_TIME = 16_384

#: Counts that a message names; a large network has hundreds.
MOST_NAMED = 8


class Explorer:
    """Finds states and keeps them, with room to grow.

    Args:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        absorbing: states that stop a trajectory, or None.
        largest: number of states to give up at.
    """

    def __init__(
        self, lowered: LoweredNetwork, inputs: FloatArray, absorbing: StateSet | None, largest: int
    ) -> None:
        self._lowered = lowered
        self._inputs = inputs
        self._absorbing = absorbing
        self._largest = largest
        self._changes = np.ascontiguousarray(lowered.stoichiometry.T, dtype=np.int64)
        species, reactions = lowered.stoichiometry.shape
        self._known = 0
        self._counts = np.empty((0, species), dtype=np.int64)
        self._rates = np.empty((0, reactions))
        self._target = np.empty((0, reactions), dtype=np.int64)
        self._absorbs = np.empty(0, dtype=bool)
        self._slots = np.full(2, -1, dtype=np.int64)

    @property
    def changes(self) -> IntArray:
        """Change of counts by one firing, int64 [reaction, species]."""
        return self._changes

    def space(self) -> StateSpace:
        """Return the states found so far; they share memory with the explorer."""
        n = self._known
        return StateSpace(self._counts[:n], self._rates[:n], self._target[:n], self._absorbs[:n])

    def add(self, rows: IntArray, shells: int) -> None:
        """Add states, and those that can be reached from them by some firings.

        Args:
            rows: counts, int64 [row, species]; known ones are passed over.
            shells: how many firings further to go, from states that are new.

        Raises:
            StateSpaceError: too many states; a propensity is negative or not finite, or a count
                would turn negative.
        """
        before = self._known
        fresh: Iterable[IntArray] = (rows,)
        for _ in range(shells + 1):
            first = self._known
            self._enter_until_large(fresh)
            if self._known > self._largest:
                raise _too_large(self._lowered, self._counts[: self._known], before, self._largest)
            if self._known == first:
                break
            fresh = self._outer(first)
        # What led outside before may lead to a new state now.
        compiled().find_targets(
            self._slots, self._counts, 0, self._known, self._changes, self._target
        )

    def closure(self, rows: IntArray, most: int) -> StateSpace | None:
        """Return some states and all that can be reached from them, or None if those are many.

        The explorer stays as it is.

        Args:
            rows: counts, int64 [row, species].
            most: number of states to give up at.
        """
        whole = Explorer(self._lowered, self._inputs, self._absorbing, min(most, self._largest))
        first, fresh = -1, iter((rows,))
        while first < whole._known <= whole._largest:
            first = whole._known
            whole._enter_until_large(fresh)
            fresh = whole._outer(first, is_possible=True)
        if whole._known > whole._largest:
            return None
        whole.add(rows, 0)
        return whole.space()

    def _outer(self, first: int, *, is_possible: bool = False) -> Iterator[IntArray]:
        """Yield the outside states that the states from `first` on lead to, some at a time."""
        n = self._known
        leads = self._target[first:n] == OUTSIDE
        if not is_possible:
            leads &= self._rates[first:n] > 0.0
        source, reaction = np.nonzero(leads)
        for part in range(0, len(source), AT_A_TIME):
            chosen = slice(part, part + AT_A_TIME)
            yield self._counts[first + source[chosen]] + self._changes[reaction[chosen]]

    def _enter_until_large(self, fresh: Iterable[IntArray]) -> None:
        """Enter states, and stop as soon as there are too many: they are never all in memory."""
        for rows in fresh:
            self._enter(rows)
            if self._known > self._largest:
                return

    def _enter(self, rows: IntArray) -> None:
        kernels = compiled()
        self._make_room(self._known + len(rows))
        first = self._known
        self._known = int(kernels.enter_states(self._slots, self._counts, first, rows))
        n = self._known
        states = self._counts[first:n].astype(np.float64)
        self._absorbs[first:n] = _members(self._absorbing, states)
        rates = propensities_at(self._lowered, states, self._inputs)
        rates[self._absorbs[first:n]] = 0.0
        _refuse_bad(self._lowered, states, rates)
        self._rates[first:n] = rates
        target = np.where(rates > 0.0, OUTSIDE, NOWHERE)
        self._mark_possible(states, self._absorbs[first:n], rates, target)
        self._target[first:n] = target
        kernels.find_targets(self._slots, self._counts, first, n, self._changes, self._target)

    def _mark_possible(
        self,
        states: FloatArray,
        absorbs: NDArray[np.bool_],
        rates: FloatArray,
        target: IntArray,
    ) -> None:
        """Mark transitions without a rate whose rate has a derivative: gradients need them."""
        for partial in input_partials(self._lowered):
            j = partial.reaction
            idle = np.flatnonzero((rates[:, j] == 0.0) & ~absorbs)
            if not idle.size:
                continue
            values = values_at(self._lowered, states[idle], self._inputs)
            slopes = np.broadcast_to(evaluate(partial.expression, values), idle.shape)
            moved = idle[~(slopes == 0.0)]
            is_negative = (states[moved] + self._changes[j] < 0.0).any(axis=1)
            target[moved, j] = np.where(is_negative, UNDEFINED, OUTSIDE)

    def _make_room(self, needed: int) -> None:
        if needed > len(self._counts):
            room = max(needed, 2 * len(self._counts), 256)
            self._counts = _longer(self._counts, room)
            self._rates = _longer(self._rates, room)
            self._target = _longer(self._target, room)
            self._absorbs = _longer(self._absorbs, room)
        if 2 * needed > len(self._slots):
            size = 1 << (4 * needed).bit_length()
            self._slots = np.full(size, -1, dtype=np.int64)
            compiled().fill_slots(self._slots, self._counts, self._known)


def _longer(array: NDArray, room: int) -> NDArray:
    result = np.empty((room, *array.shape[1:]), dtype=array.dtype)
    result[: len(array)] = array
    return result


def _members(chosen: StateSet | None, states: FloatArray) -> NDArray[np.bool_]:
    if chosen is None:
        return np.zeros(len(states), dtype=bool)
    result = np.asarray(chosen(states))
    if result.shape != states.shape[:1] or result.dtype != np.bool_:
        raise RequestError(
            "absorbing: the function of states [state, species] must return one truth value a "
            f"state, bool [{len(states)}]; it returned {result.dtype} {list(result.shape)}"
        )
    return result


def _too_large(
    lowered: LoweredNetwork, counts: IntArray, before: int, largest: int
) -> TooManyStatesError:
    """Return the error that says which counts were still growing."""
    ids = lowered.species_ids
    old, new = counts[: max(before, 1)], counts
    grows = [
        f"{ids[s]} ({new[:, s].min()} to {new[:, s].max()})"
        for s in range(len(ids))
        if new[:, s].max() > old[:, s].max() or new[:, s].min() < old[:, s].min()
    ]
    if not grows:
        grows = [f"{ids[s]} ({new[:, s].min()} to {new[:, s].max()})" for s in range(len(ids))]
    return TooManyStatesError(
        lowered.network.id,
        f"more than {largest:,} states are needed; the counts that still spread are "
        f"{first_of(grows, MOST_NAMED)}",
    )


def _refuse_bad(lowered: LoweredNetwork, states: FloatArray, rates: FloatArray) -> None:
    bad = np.argwhere(~np.isfinite(rates) | (rates < 0.0))
    if bad.size:
        i, j = bad[0]
        raise StateSpaceError(
            f"reaction '{lowered.channels[j].id}' has propensity {rates[i, j]:g} in state "
            f"{dict(zip(lowered.species_ids, states[i].tolist(), strict=True))}; a propensity "
            "must be finite and not negative"
        )
    for j, change in enumerate(lowered.stoichiometry.T):
        after = states[rates[:, j] > 0.0] + change
        if (after < 0.0).any():
            row = after[(after < 0.0).any(axis=1)][0]
            raise StateSpaceError(
                f"reaction '{lowered.channels[j].id}' leads to the negative counts "
                f"{dict(zip(lowered.species_ids, row.tolist(), strict=True))}; its propensity must "
                "vanish when a reactant runs out"
            )
