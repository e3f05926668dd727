"""Kinetic laws that jump where the state passes a threshold, which no derivative of theirs sees.

A law such as `piecewise(a, P >= 5, 0)` is flat on both sides of the threshold, and the number of
molecules steps across it. `piecewise(k*X, X < K, k*K)` only bends: its pieces meet. Whether pieces
meet is told from their values at the threshold, at random values of everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.conditions import is_logical, jumps
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.expression import Apply, Expression, Number, symbols
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]
Values = Mapping[str, FloatArray]

#: Random places at which pieces are compared, and how near their values must be.
_PLACES, _MEET = 16, 1e-9


def jumping_channels(lowered: LoweredNetwork) -> tuple[str, ...]:
    """Return the ids of channels whose propensity jumps with the state, in their order."""
    state = frozenset(lowered.state_ids)
    found = (c.id for c in lowered.channels if jumps_with(c.propensity, state))
    return tuple(dict.fromkeys(found))


def jumps_with(formula: Expression, moving: Set[str]) -> bool:
    """Tell whether a formula jumps as some symbols move.

    Args:
        formula: whose pieces are compared.
        moving: ids of the symbols.

    Returns:
        True as well where it cannot be told.
    """
    if not any(symbols(part) & moving for part in jumps([formula])):
        return False
    rng = np.random.default_rng(0)
    values = {id: 10.0 ** rng.uniform(-1.0, 1.0, _PLACES) for id in sorted(symbols(formula))}
    return _jumps(formula, moving, values)


def _jumps(node: Expression, moving: Set[str], values: Values) -> bool:
    if not isinstance(node, Apply) or not symbols(node) & moving:
        return False
    if node.operator != "piecewise":
        # A comparison or a rounding that is used as a number.
        own = Apply(node.operator, tuple(Number(1.0) for _ in node.arguments))
        if is_logical(node) or jumps([own]):
            return True
        return any(_jumps(argument, moving, values) for argument in node.arguments)
    *pairs, last = node.arguments if len(node.arguments) % 2 else (*node.arguments, Number(np.nan))
    rest: Expression = last
    for piece, condition in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
        if symbols(condition) & moving and not _meet(piece, rest, condition, moving, values):
            return True
        if _jumps(piece, moving, values):
            return True
        rest = Apply("piecewise", (piece, condition, rest))
    return _jumps(last, moving, values)


def _meet(
    piece: Expression, rest: Expression, condition: Expression, moving: Set[str], values: Values
) -> bool:
    """Tell whether two pieces have the same value wherever a condition changes."""
    if not isinstance(condition, Apply):
        return False
    if condition.operator in ("and", "or", "not", "xor"):
        parts = condition.arguments
        return all(_meet(piece, rest, p, moving, values) for p in parts if symbols(p) & moving)
    if not is_logical(condition) or len(condition.arguments) != 2:
        return False
    at = _threshold(Apply("minus", condition.arguments), moving, values)
    if at is None:
        return False
    left, right = (evaluate(e, at) + np.zeros(_PLACES) for e in (piece, rest))
    return bool(np.allclose(left, right, rtol=_MEET, atol=_MEET))


def _threshold(difference: Expression, moving: Set[str], values: Values) -> Values | None:
    """Return values at which a difference is zero, if it is affine in a symbol that moves."""
    for id in sorted(symbols(difference) & moving):
        ends = [
            evaluate(difference, {**values, id: np.full(_PLACES, number)}) + np.zeros(_PLACES)
            for number in (0.0, 1.0, 2.0)
        ]
        slope = ends[1] - ends[0]
        is_affine = np.allclose(ends[2] - ends[1], slope, rtol=_MEET, atol=0.0)
        if is_affine and np.isfinite(slope).all() and (slope != 0.0).all():
            return {**values, id: -ends[0] / slope}
    return None
