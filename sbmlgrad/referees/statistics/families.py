"""Families of tests beside those of means and variances: what was compared, p-values, power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Family:
    """Tests of one kind.

    Attributes:
        name: what is compared, as in "distributions".
        of: what each test is about, as in "A at 0.5".
        p: p-value of each, float64 [test]; NaN where a confirming run did not need it.
        effect: what was seen, float64 [test].
        unit: what `effect` is.
        detectable: the smallest effect that would be found with a chance of 90 %, float64 [test];
            infinite where none would, NaN where that cannot be said.
        is_partial: whether some of its kind are not tested.
    """

    name: str
    of: tuple[str, ...]
    p: FloatArray
    effect: FloatArray
    unit: str
    detectable: FloatArray
    is_partial: bool = False

    def found(self, level: float) -> BoolArray:
        """Return which tests disagree at a level, bool [test]."""
        return np.nan_to_num(self.p, nan=1.0) < level

    @property
    def worst(self) -> int:
        """The place of the smallest p-value; of equal ones that with the largest effect."""
        p = np.nan_to_num(self.p, nan=2.0)
        return int(np.lexsort((-np.abs(np.nan_to_num(self.effect)), p))[0])

    def as_dict(self, level: float) -> dict[str, Any]:
        """Return everything as plain data that JSON can hold."""
        numbers = {"p": self.p, "effect": self.effect, "detectable": self.detectable}
        return {
            "name": self.name,
            "unit": self.unit,
            "of": list(self.of),
            **{name: [plain(v) for v in array.tolist()] for name, array in numbers.items()},
            "found": [self.of[i] for i in np.flatnonzero(self.found(level))],
        }


def plain(value: float) -> float | str | None:
    """Return a number as JSON can hold it: no number is null, infinities are text."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def joined(name: str, parts: list[Family]) -> Family:
    """Return families of one kind as one.

    Args:
        name: of the whole.
        parts: at least one, with one unit.
    """
    return Family(
        name,
        tuple(label for part in parts for label in part.of),
        np.concatenate([part.p for part in parts]),
        np.concatenate([part.effect for part in parts]),
        parts[0].unit,
        np.concatenate([part.detectable for part in parts]),
        any(part.is_partial for part in parts),
    )
