"""Sums and products taken apart: the terms of a sum, the factors of a product or quotient."""

from __future__ import annotations

from sbmlgrad.model.expression import Apply, Expression

#: Operators whose arguments are terms.
SUMS = frozenset(("plus", "minus"))


def factors(expression: Expression) -> tuple[list[Expression], list[Expression]]:
    """Flatten products and quotients: return the factors above and below the fraction bar."""
    above: list[Expression] = []
    below: list[Expression] = []
    stack = [(expression, True)]
    while stack:
        node, is_above = stack.pop()
        if isinstance(node, Apply) and node.operator == "times":
            stack.extend((a, is_above) for a in reversed(node.arguments))
        elif isinstance(node, Apply) and node.operator == "divide":
            stack.append((node.arguments[1], not is_above))
            stack.append((node.arguments[0], is_above))
        else:
            (above if is_above else below).append(node)
    return above, below


def terms(expression: Expression) -> list[tuple[int, Expression]]:
    """Flatten sums and differences: return (sign, term) pairs."""
    result: list[tuple[int, Expression]] = []
    stack = [(1, expression)]
    while stack:
        sign, node = stack.pop()
        if isinstance(node, Apply) and node.operator == "plus":
            stack.extend((sign, a) for a in reversed(node.arguments))
        elif isinstance(node, Apply) and node.operator == "minus":
            if len(node.arguments) == 2:
                stack.append((-sign, node.arguments[1]))
                stack.append((sign, node.arguments[0]))
            else:
                stack.append((-sign, node.arguments[0]))
        else:
            result.append((sign, node))
    return result
