"""How large formulas grow when what they name is written out: size, nesting, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sbmlgrad.model.expression import Apply, Expression, Symbol

#: Most operators and operands of a formula written out; BioModels stays at 23,138.
LARGEST_FORMULA = 100_000

#: Deepest nesting of a formula written out: what walks through formulas calls itself for every
#: level, and Python's stack is finite.
DEEPEST_FORMULA = 150


@dataclass(frozen=True, slots=True)
class Extent:
    """How many operators and operands a formula has, and how deep they are nested."""

    size: int
    depth: int

    @property
    def excess(self) -> str:
        """What is too much of it, as the rest of a sentence; empty if nothing is."""
        if self.size > LARGEST_FORMULA:
            return f"has {self.size:,} operators and operands; the limit is {LARGEST_FORMULA:,}"
        if self.depth > DEEPEST_FORMULA:
            return f"is nested {self.depth} deep; the limit is {DEEPEST_FORMULA}"
        return ""


def extent(formula: Expression, known: Mapping[str, Extent]) -> Extent:
    """Return the extent of a formula in which some symbols stand for formulas of known extent.

    Args:
        formula: the formula as it is written.
        known: symbol → extent of what will be written in its place.
    """
    size = depth = 0
    stack = [(formula, 1)]
    while stack:
        node, level = stack.pop()
        inner = known.get(node.id) if isinstance(node, Symbol) else None
        size += 1 if inner is None else inner.size
        depth = max(depth, level if inner is None else level + inner.depth - 1)
        if isinstance(node, Apply):
            stack.extend((argument, level + 1) for argument in node.arguments)
    return Extent(size, depth)
