"""`Spline`: B-splines of each count, and products of them for pairs of species."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.gradients.values.features import Basis, Visited
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Spline:
    """B-splines on quantile knots for each species, and products of them for pairs of species.

    Choose it where the value bends sharply, as on bistable systems. Outside the counts visited a
    spline goes on as a straight line.

    Source: de Boor 1978, "A practical guide to splines", chapter IX.

    Args:
        pieces: polynomial pieces for each species.
        degree: of the pieces.
        pair_pieces: pieces in each direction of the products for two species; 0 leaves interactions
            out.
    """

    pieces: int = 6
    degree: int = 3
    pair_pieces: int = 4

    def __post_init__(self) -> None:
        whole("pieces", self.pieces, 1, 1000)
        whole("degree", self.degree, 1, 9)
        whole("pair_pieces", self.pair_pieces, 0, 1000)

    def lay_out(self, visited: Visited) -> Basis:
        """Return the splines for the counts that were visited."""
        free = visited.free
        alone = [_knots(visited, s, self.pieces, self.degree) for s in free]
        pairs = [_knots(visited, s, self.pair_pieces, self.degree) for s in free]
        return _Splines(
            f"splines of {self.pieces} pieces in {len(free)} species",
            free,
            tuple(alone),
            tuple(pairs) if self.pair_pieces else (),
        )


@dataclass(frozen=True, eq=False)
class _Knots:
    """Knots of one species, the outer ones repeated; the degree is smaller for few counts."""

    knots: FloatArray
    degree: int

    @property
    def size(self) -> int:
        return len(self.knots) - self.degree - 1

    def __call__(self, counts: FloatArray) -> FloatArray:
        from scipy.interpolate import BSpline

        low, high = self.knots[0], self.knots[-1]
        inside = np.clip(counts, low, high)
        values = BSpline.design_matrix(inside, self.knots, self.degree).toarray()
        beyond = counts - inside
        if np.any(beyond):
            edge = BSpline(self.knots, np.eye(self.size), self.degree).derivative()(inside)
            values = values + beyond[:, None] * edge
        return values


def _knots(visited: Visited, species: int, pieces: int, degree: int) -> _Knots:
    counts = visited.states[:, species]
    distinct, row = np.unique(counts, return_inverse=True)
    degree = min(degree, len(distinct) - 1)
    stay = np.bincount(row, weights=visited.stay)
    reached = np.cumsum(stay) / stay.sum()
    levels = np.arange(1, pieces) / pieces
    inner = np.unique(distinct[np.minimum(np.searchsorted(reached, levels), len(distinct) - 1)])
    inner = inner[(inner > distinct[0]) & (inner < distinct[-1])]
    ends = [np.full(degree + 1, distinct[0]), np.full(degree + 1, distinct[-1])]
    return _Knots(np.concatenate([ends[0], inner, ends[1]]), degree)


@dataclass(frozen=True, eq=False)
class _Splines:
    name: str
    free: IntArray
    alone: tuple[_Knots, ...]
    pairs: tuple[_Knots, ...]

    @property
    def size(self) -> int:
        products = sum(one.size * other.size for one, other in combinations(self.pairs, 2))
        return 1 + sum(knots.size for knots in self.alone) + products

    def __call__(self, states: FloatArray) -> FloatArray:
        columns = [np.ones((len(states), 1))]
        columns += [f(states[:, s]) for f, s in zip(self.alone, self.free, strict=True)]
        coarse = [f(states[:, s]) for f, s in zip(self.pairs, self.free, strict=False)]
        for one, other in combinations(coarse, 2):
            columns.append((one[:, :, None] * other[:, None, :]).reshape(len(states), -1))
        return np.concatenate(columns, axis=1)
