"""The state at time 0 as far as it is known before a trajectory runs.

Values that are drawn at random are not known, nor are those that events at time 0 may set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sbmlgrad.model.elements import Event
from sbmlgrad.model.expression import TIME, Expression, Number, Symbol, substitute, symbols
from sbmlgrad.model.initial import initial_counts, initial_values, random_at_start
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.traversal import from_the_leaves
from sbmlgrad.model.units import whole_number

#: Most symbols whose values a message shows.
MOST_SHOWN = 6


@dataclass(frozen=True)
class StartState:
    """The state at time 0.

    Attributes:
        network: the network.
        values: symbol → value, counts for species of the state.
        unknown: symbols without a known value when triggers are looked at for the first time.
        firing: ids of the events that are triggered then, or may be.
    """

    network: ReactionNetwork
    values: Mapping[str, float]
    unknown: frozenset[str]
    firing: tuple[str, ...]

    def in_counts(self, formula: Expression) -> Expression:
        """Return a formula over the state."""
        return substitute(formula, self.network.in_counts)

    def value(self, formula: Expression) -> float | None:
        """Return the value of a formula over the state, None where it is not known."""
        if symbols(formula) & self.unknown:
            return None
        return _value(formula, self.values)

    def value_after_events(self, formula: Expression) -> float | None:
        """Return the value once what happens at time 0 has happened, None where it is not known."""
        if self.firing and symbols(formula) & self.network.set_by_events:
            return None
        return self.value(formula)

    def shown(self, formula: Expression) -> str:
        """Return the values that a formula uses, in words."""
        used = sorted(symbols(formula) - {TIME.id})
        words = ", ".join(f"{s}={self.values[s]:g}" for s in used[:MOST_SHOWN])
        more = ", ..." if len(used) > MOST_SHOWN else ""
        return f" (with {words}{more})" if words else ""


def start_state(network: ReactionNetwork, ignored: frozenset[str]) -> StartState:
    """Return the state at time 0.

    Args:
        network: the network.
        ignored: symbols to be treated as unknown.
    """
    values = initial_values(network)
    counts = initial_counts(network, values, {})
    state: dict[str, float] = {**values, TIME.id: 0.0}
    for species, count in zip(network.species_ids, counts.tolist(), strict=True):
        state[species] = _count(network, species, count)
    missing = {s for s, value in state.items() if value != value}
    # Reactions whose rate is too large to be written out.
    missing |= network.by_id.keys() - state.keys()
    unknown = frozenset(missing | random_at_start(network) | ignored)
    start = StartState(network, state, unknown, ())
    firing = tuple(e.id for e in network.events if _may_fire(start, e))
    return StartState(network, state, unknown, firing)


def _count(network: ReactionNetwork, species: str, count: float) -> float:
    """Return the molecules in which trajectories start; NaN where those are drawn."""
    if species not in network.counted:
        return count
    whole = whole_number(count)
    if whole is not None:
        return whole
    return float(np.rint(count)) if network.initial == "round" else math.nan


def _may_fire(start: StartState, event: Event) -> bool:
    if event.initial_value:
        return False
    return start.value(start.in_counts(event.trigger)) != 0.0


def _value(formula: Expression, values: Mapping[str, float]) -> float:
    def of(node: Expression, arguments: tuple[float, ...]) -> float:
        if isinstance(node, Number):
            return np.float64(node.value)
        if isinstance(node, Symbol):
            return np.float64(values[node.id])
        return OPERATORS[node.operator].function(*arguments)

    with np.errstate(all="ignore"):
        return float(from_the_leaves(formula, of))
