"""Propensities of large networks, as kernel functions: products of three slots, or programs.

Laws that are no products need a tuple of arrays, which costs more to pass on than a product takes;
so they are in a function of their own, which is not called where there are none.
"""

from __future__ import annotations

from sbmlgrad.codegen.table_driven import run_program
from sbmlgrad.codegen.tree_tables import SLOT_BITS, SLOT_MASK
from sbmlgrad.engines.tree.sums import fill_sums


def product(word, coefficient, state):
    """Return a monomial from its three slots."""
    first = state[word & SLOT_MASK]
    second = state[(word >> SLOT_BITS) & SLOT_MASK]
    return coefficient * first * second * state[word >> (2 * SLOT_BITS)]


def fill_tree(words, numbers, code, level_start, inputs, state, stack, tree):
    """Compute all propensities and sums; tell whether no propensity is negative or undefined."""
    sound = True
    for i in range(tree.shape[0]):
        tree[i] = 0.0
    for j in range(numbers.shape[0] // 2):
        word = words[2 * j]
        if word < 0:
            tree[j] = run_program(code, -1 - word, state, inputs, stack)
        else:
            tree[j] = product(word, numbers[2 * j + 1], state)
        sound = sound and tree[j] >= 0.0
    fill_sums(level_start, tree)
    return sound


def refresh_products(lists, first, stop, words, numbers, state, tree):
    """Recompute the monomials that `lists[first:stop]` names; tell as `fill_tree` does."""
    sound = True
    for i in range(first, stop):
        j = lists[i]
        word = words[2 * j]
        if word >= 0:
            tree[j] = product(word, numbers[2 * j + 1], state)
            sound = sound and tree[j] >= 0.0
    return sound


def refresh_programs(lists, first, stop, words, code, inputs, state, stack, tree):
    """Recompute the other laws that it names; tell likewise."""
    sound = True
    for i in range(first, stop):
        j = lists[i]
        word = words[2 * j]
        if word < 0:
            tree[j] = run_program(code, -1 - word, state, inputs, stack)
            sound = sound and tree[j] >= 0.0
    return sound
