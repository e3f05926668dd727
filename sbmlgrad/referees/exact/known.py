"""What an exact referee knows: means, and where it can, cumulants or whole distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

Cumulants = Callable[[int, int, float], float]


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

    @property
    def missing(self) -> FloatArray:
        """Probability that is missing, float64 [time]; a leak below zero is a rounding."""
        return np.maximum(self.leak, 0.0)

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
        distributions: of states, or None where they are not known.
        seconds: time it took.
        variance: molecules², float64 [time, species], or None where only means are known.
        cumulants: (place of the time, of the species, θ) → log E exp(θ (X - E X)), infinite where
            that is not finite; None where it is not known. Together with `variance` it says how
            far a mean of counts may be from its own, for rare and skewed counts too.
        mean_error: how far `mean` may be from the true one, float64 [time, species], or None where
            it has roundings only.
    """

    name: str
    version: str
    settings: Mapping[str, str] = field(repr=False)
    mean: FloatArray = field(repr=False)
    distributions: Distributions | None = field(repr=False)
    seconds: float
    variance: FloatArray | None = field(default=None, repr=False)
    cumulants: Cumulants | None = field(default=None, repr=False)
    mean_error: FloatArray | None = field(default=None, repr=False)
