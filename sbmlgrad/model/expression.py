"""Kinetic-law expressions: immutable trees of numbers, symbols and applied operators.

The constructors `add`, `multiply`, ... fold constants and neutral elements, nothing more: the law
keeps the shape its author gave it. `Apply("name", ...)` builds a node without folding. Trees are
hashable and may share subtrees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named quantity; a local parameter has the id `reaction.parameter`."""

    id: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator of `model.operators.OPERATORS` applied to arguments."""

    operator: str
    arguments: tuple[Expression, ...]


Expression = Number | Symbol | Apply

ZERO = Number(0.0)
ONE = Number(1.0)

#: The clock. No SBML id can be spelled like this one.
TIME = Symbol("time()")

#: Operator of SBML's csymbol for the rate of change of a symbol.
RATE_OF = "rateOf"


def add(*terms: Expression) -> Expression:
    """Return the sum, with literal terms gathered in front and zeros dropped."""
    constant = 0.0
    rest: list[Expression] = []
    for term in terms:
        if isinstance(term, Number):
            constant += term.value
        else:
            rest.append(term)
    if constant != 0.0 or not rest:
        rest.insert(0, Number(constant))
    return rest[0] if len(rest) == 1 else Apply("plus", tuple(rest))


def multiply(*factors: Expression) -> Expression:
    """Return the product, with literal factors gathered in front; a literal zero annihilates."""
    constant = 1.0
    rest: list[Expression] = []
    for factor in factors:
        if isinstance(factor, Number):
            constant *= factor.value
        else:
            rest.append(factor)
    if constant == 0.0:
        return ZERO
    if constant != 1.0 or not rest:
        rest.insert(0, Number(constant))
    return rest[0] if len(rest) == 1 else Apply("times", tuple(rest))


def negate(operand: Expression) -> Expression:
    """Return `-operand`."""
    if isinstance(operand, Number):
        return Number(-operand.value)
    if isinstance(operand, Apply) and operand.operator == "minus" and len(operand.arguments) == 1:
        return operand.arguments[0]
    return Apply("minus", (operand,))


def subtract(left: Expression, right: Expression) -> Expression:
    """Return `left - right`."""
    if isinstance(right, Number) and right.value == 0.0:
        return left
    if isinstance(left, Number) and left.value == 0.0:
        return negate(right)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value - right.value)
    return Apply("minus", (left, right))


def divide(numerator: Expression, denominator: Expression) -> Expression:
    """Return `numerator / denominator`, real division; a zero literal denominator is kept as is."""
    if isinstance(denominator, Number) and denominator.value != 0.0:
        if denominator.value == 1.0:
            return numerator
        if isinstance(numerator, Number):
            return Number(numerator.value / denominator.value)
    if isinstance(numerator, Number) and numerator.value == 0.0 and denominator != ZERO:
        return ZERO
    return Apply("divide", (numerator, denominator))


def power(base: Expression, exponent: Expression) -> Expression:
    """Return `base ^ exponent`."""
    if isinstance(exponent, Number):
        if exponent.value == 1.0:
            return base
        if exponent.value == 0.0:
            return ONE
    return Apply("power", (base, exponent))


def piecewise(*pieces: Expression) -> Expression:
    """Return a piecewise function: value, condition, value, condition, ..., otherwise."""
    values = pieces[::2]
    if len(pieces) % 2 and all(value == values[0] for value in values):
        return values[0]
    return Apply("piecewise", pieces)


_FOLDING: Mapping[str, Callable[..., Expression]] = {
    "plus": add,
    "times": multiply,
    "divide": divide,
    "power": power,
    "piecewise": piecewise,
}


def rebuild(operator: str, arguments: tuple[Expression, ...]) -> Expression:
    """Apply an operator to new arguments, folding constants where the constructors do."""
    if operator == "minus":
        return negate(arguments[0]) if len(arguments) == 1 else subtract(*arguments)
    folding = _FOLDING.get(operator)
    return folding(*arguments) if folding else Apply(operator, arguments)


def substitute(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """Replace symbols by expressions, all at once; untouched subtrees are shared."""
    if isinstance(expression, Symbol):
        return values.get(expression.id, expression)
    if isinstance(expression, Number):
        return expression
    arguments = tuple(substitute(a, values) for a in expression.arguments)
    if all(new is old for new, old in zip(arguments, expression.arguments, strict=True)):
        return expression
    return rebuild(expression.operator, arguments)


def uses_rate_of(expression: Expression) -> bool:
    """Tell whether a rate of change (the rateOf csymbol) occurs."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply):
            if node.operator == RATE_OF:
                return True
            stack.extend(node.arguments)
    return False


def symbols(expression: Expression) -> frozenset[str]:
    """Return the ids of all symbols that occur."""
    found: set[str] = set()
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Symbol):
            found.add(node.id)
        elif isinstance(node, Apply):
            stack.extend(node.arguments)
    return frozenset(found)
