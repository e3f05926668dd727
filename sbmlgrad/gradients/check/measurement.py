"""Measures estimators in batches, and holds what they give against a reference."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.gradients.base import (
    Estimator,
    check_clock,
    check_laws,
    check_readouts,
)
from sbmlgrad.gradients.check.task import Task
from sbmlgrad.gradients.expectations import ExpectationEstimator

FloatArray = NDArray[np.float64]

#: Called after each batch.
Tick = Callable[[], None]

#: Of the gradient: what rounding may do, and no check tells from zero.
ROUNDING = 1e-9

#: |z| from which a bias counts as found; reached by chance once in 370 times.
RESOLVED = 3.0

#: Largest z-score that is told from others: the chance is next to the smallest number there is.
LARGEST_Z = 37.0


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradients of several batches, in logarithms of parameters.

    Attributes:
        values: float64 [batch, target, parameter].
        size: trajectories of a batch.
        seconds: CPU time of a gradient over its trajectories.
    """

    values: FloatArray
    size: int
    seconds: float

    @property
    def mean(self) -> FloatArray:
        """Over batches, float64 [target, parameter]."""
        return self.values.mean(axis=0)

    @property
    def standard_error(self) -> FloatArray:
        """Of the mean, float64 [target, parameter]."""
        return self.values.std(axis=0, ddof=1) / math.sqrt(len(self.values))

    @property
    def centred(self) -> FloatArray:
        """Batches less their mean, float64 [batch, entry].

        Scaled so that the sum of outer products is the covariance of the mean.
        """
        b = len(self.values)
        return (self.values - self.mean).reshape(b, -1) / math.sqrt(b * (b - 1))


@dataclass(frozen=True, eq=False)
class Measured:
    """What one estimator gave, and how far that is from the reference.

    Norms are over all numbers that are differentiated and all free parameters, relative to the norm
    of the reference.

    Attributes:
        estimator: the object.
        name: how it is recorded.
        gradients: of all batches; None if it refused.
        refusal: why it refused; empty if it did not.
        bias: norm of the mean gradient less the reference; noise adds to it.
        bias_error: what that norm would be from noise alone, of reference and estimator.
        z: joint z-score of the bias: a standard normal number is as rarely as large. NaN where all
            gradients are zero, because no trajectory met what the statistic is about.
        noise: noise-to-signal ratio of one trajectory.
        cosine: of the angle between mean gradient and reference.
        likely_bias: bias with its noise taken off; where it is not resolved, with one standard
            deviation of that noise added.
        runs: gradients from all trajectories at once, of an estimator that fits something to them.
        runs_refusal: why there are none of an estimator that should have them.
        bias_of_runs: of their mean, the noise of runs and reference taken off its square.
        scatter_of_runs: standard deviation of one of them.
    """

    estimator: Any
    name: str
    gradients: Gradients | None
    refusal: str = ""
    bias: float = math.nan
    bias_error: float = math.nan
    z: float = math.nan
    noise: float = math.nan
    cosine: float = math.nan
    likely_bias: float = math.nan
    runs: Gradients | None = None
    runs_refusal: str = ""
    bias_of_runs: float = math.nan
    scatter_of_runs: float = math.nan

    @property
    def is_resolved(self) -> bool:
        """Whether its bias is more than noise."""
        return self.z >= RESOLVED

    @property
    def largest_bias(self) -> float:
        """The largest bias that is plausible: two standard errors more than what was seen."""
        return self.bias + 2.0 * self.bias_error

    @property
    def seconds(self) -> float:
        """CPU time of a gradient over its trajectories."""
        found = self.gradients if self.runs is None else self.runs
        return math.nan if found is None else found.seconds

    def error(self, trajectories: float) -> float:
        """Return the root mean square error of one gradient from so many trajectories."""
        if self.runs is not None:
            # What is fitted to all at once is better than what batches of them tell.
            scatter = self.scatter_of_runs * math.sqrt(self.runs.size / trajectories)
            return math.hypot(self.bias_of_runs, scatter)
        return math.hypot(self.likely_bias, self.noise / math.sqrt(trajectories))


def gradients_of(
    task: Task,
    estimator: Estimator,
    numbers: Sequence[int],
    values: Sequence[FloatArray] | None = None,
    tick: Tick | None = None,
) -> Gradients:
    """Return the gradients of several batches of trajectories.

    Args:
        task: what is differentiated.
        estimator: how.
        numbers: of the batches.
        values: kept values of each batch, if they are known.
        tick: called after each batch.

    Raises:
        SbmlGradError: the estimator cannot differentiate this.
    """
    check_readouts(estimator, (task.readout,))
    check_clock(estimator, task.lowered)
    check_laws(estimator, task.lowered)
    if task.statistic.kind == "probability" and not isinstance(estimator, ExpectationEstimator):
        # Says so before anything is simulated.
        task.statistic.cotangent(estimator.name, task.weights[0], np.zeros((1, 1, 1)))
    found, seconds = [], []
    for place, number in enumerate(numbers):
        own = task.sample(number) if values is None else values[place]
        rows = []
        for weights in task.weights:
            begin = time.process_time()
            rows.append(task.slope(estimator, number, weights, own))
            seconds.append(time.process_time() - begin)
        found.append(rows)
        if tick is not None:
            tick()
    # The middle, since the first may have compiled a kernel.
    return Gradients(np.array(found), task.batch, float(np.median(seconds)) / task.batch)


