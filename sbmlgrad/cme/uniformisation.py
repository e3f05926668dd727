"""Uniformisation: the master equation as a Markov chain that jumps at the times of a clock.

With Λ at least every total propensity, exp(A t) p = Σ_n Poisson(n; Λt) Pⁿ p where P = I + A/Λ has
no negative entry (Jensen 1953; Grassmann 1977, "Transient solutions in Markovian queueing
systems"). Every term is a sum of numbers that are not negative, so nothing cancels, and what a
series leaves out is a tail of the Poisson distribution. Weights are worked out from the mode, as by
Fox & Glynn 1988, "Computing Poisson probabilities".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.generator import Generator
from sbmlgrad.cme.kernels import compiled

FloatArray = NDArray[np.float64]

#: Probability of the Poisson tail that one series leaves out.
LEFT_OUT = 1e-17
#: Most jumps that one series expects; longer ones gain nothing.
MOST_JUMPS = 2000.0


@dataclass(frozen=True, eq=False)
class Series:
    """Weights of the powers of a chain in one step of time.

    Attributes:
        weights: Poisson probabilities, float64 [power].
        tails: probabilities of more jumps over the rate, float64 [power]: the time at that power.
    """

    weights: FloatArray
    tails: FloatArray


@lru_cache(maxsize=256)
def series_of(rate: float, length: float) -> Series:
    """Return the series of a step of time, for the rate of the chain."""
    mean = rate * length
    mode = math.floor(mean)
    most = math.ceil(mean + 12.0 * math.sqrt(mean) + 40.0)
    rising = np.cumprod(mean / np.arange(mode + 1.0, most + 1.0))
    falling = np.cumprod(np.arange(mode, 0.0, -1.0) / mean)[::-1] if mode else np.empty(0)
    weights = np.concatenate([falling, [1.0], rising])
    weights /= weights.sum()
    beyond = np.concatenate([np.cumsum(weights[::-1])[::-1][1:], [0.0]])
    count = int(np.argmax(beyond <= LEFT_OUT)) + 1
    return Series(weights[:count], beyond[:count] / rate)


@dataclass(frozen=True)
class Leg:
    """A stretch of time in equal steps.

    Attributes:
        start: time.
        end: time.
        steps: how many.
    """

    start: float
    end: float
    steps: int

    @property
    def length(self) -> float:
        """Time of one step."""
        return (self.end - self.start) / self.steps


def legs_of(rate: float, times: FloatArray, jumps: float = MOST_JUMPS) -> list[Leg]:
    """Return the legs between 0 and increasing times, none where a time is 0.

    Args:
        rate: of the chain.
        times: float64 [time].
        jumps: that a step may expect.
    """
    nodes = [0.0, *(float(t) for t in times if t > 0.0)]
    return [Leg(a, b, max(1, math.ceil(rate * (b - a) / jumps))) for a, b in pairwise(nodes)]


def advance(
    generator: Generator, probability: FloatArray, length: float
) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities after one step, and their integral over it, float64 [state] each."""
    series = series_of(generator.scale, length)
    result, occupation = np.zeros(generator.size), np.zeros(generator.size)
    compiled().series(
        *generator.gathered,
        generator.stay,
        probability,
        series.weights,
        series.tails,
        result,
        occupation,
    )
    return result, occupation


def march(
    generator: Generator, start: FloatArray, times: FloatArray
) -> Iterator[tuple[Leg, FloatArray, FloatArray]]:
    """Yield each leg, the probabilities at its end and their integral over it.

    Args:
        generator: of the chain.
        start: probabilities at time 0, float64 [state].
        times: increasing, float64 [time].
    """
    probability = start
    for leg in legs_of(generator.scale, times):
        total = np.zeros(generator.size)
        for _ in range(leg.steps):
            probability, occupation = advance(generator, probability, leg.length)
            total += occupation
        yield leg, probability, total
