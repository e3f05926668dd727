"""Expressions → source text of one target, by the spellings of the operator table."""

from __future__ import annotations

from collections.abc import Callable

from sbmlgrad.model.expression import Expression, Number, Symbol
from sbmlgrad.model.operators import OPERATORS


def print_expression(
    expression: Expression,
    target: str,
    symbol: Callable[[str], str],
    number: Callable[[float], str] = repr,
) -> str:
    """Return source text.

    Args:
        expression: what to print.
        target: a name of `operators.TARGETS`.
        symbol: spelling of a symbol.
        number: spelling of a literal; the default keeps every bit.
    """
    if isinstance(expression, Number):
        return number(expression.value)
    if isinstance(expression, Symbol):
        return symbol(expression.id)
    arguments = [print_expression(a, target, symbol, number) for a in expression.arguments]
    return OPERATORS[expression.operator].spelling[target](arguments)


def literal(value: float) -> str:
    """Return a literal of generated source; nan and inf are names that its modules define."""
    return f"({value!r})" if value < 0.0 else repr(value)
