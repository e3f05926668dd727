"""State spaces: some states of a network, in the order found, and the transitions between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, Partial
from sbmlgrad.model.count_slopes import mean_slope
from sbmlgrad.model.expression import ZERO, symbols
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Targets of transitions: not among the states; none, as the reaction cannot fire there; and one
#: that cannot fire but would lead to negative counts if a parameter were moved.
OUTSIDE, NOWHERE, UNDEFINED = -1, -2, -3

#: Tells, for states float64 [state, species], which belong to a set, bool [state].
StateSet = Callable[[FloatArray], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class StateSpace:
    """States and the transitions between them.

    Attributes:
        counts: int64 [state, species]; the states of the start come first.
        rates: propensities, float64 [state, reaction]; 0 in absorbing states.
        target: state that a transition leads to, int64 [state, reaction], or `OUTSIDE`, `NOWHERE`
            or `UNDEFINED`.
        absorbing: whether a state belongs to the set that stops a trajectory, bool [state].
    """

    counts: IntArray
    rates: FloatArray
    target: IntArray
    absorbing: NDArray[np.bool_]

    @property
    def states(self) -> FloatArray:
        """Counts as numbers that formulas take, float64 [state, species]."""
        return self.counts.astype(np.float64)

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.counts)

    @property
    def is_closed(self) -> bool:
        """Whether no transition leads outside."""
        return not ((self.target == OUTSIDE) & (self.rates > 0.0)).any()

    @property
    def has_possible_transitions(self) -> bool:
        """Whether some transition has no rate here, but would have if a parameter moved."""
        return bool(((self.rates == 0.0) & (self.target != NOWHERE)).any())


def propensities_at(
    lowered: LoweredNetwork, states: FloatArray, inputs: FloatArray
) -> NDArray[np.float64]:
    """Return propensities at many states, float64 [state, reaction]."""
    values = values_at(lowered, states, inputs)
    rows = [
        np.broadcast_to(evaluate(c.propensity, values), states.shape[:1]) for c in lowered.channels
    ]
    return np.stack(rows, axis=1) if rows else np.zeros((len(states), 0))


def values_at(
    lowered: LoweredNetwork, states: FloatArray, inputs: FloatArray
) -> Mapping[str, float | FloatArray]:
    """Return symbol → value: a number for inputs, float64 [state] for species."""
    columns = {s: states[:, i] for i, s in enumerate(lowered.species_ids)}
    return {**dict(zip(lowered.input_ids, inputs.tolist(), strict=True)), **columns}


@lru_cache(maxsize=64)
def input_partials(lowered: LoweredNetwork) -> tuple[Partial, ...]:
    """Return the non-zero derivatives of propensities in every input, by reaction.

    Those of the network leave out constants that no parameter moves, such as most compartments.
    """
    place = {name: i for i, name in enumerate(lowered.input_ids)}
    found = []
    for j, both in enumerate(lowered.propensity_sides):
        for name in sorted(symbols(both[0]) & place.keys(), key=place.__getitem__):
            slope = mean_slope(both, name)
            if slope != ZERO:
                found.append(Partial(j, place[name], slope))
    return tuple(found)


def reduced(space: StateSpace, kept: IntArray) -> StateSpace:
    """Return the space of some states only, in the order given, int64 [kept]."""
    place = np.full(space.size, OUTSIDE, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    target = space.target[kept]
    target = np.where(target >= 0, place[np.maximum(target, 0)], target)
    return StateSpace(space.counts[kept], space.rates[kept], target, space.absorbing[kept])
