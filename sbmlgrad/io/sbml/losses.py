"""What a conversion between formats would lose: two networks compared part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sbmlgrad.errors import WriteError
from sbmlgrad.model.elements import (
    NO_VALUE,
    Compartment,
    Event,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    Stoichiometry,
)
from sbmlgrad.model.expression import Apply, Expression, Number, substitute, symbols
from sbmlgrad.model.labels import first_of
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.traversal import from_the_leaves

#: Most ids that a message names.
_NAMED = 5


def refuse_losses(
    before: ReactionNetwork | None,
    after: ReactionNetwork | None,
    target: str,
    *,
    digits: int | None = None,
) -> None:
    """Raise a `WriteError` if a conversion changed what a network says.

    Not compared are the order of elements, names that only repeat an id, values without effect
    since a rule or initial assignment sets them, ids of events that had none, and how sums and
    products are nested, which libSBML's printer does not keep.

    Args:
        before: the network of the document; None if it cannot be loaded, which is no reason not
            to convert it.
        after: the network of what would be written, or None if that cannot be loaded.
        target: what it would be written as.
        digits: significant digits to which numbers are compared; None for all of them.
    """
    if before is None:
        return
    if after is None:
        raise WriteError(
            f"model '{before.id}' cannot be written as {target}: what would be written cannot be "
            "loaded again; choose another format"
        )
    ours, theirs = (_compared(n, before, _Rounding(digits)) for n in (before, after))
    lost = [
        f"{field.name} ({_different(getattr(ours, field.name), getattr(theirs, field.name))})"
        for field in fields(ReactionNetwork)
        if field.compare and getattr(ours, field.name) != getattr(theirs, field.name)
    ]
    if lost:
        raise WriteError(
            f"model '{before.id}' cannot be written as {target} without a change in its "
            f"{'; '.join(lost)}; choose another format, or change these in the model"
        )


@dataclass(frozen=True, slots=True)
class _Rounding:
    """Numbers to so many significant digits, or as they are."""

    digits: int | None

    def number(self, value: float | None) -> float | None:
        if value is not None and value != value:
            return NO_VALUE  # one NaN for all, which is equal to nothing but itself
        if value is None or self.digits is None:
            return value
        return float(f"{value:.{self.digits}g}")

    def side(self, numbers: Mapping[str, float]) -> dict[str, Any]:
        return {species: self.number(n) for species, n in numbers.items()}

    def element(self, element: Any) -> Any:
        if isinstance(element, Species):
            return replace(
                element,
                initial_amount=self.number(element.initial_amount),
                initial_concentration=self.number(element.initial_concentration),
            )
        if isinstance(element, Compartment):
            return replace(element, size=self.number(element.size))
        if isinstance(element, Parameter | SpeciesReference):
            return replace(element, value=self.number(element.value))
        return element

    def formula(self, expression: Expression) -> Expression:
        """Return an expression without sums in sums and products in products."""

        def merged(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
            if isinstance(node, Number):
                return Number(self.number(node.value) or 0.0)
            if not isinstance(node, Apply):
                return node
            if node.operator not in ("plus", "times"):
                return Apply(node.operator, arguments)
            flat: list[Expression] = []
            for argument in arguments:
                if isinstance(argument, Apply) and argument.operator == node.operator:
                    flat += argument.arguments
                else:
                    flat.append(argument)
            return Apply(node.operator, tuple(flat))

        return from_the_leaves(expression, merged)

    def formulas(self, formulas: Mapping[str, Expression]) -> dict[str, Expression]:
        return {target: self.formula(formula) for target, formula in formulas.items()}

    def optional(self, formula: Expression | None) -> Expression | None:
        return None if formula is None else self.formula(formula)


def _compared(
    network: ReactionNetwork, first: ReactionNetwork, rounding: _Rounding
) -> ReactionNetwork:
    is_set = network.assignment_rules.keys() | (
        network.initial_assignments.keys() - network.explicit
    )

    def plain(elements: Iterable[Any]) -> tuple[Any, ...]:
        found = (replace(e, name="") if getattr(e, "name", "") == e.id else e for e in elements)
        found = (_without_value(e) if e.id in is_set else rounding.element(e) for e in found)
        return tuple(sorted(found, key=lambda e: e.id))

    rules, stoichiometries = _stoichiometries(network)
    reactions = (_plain_reaction(r, stoichiometries, rounding) for r in network.reactions)
    without = replace(
        network,
        initial_assignments=rounding.formulas(network.initial_assignments),
        assignment_rules=rounding.formulas(rules),
        rate_rules=rounding.formulas(network.rate_rules),
        reactions=plain(reactions),
        events=tuple(
            _plain_event(event, name, rounding)
            for event, name in zip(network.events, _event_ids(network, first), strict=True)
        ),
    )
    used = _used(without)
    return replace(
        without,
        name="" if network.name == network.id else network.name,
        compartments=plain(network.compartments),
        species=plain(network.species),
        parameters=plain(network.parameters),
        references=plain(r for r in network.references if r.id in used),
    )


def _without_value(element: Any) -> Any:
    if isinstance(element, Species):
        return replace(element, initial_amount=None, initial_concentration=None)
    if isinstance(element, Compartment):
        return replace(element, size=NO_VALUE)
    return replace(element, value=NO_VALUE)


def _event_ids(network: ReactionNetwork, first: ReactionNetwork) -> list[str]:
    """Return the ids of the events, those of another network where that has none of its own."""
    ids = [event.id for event in network.events]
    for i, event in enumerate(first.events[: len(ids)]):
        if " " in event.id:  # called by its place
            ids[i] = event.id
    return ids


def _plain_event(event: Event, name: str, rounding: _Rounding) -> Event:
    return replace(
        event,
        id=name,
        name="" if event.name == event.id else event.name,
        trigger=rounding.formula(event.trigger),
        assignments=rounding.formulas(event.assignments),
        delay=rounding.optional(event.delay),
        priority=rounding.optional(event.priority),
    )


def _stoichiometries(
    network: ReactionNetwork,
) -> tuple[dict[str, Expression], dict[str, Expression]]:
    """Return the assignment rules of anything else, and those of species references.

    What is a rule for a species reference in level 3 is a formula in its place in level 2.
    """
    references = {r.id for r in network.references}
    rules = network.assignment_rules
    return (
        {t: e for t, e in rules.items() if t not in references},
        {t: e for t, e in rules.items() if t in references},
    )


def _plain_reaction(
    reaction: Reaction, rules: Mapping[str, Expression], rounding: _Rounding
) -> Reaction:
    sides = {True: dict(reaction.products), False: dict(reaction.reactants)}
    formulas: list[Stoichiometry] = []
    for formula in reaction.formulas:
        number = rounding.formula(substitute(formula.number, rules))
        if isinstance(number, Number):
            side = sides[formula.is_product]
            side[formula.species] = side.get(formula.species, 0.0) + number.value
        else:
            formulas.append(replace(formula, number=number))
    return replace(
        reaction,
        rate_law=rounding.formula(reaction.rate_law),
        reactants=rounding.side(sides[False]),
        products=rounding.side(sides[True]),
        formulas=tuple(sorted(formulas, key=repr)),
        modifiers=(),  # they say nothing that the law does not
    )


def _used(network: ReactionNetwork) -> frozenset[str]:
    """Return every symbol that is set or used anywhere; level 2 cannot name species references."""
    formulas = [r.rate_law for r in network.reactions]
    formulas += [f.number for r in network.reactions for f in r.formulas]
    found: set[str] = set()
    for mapping in (network.initial_assignments, network.assignment_rules, network.rate_rules):
        found |= mapping.keys()
        formulas += mapping.values()
    for event in network.events:
        found |= event.assignments.keys()
        formulas += [event.trigger, *event.assignments.values()]
        formulas += [f for f in (event.delay, event.priority) if f is not None]
    return frozenset(found).union(*map(symbols, formulas))


def _different(before: Any, after: Any) -> str:
    """Name the elements that are different."""
    if isinstance(before, Mapping):
        keys = sorted({*before, *after})
        ids = [k for k in keys if before.get(k) != after.get(k)]
    elif isinstance(before, tuple):
        ours, theirs = ({e.id: e for e in elements} for elements in (before, after))
        ids = [i for i in sorted({*ours, *theirs}) if ours.get(i) != theirs.get(i)]
    else:
        return f"{before!r} would become {after!r}"
    return first_of([repr(i) for i in ids], _NAMED)
