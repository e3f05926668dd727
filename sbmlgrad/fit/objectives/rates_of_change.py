"""`RateOfChange`: short simulations from measured states, by how far they move on average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import FitError, StatisticsError
from sbmlgrad.fit.objectives.base import FEWEST_FROM_A_STATE, GROUPS
from sbmlgrad.fit.objectives.segments import Segments, segments_of
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.expression import Symbol
from sbmlgrad.model.numbers import as_number, whole
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RateOfChange:
    """Compare how far the model moves from measured states in a short time with what was seen.

    When to choose it: records of single cells in which all species were counted often, of a model
    whose whole course is noisy or chaotic, so that courses of model and cell part soon; as for
    oscillators. Each measured state is a start, followed to the next measurement only. It needs
    values of single trajectories: a path estimator, such as `TwoSidedAdjoint`.

    For each start the mean change of trajectories is compared with the change that was seen, in
    units of the root mean square change of the species. The loss is the mean square of that over
    starts and species: 1 for a model that stays where it is, and at least the share of the
    changes that is chance. The scatter of the simulated mean is subtracted, which leaves the
    expectation that it has with infinitely many trajectories: a few from each state are enough.

    Least squares on conditional means need no model of the noise: Klimko & Nelson 1978, "On
    conditional least squares estimation for stochastic processes", Ann. Stat. 6, 629. Segments from
    start points as in Vilar & Saiz 2026, "Exact discrete stochastic simulation with
    deep-learning-scale gradient optimization".

    Args:
        window: longest time between a start and its next measurement; longer ones are left out.
        most_starts: from how many measured states to start at the most, spread evenly over them;
            None means all.

    Raises:
        FitError: a window that is not positive, or no number of starts.
    """

    window: float | None = None
    most_starts: int | None = None

    def __post_init__(self) -> None:
        if self.window is not None and not as_number("window", self.window) > 0.0:
            raise FitError(f"RateOfChange(window={self.window!r}): give a positive time, or None")
        if self.most_starts is not None:
            whole("most_starts", self.most_starts, 1, 10**9)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"RateOfChange(window={self.window!r}, most_starts={self.most_starts!r})"

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        lowered = lower(problem.network)
        if lowered.is_timed:
            raise FitError(
                f"model '{problem.network.id}' has a clock ({lowered.clock_words}), so that a "
                "state in the middle of a record does not say what follows; use MeanTrajectory() "
                "or Moments()"
            )
        segments = self._segments(problem)
        still = [s for s, scale in zip(segments.species, segments.scales, strict=True) if not scale]
        if len(still) == len(segments.species):
            raise FitError(
                f"RateOfChange: {', '.join(still)} never changes from one measurement to the next, "
                "so that there is no change to compare; use another objective"
            )
        return (
            f"every measured state is a start, followed to the next measurement: "
            f"{segments.total} starts",
            "changes are compared in units of their root mean square: "
            + ", ".join(
                f"{s} {scale:.4g}"
                for s, scale in zip(segments.species, segments.scales, strict=True)
                if scale
            ),
            *(f"{s} never changes and is not compared" for s in still),
        )

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the windows of each experiment, as times after the start."""
        return {id: own.windows for id, own in self._segments(problem).of.items()}

    def starts(self, problem: Problem) -> Mapping[str, FloatArray]:
        """Return experiment id → the measured states, float64 [start, species], in molecules."""
        return {id: own.counts for id, own in self._segments(problem).of.items()}

    def groups(self, problem: Problem, experiment: str, trajectories: int) -> NDArray[np.intp]:
        """Return which trajectories to leave out together: the same one from every state."""
        starts = len(self._segments(problem).of[experiment].counts)
        return (np.arange(trajectories) // starts) % min(GROUPS, trajectories // starts)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the mean squared error of changes, a number or [set]; see `base.Objective`."""
        segments = self._segments(problem)
        compared = [i for i, scale in enumerate(segments.scales) if scale]
        total: Any = 0.0
        for experiment, own in segments.of.items():
            one = simulated[experiment]
            for i in compared:
                values = _ends(one.values(Symbol(segments.species[i])), own.window)
                repeats = int(values.shape[-2])
                if repeats < FEWEST_FROM_A_STATE - 1:
                    raise StatisticsError(
                        f"RateOfChange: {repeats} trajectories from each of {len(own.counts)} "
                        f"states; simulate at least {FEWEST_FROM_A_STATE} from each"
                    )
                mean, variance = _moments(values)
                error = (mean - own.ends[:, i]) ** 2 - variance / repeats
                total = total + _sum(error) / segments.scales[i] ** 2
        return total / (segments.total * len(compared))

    def _segments(self, problem: Problem) -> Segments:
        return _cached(problem, self.window, self.most_starts)


@lru_cache(maxsize=4)
def _cached(problem: Problem, window: float | None, kept: int | None) -> Segments:
    return segments_of(problem, window, kept)


def _ends(values: Any, window: NDArray[np.intp]) -> Any:
    """Return values at the end of each window, [..., repeat, start].

    Args:
        values: [..., trajectory, window]; trajectory i started in state i modulo their number.
        window: of each start, int [start].
    """
    starts = len(window)
    shape = tuple(values.shape)
    if shape[-2] % starts:
        raise StatisticsError(
            f"RateOfChange: {shape[-2]} trajectories cannot start equally often in {starts} "
            "states; simulate with simulate_started()"
        )
    rows = (*shape[:-2], shape[-2] // starts, starts, shape[-1])
    if is_tensor(values):
        import tensorflow as tf

        chosen = tf.one_hot(window, shape[-1], dtype=tf.float64)
        return tf.reduce_sum(tf.reshape(values, rows) * chosen, axis=-1)
    return values.reshape(rows)[..., np.arange(starts), window]


def _moments(values: Any) -> tuple[Any, Any]:
    """Return mean and variance (n - 1) over repeats, [..., start]."""
    n = int(values.shape[-2])
    if is_tensor(values):
        import tensorflow as tf

        mean = tf.reduce_mean(values, axis=-2)
        squares = tf.reduce_sum((values - tf.expand_dims(mean, -2)) ** 2, axis=-2)
        return mean, squares / (n - 1)
    return values.mean(axis=-2), values.var(axis=-2, ddof=1)


def _sum(values: Any) -> Any:
    if is_tensor(values):
        import tensorflow as tf

        return tf.reduce_sum(values, axis=-1)
    return values.sum(axis=-1)
