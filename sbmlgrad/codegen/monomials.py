"""Products taken apart: what never changes during a run, and up to eight counts.

A rate law is a monomial where it is a product (or quotient) of inputs and numbers, times factors
`x` or `x - n`, x a count and n a whole number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols

#: Most counts in one product; a law with more stays as it is written.
MOST_FACTORS = 8


@dataclass(frozen=True, slots=True)
class Monomial:
    """The law kernel_inputs[coefficient] * (counts[s] - offset) * ..., left to right.

    Attributes:
        coefficient: place in the kernel inputs: inputs, then coefficients.
        factors: species and what is taken off its count, a whole number.
    """

    coefficient: int
    factors: tuple[tuple[int, float], ...]


@dataclass
class Product:
    """A product taken apart into parts that never change, above and below the bar, and counts."""

    place: Mapping[str, int]
    inputs: frozenset[str]
    above: list[Expression] = field(default_factory=list)
    below: list[Expression] = field(default_factory=list)
    counts: list[tuple[str, float]] = field(default_factory=list)

    def takes(self, node: Expression, *, is_above: bool = True) -> bool:
        """Take a factor apart; tell whether it is one that a monomial can have."""
        if isinstance(node, Apply) and node.operator in ("times", "divide"):
            # The second argument of a quotient is on the other side of the bar.
            is_quotient = node.operator == "divide"
            return all(
                self.takes(a, is_above=is_above != (is_quotient and i == 1))
                for i, a in enumerate(node.arguments)
            )
        if isinstance(node, Apply) and node.operator == "minus" and len(node.arguments) == 1:
            self.above.append(Number(-1.0))
            return self.takes(node.arguments[0], is_above=is_above)
        if symbols(node) <= self.inputs:
            (self.above if is_above else self.below).append(node)
            return True
        if not is_above or len(self.counts) == MOST_FACTORS:
            return False
        if isinstance(node, Apply) and node.operator == "power":
            base, exponent = node.arguments
            times = _repetitions(exponent)
            return times > 0 and all(self.takes(base) for _ in range(times))
        return self._takes_count(node)

    def _takes_count(self, node: Expression) -> bool:
        if isinstance(node, Apply) and node.operator == "minus":
            common = _common_divisor(node)
            if common is not None and symbols(common[1]) <= self.inputs:
                node = common[0]
                self.below.append(common[1])
        found = _count_and_offset(node)
        if found is None or found[0] not in self.place:
            return False
        self.counts.append(found)
        return True


def _repetitions(exponent: Expression) -> int:
    """Return the exponent where it is a number of factors that a monomial may have, else 0."""
    if isinstance(exponent, Number) and exponent.value in range(1, MOST_FACTORS + 1):
        return int(exponent.value)
    return 0


def _count_and_offset(node: Expression) -> tuple[str, float] | None:
    """Return (x, n) for `x`, `x - n` and `-n + x`, n a whole number."""
    if isinstance(node, Symbol):
        return node.id, 0.0
    if not isinstance(node, Apply) or len(node.arguments) != 2:
        return None
    left, right = node.arguments
    if node.operator == "plus" and isinstance(left, Number):
        left, right = right, left
    if not (isinstance(left, Symbol) and isinstance(right, Number)):
        return None
    offset = {"minus": right.value, "plus": -right.value}.get(node.operator, math.nan)
    return (left.id, offset) if offset.is_integer() else None


def _common_divisor(node: Apply) -> tuple[Expression, Expression] | None:
    """Return (x - n, d) for x / d - n / d, as falling factorials of concentrations are written."""
    if len(node.arguments) != 2:
        return None
    left, right = node.arguments
    if not (isinstance(left, Apply) and isinstance(right, Apply)):
        return None
    if not left.operator == right.operator == "divide":
        return None
    if left.arguments[1] != right.arguments[1]:
        return None
    return Apply("minus", (left.arguments[0], right.arguments[0])), left.arguments[1]
