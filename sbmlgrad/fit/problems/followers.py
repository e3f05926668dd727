"""Parameters that follow others by initial assignments."""

from __future__ import annotations

from collections.abc import Collection, Set

from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork


def followers(model: ReactionNetwork, moved: Collection[str], told: Collection[str]) -> list[str]:
    """Name parameters whose initial assignment would follow one that is moved, in words.

    Args:
        model: the network.
        moved: ids whose values are others than the model's.
        told: ids that are given a value by themselves.
    """
    found = []
    for target in model.initial_assignments:
        held = {*told, *model.explicit}
        if target not in model.parameter_ids or target in held:
            continue
        dragging = sorted(_reach(model, target, held) & set(moved))
        if dragging:
            found.append(
                f"'{target}' is set by an initial assignment that uses {', '.join(dragging)}; free "
                "it too, or give it a value with with_parameters() to hold it"
            )
    return found


def _reach(model: ReactionNetwork, target: str, held: Set[str]) -> set[str]:
    """Return the symbols that an initial assignment depends on, through others and rules too.

    What is held is the end of a chain, since its own initial assignment is not used.
    """
    laws = {reaction.id: reaction.rate_law for reaction in model.reactions}
    found: set[str] = set()
    waiting = [target]
    while waiting:
        id = waiting.pop()
        if id in held:
            continue
        for formulas in (model.initial_assignments, model.assignment_rules, laws):
            if id in formulas:
                used = symbols(formulas[id]) - found
                found |= used
                waiting += used
    return found
