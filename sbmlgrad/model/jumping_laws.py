"""Kinetic laws with conditions on the state: guards, bends, and jumps that no derivative sees.

A condition such as `P >= 5` splits a law into two, one where it holds and one where it does not.

- A **guard** holds or fails at a few small counts alone, where both laws are the same or the other
  one is 0/0, as in `piecewise(k*X, X >= 1, 0)`: on whole counts the law is `k*X`, and so are
  its slopes, also at 0 where its text says that there is none.
- At a **bend** both laws meet, as in `piecewise(k*X, X < K, k*K)`.
- All else is a **jump**, as in `piecewise(a, P >= 5, 0)`: the law is flat on both sides.

Which it is, is told from values, at random values of everything that the condition leaves open.
Conditions whose two sides differ by more than sums of counts with fixed factors count as jumps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set

import numpy as np

from sbmlgrad.model.expression import (
    ONE,
    ZERO,
    Apply,
    Expression,
    Symbol,
    symbols,
)
from sbmlgrad.model.jumps import as_condition, is_logical, jumps
from sbmlgrad.model.known_conditions import both, terms_with, where
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.quantities import is_affine
from sbmlgrad.model.random_places import PLACES, Values, are_alike, random_values, values_of
from sbmlgrad.model.switches import JOINED, with_switches
from sbmlgrad.model.traversal import from_the_leaves

#: Counts up to which a guard may reach, counts of states far from it, and the most symbols that its
#: condition may use.
_LARGEST, _FAR, _MOST = 4, (6, 9, 1000), 3


def jumps_with(formula: Expression, moving: Set[str]) -> bool:
    """Tell whether a formula jumps as some symbols move.

    Args:
        formula: whose values are compared.
        moving: ids of the symbols, which are whole numbers from 0 on.

    Returns:
        True as well where it cannot be told.
    """
    formula = without_guards(with_written_conditions(formula), moving)
    values = random_values(formula, moving)
    bending = bends(formula, moving)
    return not all(
        part in bending or (is_logical(part) and _kept_guard(formula, part, moving, values))
        for part in _parts(formula, moving)
    )


def bends(formula: Expression, moving: Set[str]) -> frozenset[Expression]:
    """Return the conditions at whose changes both sides of a formula meet.

    Args:
        formula: without guards, with written conditions.
        moving: ids of the symbols that move.
    """
    parts = [part for part in _parts(formula, moving) if is_logical(part)]
    if not parts:
        return frozenset()
    # What no count decides is on at some of the random places, and off at others.
    switches: dict[Expression, Expression] = {}
    formula = with_switches(formula, moving, switches)
    values = random_values(formula, moving)
    found = set()
    for part in parts:
        condition = with_switches(part, moving, switches)
        one, other = both(terms_with(formula, condition), condition)
        if _meet(one, other, condition, moving, values):
            found.add(part)
    return frozenset(found)


def with_written_conditions(formula: Expression) -> Expression:
    """Return a formula in which the conditions of pieces that are numbers are comparisons with 0.

    Args:
        formula: perhaps with pieces as `piecewise(k, X, 0)`, which SBML level 3 version 2 allows.
    """

    def written(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
        if not isinstance(node, Apply):
            return node
        if node.operator == "piecewise":
            last = len(arguments) - len(arguments) % 2
            arguments = tuple(
                as_condition(argument) if place % 2 and place < last else argument
                for place, argument in enumerate(arguments)
            )
        return node if arguments == node.arguments else Apply(node.operator, arguments)

    return from_the_leaves(formula, written)


def without_guards(formula: Expression, moving: Set[str]) -> Expression:
    """Return a formula that has the same values on whole numbers, and slopes as those tell.

    Args:
        formula: with guards.
        moving: ids of the symbols that are whole numbers from 0 on.
    """
    for part in _parts(formula, moving):
        # A guard may be one of several conditions, as in `(P > 0) && (K > 0)`.
        for one in (part, *_joined(part)):
            rest = _unguarded(formula, one, moving)
            if rest is not None:
                formula = rest
                if one is part:
                    break
    return formula


def _joined(part: Expression) -> list[Expression]:
    """Return the comparisons that a condition joins; none if it is one itself."""
    if not isinstance(part, Apply) or part.operator not in JOINED:
        return []
    return [inner for one in part.arguments for inner in (_joined(one) or [one])]


def _unguarded(formula: Expression, part: Expression, moving: Set[str]) -> Expression | None:
    """Return a law without a condition that guards it; None if it is no such condition."""
    if not is_logical(part):
        return None
    # Whatever switches are on or off, for nothing must be hidden behind one.
    switches: dict[Expression, Expression] = {}
    switched = with_switches(formula, moving, switches)
    condition = with_switches(part, moving, switches)
    found = None
    for law, guard in ((switched, condition), (formula, part)):
        found = _far_from(law, guard, moving, random_values(law, moving))
        if found is None or found[1]:
            return None
    return None if found is None else found[0]


def _parts(formula: Expression, moving: Set[str]) -> list[Expression]:
    """Return the outermost conditions and step functions that depend on what moves."""
    found = (part for part in jumps([formula]) if symbols(part) & moving)
    return list(dict.fromkeys(found))


def _kept_guard(formula: Expression, part: Expression, moving: Set[str], values: Values) -> bool:
    """Tell whether a condition guards the counts at which the rest of a law is undefined."""
    found = _far_from(formula, part, moving, values)
    return found is not None and found[1]


def _far_from(
    formula: Expression, part: Expression, moving: Set[str], values: Values
) -> tuple[Expression, bool] | None:
    """Return what a law is far from the few small counts at which a condition is another.

    Returns:
        The law, and whether it is undefined at these counts. None if the condition is no guard.
    """
    ids = sorted(symbols(part) & moving)
    if len(ids) > _MOST or not _changes_near_zero(part, moving, values):
        return None
    near = list(itertools.product(range(_LARGEST + 2), repeat=len(ids)))
    far = [
        state
        for state in itertools.product((*range(_LARGEST + 1), *_FAR), repeat=len(ids))
        if max(state) > _LARGEST
    ]
    held = {s: _held(part, ids, s, values) for s in (*near, *far)}
    outside = {held[s] for s in far}
    if len(outside) != 1 or None in held.values():
        return None
    (usual,) = outside
    guarded = [s for s in near if held[s] != usual]
    rest, other = both(terms_with(formula, part), part)[:: 1 if usual else -1]
    undefined = False
    for state in guarded:
        at = {**values, **dict(zip(ids, state, strict=True))}
        outer, inner = (values_of(e, at) for e in (rest, other))
        if np.isnan(outer).all():
            undefined = True
        elif not are_alike(outer, inner, (rest, other), values):
            return None
    return where(formula, part, ONE if usual else ZERO), undefined


def _changes_near_zero(part: Expression, moving: Set[str], values: Values) -> bool:
    """Tell whether every comparison in a condition changes at counts up to `_LARGEST` alone."""
    if not isinstance(part, Apply):
        return False
    if part.operator in JOINED:
        return all(_changes_near_zero(one, moving, values) for one in part.arguments)
    if not is_logical(part) or len(part.arguments) != 2:
        return False
    difference = Apply("minus", part.arguments)
    ids = sorted(symbols(difference) & moving)
    if not ids or not is_affine(difference, tuple(ids)):
        return False
    if symbols(difference) - moving and not (
        ZERO in part.arguments and _is_divided_counts(difference, moving)
    ):
        # Its threshold depends on values that may be anything.
        return False
    nothing = {**values, **dict.fromkeys(ids, 0.0)}
    at_zero = values_of(difference, nothing)
    slopes = [values_of(difference, {**nothing, id: 1.0}) - at_zero for id in ids]
    # With slopes of one sign it changes its own across a corner, which ends at -at_zero / slope.
    sign = np.sign(slopes[0])
    return bool((sign != 0.0).all()) and all(
        bool(((np.sign(s) == sign) & (-at_zero * sign < (_LARGEST + 1) * np.abs(s))).all())
        for s in slopes
    )


def _is_divided_counts(formula: Expression, moving: Set[str]) -> bool:
    """Tell whether all that does not move in a formula divides, as sizes of compartments do."""
    if not isinstance(formula, Apply):
        return not isinstance(formula, Symbol) or formula.id in moving
    if formula.operator == "divide":
        top, bottom = formula.arguments
        return _is_divided_counts(top, moving) and not symbols(bottom) & moving
    is_linear = formula.operator in ("plus", "minus", "times")
    return is_linear and all(_is_divided_counts(one, moving) for one in formula.arguments)


def _held(
    part: Expression, ids: Sequence[str], state: Sequence[int], values: Values
) -> bool | None:
    """Tell whether a condition holds at some counts; None if that depends on something else."""
    at = {**values, **dict(zip(ids, state, strict=True))}
    found = np.broadcast_to(evaluate(part, at), (PLACES,)) != 0.0
    return bool(found[0]) if (found == found[0]).all() else None


def _meet(
    one: Expression, other: Expression, condition: Expression, moving: Set[str], values: Values
) -> bool:
    """Tell whether two laws have the same value wherever a condition changes."""
    if not isinstance(condition, Apply):
        return False
    if condition.operator in JOINED:
        parts = [part for part in condition.arguments if symbols(part) & moving]
        return all(_meet(one, other, part, moving, values) for part in parts)
    if condition.operator not in ("lt", "leq", "gt", "geq"):
        return False
    at = _threshold(Apply("minus", condition.arguments), moving, values)
    if at is None:
        return False
    left, right = (values_of(e, at) for e in (one, other))
    return are_alike(left, right, (one, other), values)


def _threshold(difference: Expression, moving: Set[str], values: Values) -> Values | None:
    """Return values at which a difference is zero, if it is affine in a symbol that moves."""
    for id in sorted(symbols(difference) & moving):
        if not is_affine(difference, (id,)):
            continue
        ends = [
            values_of(difference, {**values, id: np.full(PLACES, number)}) for number in (0.0, 1.0)
        ]
        slope = ends[1] - ends[0]
        if np.isfinite(slope).all() and (slope != 0.0).all():
            return {**values, id: -ends[0] / slope}
    return None
