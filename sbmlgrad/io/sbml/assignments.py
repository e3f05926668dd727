"""Initial assignments of an SBML document, in whatever order they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sbmlgrad.io.sbml.mathml import Functions, MathError, to_expression
from sbmlgrad.io.sbml.reactions import undefined
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.initial import cyclic_assignments
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork


def read_initial_assignments(
    model: Any, network: ReactionNetwork, known: set[str], functions: Functions, issues: list[Issue]
) -> Mapping[str, Expression]:
    """Return symbol → formula, without those that are refused.

    Args:
        model: `libsbml.Model`.
        network: the network read so far, without initial assignments.
        known: ids of species, compartments and global parameters.
        functions: function definitions by id.
        issues: list that problems are added to.
    """
    result: dict[str, Expression] = {}
    lines: dict[str, int] = {}
    for i in range(model.getNumInitialAssignments()):
        assignment = model.getInitialAssignment(i)
        target, line = assignment.getSymbol(), assignment.getLine()
        problem = _target_problem(model, target, known, lines)
        lines.setdefault(target, line)
        if problem is not None:
            code, message, advice = problem
            issues.append(refused(code, target, line, message, advice))
            continue
        try:
            expression = to_expression(assignment.getMath(), functions, {})
        except MathError as error:
            issues.append(refused(error.code, target, line, error.message, error.advice))
            continue
        problems = tuple(undefined(expression, known, target, line))
        issues += problems
        if not problems:
            result[target] = expression
    for target in cyclic_assignments(replace(network, initial_assignments=result)):
        del result[target]
        issues.append(
            refused(
                "cyclic_assignment",
                target,
                lines[target],
                "its initial assignment depends on itself.",
                "Break the cycle.",
            )
        )
    return MappingProxyType(result)


def _target_problem(
    model: Any, target: str, known: set[str], seen: Mapping[str, int]
) -> tuple[str, str, str] | None:
    """Return code, message and advice for an initial assignment that has no place."""
    if target in seen:
        return (
            "invalid_sbml",
            f"it has another initial assignment in line {seen[target]}.",
            "Keep one of them.",
        )
    if target in known:
        return None
    if model.getElementBySId(target) is None:
        return (
            "undefined_symbol",
            "an initial assignment to something that the model does not define.",
            "Define it or correct the name.",
        )
    return (
        "variable_stoichiometry",
        "an initial assignment to something that is neither species, parameter nor compartment "
        "(a stoichiometry) is not accepted yet.",
        "Write the number into the species reference.",
    )
