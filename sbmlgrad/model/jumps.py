"""What makes formulas jump: truth values and step functions within them."""

from __future__ import annotations

from collections.abc import Sequence

from sbmlgrad.model.expression import ZERO, Apply, Expression
from sbmlgrad.model.operators import OPERATORS


def is_logical(node: Expression) -> bool:
    """Tell whether a node is an operator with a truth value."""
    return isinstance(node, Apply) and OPERATORS[node.operator].is_logical


def is_step(node: Apply) -> bool:
    """Tell whether a value jumps where its arguments are smooth; of a remainder, a part does."""
    return node.operator == "rem" or OPERATORS[node.operator].moves_in_steps


def as_condition(expression: Expression) -> Expression:
    """Return an expression as a truth value; a number is true unless it is 0."""
    return expression if is_logical(expression) else Apply("neq", (expression, ZERO))


def jumps(roots: Sequence[Expression]) -> list[Expression]:
    """Return the outermost conditions and step functions, at whose changes expressions may jump."""
    found: list[Expression] = []
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if not isinstance(node, Apply) or id(node) in seen:
            continue
        seen.add(id(node))
        if is_logical(node):
            found.append(node)
            continue
        if is_step(node):
            found.append(step(node))
        elif node.operator == "piecewise":
            found += [as_condition(c) for c in node.arguments[1::2] if not is_logical(c)]
        stack.extend(node.arguments)
    return found


def step(node: Apply) -> Expression:
    """Return the part of a step function that jumps: of a remainder, the quotient."""
    return Apply("quotient", node.arguments) if node.operator == "rem" else node
