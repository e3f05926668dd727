"""`SyntheticLikelihood`: a normal likelihood of single-cell time courses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, StatisticsError
from sbmlgrad.fit.objectives.base import measured_times
from sbmlgrad.fit.objectives.courses import Courses, courses_of, normal_deviance
from sbmlgrad.fit.objectives.scatter import adds_noise, noise_variance
from sbmlgrad.fit.objectives.sets import over_sets
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.numbers import as_number
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SyntheticLikelihood:
    """Make time courses of single cells likely, as if all values of a cell were jointly normal.

    When to choose it: cells followed over time, each replicate of the measurements one cell. It
    uses how values of a cell go together over time, which means and variances do not show.

    The vector of all values of one cell is taken to be normal, with the mean and the covariance of
    simulated trajectories and the variance of measuring added. The loss is minus twice the
    logarithm of the density, over the number of measured values.

    The covariance S of d values takes many more than d trajectories. It is regularised by
    (1 - shrinkage) S + shrinkage diag(S), which makes correlations smaller; nothing else is done
    to it, and a covariance that is singular is an error.

    Sources: Wood 2010, "Statistical inference for noisy nonlinear ecological dynamic systems",
    Nature 466, 1102, equation 1; Warton 2008, "Penalized normal likelihood and ridge regularization
    of correlation and covariance matrices", J. Am. Stat. Assoc. 103, 340 (the regularisation).

    Args:
        shrinkage: share taken from all correlations, at least 0 and below 1.
        measurement_noise: whether noise models add to the variances; None adds them unless they
            were made from the scatter of the same measurements.

    Raises:
        FitError: a shrinkage outside its range.
    """

    shrinkage: float = 0.0
    measurement_noise: bool | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= as_number("shrinkage", self.shrinkage) < 1.0:
            raise FitError(
                f"SyntheticLikelihood(shrinkage={self.shrinkage!r}): give a share of the "
                "correlations, at least 0 and below 1"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return (
            f"SyntheticLikelihood(shrinkage={self.shrinkage!r}, "
            f"measurement_noise={self.measurement_noise!r})"
        )

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        if not len(problem.measurements):
            raise FitError(
                f"{problem.name or problem.network.id}: there is no time course to fit; "
                "SyntheticLikelihood() takes measurements whose replicates are single cells"
            )
        adds, said = adds_noise(problem, self.measurement_noise)
        for id in problem.measurements.observables if adds else ():
            noise_variance(problem.observable[id])
        numbers = [
            f"{len(own.entries)} values of {own.cells} cells"
            + (f" in experiment {id!r}" if id else "")
            for id, own in _courses(problem).items()
        ]
        return (
            f"every replicate is one cell, and its values are jointly normal: {'; '.join(numbers)}",
            said,
            f"simulated correlations are taken {1.0 - self.shrinkage:g} times",
        )

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the measured times of each experiment."""
        return measured_times(problem)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return minus twice the log density per value, a number or [set]; see `Objective`."""
        return over_sets(simulated, lambda one: self._loss(problem, one))

    def _loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        adds = adds_noise(problem, self.measurement_noise)[0]
        total: Any = 0.0
        for experiment, courses in _courses(problem).items():
            one = simulated[experiment]
            total = total + self._experiment(problem, one, courses, experiment, adds=adds)
        return total / len(problem.measurements)

    def _experiment(
        self, problem: Problem, one: Simulated, courses: Courses, experiment: str, *, adds: bool
    ) -> Any:
        observables = [problem.observable[id] for id in courses.observables]
        formulas = [o.formula for o in observables]
        points = np.searchsorted(one.times, courses.times)
        # Values of all observables, one after the other, have this place.
        entries = courses.which * len(one.times) + points
        added = [one.mean(noise_variance(o)) for o in observables] if adds else None
        plain = one.plain()
        vectors = np.concatenate([plain.values(f) for f in formulas], axis=-1)[:, entries]
        n, d = vectors.shape
        if n <= d + 1 and not self.shrinkage:
            raise StatisticsError(
                f"SyntheticLikelihood: {n} trajectories for {d} values of a cell give no "
                "covariance of full rank; simulate many more trajectories than values, or give a "
                "shrinkage"
            )
        mean = vectors.mean(axis=0)
        covariance = (vectors - mean).T @ (vectors - mean) / (n - 1)
        noise = _entries(added, entries)
        shrunk = (1.0 - self.shrinkage) * covariance
        np.fill_diagonal(shrunk, covariance.diagonal() + np.asarray(noise))
        self._refuse_constant(shrunk, courses, experiment)
        value, in_mean, in_covariance = normal_deviance(courses, mean, shrunk)
        if not one.ensemble.is_differentiable:
            return value
        slopes = (1.0 - self.shrinkage) * in_covariance
        np.fill_diagonal(slopes, in_covariance.diagonal())
        # The value is known; of what follows only the gradient counts.
        moved = _along(one, formulas, entries, mean, in_mean, slopes * (n / (n - 1)))
        if adds:
            moved = moved + _sum(noise * in_covariance.diagonal())
        return value + _without_value(moved)

    @staticmethod
    def _refuse_constant(covariance: FloatArray, courses: Courses, experiment: str) -> None:
        constant = np.flatnonzero(covariance.diagonal() <= 0.0)
        if constant.size:
            which = courses.entries[int(constant[0])]
            under = f" in experiment {experiment!r}" if experiment else ""
            raise FitError(
                f"SyntheticLikelihood: {which[0]!r} at time {which[1]:g}{under} is the same in all "
                "trajectories and measured without noise, so that it has no density; leave these "
                "measurements out, or give the observable a noise model"
            )


@lru_cache(maxsize=4)
def _courses(problem: Problem) -> Mapping[str, Courses]:
    return courses_of(problem)


def _along(
    one: Simulated,
    formulas: list[Expression],
    entries: NDArray[np.intp],
    mean: FloatArray,
    in_mean: FloatArray,
    slopes: FloatArray,
) -> Any:
    """Return a mean over trajectories whose gradient is that of the loss.

    It is E[g·x + (x - m)ᵀ G (x - m)] with the mean m, and the slopes g and G of the loss in the
    mean and the covariance, held fixed: one expectation, which every estimator differentiates.
    """

    def weighed(*values: Any) -> Any:
        import tensorflow as tf

        vectors = tf.gather(tf.concat(values, axis=-1), entries, axis=-1) - mean
        return tf.linalg.matvec(vectors, in_mean) + tf.reduce_sum(
            tf.matmul(vectors, slopes) * vectors, axis=-1
        )

    return one.ensemble.expect(weighed, *formulas, extra=one.extra)


def _entries(added: list[Any] | None, entries: NDArray[np.intp]) -> Any:
    """Return the variance that measuring adds to each value, float64 [entry]; 0 for none."""
    if added is None:
        return np.zeros(len(entries))
    if any(is_tensor(one) for one in added):
        import tensorflow as tf

        return tf.gather(tf.concat(added, axis=-1), entries)
    return np.concatenate(added)[entries]


def _sum(values: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(values)


def _without_value(moved: Any) -> Any:
    import tensorflow as tf

    return moved - tf.stop_gradient(moved)
