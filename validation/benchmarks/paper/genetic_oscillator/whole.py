"""Whole trajectories: statistics of windows over several periods, from the common initial state.

Data are means over cells of averages over windows, of A, R and C, and second moments of R and C
about them. Cells leave the same initial state and drift apart, so that the course of the means
holds the shape of a cycle in phase and how fast phases are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg
from genetic_oscillator.model import (
    COMPARED,
    TARGET,
    all_tensors,
    all_values,
    engine,
    network,
    stream,
)
from genetic_oscillator.scoring import SIDE

FloatArray = NDArray[np.float64]

#: Length of a window, hours.
WINDOW = 1.25

#: Species of which second moments are compared.
SPREAD = ("R", "C")

#: Up to this horizon, logarithms of means alone are compared, all weighing the same, above this
#: share of a species' largest mean: nearly straight in the logarithms of the parameters. Far from
#: the data, second moments and averages that hardly vary between cells would hide everything else.
ROUGH_UNTIL, ROUGH = 12.5, 0.02

#: Statistics that fewer cells than this make are left out: their errors are not known.
FEWEST = 100.0

#: Cells of data that are simulated at a time.
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Data:
    """Statistics of the cells.

    Attributes:
        edges: of the windows, float64 [window + 1].
        centres: means that second moments are taken about, float64 [window, spread].
        values: of the statistics, float64 [statistic]: windows × species of means, then of second
            moments.
        scatter: their covariance between cells, float64 [statistic, statistic].
        weights: one over the variance; 0 for what is left out, float64 [statistic].
        ends: of the window of each statistic, float64 [statistic].
        cells: how many.
    """

    edges: FloatArray
    centres: FloatArray
    values: FloatArray
    scatter: FloatArray
    weights: FloatArray
    ends: FloatArray
    cells: int


def make_data(seed: int, cells: int, horizon: float, threads: int) -> Data:
    """Simulate the data under the true parameters."""
    edges = np.linspace(0.0, horizon, round(horizon / WINDOW) + 1)
    parts = [
        _windows(None, edges, min(CHUNK, cells - first), first, stream(seed, TARGET), threads)
        for first in range(0, cells, CHUNK)
    ]
    averages = np.concatenate(parts)
    centres = averages[..., _spread()].mean(axis=0)
    numbers = _statistics(averages, centres)
    values = numbers.mean(axis=0)
    off = numbers - values
    squares = (off**2).mean(axis=0)
    fourth = (off**4).mean(axis=0)
    # (Σ x²)² / Σ x⁴ is the number of cells that make a variance.
    made_by = cells * squares**2 / np.where(fourth > 0.0, fourth, 1.0)
    weights = np.where(made_by >= FEWEST, 1.0 / np.where(squares > 0.0, squares, 1.0), 0.0)
    ends = np.concatenate([np.repeat(edges[1:], n) for n in (len(COMPARED), len(SPREAD))])
    return Data(edges, centres, values, off.T @ off / cells, weights, ends, cells)


@dataclass(frozen=True, eq=False)
class WholeTrajectories:
    """Compares whole trajectories with data; see `genetic_oscillator.scoring.Comparison`.

    The loss is half the weighted sum of products of two differences from the data, each of one half
    of the trajectories, so that their noise does not shift where it is smallest.

    Attributes:
        data: to come to.
        trajectories: of a gradient, and of each side of a difference.
        seed: of the random streams.
        threads: of the engine.
    """

    data: Data
    trajectories: int
    seed: int
    threads: int

    def gradient(
        self, logarithms: FloatArray, step: int, horizon: float
    ) -> tuple[float, FloatArray]:
        """Return loss and derivative; by `TwoSidedAdjoint`."""
        import tensorflow as tf

        edges = self._edges(horizon)
        centres = self.data.centres[: len(edges) - 1]
        readout = sg.WindowAverages(edges.tolist())
        moved = tf.Variable(tf.constant(logarithms, tf.float64))
        with tf.GradientTape() as tape:
            cells = sg.simulate(
                network(),
                all_tensors(moved),
                readouts=[readout],
                trajectories=self.trajectories,
                first_trajectory=self._first(step),
                seed=self.seed,
                engine=engine(self.threads),
                estimator=sg.gradients.TwoSidedAdjoint(),
            )
            averages = tf.stack([cells.values(s, readout=readout) for s in COMPARED], axis=-1)
            second = (tf.gather(averages, _spread(), axis=-1) - centres) ** 2
            count = self.trajectories
            flat = [tf.reshape(x, (count, -1)) for x in (averages, second)]
            numbers = tf.concat(flat, axis=1)
            halves = [tf.reduce_mean(numbers[half::2], axis=0) for half in (0, 1)]
            loss = tf.reduce_sum(self._terms(halves, horizon, tf.math.log))
        return float(loss), np.asarray(tape.gradient(loss, moved))

    def loss(self, logarithms: FloatArray, step: int, horizon: float) -> float:
        """Return the loss, of the trajectories of `gradient` at the same step."""
        edges = self._edges(horizon)
        averages = _windows(
            logarithms, edges, self.trajectories, self._first(step), self.seed, self.threads
        )
        numbers = _statistics(averages, self.data.centres[: len(edges) - 1])
        halves = [numbers[half::2].mean(axis=0) for half in (0, 1)]
        return float(self._terms(halves, horizon, np.log).sum())

    def _terms(self, halves: Sequence[Any], horizon: float, log: Callable[[Any], Any]) -> Any:
        """Return what the loss is the sum of, from the statistics of two halves, [statistic]."""
        kept = self._kept(horizon)
        if horizon > ROUGH_UNTIL:
            off = [half - self.data.values[kept] for half in halves]
            return 0.5 * self.data.weights[kept] * off[0] * off[1]
        floor = self._floor(horizon)
        aim = np.log(self.data.values[kept][: len(floor)] + floor)
        off = [log(half[: len(floor)] + floor) - aim for half in halves]
        return 0.5 * off[0] * off[1]

    def curvature(self, logarithms: FloatArray, step: int, horizon: float) -> FloatArray:
        """Return F; by common random numbers."""
        if horizon > ROUGH_UNTIL:
            slopes = self.slopes(logarithms, step, horizon, self.trajectories).mean(axis=0)
            return slopes.T @ (self.data.weights[self._kept(horizon), None] * slopes)
        floor = self._floor(horizon)
        columns = []
        for above, below in self._sides(logarithms, step, horizon, self.trajectories):
            high, low = (np.log(one.mean(axis=0)[: len(floor)] + floor) for one in (above, below))
            columns.append((high - low) / (2.0 * SIDE))
        slopes = np.stack(columns, axis=-1)
        return slopes.T @ slopes

    def slopes(
        self, logarithms: FloatArray, step: int, horizon: float, trajectories: int
    ) -> FloatArray:
        """Return derivatives of the statistics, of two halves, float64 [half, statistic, free]."""
        sides = self._sides(logarithms, step, horizon, trajectories)
        each = np.stack([(above - below) / (2.0 * SIDE) for above, below in sides], axis=-1)
        return np.stack([each[half::2].mean(axis=0) for half in (0, 1)])

    def _sides(
        self, logarithms: FloatArray, step: int, horizon: float, trajectories: int
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield statistics at both sides of every parameter, each float64 [cell, statistic]."""
        edges = self._edges(horizon)
        centres = self.data.centres[: len(edges) - 1]
        first = self._first(step)
        for place in range(len(logarithms)):
            move = SIDE * (np.arange(len(logarithms)) == place)
            above, below = (
                _windows(there, edges, trajectories, first, self.seed, self.threads)
                for there in (logarithms + move, logarithms - move)
            )
            yield _statistics(above, centres), _statistics(below, centres)

    def errors_of_data(self, logarithms: FloatArray, step: int, trajectories: int) -> FloatArray:
        """Return the standard errors that the data give the logarithms, float64 [free].

        Args:
            logarithms: at the end.
            step: a number after those of the descent, for fresh trajectories.
            trajectories: of each side.
        """
        slopes = self.slopes(logarithms, step, self.data.edges[-1], trajectories)
        covariance = covariance_of(slopes, self.data.weights, self.data.scatter)
        return np.sqrt(np.diag(covariance) / self.data.cells)

    def _first(self, step: int) -> int:
        return 2 * step * self.trajectories

    def _edges(self, horizon: float) -> FloatArray:
        edges = self.data.edges
        return edges[edges <= horizon + 0.5 * WINDOW]

    def _kept(self, horizon: float) -> NDArray[np.bool_]:
        return self.data.ends <= horizon + 0.5 * WINDOW

    def _floor(self, horizon: float) -> FloatArray:
        """Return what is added to means before their logarithm, float64 [statistic of a mean]."""
        windows = len(self._edges(horizon)) - 1
        means = self.data.values[self._kept(horizon)][: windows * len(COMPARED)]
        return np.tile(ROUGH * means.reshape(windows, -1).max(axis=0), windows)


