"""Does a rate vanish where a species is missing? Tried at states near and far, not proven."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sbmlgrad.model.expression import Apply, Expression, Symbol, add, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.terms import factors


def survives_without(
    rate: Expression,
    change: Mapping[str, int],
    constants: Mapping[str, float],
    *,
    where_undefined: bool = True,
) -> str | None:
    """Return a species that `change` makes without which a rate is not zero, or None.

    Args:
        rate: one direction of a law.
        change: species id → molecules gained; those lost are of no account.
        constants: symbol → value of what never changes.
        where_undefined: whether a rate without a value, as 0 / 0, counts as not zero.
    """
    above, below = factors(rate)
    for product in (s for s, n in change.items() if n > 0):
        # Nearly all laws of mass action are seen to vanish without being tried.
        if Symbol(product) in above and all(product not in symbols(part) for part in below):
            continue
        if not _is_zero_at(rate, {product: 0.0}, constants, not where_undefined):
            return product
    return None


def _is_zero_at(
    rate: Expression,
    place: Mapping[str, float],
    constants: Mapping[str, float],
    undefined_is_zero: bool,
) -> bool:
    """Tell whether a rate is zero wherever some symbols have the values given.

    Evaluated at a few states, near and far; structural zeros are exact there.
    """
    rng = np.random.default_rng(20021)
    rate = _with_all_branches(rate)
    used = symbols(rate)
    present = {s: constants[s] for s in used if s in constants and math.isfinite(constants[s])}
    # Parameters that are zero for now can make a quotient 0 / 0; then others show the structure.
    drawn = {s: v for s, v in present.items() if v != 0.0}
    for _ in range(3):
        value = evaluate(rate, _Drawn(rng, {**present, **place}))
        if math.isnan(value):
            value = evaluate(rate, _Drawn(rng, {**drawn, **place}))
        if value != 0.0 and not (undefined_is_zero and math.isnan(value)):
            return False
    far = (evaluate(rate, _Drawn(rng, {**present, **place}, 7.0)) for _ in range(8))
    return all(value == 0.0 or math.isnan(value) for value in far)


def _with_all_branches(rate: Expression) -> Expression:
    """Return a rate with every piecewise function replaced by the sum of its values.

    A rate >= 0 vanishes wherever the conditions lead only if all of its branches do.
    """
    if not isinstance(rate, Apply):
        return rate
    arguments = tuple(_with_all_branches(argument) for argument in rate.arguments)
    if rate.operator == "piecewise":
        return add(*arguments[::2])
    return Apply(rate.operator, arguments)


class _Drawn(dict[str, float]):
    """Values of symbols; one without a value is drawn when asked for."""

    def __init__(
        self, rng: np.random.Generator, values: Mapping[str, float], decades: float = 0.0
    ) -> None:
        super().__init__(values)
        self._rng = rng
        self._decades = decades

    def __missing__(self, symbol: str) -> float:
        near = float(self._rng.integers(1, 50))
        self[symbol] = near if not self._decades else 10.0 ** self._rng.uniform(0.0, self._decades)
        return self[symbol]
