"""Sums of propensities in a tree, and the choice of a reaction by it, as kernel functions.

The propensities are the leaves of a tree in document order; every node holds the sum of its eight
children, so that a firing costs a walk up from the propensities that it changes and one down to the
next reaction. Sums are computed anew from the children, never corrected by differences: rounding
errors do not pile up, and a sum is 0 exactly when all propensities below are.

The next reaction is the first whose running sum exceeds v times the total, as in every direct
method here. The sums are added in another order than from left to right, so where v times the total
falls within rounding of a boundary, the choice may be that of a neighbour.

Source: Blue, Beichl & Sullivan 1995, "Faster Monte Carlo simulations", Phys. Rev. E 51, R867.
"""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.tree_tables import FAN_BITS, FAN_OUT


def node_sum(tree, child):
    """Return the sum of eight siblings, in the order of `choose_child`."""
    left = (tree[child] + tree[child + 1]) + (tree[child + 2] + tree[child + 3])
    right = (tree[child + 4] + tree[child + 5]) + (tree[child + 6] + tree[child + 7])
    return left + right


def choose_child(tree, child, target):
    """Return (which child, what is left of the target) for 0 <= target < the sum of eight siblings.

    The running sums never decrease, do not grow at a child of 0, and end with the sum of the node,
    whatever is rounded; so the first that exceeds the target belongs to a child above 0.
    """
    p0 = tree[child]
    p1 = p0 + tree[child + 1]
    a2 = tree[child + 2]
    p2 = p1 + a2
    p3 = p1 + (a2 + tree[child + 3])
    a4 = tree[child + 4]
    a5 = a4 + tree[child + 5]
    p4 = p3 + a4
    p5 = p3 + a5
    p6 = p3 + (a5 + tree[child + 6])
    # Without branches: which way it goes is random, and a wrong guess costs more than all of this.
    which = int(p0 <= target) + int(p1 <= target) + int(p2 <= target) + int(p3 <= target)
    which += int(p4 <= target) + int(p5 <= target) + int(p6 <= target)
    low = p0 if p0 <= target else 0.0
    low = p1 if p1 <= target else low
    low = p2 if p2 <= target else low
    low = p3 if p3 <= target else low
    low = p4 if p4 <= target else low
    low = p5 if p5 <= target else low
    low = p6 if p6 <= target else low
    return which, target - low


def select(tree, level_start, target):
    """Return the reaction that a target in [0, total) selects; its propensity is above 0."""
    top = level_start.shape[0] - 2
    reached = tree[level_start[top]]
    node = 0
    for level in range(top - 1, -1, -1):
        # What was taken off was rounded, so the rest may have grown to the sum of this node.
        if not target < reached:
            target = np.nextafter(reached, 0.0)
        child = level_start[level] + FAN_OUT * node
        which, target = choose_child(tree, child, target)
        node = FAN_OUT * node + which
        reached = tree[child + which]
    return node


def fill_sums(level_start, tree):
    """Compute all sums above the propensities."""
    for level in range(1, level_start.shape[0] - 1):
        below = level_start[level - 1]
        for node in range((level_start[level] - below) // FAN_OUT):
            tree[level_start[level] + node] = node_sum(tree, below + FAN_OUT * node)


def refresh_sums(lists, first, stop, level_start, tree, path):
    """Recompute all sums above the propensities that `lists[first:stop]` names."""
    count = 0
    last = -1
    for i in range(first, stop):
        # Reactions ascend in a list, so that those of one node follow each other.
        parent = lists[i] >> FAN_BITS
        path[count] = parent
        count += parent != last
        last = parent
    for level in range(1, level_start.shape[0] - 1):
        below, here = level_start[level - 1], level_start[level]
        nodes = count
        count = 0
        last = -1
        for i in range(nodes):
            node = path[i]
            tree[here + node] = node_sum(tree, below + FAN_OUT * node)
            parent = node >> FAN_BITS
            path[count] = parent
            count += parent != last
            last = parent
