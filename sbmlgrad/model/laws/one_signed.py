"""Could part of a law be a net rate in disguise, by a coefficient whose sign can change?

In a A + b B the second term turns from one direction to the other where events, a rule or the time
make b negative, and firing at the sum would then be firing at a net rate. In b B nothing is netted:
a negative b makes the whole negative, which stops a simulation with an error.
"""

from __future__ import annotations

import math
from itertools import product

from sbmlgrad.model.expression import Apply, Expression, Symbol, symbols
from sbmlgrad.model.laws.intervals import Bounds, Interval
from sbmlgrad.model.laws.known_values import KnownValues
from sbmlgrad.model.laws.signs import can_turn_negative

#: More coefficients of unknown sign than this, and a law is taken for a net rate.
MOST_COEFFICIENTS = 6

_SIGNS: tuple[Interval, Interval] = ((0.0, math.inf), (-math.inf, 0.0))
_ARITHMETIC = frozenset(("plus", "minus", "times", "divide", "piecewise"))


def one_signed(part: Expression, known: KnownValues) -> bool:
    """Tell whether a law has one sign, whatever the signs of its unknown coefficients.

    Args:
        part: the law, or one direction of it.
        known: what is known of its symbols.
    """
    bounds = known.everything()
    coefficients: dict[Expression, Symbol] = {}
    is_sum = False

    def named(node: Expression) -> Expression:
        nonlocal is_sum
        low, high = bounds.of(node)
        if low >= 0.0 or high <= 0.0:
            return node
        counts = symbols(node) & known.counted
        if not counts or not (isinstance(node, Apply) and node.operator in _ARITHMETIC):
            # A difference of counts inside a power or a function is a net rate all the same.
            is_sum = is_sum or bool(counts and can_turn_negative(node))
            return coefficients.setdefault(node, Symbol(f" {len(coefficients)}"))
        assert isinstance(node, Apply)
        if node.operator != "piecewise":
            return Apply(node.operator, tuple(named(a) for a in node.arguments))
        pieces = (a if i % 2 else named(a) for i, a in enumerate(node.arguments))
        return Apply(node.operator, tuple(pieces))

    written = named(part)
    if is_sum or len(coefficients) > MOST_COEFFICIENTS:
        return False
    for signs in product(_SIGNS, repeat=len(coefficients)):
        limits = {c.id: sign for c, sign in zip(coefficients.values(), signs, strict=True)}
        if not _has_one_sign(known.with_limits(limits), written):
            return False
    return True


def _has_one_sign(bounds: Bounds, law: Expression) -> bool:
    low, high = bounds.of(law)
    return low >= 0.0 or high <= 0.0
