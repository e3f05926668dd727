"""Start-point segments: from states of one long trajectory, a short time of many replicates.

As published, start points are drawn from the firings of a reference trajectory, and every one is
followed many times. Averages over the short time of A, R and C are compared start by start.
"""

from __future__ import annotations

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

#: Published: firings of the reference trajectory, and start points, drawn from it.
REFERENCE_FIRINGS, STARTS = 2_400_000, 262_144

#: Published: replicates of a start, and starts in a batch.
REPLICATES, BATCH = 25, 8_192

#: Hours of a segment: about 150 firings on average, the published number of each.
SEGMENT = 0.0275

#: Starts on either side along the trajectory whose replicates tell the variance at a start.
NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Data:
    """Start points, in random order, and averages of their replicates.

    Attributes:
        states: molecules, float64 [start, species].
        means: over replicates, of averages over the segment, float64 [start, compared].
        weights: one over the variance of a replicate; 0 where nothing varies, float64 [start,
            compared].
        firings: of a segment, on average.
    """

    states: FloatArray
    means: FloatArray
    weights: FloatArray
    firings: float


def make_data(seed: int, starts: int, replicates: int, threads: int) -> Data:
    """Simulate the reference trajectory and its segments under the true parameters."""
    rng = np.random.default_rng([seed, 0x5E6])
    key = stream(seed, TARGET)
    drawn = np.sort(rng.choice(REFERENCE_FIRINGS, starts, replace=False)) + 1
    after = sg.AfterFirings(drawn.tolist())
    long = sg.simulate(network(), readouts=[after], trajectories=1, seed=key)
    columns = [np.asarray(long.values(s, readout=after))[0] for s in network().species_ids]
    states = np.stack(columns, axis=-1).astype(np.float64)
    means, variances, firings = [], [], []
    for first in range(0, starts, BATCH):
        some = states[first : first + BATCH]
        found, fired = averages(None, some, replicates, first * replicates, key + 1, threads)
        means.append(found.mean(axis=0))
        variances.append(found.var(axis=0, ddof=1))
        firings.append(fired)
    variance = among_neighbours(np.concatenate(variances))
    weights = np.where(variance > 0.0, 1.0 / np.where(variance > 0.0, variance, 1.0), 0.0)
    order = rng.permutation(starts)
    return Data(
        states[order], np.concatenate(means)[order], weights[order], float(np.mean(firings))
    )


def among_neighbours(variances: FloatArray) -> FloatArray:
    """Return the mean of the variances on either side, without the own one, float64 [start, ...].

    States along a trajectory resemble each other. The own replicates must not set their weight: it
    would hang together with their mean.
    """
    padded = np.concatenate(
        [variances[NEIGHBOURS:0:-1], variances, variances[-2 : -NEIGHBOURS - 2 : -1]]
    )
    width = 2 * NEIGHBOURS + 1
    total = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).sum(axis=-1)
    return np.maximum(total - variances, 0.0) / (width - 1)


