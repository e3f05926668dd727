"""Rates of change along a deterministic solution: total derivatives in time, by the chain rule.

They give a meaning to the rateOf csymbol (SBML L3V2 section 3.4.6), and to the rate at which the
size of a compartment changes where an assignment rule sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.expression import (
    ONE,
    RATE_OF,
    TIME,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    multiply,
    rebuild,
    symbols,
    uses_rate_of,
)
from sbmlgrad.model.graphs import in_order
from sbmlgrad.model.issues import EVERY_MODE, Issue, Severity
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.traversal import from_the_leaves


def rate_of_change(expression: Expression, rates: Mapping[str, Expression]) -> Expression:
    """Return the total derivative in time of an expression of state symbols and `TIME`.

    d/dt f(x(t), t) = sum over i of (df/dx_i) dx_i/dt + df/dt, in one sweep from the leaves, so that
    shared parts are differentiated once. Jumps contribute nothing.

    Args:
        expression: free of rateOf.
        rates: state symbol → its rate of change; symbols that are no keys do not change.
    """

    def rate(node: Expression, inner: tuple[Expression, ...]) -> Expression:
        if isinstance(node, Number):
            return ZERO
        if isinstance(node, Symbol):
            return ONE if node == TIME else rates.get(node.id, ZERO)
        partials = OPERATORS[node.operator].partials
        if partials is None or all(part == ZERO for part in inner):
            return ZERO
        outer = partials(node.arguments)
        terms = [multiply(o, i) for o, i in zip(outer, inner, strict=True) if i != ZERO]
        return add(*terms)

    return from_the_leaves(expression, rate)


def resolved_rates(rates: Mapping[str, Expression], model: str) -> Mapping[str, Expression]:
    """Return rates of change with every rateOf in them written out.

    Args:
        rates: state symbol → rate of change, which may hold rateOf of expressions of the state.
        model: id of the model, for messages.

    Raises:
        UnsupportedModelError: rates of change are defined through each other, or a rateOf is
            applied to another one.
    """
    needs = {symbol: _differentiated(rate) & rates.keys() for symbol, rate in rates.items()}
    order = in_order(needs)
    if len(order) < len(needs):
        raise UnsupportedModelError(
            [
                _refused("cyclic_assignment", symbol, "its rate of change depends on itself.")
                for symbol in needs
                if symbol not in set(order)
            ],
            what=f"model '{model}' cannot be simulated:",
        )
    result: dict[str, Expression] = {}
    for symbol in order:
        result[symbol] = with_rates_written_out(rates[symbol], result, symbol, model)
    return MappingProxyType(result)


def with_rates_written_out(
    expression: Expression, rates: Mapping[str, Expression], element: str, model: str
) -> Expression:
    """Replace every rateOf in an expression by the rate of change it stands for.

    Args:
        expression: over state symbols, constants and `TIME`.
        rates: state symbol → rate of change, free of rateOf.
        element: what the expression belongs to, for messages.
        model: id of the model, for messages.

    Raises:
        UnsupportedModelError: a rateOf is applied to another one.
    """

    def write_out(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        if node.operator == RATE_OF:
            if uses_rate_of(node.arguments[0]):
                raise UnsupportedModelError(
                    [
                        _refused(
                            "unsupported_math",
                            element,
                            "rateOf is applied to something that is a rate of change itself.",
                        )
                    ],
                    what=f"model '{model}' cannot be simulated:",
                )
            return rate_of_change(node.arguments[0], rates)
        if all(new is old for new, old in zip(arguments, node.arguments, strict=True)):
            return node
        return rebuild(node.operator, arguments)

    return from_the_leaves(expression, write_out) if uses_rate_of(expression) else expression


def _rate_of_arguments(expression: Expression) -> list[Expression]:
    found: list[Expression] = []
    seen: set[int] = set()
    stack = [expression]
    while stack:
        node = stack.pop()
        if id(node) in seen or not isinstance(node, Apply):
            continue
        seen.add(id(node))
        if node.operator == RATE_OF:
            found.append(node.arguments[0])
        stack.extend(node.arguments)
    return found


def _differentiated(expression: Expression) -> frozenset[str]:
    """Return the symbols whose rates of change an expression uses."""
    return frozenset().union(*(symbols(a) for a in _rate_of_arguments(expression)))


def _refused(code: str, element: str, message: str) -> Issue:
    advice = "Write the rate of change out as a formula."
    return Issue(code, Severity.ERROR, element, None, message, advice, EVERY_MODE)
