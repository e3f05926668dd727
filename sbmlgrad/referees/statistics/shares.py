"""Shares of counts of both sides at one time, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.exact.known import Distributions

FloatArray = NDArray[np.float64]

#: Bars at the most of a picture; wider ones hold several counts.
BARS = 40


@dataclass(frozen=True, eq=False)
class Shares:
    """How counts of a species are distributed on both sides.

    Attributes:
        species: id.
        time: when.
        edges: of the bars, molecules, float64 [bar + 1].
        ours: share of our trajectories in each bar, float64 [bar].
        theirs: share or probability of the other side.
    """

    species: str
    time: float
    edges: FloatArray
    ours: FloatArray
    theirs: FloatArray

    def draw(self, ax: Any, ours: str, theirs: str) -> None:
        """Draw bars of ours, and points of theirs.

        Args:
            ax: axes.
            ours: colour.
            theirs: colour.
        """
        middle, width = (self.edges[:-1] + self.edges[1:]) / 2.0, np.diff(self.edges)
        ax.bar(middle, self.ours, 0.9 * width, color=ours, alpha=0.45, linewidth=0)
        ax.plot(middle, self.theirs, "o", color=theirs, markersize=3.5, linestyle="none")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("molecules")
        ax.set_ylabel("share of trajectories")


def shares_of_samples(species: str, time: float, ours: FloatArray, theirs: FloatArray) -> Shares:
    """Return the shares of two samples, float64 [trajectory] each."""
    edges = _edges(np.concatenate([ours, theirs]))
    counted = (np.histogram(x, edges)[0] / len(x) for x in (ours, theirs))
    return Shares(species, time, edges, *counted)


def shares_of_law(
    species: str, time: float, ours: FloatArray, known: Distributions, place: tuple[int, int]
) -> Shares:
    """Return the shares of a sample and the probabilities of a law.

    Args:
        species: id.
        time: when.
        ours: float64 [trajectory].
        known: the law.
        place: of time and species.
    """
    values, law = known.marginal(*place)
    # What is too rare to be seen would make the rest too narrow to be.
    likely = values[law > 1e-5]
    edges = _edges(np.concatenate([ours, likely]))
    return Shares(
        species,
        time,
        edges,
        np.histogram(ours, edges)[0] / len(ours),
        np.histogram(values, edges, weights=law)[0],
    )


def _edges(values: FloatArray) -> FloatArray:
    low, high = np.floor(values.min()), np.ceil(values.max())
    width = max(1.0, np.ceil((high - low + 1.0) / BARS))
    bars = int(np.ceil((high - low + 1.0) / width))
    return low - 0.5 + width * np.arange(bars + 1)
