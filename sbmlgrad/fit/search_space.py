"""The search space: scaled coordinates in which the free parameters of a problem are moved.

A parameter on a logarithmic scale has its natural logarithm as coordinate; one on a linear scale
its value over a unit, so that a step of the optimiser means about as much for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.problem import Problem, ProblemParameter

#: Distance in coordinates that counts as being at a bound.
AT_BOUND = 1e-6

FloatArray = NDArray[np.float64]

#: Share of the range between finite bounds that a unit of a linear coordinate is.
UNIT_OF_RANGE = 0.1


@dataclass(frozen=True, eq=False)
class SearchSpace:
    """The free parameters, their bounds, and their coordinates.

    Attributes:
        ids: parameter ids.
        start: starting values, float64 [free].
        lower, upper: bounds of the values, float64 [free].
        is_logarithmic: bool [free].
        unit: values of linear parameters are divided by it, float64 [free].
    """

    ids: tuple[str, ...]
    start: FloatArray
    lower: FloatArray
    upper: FloatArray
    is_logarithmic: NDArray[np.bool_]
    unit: FloatArray

    def coordinates(self, values: Any) -> FloatArray:
        """Return the coordinates of values, float64 [..., free]."""
        values = np.asarray(values, dtype=np.float64)
        logarithms = np.log(np.where(self.is_logarithmic, values, 1.0))
        return np.where(self.is_logarithmic, logarithms, values / self.unit)

    def values(self, coordinates: Any) -> FloatArray:
        """Return the values at coordinates, float64 [..., free]; at a bound the bound itself."""
        z = np.asarray(coordinates, dtype=np.float64)
        found = np.where(
            self.is_logarithmic, np.exp(np.where(self.is_logarithmic, z, 0.0)), z * self.unit
        )
        # exp(log(10)) is above 10, where a prior that ends at the bound excludes it.
        for bound in (self.lower, self.upper):
            found = np.where(z == self.coordinates(bound), bound, found)
        return found

    def slopes(self, values: Any) -> FloatArray:
        """Return the derivative of the values in their coordinates, float64 [..., free]."""
        return np.where(self.is_logarithmic, values, self.unit)

    def value_tensors(self, coordinates: Any) -> Any:
        """Return the values at a tensor of coordinates [..., free], with a gradient."""
        import tensorflow as tf

        kind = tf.constant(self.is_logarithmic)
        powers = tf.exp(tf.where(kind, coordinates, tf.zeros_like(coordinates)))
        found = tf.where(kind, powers, coordinates * self.unit)
        for bound in (self.lower, self.upper):
            # As in `values`; the slope is that of the scale.
            rounding = tf.where(coordinates == self.coordinates(bound), bound - found, 0.0)
            found += tf.stop_gradient(rounding)
        return found

    def within(self, coordinates: FloatArray) -> FloatArray:
        """Return the nearest coordinates within the bounds: the projection after a step."""
        return np.clip(coordinates, self.coordinates(self.lower), self.coordinates(self.upper))

    def at_bounds(self, values: Any) -> tuple[str, ...]:
        """Return ids whose value lies at a bound."""
        z = self.coordinates(values)
        ends = (self.coordinates(self.lower), self.coordinates(self.upper))
        at = np.any([np.isclose(z, end, rtol=0.0, atol=AT_BOUND) for end in ends], axis=0)
        return tuple(i for i, here in zip(self.ids, at, strict=True) if here)


def search_space(problem: Problem) -> SearchSpace:
    """Return the search space of a problem."""
    free = problem.free
    return SearchSpace(
        ids=tuple(p.id for p in free),
        start=np.array([p.nominal for p in free], dtype=np.float64),
        lower=np.array([p.lower for p in free], dtype=np.float64),
        upper=np.array([p.upper for p in free], dtype=np.float64),
        is_logarithmic=np.array([p.scale != "lin" for p in free], dtype=np.bool_),
        unit=np.array([_unit(p) for p in free], dtype=np.float64),
    )


def _unit(parameter: ProblemParameter) -> float:
    if parameter.scale != "lin":
        return 1.0
    span = parameter.upper - parameter.lower
    if np.isfinite(span):
        return UNIT_OF_RANGE * span
    return abs(parameter.nominal) or 1.0


def as_mapping(space: SearchSpace, values: Any) -> Mapping[str, float]:
    """Return parameter id → value."""
    return dict(zip(space.ids, np.asarray(values).tolist(), strict=True))
