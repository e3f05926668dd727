"""Lowering for deterministic simulation: a network becomes reaction rate equations and events.

The state is the amounts of the species, in substance units, then the other symbols that events or
rate rules change; `model.rate_equations` says how it moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.elements import Event, Species
from sbmlgrad.model.expression import (
    TIME,
    ZERO,
    Expression,
    Symbol,
    substitute,
    symbols,
)
from sbmlgrad.model.issues import ODE, blocking
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rate_equations import rate_equations
from sbmlgrad.model.rates_of_change import with_rates_written_out
from sbmlgrad.model.rules import formula_issues


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an event sets.

    Attributes:
        slot: place in the state.
        value: formula, in what the symbol means.
        size: what turns the value into a state (the volume just before the event is executed, for
            a concentration), or None where the value is the state.
    """

    slot: int
    value: Expression
    size: Expression | None


@dataclass(frozen=True, slots=True)
class DeterministicEvent:
    """An event over the state; see `model.elements.Event`."""

    id: str
    trigger: Expression
    assignments: tuple[Assignment, ...]
    delay: Expression | None
    priority: Expression | None
    initial_value: bool
    persistent: bool
    use_trigger_values: bool

    @property
    def formulas(self) -> tuple[Expression, ...]:
        """Every formula of the event."""
        found = [self.trigger, self.delay, self.priority]
        found += [e for a in self.assignments for e in (a.value, a.size)]
        return tuple(e for e in found if e is not None)


# Compared by identity, so that it can key caches of what is derived from it.
@dataclass(frozen=True, eq=False)
class DeterministicNetwork:
    """A network ready for the deterministic engine.

    Attributes:
        network: where it comes from.
        state_ids: species (as amounts in substance units), then other symbols that change.
        input_ids: symbols that formulas use and nothing changes, in document order.
        derivatives: d(state)/dt over state symbols, inputs and `TIME`, one for each of `state_ids`.
        events: in document order.
        meanings: symbol → what it means in the model's mathematics, over the same symbols.
    """

    network: ReactionNetwork
    state_ids: tuple[str, ...]
    input_ids: tuple[str, ...]
    derivatives: tuple[Expression, ...]
    events: tuple[DeterministicEvent, ...]
    meanings: Mapping[str, Expression]

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """Places in the state of what changes between events."""
        return tuple(i for i, rate in enumerate(self.derivatives) if rate != ZERO)


def lower_deterministic(network: ReactionNetwork) -> DeterministicNetwork:
    """Lower a network for the deterministic engine; a second call returns the same object.

    Raises:
        UnsupportedModelError: some construct has no deterministic meaning; every one is listed.
    """
    kept = network.__dict__.get("_lowered_deterministic")
    if kept is None:
        kept = _lower(network)
        object.__setattr__(network, "_lowered_deterministic", kept)
    return kept


def _lower(network: ReactionNetwork) -> DeterministicNetwork:
    problems = blocking((*network.issues, *formula_issues(network)), ODE)
    if problems:
        raise UnsupportedModelError(
            problems, what=f"model '{network.id}' cannot be simulated deterministically:"
        )
    state_ids = (*network.species_ids, *network.variable_ids)
    rates = rate_equations(network)

    def written(element: str, expression: Expression) -> Expression:
        return with_rates_written_out(expression, rates, element, network.id)

    meanings = {s: written(s, e) for s, e in network.in_amounts.items()}
    events: list[DeterministicEvent] = []
    for event in network.events:

        def lowered(formula: Expression, element: str = event.id) -> Expression:
            return written(element, substitute(formula, meanings))

        events.append(_event(network, event, state_ids, lowered))
    used = frozenset().union(
        *(symbols(e) for e in rates.values()),
        *(symbols(e) for e in meanings.values()),
        *(symbols(e) for event in events for e in event.formulas),
    )
    inputs = used.difference(state_ids, [TIME.id])
    return DeterministicNetwork(
        network=network,
        state_ids=state_ids,
        input_ids=tuple(s for s in network.by_id if s in inputs),
        derivatives=tuple(rates[s] for s in state_ids),
        events=tuple(events),
        meanings=MappingProxyType(meanings),
    )


def _event(
    network: ReactionNetwork,
    event: Event,
    state_ids: tuple[str, ...],
    lowered: Callable[[Expression], Expression],
) -> DeterministicEvent:
    assignments: list[Assignment] = []
    for target, formula in event.assignments.items():
        element = network.by_id[target]
        size = None
        if isinstance(element, Species) and not element.only_substance_units:
            size = lowered(Symbol(element.compartment))
        assignments.append(Assignment(state_ids.index(target), lowered(formula), size))
    return DeterministicEvent(
        id=event.id,
        trigger=lowered(event.trigger),
        assignments=tuple(assignments),
        delay=None if event.delay is None else lowered(event.delay),
        priority=None if event.priority is None else lowered(event.priority),
        initial_value=event.initial_value,
        persistent=event.persistent,
        use_trigger_values=event.use_trigger_values,
    )
