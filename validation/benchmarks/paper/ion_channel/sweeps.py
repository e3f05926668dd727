"""Sweeps of the paper's ion channel C ⇌ O → I: simulated or recorded, and their statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import MODELS

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import DataError

FloatArray = NDArray[np.float64]

#: Published: sweeps, samples of each, ms between them, channels in the patch.
SWEEPS, SAMPLES, INTERVAL, CHANNELS = 100, 801, 0.01, 2

#: Averages of so many samples are fitted, of 0.09 ms: in between the mean changes by less than 2 %
#: of its maximum.
POOLED = 9

#: Samples by which changes are counted, in ms, and those whose means are fitted beside them.
STEP, MEANS_EVERY = 0.05, 4

#: Most sweeps whose every sample is kept.
MOST_KEPT = 10_000

#: Sweeps simulated at a time.
PART = 20_000

EDGES: FloatArray = np.linspace(0.0, SAMPLES * INTERVAL, SAMPLES + 1)
STEPS: FloatArray = np.linspace(
    STEP, (SAMPLES - 1) * INTERVAL, round((SAMPLES - 1) * INTERVAL / STEP)
)

#: Windows whose averages are fitted.
WINDOWS: FloatArray = EDGES[::POOLED]


@dataclass(frozen=True, eq=False)
class Sweeps:
    """Statistics of sweeps.

    Attributes:
        count: how many.
        edges: of the bins, float64 [bin + 1].
        means: of open channels over sweeps, averaged over each bin, float64 [bin].
        levels: means of open channels at samples, then the mean number of changes that samples
            show, float64 [statistic].
        variances: of `levels` over sweeps, float64 [statistic].
        openings: means of `openings`, float64 [3].
        covariance: of the same over sweeps, float64 [3, 3].
        opened: open channels, int64 [sweep, sample], or None where they were not kept.
    """

    count: int
    edges: FloatArray
    means: FloatArray
    levels: FloatArray
    variances: FloatArray
    openings: FloatArray
    covariance: FloatArray
    opened: NDArray[np.int64] | None

    @property
    def pooled(self) -> FloatArray:
        """Averages over the windows that are fitted, float64 [window]."""
        return self.means.reshape(SAMPLES // POOLED, -1).mean(axis=1)


def network() -> sg.ReactionNetwork:
    """Return the network with the published rates."""
    return sg.load(MODELS / "ion_channel.xml")


def truth() -> FloatArray:
    """Return the published rates of opening, closing and inactivation, per ms."""
    return np.array(network().parameter_values)


def stream(seed: int, what: int) -> int:
    """Return a key of random streams of its own: 0 for sweeps, 1 for a fit."""
    return int(np.random.SeedSequence([seed, what, 8]).generate_state(1)[0])


def changes(levels: Any) -> Any:
    """Return the changes that samples show, [sweep, 1], from open channels [sweep, sample].

    A sweep begins with all channels closed, before the first of the samples. Works for arrays and
    tensors; a change of two channels at once counts four times.
    """
    inner = levels[:, 1:] - levels[:, :-1]
    return (inner * inner) @ np.ones((len(STEPS) - 1, 1)) + levels[:, :1] * levels[:, :1]


def openings(levels: Any, turn: FloatArray | None = None) -> Any:
    """Return time open, number of openings and sum of their times, [sweep, 3].

    If it were seen which channel opens, and which of those shut are inactivated, openings, times
    open and times shut before an opening would hold all that sweeps tell of the rates. These three
    are what is seen of that.

    Args:
        levels: open channels at the samples behind the first, [sweep, sample], an array or a
            tensor; all channels are closed before.
        turn: matrix that the three are multiplied with, float64 [3, 3].
    """
    times = EDGES[1:-1]
    inner = levels[:, 1:] - levels[:, :-1]
    up = 0.5 * (inner + abs(inner))
    turned = np.eye(3) if turn is None else turn
    at = np.column_stack([np.zeros_like(times), np.ones_like(times), times]) @ turned
    shared = np.repeat(INTERVAL * turned[:1], len(times), axis=0)
    return levels @ shared + up @ at[1:] + levels[:, :1] @ at[:1]


def simulate_sweeps(seed: int, count: int, rates: FloatArray | None = None) -> Sweeps:
    """Simulate sweeps, from the published rates unless others are given."""
    model, key = network(), stream(seed, 0)
    if rates is not None:
        values = dict(zip(model.parameter_ids, rates.tolist(), strict=True))
        model = model.with_parameters(values)
    is_kept = count <= MOST_KEPT
    edges = EDGES if is_kept else WINDOWS
    readouts = [sg.WindowAverages(edges.tolist()), ValuesAt(EDGES[:-1].tolist())]
    total, sums, opened = np.zeros(len(edges) - 1), _Sums(), None
    for first in range(0, count, PART):
        part = min(PART, count - first)
        cells = sg.simulate(
            model, readouts=readouts, trajectories=part, first_trajectory=first, seed=key
        )
        total = total + cells.values("O", readout=readouts[0]).sum(axis=0)
        opened = np.round(cells.values("O", readout=readouts[1])).astype(np.int64)
        sums.add(opened)
    return Sweeps(count, edges, total / count, *sums.moments(), opened if is_kept else None)


def sweeps_of_record(opened: NDArray[np.int64]) -> Sweeps:
    """Return the statistics of recorded sweeps.

    A sample stands for the average over its bin, as a digitiser's does.

    Args:
        opened: open channels, int64 [sweep, sample], from the step of the voltage on.
    """
    if opened.shape[1] != SAMPLES:
        raise DataError(f"sweeps have {opened.shape[1]} samples, not {SAMPLES}")
    sums = _Sums()
    sums.add(opened)
    return Sweeps(len(opened), EDGES, opened.mean(axis=0), *sums.moments(), opened)


class _Sums:
    """Sums over sweeps, from which means and covariances follow."""

    def __init__(self) -> None:
        self.count = 0
        self.levels = self.squares = np.zeros(1)
        self.openings, self.products = np.zeros(3), np.zeros((3, 3))

    def add(self, opened: NDArray[np.int64]) -> None:
        every = opened.astype(np.float64)
        levels = every[:, np.round(STEPS / INTERVAL).astype(int)]
        both = np.hstack([levels[:, MEANS_EVERY - 1 :: MEANS_EVERY], changes(levels)])
        three = openings(every[:, 1:])
        self.count += len(opened)
        self.levels, self.squares = (
            self.levels + both.sum(axis=0),
            self.squares + (both**2).sum(axis=0),
        )
        self.openings, self.products = (
            self.openings + three.sum(axis=0),
            self.products + three.T @ three,
        )

    def moments(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        levels, three = self.levels / self.count, self.openings / self.count
        covariance = self.products / self.count - np.outer(three, three)
        return levels, self.squares / self.count - levels**2, three, covariance
