"""Orders and cycles of "this needs that", for formulas that may be given in any order."""

from __future__ import annotations

from collections.abc import Mapping, Set


def on_cycles(needs: Mapping[str, Set[str]]) -> frozenset[str]:
    """Return the nodes that need themselves, directly or through others.

    Nodes between two cycles count as part of them.

    Args:
        needs: node → nodes that it needs; needed nodes that are no keys are left out of account.
    """
    users: dict[str, set[str]] = {node: set() for node in needs}
    for node, needed in needs.items():
        for other in needed & users.keys():
            users[other].add(node)
    left = set(needs).difference(in_order(needs))
    # What is left needs a cycle; of that, drop what no cycle needs.
    forward = {node: users[node] & left for node in left}
    return frozenset(left.difference(in_order(forward)))


def in_order(needs: Mapping[str, Set[str]]) -> list[str]:
    """Return the nodes, each after those it needs; nodes that need a cycle are left out.

    Args:
        needs: node → nodes that it needs; needed nodes that are no keys are left out of account.
    """
    missing = {node: len(needed & needs.keys()) for node, needed in needs.items()}
    users: dict[str, list[str]] = {node: [] for node in needs}
    for node, needed in needs.items():
        for other in needed & users.keys():
            users[other].append(node)
    order = [node for node, count in missing.items() if count == 0]
    for node in order:  # grows as nodes become ready
        for user in users[node]:
            missing[user] -= 1
            if missing[user] == 0:
                order.append(user)
    return order
