"""What an exact referee knows: means, and where it can, whole distributions of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Distributions:
    """Probabilities of states at every time.

    Attributes:
        states: counts of the species asked for, float64 [state, species].
        probability: float64 [time, state], each at most `leak` below the true one.
        leak: probability that is missing, float64 [time].
    """

    states: FloatArray
    probability: FloatArray
    leak: FloatArray

    def marginal(self, time: int, species: int) -> tuple[FloatArray, FloatArray]:
        """Return counts that are possible, increasing, and their probabilities, both [value]."""
        return self.law(time, self.states[:, species])

    def law(self, time: int, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the distribution of a function of the state, summing to one.

        Args:
            time: place of the time.
            values: of the function, float64 [state].
        """
        found, place = np.unique(values, return_inverse=True)
        weight = np.bincount(place.ravel(), self.probability[time], len(found))
        return found, weight / weight.sum()


@dataclass(frozen=True, eq=False)
class Exact:
    """An answer without sampling error.

    Attributes:
        name: the referee.
        version: of the software.
        settings: what it was told, as text.
        mean: molecules, float64 [time, species].
        distributions: of states, or None where only means are known.
        seconds: time it took.
    """

    name: str
    version: str
    settings: Mapping[str, str] = field(repr=False)
    mean: FloatArray = field(repr=False)
    distributions: Distributions | None = field(repr=False)
    seconds: float
