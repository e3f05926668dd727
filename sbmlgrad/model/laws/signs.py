"""The sign structure of rate laws: is a law non-negative, or an exact difference of two that are?

A rate law that can become negative describes a net rate. Its stochastic meaning is two opposed
reactions, so the law must be split into non-negative parts; firing on the net rate keeps the mean
but loses nearly all of the noise.
"""

from __future__ import annotations

from collections.abc import Callable

from sbmlgrad.model.expression import (
    ZERO,
    Apply,
    Expression,
    Number,
    add,
    divide,
    multiply,
    negate,
    piecewise,
)
from sbmlgrad.model.laws.intervals import Bounds
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.terms import factors


def is_nonnegative(expression: Expression, bounds: Bounds) -> bool:
    """Tell whether a law is certainly >= 0 on every state (False: not known to be)."""
    return bounds.of(expression)[0] >= 0.0


def _never(expression: Expression) -> bool:
    return False


def split(
    expression: Expression, bounds: Bounds, is_coefficient: Callable[[Expression], bool] = _never
) -> tuple[Expression, Expression] | None:
    """Write a law as an exact difference `forward - backward` of non-negative parts.

    Works through sums, factored compartments and parameters, quotients with a non-negative
    denominator and piecewise laws. Parts that are already non-negative are never opened, nor are
    coefficients whose sign can change: nothing is netted in them, and they are taken for >= 0.

    Args:
        expression: the law.
        bounds: what is known of its symbols.
        is_coefficient: whether an expression is one as a whole, such as the 1 - time of
            A (1 - time).

    Returns:
        (forward, backward), or None if the law has no such form.
    """
    low, high = bounds.of(expression)
    if low >= 0.0:
        return expression, ZERO
    if high <= 0.0:
        return ZERO, negate(expression)
    if is_coefficient(expression):
        return expression, ZERO
    if not isinstance(expression, Apply):
        return None
    if expression.operator in ("plus", "minus"):
        return _split_sum(expression, bounds, is_coefficient)
    if expression.operator in ("times", "divide"):
        return _split_product(expression, bounds, is_coefficient)
    if expression.operator == "piecewise":
        return _split_piecewise(expression, bounds, is_coefficient)
    return None


def _split_sum(
    expression: Apply, bounds: Bounds, is_coefficient: Callable[[Expression], bool]
) -> tuple[Expression, Expression] | None:
    forward: list[Expression] = []
    backward: list[Expression] = []
    # Argument by argument, so that a part such as 1 - exp(-X) is not opened.
    for i, argument in enumerate(expression.arguments):
        is_subtracted = expression.operator == "minus" and i == len(expression.arguments) - 1
        parts = split(argument, bounds, is_coefficient)
        if parts is None:
            return None
        forward.append(parts[1] if is_subtracted else parts[0])
        backward.append(parts[0] if is_subtracted else parts[1])
    return add(*forward), add(*backward)


def _split_product(
    expression: Expression, bounds: Bounds, is_coefficient: Callable[[Expression], bool]
) -> tuple[Expression, Expression] | None:
    above, below = factors(expression)
    paired = bounds.falling_factorials(above).places
    is_turned = False
    signed: list[int] = []
    coefficients: list[int] = []
    for side in (above, below):
        for i, factor in enumerate(side):
            low, high = bounds.of(factor)
            if low >= 0.0 or (side is above and i in paired):
                continue
            if high <= 0.0:
                side[i] = negate(factor)
                is_turned = not is_turned
            elif side is above and not is_coefficient(factor):
                signed.append(i)
            elif side is above:
                coefficients.append(i)
            else:
                return None
    if len(signed) > 1 or not (signed or coefficients):
        return None
    place = (signed or coefficients)[0]
    parts = split(above[place], bounds, is_coefficient)
    if parts is None:
        return None
    denominator = multiply(*below)

    def with_factor(part: Expression) -> Expression:
        return divide(multiply(*above[:place], part, *above[place + 1 :]), denominator)

    forward, backward = with_factor(parts[0]), with_factor(parts[1])
    return (backward, forward) if is_turned else (forward, backward)


def _split_piecewise(
    expression: Apply, bounds: Bounds, is_coefficient: Callable[[Expression], bool]
) -> tuple[Expression, Expression] | None:
    forward: list[Expression] = []
    backward: list[Expression] = []
    for i, argument in enumerate(expression.arguments):
        is_condition = i % 2 == 1
        parts = (argument, argument) if is_condition else split(argument, bounds, is_coefficient)
        if parts is None:
            return None
        forward.append(parts[0])
        backward.append(parts[1])
    return piecewise(*forward), piecewise(*backward)


def can_turn_negative(expression: Expression) -> bool:
    """Tell whether a law contains a subtraction or a negative literal at all."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Number) and node.value < 0.0:
            return True
        if isinstance(node, Apply):
            if node.operator == "minus":
                return True
            assert node.operator in OPERATORS
            stack.extend(node.arguments)
    return False
