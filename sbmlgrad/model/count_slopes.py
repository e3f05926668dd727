"""Slopes of kinetic laws on whole counts, also where a law is guarded or bends.

A law that bends at a whole count, such as `min(X, 4)` at X = 4, has two slopes there. Estimators
along paths need the change of the law per molecule, of which the mean of both slopes is the better
measure; in a threshold it is the central derivative.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import (
    ONE,
    ZERO,
    Apply,
    Expression,
    Number,
    add,
    divide,
    multiply,
    negate,
    symbols,
)
from sbmlgrad.model.jumping_laws import bends, with_written_conditions, without_guards
from sbmlgrad.model.jumps import is_logical
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.quantities import is_affine
from sbmlgrad.model.traversal import from_the_leaves

#: Comparisons that differ where both sides are equal alone.
_STRICTNESS = {"lt": "leq", "leq": "lt", "gt": "geq", "geq": "gt"}

_EXTREMES = ("min", "max")


def sides(law: Expression, moving: Set[str]) -> tuple[Expression, ...]:
    """Return a law in the ways that `mean_slope` differentiates: one, or two if it bends.

    All have the values of the law on whole counts. Choose it once for a law, then `mean_slope` for
    every symbol.

    Args:
        law: the propensity.
        moving: ids of the symbols that are whole numbers from 0 on.
    """
    if not _may_bend(law):
        return (law,)
    written = without_guards(with_written_conditions(law), moving)
    plain = _without_idle_extremes(written, moving)
    other = _from_the_other_side(plain, moving)
    return (plain,) if other == plain else (plain, other)


def mean_slope(sides: Sequence[Expression], symbol: str) -> Expression:
    """Return the derivative of a law in one symbol, at a bend the mean of both sides.

    Args:
        sides: of the law, from `sides`.
        symbol: id of the symbol.
    """
    first, *others = (derivative(side, symbol) for side in sides)
    if not others or others[0] == first:
        return first
    return multiply(Number(0.5), add(first, others[0]))


def _may_bend(law: Expression) -> bool:
    """Tell whether there is anything that bends or guards, which most laws do without."""
    stack, seen = [law], set()
    while stack:
        node = stack.pop()
        if not isinstance(node, Apply) or id(node) in seen:
            continue
        seen.add(id(node))
        if node.operator in (*_EXTREMES, "abs", "piecewise") or is_logical(node):
            return True
        stack += node.arguments
    return False


def _from_the_other_side(law: Expression, moving: Set[str]) -> Expression:
    """Return a law whose one-sided derivatives at its bends are those of the other side."""
    bending = bends(law, moving)

    def turned(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        if node in bending:
            return _strictness_turned(node, moving)
        if node.operator in _EXTREMES and symbols(node) & moving:
            return Apply(node.operator, arguments[::-1])
        if node.operator == "abs" and symbols(node) & moving:
            return Apply("max", (negate(arguments[0]), arguments[0]))
        return Apply(node.operator, arguments) if arguments != node.arguments else node

    return from_the_leaves(law, turned)


def _strictness_turned(condition: Expression, moving: Set[str]) -> Expression:
    if not isinstance(condition, Apply) or not symbols(condition) & moving:
        return condition
    if condition.operator in _STRICTNESS:
        return Apply(_STRICTNESS[condition.operator], condition.arguments)
    turned = (_strictness_turned(one, moving) for one in condition.arguments)
    return Apply(condition.operator, tuple(turned))


def _without_idle_extremes(law: Expression, moving: Set[str]) -> Expression:
    """Return a law without what no count can change, such as the 0 in `max(X, 0)`."""

    def chosen(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        kept = node if arguments == node.arguments else Apply(node.operator, arguments)
        if node.operator == "abs":
            counts, factor = _apart(arguments[0], moving)
            if counts != ONE and symbols(factor):
                return multiply(counts, Apply("abs", (factor,)))
            sign = _sign(arguments[0], moving)
            return kept if sign is None else (arguments[0] if sign > 0 else negate(arguments[0]))
        if node.operator in _EXTREMES and len(arguments) == 2:
            if ZERO in arguments:
                other = arguments[arguments[0] == ZERO]
                counts, factor = _apart(other, moving)
                if counts != ONE and symbols(factor):
                    return multiply(counts, Apply(node.operator, (factor, ZERO)))
            sign = _sign(Apply("minus", arguments), moving)
            if sign is None:
                return kept
            return arguments[0] if (sign > 0) == (node.operator == "max") else arguments[1]
        return kept

    return from_the_leaves(law, chosen)


def _apart(formula: Expression, moving: Set[str]) -> tuple[Expression, Expression]:
    """Return a formula as a product of counts, which are never negative, and of the rest."""
    if _sign(formula, moving) == 1:
        return formula, ONE
    if isinstance(formula, Apply) and formula.operator == "times":
        both = [_apart(one, moving) for one in formula.arguments]
        return multiply(*(c for c, _ in both)), multiply(*(f for _, f in both))
    if isinstance(formula, Apply) and formula.operator == "divide":
        counts, factor = _apart(formula.arguments[0], moving)
        return counts, divide(factor, formula.arguments[1])
    return ONE, formula


def _sign(formula: Expression, moving: Set[str]) -> int | None:
    """Return 1 or -1 if a formula of counts alone is never below or never above 0; else None."""
    ids = sorted(symbols(formula))
    if not ids or not moving >= set(ids) or not is_affine(formula, tuple(ids)):
        return None
    nothing = dict.fromkeys(ids, 0.0)
    at_zero = float(evaluate(formula, nothing))
    terms = [at_zero]
    terms += [float(evaluate(formula, {**nothing, id: 1.0})) - at_zero for id in ids]
    if all(term >= 0.0 for term in terms):
        return 1
    return -1 if all(term <= 0.0 for term in terms) else None
