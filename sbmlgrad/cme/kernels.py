"""Compiled loops of the master equation: looking up states, and series of a Markov chain.

Plain functions in numba's subset of Python; `codegen.kernel_modules.kernel_module` compiles their
source. Probabilities and their adjoints are float64 [state]; edges are transitions between states.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np


def slot_of(slots, states, row):
    """Return the slot of a state in an open-addressed table: its own, or the empty one for it.

    The hash is FNV-1a on 64-bit words with a final mix.
    """
    code = np.uint64(14695981039346656037)
    for s in range(row.shape[0]):
        code = (code ^ np.uint64(row[s])) * np.uint64(1099511628211)
        code = code ^ (code >> np.uint64(29))
    last = slots.shape[0] - 1
    slot = np.int64(code >> np.uint64(1)) & last
    while slots[slot] >= 0:
        place = slots[slot]
        is_same = True
        for s in range(row.shape[0]):
            if states[place, s] != row[s]:
                is_same = False
                break
        if is_same:
            break
        slot = (slot + 1) & last
    return slot


def enter_states(slots, states, known, rows):
    """Append the rows that are not yet among the first `known` states; return how many there are.

    `states` has room for all rows, and `slots` stays at most half full.
    """
    for i in range(rows.shape[0]):
        slot = slot_of(slots, states, rows[i])
        if slots[slot] < 0:
            states[known] = rows[i]
            slots[slot] = known
            known += 1
    return known


def fill_slots(slots, states, known):
    """Enter the first `known` states, all different, into an empty table."""
    for i in range(known):
        slots[slot_of(slots, states, states[i])] = i


def find_targets(slots, states, first, last, changes, target):
    """Look up where the transitions of states `first` to `last` lead that led outside (-1)."""
    row = np.empty(states.shape[1], np.int64)
    for i in range(first, last):
        for j in range(changes.shape[0]):
            if target[i, j] == -1:
                for s in range(states.shape[1]):
                    row[s] = states[i, s] + changes[j, s]
                target[i, j] = slots[slot_of(slots, states, row)]


def group_by_target(target, size):
    """Return where the incoming edges of each state start [state + 1], and their order [edge].

    Edges to the outside (-1) are left out; edges of one state keep their order.
    """
    start = np.zeros(size + 1, np.int64)
    for e in range(target.shape[0]):
        if target[e] >= 0:
            start[target[e] + 1] += 1
    for i in range(size):
        start[i + 1] += start[i]
    order = np.empty(start[size], np.int64)
    following = start[:size].copy()
    for e in range(target.shape[0]):
        if target[e] >= 0:
            order[following[target[e]]] = e
            following[target[e]] += 1
    return start, order


def series(in_start, in_source, in_rate, stay, vector, weights, tails, result, occupation):
    """Add Σ_n weights[n] P^n p to `result` and Σ_n tails[n] P^n p to `occupation`, for p `vector`.

    P has `stay` on its diagonal and `in_rate` elsewhere, all divided by the rate of the chain.
    """
    size = vector.shape[0]
    now = vector.copy()
    then = np.empty(size)
    for y in range(size):
        result[y] += weights[0] * now[y]
        occupation[y] += tails[0] * now[y]
    for n in range(1, weights.shape[0]):
        weight = weights[n]
        tail = tails[n]
        for y in range(size):
            total = stay[y] * now[y]
            for e in range(in_start[y], in_start[y + 1]):
                total += in_rate[e] * now[in_source[e]]
            then[y] = total
            result[y] += weight * total
            occupation[y] += tail * total
        now, then = then, now


def kept_powers(in_start, in_source, in_rate, stay, vector, kept):
    """Write P^n p into row n of `kept` [power, state], for p `vector`."""
    size = vector.shape[0]
    for y in range(size):
        kept[0, y] = vector[y]
    for n in range(1, kept.shape[0]):
        for y in range(size):
            total = stay[y] * kept[n - 1, y]
            for e in range(in_start[y], in_start[y + 1]):
                total += in_rate[e] * kept[n - 1, in_source[e]]
            kept[n, y] = total


def reverse_series(
    out_start, out_target, out_rate, stay, kept, weights, tails, terminal, running, flow
):
    """Walk a series backwards: `terminal` becomes the adjoint of its start, `flow` that of edges.

    With c_n the adjoint of P^n p, c_n = weights[n] terminal + tails[n] running + Pᵀ c_(n+1), the
    flow of an edge from x to y gains (P^n p)[x] (c_(n+1)[y] - c_(n+1)[x]). Nothing is worth
    anything outside.
    """
    size = stay.shape[0]
    last = weights.shape[0] - 1
    now = np.empty(size)
    then = np.empty(size)
    for x in range(size):
        now[x] = weights[last] * terminal[x] + tails[last] * running[x]
    for n in range(last - 1, -1, -1):
        weight = weights[n]
        tail = tails[n]
        for x in range(size):
            own = now[x]
            here = kept[n, x]
            total = stay[x] * own + weight * terminal[x] + tail * running[x]
            for e in range(out_start[x], out_start[x + 1]):
                other = 0.0
                if out_target[e] >= 0:
                    other = now[out_target[e]]
                total += out_rate[e] * other
                flow[e] += here * (other - own)
            then[x] = total
        now, then = then, now
    for x in range(size):
        terminal[x] = now[x]


def tangent_series(
    in_start,
    in_source,
    in_rate,
    in_slope,
    stay,
    exit_slope,
    vector,
    tangent,
    weights,
    tails,
    result,
    occupation,
    moved_result,
    moved_occupation,
):
    """Do as `series`, and differentiate it in each direction; tangents are [state, direction]."""
    size, directions = tangent.shape
    now = vector.copy()
    then = np.empty(size)
    moved = tangent.copy()
    moved_then = np.empty((size, directions))
    for y in range(size):
        result[y] += weights[0] * now[y]
        occupation[y] += tails[0] * now[y]
        for k in range(directions):
            moved_result[y, k] += weights[0] * moved[y, k]
            moved_occupation[y, k] += tails[0] * moved[y, k]
    for n in range(1, weights.shape[0]):
        weight = weights[n]
        tail = tails[n]
        for y in range(size):
            here = now[y]
            total = stay[y] * here
            for k in range(directions):
                moved_then[y, k] = stay[y] * moved[y, k] - exit_slope[y, k] * here
            for e in range(in_start[y], in_start[y + 1]):
                rate = in_rate[e]
                x = in_source[e]
                there = now[x]
                total += rate * there
                for k in range(directions):
                    moved_then[y, k] += rate * moved[x, k] + in_slope[e, k] * there
            then[y] = total
            result[y] += weight * total
            occupation[y] += tail * total
            for k in range(directions):
                moved_result[y, k] += weight * moved_then[y, k]
                moved_occupation[y, k] += tail * moved_then[y, k]
        now, then = then, now
        moved, moved_then = moved_then, moved


def compiled() -> ModuleType:
    """Return the kernels, compiled on first use."""
    from sbmlgrad.codegen.kernel_modules import kernel_module

    return kernel_module(
        (
            slot_of,
            enter_states,
            fill_slots,
            find_targets,
            group_by_target,
            series,
            kept_powers,
            reverse_series,
            tangent_series,
        )
    )
