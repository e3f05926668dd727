"""Work from the leaves of an expression to its root, however deep it is and however much it shares.

Expressions may share subtrees: functions that call themselves would take time that doubles with
every level of rules written into each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sbmlgrad.model.expression import Apply, Expression

Value = TypeVar("Value")


def from_the_leaves(
    root: Expression,
    value: Callable[[Expression, tuple[Value, ...]], Value],
    done: dict[int, Value] | None = None,
) -> Value:
    """Return `value(node, values of its arguments)` at the root; a shared node is visited once.

    Args:
        root: the expression.
        value: what to make of a node.
        done: values found so far by identity of the node, to be shared between several roots that
            stay alive meanwhile; None for one root.
    """
    # By identity: comparing nodes would walk through their subtrees again and again.
    found: dict[int, Value] = {} if done is None else done
    stack = [root]
    while stack:
        node = stack[-1]
        arguments = node.arguments if isinstance(node, Apply) else ()
        missing = [a for a in arguments if id(a) not in found]
        if missing:
            stack += missing
            continue
        stack.pop()
        if id(node) not in found:
            found[id(node)] = value(node, tuple(found[id(a)] for a in arguments))
    return found[id(root)]
