"""Conditions that no count decides, as switches that are on in some random places, off in others.

What a law is must not depend on whether a switch happens to be on at the values that are tried.
"""

from __future__ import annotations

from collections.abc import Set

from sbmlgrad.model.expression import ONE, Apply, Expression, Symbol, symbols
from sbmlgrad.model.jumps import is_logical
from sbmlgrad.model.traversal import from_the_leaves

#: Operators that join conditions.
JOINED = ("and", "or", "not", "xor")

#: Comparisons, as one whose truth they share but for equality, and whether they turn it around.
_SAME = {
    "gt": ("gt", False),
    "geq": ("gt", False),
    "lt": ("gt", True),
    "leq": ("gt", True),
    "eq": ("eq", False),
    "neq": ("eq", True),
}


def with_switches(
    formula: Expression, moving: Set[str], switches: dict[Expression, Expression]
) -> Expression:
    """Return a formula with a switch for every comparison that no moving symbol decides.

    Args:
        formula: with conditions.
        moving: ids of the symbols that move.
        switches: comparison → switch; those of further formulas are added, so that the same
            comparison has the same switch in all of them.
    """

    def chosen(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        if is_logical(node) and node.operator not in JOINED and not symbols(node) & moving:
            return _switch(node, switches)
        return node if arguments == node.arguments else Apply(node.operator, arguments)

    return from_the_leaves(formula, chosen)


def _switch(condition: Apply, switches: dict[Expression, Expression]) -> Expression:
    operator, is_turned = _SAME.get(condition.operator, (condition.operator, False))
    key = Apply(operator, condition.arguments)
    swapped = Apply(operator, condition.arguments[::-1])
    if key not in switches and swapped in switches:
        key, is_turned = swapped, is_turned != (operator == "gt")
    name = f"switch {len(switches)}"
    switch = switches.setdefault(key, Apply("gt", (Symbol(name), ONE)))
    return Apply("not", (switch,)) if is_turned else switch
