"""Random values of what formulas depend on, at which two formulas are compared.

Two formulas without conditions that agree at all of them are the same. Conditions hide parts of a
formula, which is why half of the values lie around the numbers that the formula names: whatever
changes at 50 is seen on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.expression import Expression, Number, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.traversal import from_the_leaves

FloatArray = NDArray[np.float64]
Values = Mapping[str, Any]

#: How many places there are.
PLACES = 64

#: How near values must be that count as the same, next to their size.
_NEAR = 1e-9

#: Share of the places at which there must be a number, so that it can be told.
_LEAST = 0.25

#: Counts below which half of them lie; never 0, where many laws are undefined.
_FEW = 20


def random_values(formula: Expression, moving: Set[str]) -> dict[str, FloatArray]:
    """Return id → values of all symbols of a formula, float64 [place], the same in every call.

    Args:
        formula: whose symbols and numbers are used.
        moving: ids of the symbols that are whole numbers; the others are positive.
    """
    rng = np.random.default_rng(0)
    named = [abs(n) for n in _numbers(formula) if np.isfinite(n) and n != 0.0] or [1.0]
    found = {}
    for id in sorted(symbols(formula)):
        near = rng.choice(named, PLACES) * rng.uniform(0.5, 3.0, PLACES)
        if id in moving:
            near, usual = np.rint(near) + 1.0, rng.integers(1, _FEW, PLACES).astype(np.float64)
        else:
            usual = 10.0 ** rng.uniform(-1.0, 1.0, PLACES)
        found[id] = np.where(rng.random(PLACES) < 0.5, usual, near)
    return found


def values_of(formula: Expression, values: Values) -> FloatArray:
    """Return the values of a formula, float64 [place]."""
    return evaluate(formula, values) + np.zeros(PLACES)


def are_alike(
    left: FloatArray, right: FloatArray, formulas: Sequence[Expression], values: Values
) -> bool:
    """Tell whether values agree but for rounding, next to the size of formulas at the same places.

    Args:
        left: values, float64 [place].
        right: values, float64 [place].
        formulas: that have these values in some states.
        values: of their symbols, away from such states.

    Returns:
        False as well if most values are infinite or no numbers.
    """
    if np.isfinite(left).mean() < _LEAST:
        return False
    sizes = np.stack([np.abs(values_of(e, values)) for e in formulas])
    size = np.max(sizes, axis=0, initial=0.0, where=np.isfinite(sizes))
    return bool(np.allclose(left, right, rtol=_NEAR, atol=_NEAR * size))


def _numbers(formula: Expression) -> list[float]:
    found: set[float] = set()

    def seen(node: Expression, arguments: tuple[None, ...]) -> None:
        if isinstance(node, Number):
            found.add(float(node.value))

    from_the_leaves(formula, seen)
    return sorted(found)
