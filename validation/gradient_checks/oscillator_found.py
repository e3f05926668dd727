"""Gradients of the oscillator by several estimators, how they compare, and how they are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SPECIES, WINDOW = "R", 5.0

#: Batches that standard errors are told from.
BATCHES = 20

#: Shares of a constant by which the referee moves it; the second tells its bias from curvature.
STEPS = (0.05, 0.1)


@dataclass(frozen=True)
class Found:
    """Gradients of one estimator.

    Attributes:
        name: of the estimator.
        batches: in logarithms of the constants, float64 [batch, constant].
        size: trajectories of a batch.
        seconds: CPU time of a trajectory, all constants.
    """

    name: str
    batches: FloatArray
    size: int
    seconds: float

    @property
    def mean(self) -> FloatArray:
        """Over batches, float64 [constant]."""
        return self.batches.mean(axis=0)

    @property
    def error(self) -> FloatArray:
        """Standard error of the mean, float64 [constant]."""
        return self.batches.std(axis=0, ddof=1) / math.sqrt(len(self.batches))

    @property
    def trajectories(self) -> int:
        """In all batches."""
        return self.size * len(self.batches)

    @property
    def noise(self) -> float:
        """Noise-to-signal ratio of one trajectory."""
        norms = np.linalg.norm(self.error), np.linalg.norm(self.mean)
        return float(norms[0] / norms[1] * math.sqrt(self.trajectories))

    @property
    def worst(self) -> float:
        """Share of the variance that the batch farthest from the mean has; 0.05 if all are alike.

        Near 1, a few trajectories make the noise, and standard errors are themselves uncertain.
        """
        squares = np.sum((self.batches - self.mean) ** 2, axis=1)
        return float(squares.max() / squares.sum())

    def seconds_for(self, share: float) -> float:
        """Return the CPU time until the error is this share of the gradient."""
        return (self.noise / share) ** 2 * self.seconds


@dataclass(frozen=True)
class Horizon:
    """Both estimators at one horizon.

    Attributes:
        end: of the window.
        firings: of a trajectory, on average.
        adjoint: `TwoSidedAdjoint`.
        differences: `FiniteDifference` by each of `STEPS`.
    """

    end: float
    firings: float
    adjoint: Found
    differences: tuple[Found, ...]

    @property
    def z(self) -> FloatArray:
        """Differences of the two in their joint standard errors, float64 [constant]."""
        referee = self.differences[0]
        gap = self.adjoint.mean - referee.mean
        return gap / np.hypot(self.adjoint.error, referee.error)

    @property
    def curvature(self) -> tuple[float, float]:
        """Bias of the referee, relative to its norm, from its two steps; and its standard error.

        Central differences err by c·h², so that two steps tell c (Richardson).
        """
        near, far = self.differences
        share = STEPS[0] ** 2 / (STEPS[1] ** 2 - STEPS[0] ** 2)
        norm = np.linalg.norm(near.mean)
        gap = np.linalg.norm(far.mean - near.mean) * share / norm
        noise = math.hypot(*(float(np.linalg.norm(f.error)) for f in (near, far))) * share / norm
        return float(gap), float(noise)

    @property
    def cosine(self) -> float:
        """Of the angle between both gradients."""
        first, second = self.adjoint.mean, self.differences[0].mean
        return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    @property
    def gap(self) -> tuple[float, float]:
        """Norm of the difference over that of the referee, and what noise alone would give."""
        referee = self.differences[0]
        norm = np.linalg.norm(referee.mean)
        gap = np.linalg.norm(self.adjoint.mean - referee.mean) / norm
        noise = np.linalg.norm(np.hypot(self.adjoint.error, referee.error)) / norm
        return float(gap), float(noise)


def keep(one: Horizon, path: Path) -> None:
    """Write a horizon as .npz."""
    arrays: dict[str, Any] = {"end": one.end, "firings": one.firings}
    for place, found in enumerate((one.adjoint, *one.differences)):
        arrays |= {f"{key}_{place}": value for key, value in vars(found).items()}
    np.savez(path, **arrays)


def kept(path: Path) -> Horizon:
    """Read what `keep` wrote."""
    with np.load(path) as data:
        found = [
            Found(
                name=str(data[f"name_{i}"]),
                batches=data[f"batches_{i}"],
                size=int(data[f"size_{i}"]),
                seconds=float(data[f"seconds_{i}"]),
            )
            for i in range(1 + len(STEPS))
        ]
        return Horizon(float(data["end"]), float(data["firings"]), found[0], tuple(found[1:]))
