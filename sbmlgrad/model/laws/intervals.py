"""Bounds that a rate law cannot leave, from its structure: interval arithmetic with two extras.

The extras are what plain interval arithmetic loses and rate laws need: a fraction of a whole, as in
saturation, lies in [0, 1], and the falling factorial X (X - 1) of whole X is not negative
(`falling_factorials`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    subtract,
)
from sbmlgrad.model.interval_rules import EVERYTHING, Interval, multiplied, reciprocal
from sbmlgrad.model.laws.falling_factorials import FallingFactorials, Molecules, falling_factorials
from sbmlgrad.model.operators import OPERATORS, evaluate
from sbmlgrad.model.terms import factors, terms

__all__ = ["EVERYTHING", "Bounds", "Interval", "interval"]


def interval(expression: Expression, constants: Mapping[str, float]) -> Interval:
    """Return bounds that an expression cannot leave while species and compartments are >= 0.

    Args:
        expression: the expression.
        constants: symbol → value; every other symbol may take any value >= 0.
    """
    return Bounds(constants).of(expression)


_NO_LIMITS: Mapping[str, Interval] = MappingProxyType({})
_NO_MOLECULES: Mapping[str, Molecules] = MappingProxyType({})


class Bounds:
    """Bounds of many expressions over the same constants, each worked out once.

    Use one object for expressions that share parts, as a law and its terms do; `interval` serves
    for a single one.

    Args:
        constants: symbol → value; every other symbol may take any value >= 0.
        limits: symbol → bounds, for other symbols than those.
        molecules: species that are whole numbers of molecules.
        measures: symbol → value, for units of molecules in falling factorials; by default the
            constants.
    """

    def __init__(
        self,
        constants: Mapping[str, float],
        limits: Mapping[str, Interval] = _NO_LIMITS,
        molecules: Mapping[str, Molecules] = _NO_MOLECULES,
        measures: Mapping[str, float] | None = None,
    ) -> None:
        self._constants = constants
        self._limits = limits
        self._molecules = molecules
        self._measures = measures if measures is not None else constants
        # By identity, which costs nothing to look up; the expressions are kept, so that no other
        # can come to have the identity of one that is gone.
        self._known: dict[int, tuple[Expression, Interval]] = {}
        self._fixed: dict[int, tuple[Expression, bool]] = {}
        self._keys: dict[int, tuple[Expression, int]] = {}
        self._shapes: dict[tuple[object, ...], int] = {}
        self._measured: set[str] = set()

    @property
    def measured(self) -> frozenset[str]:
        """Symbols whose values falling factorials found so far rest on."""
        return frozenset(self._measured)

    def falling_factorials(self, above: list[Expression]) -> FallingFactorials:
        """Return the factors of a product that are non-negative together."""
        found = falling_factorials(above, self._molecules, self._measures)
        self._measured |= found.uses
        return found

    def of(self, expression: Expression) -> Interval:
        """Return bounds that an expression cannot leave, as `interval` does."""
        known = self._known.get(id(expression))
        if known is None:
            bounds = self._bounds(expression)
            if math.isnan(bounds[0]) or math.isnan(bounds[1]):
                bounds = EVERYTHING
            known = self._known[id(expression)] = expression, bounds
        return known[1]

    def _bounds(self, expression: Expression) -> Interval:
        if self._is_fixed(expression):
            value = float(evaluate(expression, self._constants))
            if isinstance(expression, Number):
                return value, value
            # A parameter without a value, or set to zero for now, must not hide the structure.
            return (0.0, math.inf) if math.isnan(value) or value == 0.0 else (value, value)
        if isinstance(expression, Symbol):
            return self._limits.get(expression.id, (0.0, math.inf))
        assert isinstance(expression, Apply)
        if expression.operator in ("times", "divide"):
            return self._product(expression)
        row = OPERATORS.get(expression.operator)
        if row is None:
            # A random draw.
            return EVERYTHING
        if row.is_logical:
            return (0.0, 1.0)
        arguments = expression.arguments
        if expression.operator == "piecewise":
            pieces = [self._where(arguments, i) for i in range(0, len(arguments), 2)]
            return min(p[0] for p in pieces), max(p[1] for p in pieces)
        return row.bounds([self.of(a) for a in arguments])

    def _is_fixed(self, expression: Expression) -> bool:
        """Tell whether an expression holds constants only, and has a value at all."""
        if isinstance(expression, Number):
            return True
        if isinstance(expression, Symbol):
            return expression.id in self._constants
        known = self._fixed.get(id(expression))
        if known is None:
            row = OPERATORS.get(expression.operator)
            is_fixed = (
                row is not None
                and row.is_evaluable
                and all(self._is_fixed(a) for a in expression.arguments)
            )
            known = self._fixed[id(expression)] = expression, is_fixed
        return known[1]

    def _key(self, expression: Expression) -> int:
        """Return a number that equal expressions share; unlike a hash, worked out once per node."""
        known = self._keys.get(id(expression))
        if known is None:
            if isinstance(expression, Apply):
                shape = (expression.operator, *(self._key(a) for a in expression.arguments))
            else:
                shape = (type(expression), expression)
            key = self._shapes.setdefault(shape, len(self._shapes))
            known = self._keys[id(expression)] = expression, key
        return known[1]

    def _where(self, arguments: tuple[Expression, ...], place: int) -> Interval:
        """Return the bounds of one piece where its condition holds: a > b makes a - b positive."""
        low, high = self.of(arguments[place])
        if low < 0.0 and (limits := self._limits_within(arguments, place)):
            low, high = self._within(limits).of(arguments[place])
        condition = arguments[place + 1] if place + 1 < len(arguments) else None
        if low >= 0.0 or not isinstance(condition, Apply) or len(condition.arguments) != 2:
            return low, high
        left, right = condition.arguments
        if condition.operator in ("lt", "leq"):
            left, right = right, left
        elif condition.operator not in ("gt", "geq"):
            return low, high
        above, below = factors(arguments[place])
        positive = self._key(subtract(left, right))
        rest = [f for f in above if self._key(f) != positive]
        if len(rest) == len(above) - 1:
            others = self.of(divide(multiply(*rest), multiply(*below)))
            low = 0.0 if others[0] >= 0.0 else low
        return low, high

    def _within(self, limits: Mapping[str, Interval]) -> Bounds:
        inner = {**self._limits, **limits}
        bounds = Bounds(self._constants, inner, self._molecules, self._measures)
        bounds._measured = self._measured
        return bounds

    def _limits_within(self, arguments: tuple[Expression, ...], place: int) -> dict[str, Interval]:
        """Return what a piece's own condition, and the failure of those before, say of symbols."""
        found: dict[str, Interval] = {}
        for i in range(1, min(place + 2, len(arguments)), 2):
            self._add_limits(arguments[i], i == place + 1, found)
        return found

    def _add_limits(self, condition: Expression, holds: bool, found: dict[str, Interval]) -> None:
        if not isinstance(condition, Apply):
            return
        if condition.operator == "not":
            self._add_limits(condition.arguments[0], not holds, found)
        if condition.operator == ("and" if holds else "or"):
            for part in condition.arguments:
                self._add_limits(part, holds, found)
        if condition.operator not in ("lt", "leq", "gt", "geq"):
            return
        left, right = condition.arguments
        is_less = (condition.operator in ("lt", "leq")) == holds
        for symbol, other, is_below in ((left, right, is_less), (right, left, not is_less)):
            if isinstance(symbol, Symbol) and self._is_fixed(other):
                level = float(evaluate(other, self._constants))
                low, high = found.get(symbol.id, self._limits.get(symbol.id, (0.0, math.inf)))
                if level == level:
                    bounds = (low, min(high, level)) if is_below else (max(low, level), high)
                    found[symbol.id] = bounds if bounds[0] <= bounds[1] else (low, high)

    def _product(self, expression: Expression) -> Interval:
        above, below = factors(expression)
        result: Interval = (1.0, 1.0)
        if any(self.of(factor)[0] < 0.0 for factor in above):
            paired = self.falling_factorials(above).places
            if paired:
                above = [factor for place, factor in enumerate(above) if place not in paired]
                result = (0.0, math.inf)
        while (rest := self._without_fraction_of_a_whole(above, below)) is not None:
            above, below = rest
            result = multiplied(result, (0.0, 1.0))
        for factor in above:
            result = multiplied(result, self.of(factor))
        for factor in below:
            low, high = self.of(factor)
            if low < 0.0 < high:
                return EVERYTHING
            result = multiplied(result, reciprocal((low, high)))
        return result

    def _without_fraction_of_a_whole(
        self, above: list[Expression], below: list[Expression]
    ) -> tuple[list[Expression], list[Expression]] | None:
        """Take one factor a / (a + b) with a, b >= 0, as in saturation, out of a product.

        Such a factor lies in [0, 1]. Returns what is left above and below, or None without one.
        """
        sums = [(whole, terms(whole)) for whole in below]
        sums = [(w, s) for w, s in sums if len(s) > 1 and all(sign > 0 for sign, _ in s)]
        if not sums:
            return None
        nodes = {self._key(f): f for f in (*above, *below)}
        has_above, has_below = (Counter(map(self._key, side)) for side in (above, below))
        for whole, summands in sums:
            others = has_below - Counter([self._key(whole)])
            for _, part in summands:
                part_above, part_below = (Counter(map(self._key, side)) for side in factors(part))
                if not (part_above <= has_above and part_below <= others):
                    continue
                if all(self.of(term)[0] >= 0.0 for _, term in summands):
                    rest = has_above - part_above, others - part_below
                    rest_above, rest_below = ([nodes[k] for k in r.elements()] for r in rest)
                    return rest_above, rest_below
        return None
