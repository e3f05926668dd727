"""Features joined by what the readout itself needs, and orthonormal combinations of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.values.features import Basis

FloatArray = NDArray[np.float64]

#: Functions of the readout itself that may become features.
MOST_OWN = 4

#: Share of the square of a function from which it counts as missed by features.
MISSED = 1e-8

#: Squared length, relative to the longest, below which a direction of features is no other than
#: those before it but for rounding.
SAME = 1e-10

#: States worked through together.
ROWS = 8192


@dataclass(frozen=True, eq=False)
class ValueBasis:
    """Features, and functions of the readout that they do not contain.

    Just before a point the value is the function read out there, which may be as sharp as an
    indicator; with it among the features it is fitted exactly.

    Attributes:
        basis: features.
        rest: states [state, species] → f_p of a trajectory that rests there, float64 [state,
            point].
        own: points whose f_p are features too.
        scale: what these are divided by.
    """

    basis: Basis
    rest: Callable[[FloatArray], FloatArray]
    own: Sequence[int]
    scale: FloatArray

    @property
    def size(self) -> int:
        """How many features there are."""
        return self.basis.size + len(self.own)

    def __call__(self, states: FloatArray) -> FloatArray:
        """Return all features at states, float64 [state, feature]."""
        values = self.basis(states)
        if not self.own:
            return values
        return np.concatenate([values, self.rest(states)[:, self.own] / self.scale], axis=1)


def value_basis(
    basis: Basis, rest: Callable[[FloatArray], FloatArray], states: FloatArray
) -> ValueBasis:
    """Add to features the functions of the readout that they do not contain.

    Args:
        basis: features.
        rest: as in `ValueBasis`.
        states: counts, float64 [state, species].

    Raises:
        GradientError: a function is not finite at a state.
    """
    gram: FloatArray = np.zeros(())
    for low in range(0, len(states), ROWS):
        block = states[low : low + ROWS]
        both = np.concatenate([basis(block), rest(block)], axis=1)
        gram = gram + both.T @ both
    if not np.isfinite(gram).all():
        raise GradientError(
            "FittedValue: the statistic, or a feature, is not finite at a state that was visited "
            "or is one firing away, so that its mean has no derivative; use CoupledDifference()"
        )
    scale = np.sqrt(np.diag(gram) / len(states))
    own: list[int] = []
    while True:
        chosen = [*range(basis.size), *(basis.size + p for p in own)]
        frame = orthonormal(gram[np.ix_(chosen, chosen)])
        square = np.diag(gram)[basis.size :]
        missed = square - ((frame.T @ gram[chosen, basis.size :]) ** 2).sum(axis=0)
        share = missed / np.where(square > 0.0, square, 1.0)
        if share.max(initial=0.0) <= MISSED or len(own) == MOST_OWN:
            return ValueBasis(basis, rest, own, scale[basis.size :][own])
        own.append(int(np.argmax(share)))


def orthonormal(gram: FloatArray) -> FloatArray:
    """Return orthonormal combinations of features, float64 [feature, combination].

    Directions that are no others but for rounding are dropped: features may depend linearly on each
    other on the states visited.

    Args:
        gram: inner products of the features, float64 [feature, feature].
    """
    sizes = np.sqrt(np.diag(gram))
    scale = np.where(sizes > 0.0, sizes, 1.0)
    squares, directions = np.linalg.eigh(gram / np.outer(scale, scale))
    kept = squares > SAME * squares[-1]
    return directions[:, kept] / (scale[:, None] * np.sqrt(squares[kept]))