@dataclass(frozen=True, eq=False)
class Segments:
    """Compares segments with data; see `genetic_oscillator.scoring.Comparison`.

    The loss is half the weighted mean square of the differences between means over replicates. The
    scatter of the simulated mean is subtracted, which leaves the expectation that it has with
    infinitely many replicates; the scatter of the data's does not depend on the parameters.

    Attributes:
        data: to come to.
        batch: starts of a step; steps take the starts in turn.
        replicates: simulated of each start.
        estimator: of the gradient.
        seed: of the random streams.
        threads: of the engine.
    """

    data: Data
    batch: int
    replicates: int
    estimator: Any
    seed: int
    threads: int

    def gradient(
        self, logarithms: FloatArray, step: int, horizon: float
    ) -> tuple[float, FloatArray]:
        """Return loss and derivative, by the estimator; `horizon` is the length of a segment."""
        import tensorflow as tf

        rows = self._rows(step)
        readout = sg.WindowAverages([0.0, horizon])
        moved = tf.Variable(tf.constant(logarithms, tf.float64))
        with tf.GradientTape() as tape:
            cells = sg.simulate(
                network(),
                all_tensors(moved),
                readouts=[readout],
                starts=self.data.states[rows],
                trajectories=len(rows) * self.replicates,
                first_trajectory=self._first(step),
                seed=self.seed,
                engine=engine(self.threads),
                estimator=self.estimator,
            )
            found = tf.stack([cells.values(s, readout=readout)[:, 0] for s in COMPARED], axis=-1)
            each = tf.reshape(found, (self.replicates, len(rows), len(COMPARED)))
            mean = tf.reduce_mean(each, axis=0)
            noise = tf.reduce_sum((each - mean) ** 2, axis=0) / (self.replicates - 1)
            loss = tf.reduce_sum(self._terms(mean, noise, rows))
        return float(loss), np.asarray(tape.gradient(loss, moved))

    def loss(self, logarithms: FloatArray, step: int, horizon: float) -> float:
        """Return the loss, of the segments of `gradient` at the same step."""
        rows = self._rows(step)
        each, _ = averages(
            logarithms,
            self.data.states[rows],
            self.replicates,
            self._first(step),
            self.seed,
            self.threads,
            horizon,
        )
        return float(self._terms(each.mean(axis=0), each.var(axis=0, ddof=1), rows).sum())

    def _terms(self, mean: Any, noise: Any, rows: NDArray[np.intp]) -> Any:
        """Return what the loss is the sum of, [start, species]."""
        squares = (mean - self.data.means[rows]) ** 2 - noise / self.replicates
        return 0.5 * self.data.weights[rows] * squares / len(rows)

    def curvature(self, logarithms: FloatArray, step: int, horizon: float) -> FloatArray:
        """Return F; by common random numbers, from products of two halves of the replicates."""
        rows, slopes = self._rows(step), []
        for place in range(len(logarithms)):
            sides = []
            for side in (SIDE, -SIDE):
                there = logarithms + side * (np.arange(len(logarithms)) == place)
                found, _ = averages(
                    there,
                    self.data.states[rows],
                    self.replicates,
                    self._first(step),
                    self.seed,
                    self.threads,
                    horizon,
                )
                sides.append(found)
            slopes.append((sides[0] - sides[1]) / (2.0 * SIDE))
        each = np.stack(slopes, axis=-1)
        halves = [each[half::2].mean(axis=0) for half in (0, 1)]
        product = np.einsum("scp,sc,scq->pq", halves[0], self.data.weights[rows], halves[1])
        return (product + product.T) / (2.0 * len(rows))

    def _rows(self, step: int) -> NDArray[np.intp]:
        count = len(self.data.states)
        return np.arange(step * self.batch, (step + 1) * self.batch) % count

    def _first(self, step: int) -> int:
        return step * self.batch * self.replicates


def averages(
    logarithms: FloatArray | None,
    states: FloatArray,
    replicates: int,
    first: int,
    seed: int,
    threads: int,
    length: float = SEGMENT,
) -> tuple[FloatArray, float]:
    """Return averages over a segment, float64 [replicate, start, compared], and mean firings."""
    readout = sg.WindowAverages([0.0, length])
    values: Any = None if logarithms is None else all_values(logarithms)
    cells = sg.simulate(
        network(),
        values,
        readouts=[readout],
        # Trajectories take the states in turn by their numbers.
        starts=np.roll(states, first % len(states), axis=0),
        trajectories=len(states) * replicates,
        first_trajectory=first,
        seed=seed,
        engine=engine(threads),
    )
    found = [np.asarray(cells.values(s, readout=readout))[:, 0] for s in COMPARED]
    shape = (replicates, len(states), len(COMPARED))
    return np.stack(found, axis=-1).reshape(shape), float(np.mean(cells.firings))
