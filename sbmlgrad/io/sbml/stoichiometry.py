"""Reactants and products of an SBML document: numbers, or formulas where something sets them.

In level 2 a stoichiometry may be a formula of its own (`stoichiometryMath`). In level 3 the species
reference has an id, which rules, initial assignments and events set and any formula may use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sbmlgrad.io.sbml.scope import Scope
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.elements import NO_VALUE, SpeciesReference, Stoichiometry
from sbmlgrad.model.expression import Expression, Number, Symbol

_KINDS = ("Reactant", "Product")


@dataclass(frozen=True, slots=True)
class Sides:
    """Reactants and products of one reaction, as in `model.elements.Reaction`."""

    reactants: Mapping[str, float]
    products: Mapping[str, float]
    formulas: tuple[Stoichiometry, ...]


def species_references(reaction: Any) -> Iterator[Any]:
    """Yield the reactants, then the products of a `libsbml.Reaction`."""
    for kind in _KINDS:
        yield from _side(reaction, kind)


def reference_of(reference: Any) -> SpeciesReference:
    """Return a species reference with an id as an element of the network."""
    return SpeciesReference(reference.getId(), _number(reference), reference.getLine() or None)


def read_sides(
    reaction: Any, species: frozenset[str], assigned: frozenset[str], scope: Scope
) -> Sides:
    """Return what a reaction consumes and makes.

    Args:
        reaction: `libsbml.Reaction`.
        species: ids of species.
        assigned: ids that a rule, an initial assignment or an event sets.
        scope: what formulas may name; its issues get the problems.
    """
    numbers: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
    formulas: list[Stoichiometry] = []
    for kind in _KINDS:
        for reference in _side(reaction, kind):
            name = reference.getSpecies()
            number = _stoichiometry(reaction, reference, species, assigned, scope)
            if isinstance(number, Number):
                numbers[kind][name] = numbers[kind].get(name, 0.0) + number.value
            elif number is not None:
                formulas.append(Stoichiometry(name, number, kind == "Product"))
    reactants, products = (MappingProxyType(numbers[kind]) for kind in _KINDS)
    return Sides(reactants, products, tuple(formulas))


def _stoichiometry(
    reaction: Any, reference: Any, species: frozenset[str], assigned: frozenset[str], scope: Scope
) -> Expression | None:
    name = reference.getSpecies()
    where = f"{reaction.getId()}/{name}"
    line = reference.getLine() or reaction.getLine()
    if name not in species:
        scope.issues.append(
            refused("undefined_symbol", where, line, "no such species.", "Define the species.")
        )
        return None
    if scope.level >= 3 and reference.getId() in assigned:
        return Symbol(reference.getId())
    if reference.isSetStoichiometryMath() and reference.getStoichiometryMath().isSetMath():
        return scope.formula(reference.getStoichiometryMath().getMath(), where, line)
    value = _number(reference)
    if math.isfinite(value):
        return Number(value)
    is_set = scope.level < 3 or reference.isSetStoichiometry()
    what = f"its stoichiometry {value} is no finite number" if is_set else "it has no stoichiometry"
    scope.issues.append(
        refused(
            "variable_stoichiometry",
            where,
            line,
            f"{what} and nothing sets one, so it is not known what a firing changes.",
            "Write a whole number into the species reference.",
        )
    )
    return None


def _number(reference: Any) -> float:
    """Return the stoichiometry that the attributes give; NaN where they give none."""
    if reference.isSetStoichiometryMath():
        return NO_VALUE
    if reference.getLevel() >= 3 and not reference.isSetStoichiometry():
        return NO_VALUE
    # Level 1 writes fractions; elsewhere the denominator is 1.
    denominator = reference.getDenominator()
    value = reference.getStoichiometry() / denominator if denominator else NO_VALUE
    return value if value == value else NO_VALUE


def _side(reaction: Any, kind: str) -> Iterator[Any]:
    get = getattr(reaction, f"get{kind}")
    for i in range(getattr(reaction, f"getNum{kind}s")()):
        yield get(i)