def covariance_of(slopes: FloatArray, weights: FloatArray, scatter: FloatArray) -> FloatArray:
    """Return the covariance that one cell's scatter gives the logarithms, float64 [free, free].

    F⁻¹ Jᵀ W Σ W J F⁻¹, with F from products of slopes of two halves, so that the noise of slopes
    adds no information.

    Args:
        slopes: of the statistics, float64 [half, statistic, free].
        weights: of squared differences, float64 [statistic].
        scatter: covariance of the statistics between cells, float64 [statistic, statistic].
    """
    first, second = slopes
    information = first.T @ (weights[:, None] * second)
    weighted = weights[:, None] * slopes.mean(axis=0)
    inverse = np.linalg.inv(information + information.T) * 2.0
    return inverse @ (weighted.T @ scatter @ weighted) @ inverse


def _spread() -> list[int]:
    return [COMPARED.index(s) for s in SPREAD]


def _windows(
    logarithms: FloatArray | None,
    edges: FloatArray,
    trajectories: int,
    first: int,
    seed: int,
    threads: int,
) -> FloatArray:
    """Return averages over windows, float64 [trajectory, window, species]; None is the truth."""
    readout = sg.WindowAverages(edges.tolist())
    values: Any = None if logarithms is None else all_values(logarithms)
    cells = sg.simulate(
        network(),
        values,
        readouts=[readout],
        trajectories=trajectories,
        first_trajectory=first,
        seed=seed,
        engine=engine(threads),
    )
    return np.stack([np.asarray(cells.values(s, readout=readout)) for s in COMPARED], axis=-1)


def _statistics(averages: FloatArray, centres: FloatArray) -> FloatArray:
    """Return what is averaged over cells, float64 [trajectory, statistic]."""
    second = (averages[..., _spread()] - centres) ** 2
    count = len(averages)
    return np.concatenate([averages.reshape(count, -1), second.reshape(count, -1)], axis=1)