def measured(
    task: Task,
    estimator: Estimator,
    values: Sequence[FloatArray],
    tick: Tick,
) -> Measured:
    """Return the gradients of an estimator, or why it refused; not yet held against anything."""
    try:
        found = gradients_of(task, estimator, range(len(values)), values, tick)
    except SbmlGradError as error:
        return Measured(estimator, estimator.name, None, str(error))
    if not np.isfinite(found.values).all():
        return Measured(estimator, estimator.name, None, "its gradient is not finite")
    return Measured(estimator, estimator.name, found)


def compared(row: Measured, reference: FloatArray, scatter: FloatArray | None) -> Measured:
    """Return a row with its bias and noise.

    Args:
        row: of an estimator.
        reference: gradient, float64 [target, parameter].
        scatter: `Gradients.centred` of the reference, float64 [batch, entry]; None if it is exact.
    """
    if row.gradients is None:
        return row
    norm = float(np.linalg.norm(reference))
    found = row.gradients
    difference = found.mean - reference
    parts = [found.centred] if scatter is None else [found.centred, scatter]
    # Of noise, the share of what is compared that rounding makes.
    least = (ROUNDING * norm) ** 2
    variance = sum(float(np.sum(part**2)) for part in parts)
    own = float(np.sum(found.centred**2))
    bias = float(np.linalg.norm(difference)) / norm
    squared = max(bias**2 - variance / norm**2, 0.0)
    z, entries = joint_z(difference.ravel(), parts, least)
    if z < RESOLVED:
        # Of one squared normal number the standard deviation is √2; of more, relatively less.
        squared += variance / norm**2 * math.sqrt(2.0 / entries)
    size = float(np.linalg.norm(found.mean))
    if size == 0.0 and own == 0.0 and isinstance(row.estimator, ExpectationEstimator):
        # Nothing that it could see, such as a rare event, has happened: that is no bias.
        z = math.nan
    return replace(
        row,
        bias=bias,
        bias_error=math.sqrt(variance) / norm,
        z=z,
        noise=math.sqrt(own * len(found.values) * found.size) / norm,
        cosine=float(np.sum(found.mean * reference)) / (size * norm) if size > 0.0 else math.nan,
        likely_bias=math.sqrt(squared),
        **_errors_of_runs(row.runs, reference, scatter),
    )


def _errors_of_runs(
    runs: Gradients | None, reference: FloatArray, scatter: FloatArray | None
) -> dict[str, float]:
    """Return bias and scatter of single gradients, relative to the reference."""
    if runs is None:
        return {}
    norm = float(np.linalg.norm(reference))
    of_reference = 0.0 if scatter is None else float(np.sum(scatter**2))
    apart = float(np.sum(runs.values.var(axis=0, ddof=1)))
    squared = float(np.sum((runs.mean - reference) ** 2))
    bias = max(squared - apart / len(runs.values) - of_reference, 0.0)
    return {"bias_of_runs": math.sqrt(bias) / norm, "scatter_of_runs": math.sqrt(apart) / norm}


def joint_z(
    difference: FloatArray, scatters: Sequence[FloatArray], least: float
) -> tuple[float, float]:
    """Return the z-score of a vector that should be zero, and how many entries it amounts to.

    The squared norm over its expectation is about an F-distributed number, whose degrees of freedom
    follow from the traces of the covariance (Box 1954, "Some theorems on quadratic forms applied in
    the study of analysis of variance problems", theorem 3.1; Brunner, Dette & Munk 1997, "Box-type
    approximations in nonparametric factorial designs", for estimated covariances). The traces of
    squares are those without bias (Bai & Saranadasa 1996, "Effect of high dimension: by an example
    of a two sample problem", section 3). With one entry it is Student's t.

    Args:
        difference: float64 [entry].
        scatters: of independent samples, whose covariances add up; outer products of the rows sum
            to the covariance, float64 [batch, entry] each.
        least: squared norm that counts as rounding.
    """
    from scipy import stats

    squared = float(np.sum(difference**2))
    variance = sum(float(np.sum(part**2)) for part in scatters)
    if squared <= least:
        return 0.0, 1.0
    if variance <= least * ROUNDING:
        return LARGEST_Z, 1.0
    squares, spread = 0.0, 0.0
    for part in scatters:
        free = len(part) - 1
        raw = float(np.sum((part @ part.T) ** 2))
        trace = float(np.sum(part**2))
        own = (raw - trace**2 / free) * free**2 / ((free - 1.0) * (free + 2.0))
        # It lies between those of one and of equal entries, which noise may leave.
        own = min(max(own, trace**2 / part.shape[1]), trace**2)
        squares += own
        spread += own / free
    if len(scatters) == 2:
        squares += 2.0 * float(np.sum((scatters[0] @ scatters[1].T) ** 2))
    entries = variance**2 / squares
    chance = float(stats.f.sf(squared / variance, entries, variance**2 / spread))
    return min(float(stats.norm.isf(chance / 2.0)), LARGEST_Z), entries
