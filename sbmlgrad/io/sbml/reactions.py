"""Reactions of an SBML document: stoichiometry, kinetic laws, local parameters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sbmlgrad.io.sbml.mathml import Functions, MathError, to_expression
from sbmlgrad.io.sbml.support import name_of, refused
from sbmlgrad.model.elements import NO_VALUE, Parameter, Reaction
from sbmlgrad.model.expression import ZERO, Expression, symbols
from sbmlgrad.model.issues import Issue


def read_reactions(
    elements: Sequence[Any],
    known: set[str],
    species: set[str],
    functions: Functions,
    issues: list[Issue],
) -> tuple[tuple[Reaction, ...], tuple[Parameter, ...]]:
    """Return the reactions, and their local parameters as `reaction.parameter`.

    Args:
        elements: `libsbml.Reaction`, each with an id of its own.
        known: ids of species, compartments and global parameters.
        species: ids of species.
        functions: function definitions by id.
        issues: list that problems are added to.
    """
    reactions: list[Reaction] = []
    local_parameters: list[Parameter] = []
    for reaction in elements:
        if reaction.isSetFast() and reaction.getFast():
            issues.append(
                refused(
                    "fast_reaction",
                    reaction.getId(),
                    reaction.getLine(),
                    "a fast reaction is an equilibrium, not a process with a rate.",
                    "Give it a large finite rate, or eliminate it.",
                )
            )
        law, local = _rate_law(reaction, known, functions, issues)
        local_parameters += local
        reactions.append(
            Reaction(
                id=reaction.getId(),
                name=name_of(reaction),
                reactants=_side(reaction, "Reactant", species, issues),
                products=_side(reaction, "Product", species, issues),
                modifiers=tuple(
                    reaction.getModifier(m).getSpecies() for m in range(reaction.getNumModifiers())
                ),
                rate_law=law,
                reversible=bool(reaction.getReversible()),
                line=reaction.getLine() or None,
            )
        )
    return tuple(reactions), tuple(local_parameters)


def _side(reaction: Any, kind: str, species: set[str], issues: list[Issue]) -> Mapping[str, float]:
    result: dict[str, float] = {}
    for reference in _references(reaction, kind):
        name = reference.getSpecies()
        where = f"{reaction.getId()}/{name}"
        line = reference.getLine() or reaction.getLine()
        if name not in species:
            issues.append(
                refused("undefined_symbol", where, line, "no such species.", "Define the species.")
            )
            continue
        problem = _variable(reference, reaction.getModel())
        if problem:
            issues.append(
                refused(
                    "variable_stoichiometry",
                    where,
                    line,
                    problem,
                    "Write the number into the species reference.",
                )
            )
            continue
        if not math.isfinite(_stoichiometry(reference)):
            issues.append(
                refused(
                    "variable_stoichiometry",
                    where,
                    line,
                    f"its stoichiometry {_stoichiometry(reference)} is no finite number.",
                    "Write a whole number into the species reference.",
                )
            )
            continue
        result[name] = result.get(name, 0.0) + _stoichiometry(reference)
    return MappingProxyType(result)


def _stoichiometry(reference: Any) -> float:
    # Level 1 writes fractions; elsewhere the denominator is 1.
    return reference.getStoichiometry() / reference.getDenominator()


def _references(reaction: Any, kind: str) -> Iterator[Any]:
    get = getattr(reaction, f"get{kind}")
    for i in range(getattr(reaction, f"getNum{kind}s")()):
        yield get(i)


def _variable(reference: Any, model: Any) -> str | None:
    if reference.isSetStoichiometryMath():
        return "its stoichiometry is a formula."
    if model.getLevel() >= 3 and not reference.isSetStoichiometry():
        return "its stoichiometry is not given."
    name = reference.getId()
    if name and (model.getRuleByVariable(name) or model.getInitialAssignmentBySymbol(name)):
        return "its stoichiometry is set by a rule or an initial assignment."
    return None


def _rate_law(
    reaction: Any,
    known: set[str],
    functions: Functions,
    issues: list[Issue],
) -> tuple[Expression, list[Parameter]]:
    law = reaction.getKineticLaw()
    where, line = reaction.getId(), reaction.getLine()
    if law is None or law.getMath() is None:
        issues.append(
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
    is_level_3 = reaction.getLevel() >= 3
    count = law.getNumLocalParameters() if is_level_3 else law.getNumParameters()
    elements = [
        law.getLocalParameter(i) if is_level_3 else law.getParameter(i) for i in range(count)
    ]
    rename = {p.getId(): f"{where}.{p.getId()}" for p in elements}
    local = {
        p.getId(): Parameter(rename[p.getId()], parameter_value(p), p.getUnits(), name_of(p))
        for p in reversed(elements)
    }
    if len(local) < len(elements):
        twice = sorted(name for name, n in Counter(p.getId() for p in elements).items() if n > 1)
        issues.append(
            refused(
                "invalid_sbml",
                f"{where}/kineticLaw",
                law.getLine(),
                f"it has several local parameters {', '.join(map(repr, twice))}.",
                "Give every local parameter an id of its own.",
            )
        )
    parameters = [local[name] for name in rename]
    try:
        expression = to_expression(law.getMath(), functions, rename)
    except MathError as error:
        issues.append(
            refused(error.code, f"{where}/kineticLaw", law.getLine(), error.message, error.advice)
        )
        return ZERO, parameters
    allowed = known.union(rename.values())
    problems = tuple(undefined(expression, allowed, f"{where}/kineticLaw", law.getLine()))
    issues += problems
    return ZERO if problems else expression, parameters


def undefined(expression: Expression, known: set[str], element: str, line: int) -> Iterator[Issue]:
    """Refuse symbols of a formula that the model does not define."""
    for symbol in sorted(symbols(expression) - known):
        yield refused(
            "undefined_symbol",
            element,
            line,
            f"the formula uses '{symbol}', which is no species, parameter or compartment.",
            "Define it or correct the name.",
        )


def parameter_value(element: Any) -> float:
    """Return the value of a parameter; the same NaN for all without one, so that they are equal."""
    value = element.getValue() if element.isSetValue() else NO_VALUE
    return value if value == value else NO_VALUE
