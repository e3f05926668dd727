"""Lowering: a network becomes index arrays and propensity expressions over counts and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.jumps_and_flows import LoweredEvent, lower_events, lower_flows
from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.channels import Channel, Judgement, judge
from sbmlgrad.model.count_slopes import mean_slope, sides
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import TIME, ZERO, Expression, substitute, symbols
from sbmlgrad.model.initial import start_expression
from sbmlgrad.model.issues import SSA, blocking
from sbmlgrad.model.jumping_laws import jumps_with
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.lines import located
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rules import written_out
from sbmlgrad.model.structure import dependency_graph, stoichiometry_matrix

#: A network is kept lowered for so many judgements of its laws.
MOST_KEPT = 8

#: Reasons for a clock that a message names; a large model has hundreds.
MOST_REASONS = 4


@dataclass(frozen=True, slots=True)
class Partial:
    """One non-zero derivative of a propensity."""

    reaction: int
    variable: int
    expression: Expression


# Compared by identity, so that it can key caches of what is derived from it.
@dataclass(frozen=True, eq=False)
class LoweredNetwork:
    """A network ready for stochastic engines.

    Attributes:
        network: where it comes from.
        channels: what can fire, one per propensity (split reactions have two).
        species_ids: counts of molecules, the first part of the state.
        state_ids: the state: species, then other symbols that events or rate rules change.
        input_ids: what a formula may use besides the state, and never changes: parameters, then
            compartments, species and species references (`constant_ids`).
    """

    network: ReactionNetwork
    channels: tuple[Channel, ...]

    @cached_property
    def species_ids(self) -> tuple[str, ...]:
        """Ids of the species of the state."""
        return self.network.species_ids

    @cached_property
    def state_ids(self) -> tuple[str, ...]:
        """Ids of the slots of the state."""
        return (*self.network.species_ids, *self.network.variable_ids)

    @cached_property
    def events(self) -> tuple[LoweredEvent, ...]:
        """Events over the state."""
        return lower_events(self.network, counts=True)

    @cached_property
    def flows(self) -> tuple[tuple[str, Expression], ...]:
        """State symbols that rate rules move, each with its rate of change."""
        return lower_flows(self.network, counts=True)

    @cached_property
    def is_timed(self) -> bool:
        """Whether anything can happen between firings, so that the network needs a clock."""
        return bool(self.clock_reasons)

    @cached_property
    def clock_reasons(self) -> tuple[str, ...]:
        """What can happen between firings, in words: events, flows, laws that depend on time."""
        flowing = dict(self.flows)
        found = [f"event '{event.id}'" for event in self.network.events]
        found += [f"rate rule of '{symbol}'" for symbol in flowing]
        found += [
            f"symbol '{symbol}' that is not constant"
            for symbol in self.network.variable_ids
            if symbol not in flowing
        ]
        return (
            *found,
            *(
                f"law of '{channel.id}' that depends on time"
                for channel in self.channels
                if TIME.id in symbols(channel.propensity)
            ),
        )

    @property
    def clock_words(self) -> str:
        """Why there is a clock, for messages: the first reasons, and how many more there are."""
        return first_of(self.clock_reasons, MOST_REASONS)

    @cached_property
    def formulas(self) -> tuple[Expression, ...]:
        """Every formula that a simulation evaluates."""
        found = [c.propensity for c in self.channels]
        found += [rate for _, rate in self.flows]
        return (*found, *(formula for event in self.events for formula in event.formulas))

    @cached_property
    def constant_ids(self) -> tuple[str, ...]:
        """Other symbols than parameters that never change, where a formula uses them."""
        used = set().union(*(symbols(e) for e in self.formulas))
        network = self.network
        elements = (*network.compartments, *network.species, *network.references)
        state = {*self.state_ids, *network.assignment_rules}
        return tuple(e.id for e in elements if e.id in used and e.id not in state)

    @cached_property
    def input_ids(self) -> tuple[str, ...]:
        """Parameters that never change, then constants."""
        state = set(self.network.variable_ids)
        fixed = tuple(p for p in self.network.parameter_ids if p not in state)
        return (*fixed, *self.constant_ids)

    @cached_property
    def stoichiometry(self) -> NDArray[np.int64]:
        """Net change, int64 [species, reaction]."""
        return stoichiometry_matrix(self.channels, self.species_ids)

    @cached_property
    def dependents(self) -> tuple[tuple[int, ...], ...]:
        """For each reaction, the reactions whose propensity its firing can change."""
        return dependency_graph(self.channels)

    @cached_property
    def propensity_sides(self) -> tuple[tuple[Expression, ...], ...]:
        """Propensities as `mean_slope` takes their derivatives, by reaction."""
        state = frozenset(self.species_ids)
        return tuple(sides(channel.propensity, state) for channel in self.channels)

    @cached_property
    def jumping_channels(self) -> tuple[str, ...]:
        """Ids of channels whose propensity jumps with the state, in their order."""
        state = frozenset(self.state_ids)
        found = (c.id for c in self.channels if jumps_with(c.propensity, state))
        return tuple(dict.fromkeys(found))

    @cached_property
    def state_partials(self) -> tuple[Partial, ...]:
        """Non-zero derivatives of propensities in counts, by reaction."""
        return self._partials(self.species_ids)

    @cached_property
    def input_partials(self) -> tuple[Partial, ...]:
        """Non-zero derivatives of propensities in differentiable inputs, by reaction."""
        constants = {c for c, d in self.constant_derivatives.items() if d}
        wanted = tuple(
            i if i in self.network.parameter_ids or i in constants else "" for i in self.input_ids
        )
        return self._partials(wanted)

    def _partials(self, variables: tuple[str, ...]) -> tuple[Partial, ...]:
        place = {v: i for i, v in enumerate(variables) if v}
        found = []
        for j, both in enumerate(self.propensity_sides):
            used = sorted(place[s] for s in symbols(both[0]) if s in place)
            for i in used:
                expression = mean_slope(both, variables[i])
                if expression != ZERO:
                    found.append(Partial(j, i, expression))
        return tuple(found)

    @cached_property
    def constant_derivatives(self) -> Mapping[str, Mapping[str, Expression]]:
        """Derivative of each constant in the parameters that its initial assignment uses."""
        result = {}
        for constant in self.constant_ids:
            value = start_expression(self.network, constant)
            used = symbols(value)
            result[constant] = {p: derivative(value, p) for p in sorted(used)}
        return result

    @cached_property
    def parameters_in_initial_counts(self) -> frozenset[str]:
        """Parameters that the initial count of some species depends on."""
        changing = set(self.species_ids)
        return frozenset().union(
            *(
                symbols(start_expression(self.network, target))
                for target in self.network.initial_assignments
                if target in changing or self._is_size_of_changing(target)
            )
        )

    @cached_property
    def parameters_in_changes(self) -> frozenset[str]:
        """Parameters that say how many molecules a firing changes, as stoichiometry or factor."""
        network = self.network
        changing = [s for s in network.species if s.changes]
        ids = {s.id for s in changing}
        rules = written_out(network)
        found = {s.conversion_factor for s in changing if s.conversion_factor}
        for reaction in network.reactions:
            for part in reaction.formulas:
                if part.species in ids:
                    found |= symbols(substitute(part.number, rules))
        followed = (symbols(start_expression(network, id)) for id in found if id in network.by_id)
        return frozenset().union(*followed) & frozenset(network.parameter_ids)

    def _is_size_of_changing(self, compartment: str) -> bool:
        return any(
            s.changes
            and s.compartment == compartment
            and s.initial_amount is None
            and s.initial_concentration is not None
            for s in self.network.species
        )


def lower(network: ReactionNetwork, values: Mapping[str, float] | None = None) -> LoweredNetwork:
    """Lower a network for stochastic engines; a second call returns the same object.

    A law is split by the signs of its constants, and stoichiometries may use parameters, so that
    other values than the document's may need other channels.

    Args:
        network: the network.
        values: symbol → value at time 0 (`initial_values`); by default the network's own.

    Raises:
        UnsupportedModelError: some construct has no exact stochastic meaning; every one is listed.
    """
    # Kept with the network itself, as a cached property is: equal networks may differ in what
    # equality leaves out, such as issues, source and provenance.
    kept: list[tuple[Judgement, LoweredNetwork]] = network.__dict__.setdefault("_lowered", [])
    if values is None and kept and kept[0][0].is_own:
        return kept[0][1]
    for judgement, lowered in kept:
        if values is not None and judgement.holds_for(values):
            return lowered
    judgement = judge(network, values)
    _refuse(network, judgement)
    same = [old for _, old in kept if old.channels == judgement.channels]
    lowered = same[0] if same else LoweredNetwork(network, judgement.channels)
    kept.insert(0 if judgement.is_own else len(kept), (judgement, lowered))
    # The first is the network's own; of others the oldest goes.
    if len(kept) > MOST_KEPT:
        del kept[1]
    return lowered


def _refuse(network: ReactionNetwork, judgement: Judgement) -> None:
    others = set(network.issues) - set(network.judged_issues)
    problems = blocking(tuple({*others, *judgement.issues}), SSA)
    if problems:
        raise UnsupportedModelError(
            sorted(located(network, problems), key=lambda issue: (issue.line or 0, issue.element)),
            what=f"model '{network.id}' cannot be simulated stochastically:",
        )
