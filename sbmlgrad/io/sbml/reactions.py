"""Reactions of an SBML document: kinetic laws and local parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sbmlgrad.io.sbml.propensity_mark import is_marked_as_propensity
from sbmlgrad.io.sbml.scope import Scope
from sbmlgrad.io.sbml.stoichiometry import read_sides
from sbmlgrad.io.sbml.support import name_of, refused
from sbmlgrad.model.elements import NO_VALUE, Parameter, Reaction
from sbmlgrad.model.expression import ZERO, Expression


def read_reactions(
    elements: Sequence[Any],
    species: frozenset[str],
    assigned: frozenset[str],
    scope: Scope,
) -> tuple[tuple[Reaction, ...], tuple[Parameter, ...]]:
    """Return the reactions, and their local parameters as `reaction.parameter`.

    Args:
        elements: `libsbml.Reaction`, each with an id of its own.
        species: ids of species.
        assigned: ids that a rule, an initial assignment or an event sets.
        scope: what formulas may name; its issues get the problems.
    """
    reactions: list[Reaction] = []
    local_parameters: list[Parameter] = []
    for reaction in elements:
        if reaction.isSetFast() and reaction.getFast():
            scope.issues.append(
                refused(
                    "fast_reaction",
                    reaction.getId(),
                    reaction.getLine(),
                    "a fast reaction is an equilibrium, not a process with a rate.",
                    "Give it a large finite rate, or eliminate it.",
                )
            )
        law, local = _rate_law(reaction, scope)
        local_parameters += local
        sides = read_sides(reaction, species, assigned, scope)
        reactions.append(
            Reaction(
                id=reaction.getId(),
                name=name_of(reaction),
                reactants=sides.reactants,
                products=sides.products,
                formulas=sides.formulas,
                modifiers=tuple(
                    reaction.getModifier(m).getSpecies() for m in range(reaction.getNumModifiers())
                ),
                rate_law=law,
                reversible=bool(reaction.getReversible()),
                line=reaction.getLine() or None,
                is_propensity=is_marked_as_propensity(reaction),
            )
        )
    return tuple(reactions), tuple(local_parameters)


def _rate_law(reaction: Any, scope: Scope) -> tuple[Expression, list[Parameter]]:
    law = reaction.getKineticLaw()
    where, line = reaction.getId(), reaction.getLine()
    if law is None or not law.isSetMath():
        scope.issues.append(
            refused(
                "missing_kinetic_law",
                where,
                line,
                "the reaction has no kinetic law, so it has no rate.",
                "Give it a kinetic law.",
            )
        )
        return ZERO, []
    # In level 3 libSBML keeps local parameters in a list of their own.
    is_level_3 = scope.level >= 3
    count = law.getNumLocalParameters() if is_level_3 else law.getNumParameters()
    elements = [
        law.getLocalParameter(i) if is_level_3 else law.getParameter(i) for i in range(count)
    ]
    rename = {p.getId(): f"{where}.{p.getId()}" for p in elements}
    local = {p.getId(): read_parameter(p, rename[p.getId()]) for p in reversed(elements)}
    if len(local) < len(elements):
        twice = sorted(name for name, n in Counter(p.getId() for p in elements).items() if n > 1)
        scope.issues.append(
            refused(
                "invalid_sbml",
                f"{where}/kineticLaw",
                law.getLine(),
                f"it has several local parameters {', '.join(map(repr, twice))}.",
                "Give every local parameter an id of its own.",
            )
        )
    parameters = [local[name] for name in rename]
    expression = scope.formula(
        law.getMath(), f"{where}/kineticLaw", law.getLine(), rename=rename, is_law=True
    )
    return ZERO if expression is None else expression, parameters


def read_parameter(element: Any, name: str) -> Parameter:
    """Return a parameter under the name that it has in the network."""
    value = element.getValue() if element.isSetValue() else NO_VALUE
    # The same NaN for all without a value, so that they are equal.
    value = value if value == value else NO_VALUE
    return Parameter(name, value, element.getUnits(), name_of(element), element.getLine() or None)
