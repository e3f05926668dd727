"""Like terms of sums collected: k ((A + B) - A) is k B, and no difference at all."""

from __future__ import annotations

import math

from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    add,
    divide,
    multiply,
    negate,
)
from sbmlgrad.model.terms import SUMS, factors, terms


def collected(expression: Expression) -> Expression:
    """Return an expression with terms that cancel taken away, in every sum it holds.

    A sum in which nothing cancels stays as it is, and so does the order of what is computed.
    """
    if not isinstance(expression, Apply):
        return expression
    if expression.operator in SUMS:
        inner = [(sign, collected(term)) for sign, term in terms(expression)]
        kept = _without_cancelled(inner)
        if kept is not None:
            return kept
    arguments = tuple(collected(argument) for argument in expression.arguments)
    if arguments == expression.arguments:
        return expression
    return Apply(expression.operator, arguments)


def _without_cancelled(parts: list[tuple[int, Expression]]) -> Expression | None:
    """Return a sum of signed terms without those that cancel, or None if none do."""
    sums: dict[Expression, float] = {}
    cancels = False
    for sign, term in parts:
        coefficient, rest = _coefficient(term)
        if not math.isfinite(coefficient):
            return None
        known = sums.get(rest, 0.0)
        cancels = cancels or known * sign * coefficient < 0.0
        sums[rest] = known + sign * coefficient
    if not cancels:
        return None
    left = [(c, rest) for rest, c in sums.items() if c != 0.0]
    positive = [_times(c, rest) for c, rest in left if c > 0.0]
    negative = [_times(-c, rest) for c, rest in left if c < 0.0]
    if not negative:
        return add(*positive)
    return add(*positive, negate(add(*negative)))


def _coefficient(term: Expression) -> tuple[float, Expression]:
    above, below = factors(term)
    numbers = [f.value for f in above if isinstance(f, Number)]
    divisors = [f.value for f in below if isinstance(f, Number)]
    if not numbers and not divisors:
        return 1.0, term
    if any(divisor == 0.0 for divisor in divisors):
        return math.nan, term
    others = [f for f in above if not isinstance(f, Number)]
    under = [f for f in below if not isinstance(f, Number)]
    return math.prod(numbers) / math.prod(divisors), divide(multiply(*others), multiply(*under))


def _times(coefficient: float, rest: Expression) -> Expression:
    return rest if coefficient == 1.0 else multiply(Number(coefficient), rest)
