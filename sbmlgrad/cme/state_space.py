"""State spaces: the states that a network can reach, in breadth-first order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import StateSpaceError
from sbmlgrad.model.operators import evaluate


@dataclass(frozen=True, eq=False)
class StateSpace:
    """States and the transitions between them.

    Attributes:
        states: counts, float64 [state, species]; the initial state is the first.
        source: state that a transition leaves, int64 [transition].
        target: state that it enters, or -1 where that lies outside (the leak).
        reaction: reaction of the transition, int64 [transition].
        is_closed: whether no transition leads outside.
    """

    states: NDArray[np.float64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    reaction: NDArray[np.int64]

    @property
    def is_closed(self) -> bool:
        """Whether no transition leads outside."""
        return bool((self.target >= 0).all())


def propensities_at(
    lowered: LoweredNetwork, states: NDArray[np.float64], inputs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return propensities at many states, float64 [state, reaction]."""
    values = dict(zip(lowered.input_ids, inputs.tolist(), strict=True))
    columns = {s: states[:, i] for i, s in enumerate(lowered.species_ids)}
    rows = [
        np.broadcast_to(evaluate(c.propensity, {**values, **columns}), states.shape[:1])
        for c in lowered.channels
    ]
    return np.stack(rows, axis=1) if rows else np.zeros((len(states), 0))


def reachable(
    lowered: LoweredNetwork,
    inputs: NDArray[np.float64],
    start: NDArray[np.float64],
    largest: int,
) -> StateSpace:
    """Enumerate states breadth first from the start, up to a number of states.

    Args:
        lowered: the network.
        inputs: parameters and constants, float64 [input]; they decide which propensities are zero.
        start: initial counts, float64 [species].
        largest: number of states to stop at; whole shells are kept, so a few less may remain.

    Raises:
        StateSpaceError: a propensity is negative or not finite, or a count would turn negative.
    """
    index = {tuple(start.tolist()): 0}
    shells = [start[None, :]]
    shell = shells[0]
    changes = lowered.stoichiometry.T
    while len(shell):
        fresh: dict[tuple[float, ...], int] = {}
        rates = propensities_at(lowered, shell, inputs)
        _refuse_bad(lowered, shell, rates)
        for j, change in enumerate(changes):
            for state in (shell[rates[:, j] > 0.0] + change).tolist():
                key = tuple(state)
                if key not in index and key not in fresh:
                    fresh[key] = len(index) + len(fresh)
        if len(index) + len(fresh) > largest:
            break
        index.update(fresh)
        shell = np.array(list(fresh)).reshape(len(fresh), len(start))
        shells.append(shell)
    states = np.concatenate(shells)
    return _with_transitions(lowered, inputs, states, index)


def _with_transitions(
    lowered: LoweredNetwork,
    inputs: NDArray[np.float64],
    states: NDArray[np.float64],
    index: dict[tuple[float, ...], int],
) -> StateSpace:
    rates = propensities_at(lowered, states, inputs)
    source, target, reaction = [], [], []
    for j, change in enumerate(lowered.stoichiometry.T):
        live = np.flatnonzero(rates[:, j] > 0.0)
        source += live.tolist()
        target += [index.get(tuple(s), -1) for s in (states[live] + change).tolist()]
        reaction += [j] * len(live)
    return StateSpace(
        states,
        np.array(source, dtype=np.int64),
        np.array(target, dtype=np.int64),
        np.array(reaction, dtype=np.int64),
    )


def _refuse_bad(
    lowered: LoweredNetwork, states: NDArray[np.float64], rates: NDArray[np.float64]
) -> None:
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
