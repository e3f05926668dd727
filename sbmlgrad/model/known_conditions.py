"""Formulas in which the truth of one condition is known."""

from __future__ import annotations

from collections.abc import Sequence

from sbmlgrad.model.expression import ONE, ZERO, Apply, Expression, Number, add, negate
from sbmlgrad.model.switches import JOINED
from sbmlgrad.model.traversal import from_the_leaves


def terms_with(formula: Expression, part: Expression) -> Expression:
    """Return the terms of a sum in which a condition is, beside which others may be far larger."""
    if not isinstance(formula, Apply) or formula.operator not in ("plus", "minus"):
        return formula
    if len(formula.arguments) < 2 or formula == part:
        return formula
    first, *others = formula.arguments
    if formula.operator == "minus":
        others = [negate(one) for one in others]
    own = [one for one in (first, *others) if where(one, part, ONE) != where(one, part, ZERO)]
    return add(*(terms_with(one, part) for one in own))


def both(formula: Expression, part: Expression) -> tuple[Expression, Expression]:
    """Return what a formula is where a condition holds, and where it does not."""
    return where(formula, part, ONE), where(formula, part, ZERO)


def where(formula: Expression, part: Expression, truth: Number) -> Expression:
    """Return what a formula is where a condition is known.

    Args:
        formula: with the condition.
        part: the condition, as it stands in the formula.
        truth: `ONE` if it holds, else `ZERO`.
    """

    def chosen(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if node == part:
            return truth
        if not isinstance(node, Apply):
            return node
        if node.operator == "piecewise":
            return _folded(arguments)
        joined = Apply(node.operator, arguments)
        return _folded_logic(joined) if node.operator in JOINED else joined

    return from_the_leaves(formula, chosen, {})


def _folded(arguments: Sequence[Expression]) -> Expression:
    """Return the pieces that are left where some conditions are known."""
    last = arguments[-1:] if len(arguments) % 2 else ()
    pairs: list[Expression] = []
    for value, condition in zip(arguments[0:-1:2], arguments[1::2], strict=False):
        if condition == ONE:
            last = (value,)
            break
        if condition != ZERO:
            pairs += [value, condition]
    return last[0] if not pairs and last else Apply("piecewise", (*pairs, *last))


def _folded_logic(condition: Apply) -> Expression:
    """Return a condition without the parts of it that are known."""
    operator, arguments = condition.operator, condition.arguments
    if operator == "not" and arguments[0] in (ONE, ZERO):
        return ONE if arguments[0] == ZERO else ZERO
    if operator not in ("and", "or"):
        return condition
    idle, decisive = (ONE, ZERO) if operator == "and" else (ZERO, ONE)
    if decisive in arguments:
        return decisive
    left = tuple(one for one in arguments if one != idle)
    if len(left) < 2:
        return left[0] if left else idle
    return Apply(operator, left)
