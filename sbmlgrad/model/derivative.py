"""Symbolic derivatives of expressions, by the chain rule over the operator table."""

from __future__ import annotations

from sbmlgrad.model.expression import (
    ONE,
    ZERO,
    Expression,
    Number,
    Symbol,
    add,
    multiply,
    piecewise,
)
from sbmlgrad.model.operators import OPERATORS


def derivative(expression: Expression, symbol: str) -> Expression:
    """Return the partial derivative of an expression in one symbol.

    Args:
        expression: the expression.
        symbol: id of the symbol to differentiate in; all others are held fixed.

    Returns:
        The derivative. Where the expression has a kink (`abs`, `min`, `max`, `piecewise`) it is a
        one-sided derivative; jumps of a piecewise function contribute nothing.
    """
    if isinstance(expression, Number):
        return ZERO
    if isinstance(expression, Symbol):
        return ONE if expression.id == symbol else ZERO
    if expression.operator == "piecewise":
        return _of_pieces(expression.arguments, symbol)
    partials = OPERATORS[expression.operator].partials
    if partials is None:
        return ZERO
    inner = [derivative(argument, symbol) for argument in expression.arguments]
    if all(term is ZERO for term in inner):
        return ZERO
    outer = partials(expression.arguments)
    terms = [multiply(p, i) for p, i in zip(outer, inner, strict=True) if i is not ZERO]
    return add(*terms) if terms else ZERO


def _of_pieces(arguments: tuple[Expression, ...], symbol: str) -> Expression:
    """Differentiate piece by piece: one that is not chosen may have no derivative there."""
    pieces = [
        argument if place % 2 else derivative(argument, symbol)
        for place, argument in enumerate(arguments)
    ]
    # A function without an otherwise is undefined elsewhere, and so is its derivative.
    return ZERO if all(value is ZERO for value in pieces[::2]) else piecewise(*pieces)
