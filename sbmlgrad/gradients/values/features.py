"""Features of a state for `FittedValue`: what they are asked for, and the plain ones.

`Features` are settings: a frozen object with `lay_out`, which looks at what an ensemble visited and
returns a `Basis`, the functions themselves. A new kind is one file with those two; it is passed as
`FittedValue(features=...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Visited:
    """What an ensemble visited.

    Attributes:
        states: distinct counts, float64 [state, species], with those one firing away.
        stay: time that the mean trajectory stays in each, float64 [state]; next to none in those
            that were not visited.
        free: species whose counts determine all others, int64 [free]; the rest follow from
            conservation laws or never change.
        paths: number → that many trajectories at all slices, float64 [trajectory, slice, species],
            and what they still collect after each, float64 [trajectory, slice].
    """

    states: FloatArray
    stay: FloatArray
    free: IntArray
    paths: Callable[[int], tuple[FloatArray, FloatArray]]


class Basis(Protocol):
    """Functions of the state, laid out for one ensemble."""

    @property
    def name(self) -> str:
        """What they are, in words."""
        ...

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    def __call__(self, states: FloatArray) -> FloatArray:
        """Return the functions at states [state, species], float64 [state, feature].

        They are defined at every state, also one firing away from those that were visited.
        """
        ...


@runtime_checkable
class Features(Protocol):
    """Settings of a kind of features."""

    def lay_out(self, visited: Visited) -> Basis:
        """Return the functions for an ensemble; a constant must be a combination of them."""
        ...


def free_species(states: FloatArray) -> IntArray:
    """Return species whose counts determine all others over the states, int64 [free].

    Conservation laws, and species that never change, are found as columns that depend linearly on
    the others, by elimination with the largest remaining spread first.

    Args:
        states: counts, float64 [state, species].
    """
    rest = states - states.mean(axis=0)
    largest = float(np.abs(rest).max(initial=0.0))
    chosen: list[int] = []
    for _ in range(rest.shape[1]):
        sizes = np.sqrt((rest**2).mean(axis=0))
        best = int(np.argmax(sizes))
        if sizes[best] <= 1e-9 * largest:
            break
        chosen.append(best)
        direction = rest[:, best] / np.linalg.norm(rest[:, best])
        rest = rest - direction[:, None] * (direction @ rest)
    return np.array(sorted(chosen), dtype=np.int64)


@dataclass(frozen=True)
class Polynomial:
    """All products of powers of counts up to a degree.

    Choose it for networks whose value is smooth over the states visited (one mode, rates that bend
    little), and for many species.

    Args:
        degree: highest total degree.
    """

    degree: int = 2

    def __post_init__(self) -> None:
        whole("degree", self.degree, 1, 12)

    def lay_out(self, visited: Visited) -> Basis:
        """Return products of Legendre polynomials over the range visited."""
        free = visited.free
        states = visited.states[:, free]
        powers = [
            np.bincount(np.array(term, dtype=np.int64), minlength=len(free))
            for degree in range(self.degree + 1)
            for term in combinations_with_replacement(range(len(free)), degree)
        ]
        return _Products(
            name=f"polynomials of degree {self.degree} in {len(free)} species",
            free=free,
            low=states.min(axis=0),
            high=states.max(axis=0),
            powers=np.array(powers, dtype=np.int64).reshape(len(powers), len(free)),
        )


@dataclass(frozen=True, eq=False)
class _Products:
    name: str
    free: IntArray
    low: FloatArray
    high: FloatArray
    powers: IntArray

    @property
    def size(self) -> int:
        return len(self.powers)

    def __call__(self, states: FloatArray) -> FloatArray:
        middle, half = (self.low + self.high) / 2.0, (self.high - self.low) / 2.0
        scaled = (states[:, self.free] - middle) / half
        result = np.ones((len(states), self.size))
        for place in range(len(self.free)):
            highest = int(self.powers[:, place].max(initial=0))
            values = np.polynomial.legendre.legvander(scaled[:, place], highest)
            result *= values[:, self.powers[:, place]]
        return result


@dataclass(frozen=True)
class EveryState:
    """One function for each state visited, and one firing away: no error by features at all.

    Choose it where an ensemble visits a few hundred states. Two firings away from what was visited,
    a state is valued as the nearest one that is known. The cost grows with the third power of the
    number of states.

    Args:
        most: states beyond which to refuse.
    """

    most: int = 1000

    def __post_init__(self) -> None:
        whole("most", self.most, 1, 10_000)

    def lay_out(self, visited: Visited) -> Basis:
        """Return the indicator function of every state visited."""
        if len(visited.states) > self.most:
            raise GradientError(
                f"EveryState(most={self.most}): {len(visited.states)} states were visited or are "
                "one firing away, and a function for each takes long; use Spline(), or raise `most`"
            )
        return _Indicators(f"every one of {len(visited.states)} states", visited.states)


@dataclass(frozen=True, eq=False)
class _Indicators:
    name: str
    states: FloatArray

    @property
    def size(self) -> int:
        return len(self.states)

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import KDTree

        return KDTree(self.states)

    def __call__(self, states: FloatArray) -> FloatArray:
        _, nearest = self._tree.query(states)
        result = np.zeros((len(states), self.size))
        result[np.arange(len(states)), nearest] = 1.0
        return result
