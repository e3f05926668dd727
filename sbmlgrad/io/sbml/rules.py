"""Rules and initial assignments of an SBML document, in whatever order they stand.

A formula that is missing, which level 3 version 2 allows, is as if the element were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import libsbml

from sbmlgrad.io.sbml.scope import Scope
from sbmlgrad.io.sbml.support import refused
from sbmlgrad.io.sbml.targets import (
    Problem,
    constant_target,
    initial_assignments,
    refuse,
    rules,
    twice,
    unknown_target,
)
from sbmlgrad.model.expression import Expression


@dataclass(frozen=True, slots=True)
class Formulas:
    """Formulas of a document by the symbol that they set, with their lines.

    Attributes:
        initial: initial assignments.
        assignment: assignment rules.
        rate: rate rules.
        lines: symbol → line of its initial assignment or assignment rule.
        ruled: every target of an assignment rule, of those too that are refused.
    """

    initial: Mapping[str, Expression]
    assignment: Mapping[str, Expression]
    rate: Mapping[str, Expression]
    lines: Mapping[str, int]
    ruled: frozenset[str]


def read_formulas(model: Any, scope: Scope) -> Formulas:
    """Return the rules and initial assignments, without those that are refused.

    Args:
        model: `libsbml.Model`.
        scope: what formulas may name; its issues get the problems.
    """
    assignment: dict[str, Expression] = {}
    rate: dict[str, Expression] = {}
    seen: dict[str, int] = {}
    ruled: dict[str, int] = {}
    for rule in rules(model):
        target, line = rule.getVariable(), rule.getLine()
        if rule.isAlgebraic():
            scope.issues.append(_algebraic(line))
            continue
        if not rule.isSetMath():
            continue
        is_rate = rule.getTypeCode() == libsbml.SBML_RATE_RULE
        problem = _rule_problem(target, seen, scope, is_rate=is_rate)
        seen.setdefault(target, line)
        if not is_rate:
            ruled.setdefault(target, line)
        formula = scope.formula(rule.getMath(), target, line)
        if problem is not None:
            refuse(scope.issues, target, line, problem)
        elif formula is not None:
            (rate if is_rate else assignment)[target] = formula
    initial, initial_lines = _initial(model, scope, ruled)
    lines = {**initial_lines, **{target: ruled[target] for target in assignment}}
    return Formulas(initial, assignment, rate, lines, frozenset(ruled))


def _initial(
    model: Any, scope: Scope, ruled: Mapping[str, int]
) -> tuple[dict[str, Expression], dict[str, int]]:
    result: dict[str, Expression] = {}
    lines: dict[str, int] = {}
    for assignment in initial_assignments(model):
        if not assignment.isSetMath():
            continue
        target, line = assignment.getSymbol(), assignment.getLine()
        problem: Problem | None = None
        if target in lines:
            problem = twice(lines[target], "an initial assignment")
        elif target in ruled:
            problem = twice(ruled[target], "an assignment rule, which holds at the start too,")
        elif target not in scope.targets:
            problem = unknown_target(target, "an initial assignment")
        lines.setdefault(target, line)
        formula = scope.formula(assignment.getMath(), target, line, may_draw=True)
        if problem is not None:
            refuse(scope.issues, target, line, problem)
        elif formula is not None:
            result[target] = formula
    return result, lines


def _rule_problem(
    target: str, seen: Mapping[str, int], scope: Scope, *, is_rate: bool
) -> Problem | None:
    what = "a rate rule" if is_rate else "an assignment rule"
    if target in seen:
        return twice(seen[target], "a rule")
    if target not in scope.targets:
        return unknown_target(target, what)
    if target in scope.constant:
        return constant_target(target, what)
    if target in scope.reacting:
        return (
            "invalid_sbml",
            f"{what} sets the species '{target}', which reactions change too, so that it would "
            "have two values.",
            f"Write boundaryCondition=\"true\" for '{target}', or remove the rule.",
        )
    return None


def _algebraic(line: int) -> Any:
    return refused(
        "algebraic_rule",
        "(algebraic rule)",
        line,
        "an algebraic rule constrains the state and is no part of a process.",
        "Solve it for one symbol and write that as an assignment rule.",
    )
