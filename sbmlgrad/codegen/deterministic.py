"""Lowering for deterministic simulation: a network becomes reaction rate equations and events.

The state is the amounts of the species, in substance units, then the other symbols that events or
rate rules change; `model.rate_equations` says how it moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from sbmlgrad.codegen.jumps_and_flows import LoweredEvent, lower_events
from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.expression import TIME, ZERO, Expression, symbols
from sbmlgrad.model.issues import ODE, Issue, Severity, blocking
from sbmlgrad.model.lines import located
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rate_equations import rate_equations
from sbmlgrad.model.rates_of_change import with_rates_written_out
from sbmlgrad.model.rules import formula_issues


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
    events: tuple[LoweredEvent, ...]
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
            located(network, problems),
            what=f"model '{network.id}' cannot be simulated deterministically:",
        )
    state_ids = (*network.species_ids, *network.variable_ids)
    rates = rate_equations(network)
    meanings = {
        symbol: with_rates_written_out(meaning, rates, symbol, network.id)
        for symbol, meaning in network.in_amounts.items()
    }
    events = lower_events(network, counts=False, rates=rates)
    drawn = [_random(event) for event in events if event.draws]
    if drawn:
        raise UnsupportedModelError(
            located(network, drawn),
            what=f"model '{network.id}' cannot be simulated deterministically:",
        )
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
        events=events,
        meanings=MappingProxyType(meanings),
    )


def _random(event: LoweredEvent) -> Issue:
    # The reader finds it in documents; a network may also be made by hand.
    return Issue(
        "distribution",
        Severity.INFO,
        event.id,
        None,
        "what it sets is drawn at random, so that a deterministic simulation has no single value.",
        "Simulate it stochastically.",
        frozenset({ODE}),
    )
