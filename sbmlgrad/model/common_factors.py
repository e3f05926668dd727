"""Common factors of sums taken out: k A A - k A is k A (A - 1), a falling factorial.

Authors write pairs either way, and a law must not mean another process when it is multiplied out.
"""

from __future__ import annotations

from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    add,
    divide,
    multiply,
    negate,
    subtract,
)
from sbmlgrad.model.terms import SUMS, factors, terms

#: A power beyond this is not written as so many factors.
LARGEST_POWER = 20

_Term = tuple[int, list[Expression], list[Expression]]


def with_common_factors(expression: Expression) -> Expression:
    """Return an expression with the factors that all terms of a sum share taken out of it.

    Use it where the sign of a law is not seen from the law as it is written. A sum whose terms
    share nothing stays as it is.
    """
    if not isinstance(expression, Apply):
        return expression
    if expression.operator in SUMS:
        parts = [_taken_apart(sign, with_common_factors(t)) for sign, t in terms(expression)]
        above = _shared([a for _, a, _ in parts])
        if above and len(parts) > 1:
            below = _shared([b for _, _, b in parts])
            rest = _summed([(s, _without(a, above), _without(b, below)) for s, a, b in parts])
            return divide(multiply(*above, rest), multiply(*below))
    arguments = tuple(with_common_factors(argument) for argument in expression.arguments)
    if arguments == expression.arguments:
        return expression
    return Apply(expression.operator, arguments)


def _taken_apart(sign: int, term: Expression) -> _Term:
    above, below = factors(term)
    return sign, _powers_written_out(above), _powers_written_out(below)


def _powers_written_out(parts: list[Expression]) -> list[Expression]:
    found: list[Expression] = []
    for part in parts:
        times = 1
        if isinstance(part, Apply) and part.operator == "power":
            base, exponent = part.arguments
            if isinstance(exponent, Number) and exponent.value in range(2, LARGEST_POWER + 1):
                part, times = base, int(exponent.value)
        found += [part] * times
    return found


def _shared(sides: list[list[Expression]]) -> list[Expression]:
    """Return what all lists hold, as often as all of them do, in the order of the first."""
    left = [list(side) for side in sides[1:]]
    found: list[Expression] = []
    for part in sides[0]:
        if all(part in side for side in left):
            found.append(part)
            for side in left:
                side.remove(part)
    return found


def _without(parts: list[Expression], taken: list[Expression]) -> list[Expression]:
    left = list(parts)
    for part in taken:
        left.remove(part)
    return left


def _summed(parts: list[_Term]) -> Expression:
    total: Expression | None = None
    for sign, above, below in parts:
        term = divide(multiply(*above), multiply(*below))
        if total is None:
            total = term if sign > 0 else negate(term)
        else:
            total = add(total, term) if sign > 0 else subtract(total, term)
    assert total is not None
    return total
