"""Ids of reactions in formulas: each stands for the rate of the reaction and is replaced by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.elements import Event, Reaction
from sbmlgrad.model.expression import ZERO, Expression, substitute, symbols
from sbmlgrad.model.formula_extent import LARGEST_FORMULA, Extent, extent
from sbmlgrad.model.graphs import in_order
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork

#: Most operators and operands of a law written out in a document that is refused for its size: the
#: laws that lead up to the one that is too large would take long to judge, to no avail.
LARGEST_WHEN_REFUSED = 1_000


def with_rates_written_out(network: ReactionNetwork, issues: list[Issue]) -> ReactionNetwork:
    """Return the network with kinetic laws in place of the ids of reactions.

    Args:
        network: the network as read; no law depends on itself.
        issues: list that formulas too large to be written out are added to.
    """
    writer = _Writer(network, issues)
    if not writer.is_needed(network):
        return network

    def mapping(formulas: Mapping[str, Expression]) -> Mapping[str, Expression]:
        return MappingProxyType({t: writer.written(e, t) for t, e in formulas.items()})

    return replace(
        network,
        initial_assignments=mapping(network.initial_assignments),
        assignment_rules=mapping(network.assignment_rules),
        rate_rules=mapping(network.rate_rules),
        reactions=tuple(writer.reaction(r) for r in network.reactions),
        events=tuple(writer.event(e) for e in network.events),
    )


class _Writer:
    def __init__(self, network: ReactionNetwork, issues: list[Issue]) -> None:
        self.issues = issues
        self.rates: dict[str, Expression] = {}
        self.extents: dict[str, Extent] = {}
        self.limit = LARGEST_FORMULA
        self.laws = {r.id: r.rate_law for r in network.reactions}
        self.uses = {name: self._named(law) for name, law in self.laws.items()}

    def is_needed(self, network: ReactionNetwork) -> bool:
        """Tell whether any formula names a reaction; then write out the laws themselves."""
        formulas = [
            *network.initial_assignments.values(),
            *network.assignment_rules.values(),
            *network.rate_rules.values(),
            *(f.number for r in network.reactions for f in r.formulas),
            *(f for event in network.events for f in _formulas(event)),
        ]
        if not any(self.uses.values()) and not any(self._named(f) for f in formulas):
            return False
        order = in_order(self.uses)
        for name in order:
            self.extents[name] = extent(self.laws[name], self.extents)
        if any(found.excess for found in self.extents.values()):
            self.limit = LARGEST_WHEN_REFUSED
        for name in order:
            self.rates[name] = self._written(self.laws[name], f"{name}/kineticLaw", name)
        return True

    def written(self, formula: Expression, element: str) -> Expression:
        """Return a formula with rates written out, or zero and an issue if it grows too large."""
        return self._written(formula, element, None)

    def _written(self, formula: Expression, element: str, name: str | None) -> Expression:
        uses = self._named(formula) if name is None else self.uses[name]
        if not uses:
            return formula
        found = extent(formula, self.extents)
        if found.excess:
            self.issues.append(
                refused(
                    "formula_too_large",
                    element,
                    None,
                    "with the rates of the reactions that it names written out, the formula "
                    f"{found.excess}.",
                    "Let formulas name fewer reactions.",
                )
            )
        is_left_out = bool(found.excess) or found.size > self.limit
        return ZERO if is_left_out else substitute(formula, self.rates)

    def _named(self, formula: Expression) -> frozenset[str]:
        return symbols(formula) & self.laws.keys()

    def reaction(self, reaction: Reaction) -> Reaction:
        formulas = tuple(
            replace(f, number=self.written(f.number, f"{reaction.id}/{f.species}"))
            for f in reaction.formulas
        )
        return replace(reaction, rate_law=self.rates[reaction.id], formulas=formulas)

    def event(self, event: Event) -> Event:
        def optional(formula: Expression | None, part: str) -> Expression | None:
            return None if formula is None else self.written(formula, f"{event.id}/{part}")

        return replace(
            event,
            trigger=self.written(event.trigger, f"{event.id}/trigger"),
            delay=optional(event.delay, "delay"),
            priority=optional(event.priority, "priority"),
            assignments=MappingProxyType(
                {t: self.written(e, f"{event.id}/{t}") for t, e in event.assignments.items()}
            ),
        )


def _formulas(event: Event) -> list[Expression]:
    optional = [f for f in (event.delay, event.priority) if f is not None]
    return [event.trigger, *optional, *event.assignments.values()]
