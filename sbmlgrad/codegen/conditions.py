"""Conditions and step functions held, so that what is left of a formula is smooth."""

from __future__ import annotations

from collections.abc import Sequence, Set

from sbmlgrad.codegen.programs import Shared
from sbmlgrad.model.expression import TIME, Apply, Expression, Symbol, symbols
from sbmlgrad.model.jumps import is_logical, is_step, step
from sbmlgrad.model.traversal import from_the_leaves


def hold(
    roots: Sequence[Expression], moving: Set[str], *, by_clock_alone: bool
) -> tuple[list[Expression], dict[str, Expression]]:
    """Take out of expressions the conditions and step functions that change between events.

    With their values held, what is left is smooth, and an integrator can step up to the place where
    one of them changes.

    Args:
        roots: the expressions.
        moving: symbols that change between events.
        by_clock_alone: take out only what depends on the clock and on nothing else that moves.

    Returns:
        The expressions with symbols in place of what was taken out, and symbol → what it holds.
    """
    uses: dict[int, tuple[bool, bool]] = {}
    shared = Shared()
    modes: dict[str, Expression] = {}
    replaced: dict[int, Expression] = {}

    def used(node: Expression, inner: tuple[tuple[bool, bool], ...]) -> tuple[bool, bool]:
        """Return whether a node uses the clock, and whether it uses something that moves."""
        if isinstance(node, Symbol):
            return node == TIME, node.id in moving
        return any(clock for clock, _ in inner), any(moves for _, moves in inner)

    def held(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        clock, moves = uses[id(node)]
        is_wanted = clock and not moves if by_clock_alone else clock or moves
        if is_wanted and (is_logical(node) or is_step(node)):
            mode = f"[mode {shared.add(step(node))}]"
            modes[mode] = step(node)
            if node.operator != "rem":
                return Symbol(mode)
            # rem(a, b) = a - b quotient(a, b), which is smooth while the quotient is held.
            left, right = arguments
            return Apply("minus", (left, Apply("times", (right, Symbol(mode)))))
        if all(new is old for new, old in zip(arguments, node.arguments, strict=True)):
            return node
        return Apply(node.operator, arguments)

    for root in roots:
        from_the_leaves(root, used, uses)
    rest = [from_the_leaves(root, held, replaced) for root in roots]
    # Those within others were taken out on the way up; only the outermost are left in use.
    kept = frozenset().union(*(symbols(root) for root in rest))
    return rest, {mode: whole for mode, whole in modes.items() if mode in kept}
