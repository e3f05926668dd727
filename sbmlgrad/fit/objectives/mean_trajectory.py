"""`MeanTrajectory`: means of observables against measurements, by their noise models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.noise import Functions, impossible, log_density, tensorflow_functions
from sbmlgrad.fit.objectives.base import measured_times
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.expression import TIME, symbols
from sbmlgrad.model.problem import Observable, Problem


@dataclass(frozen=True)
class MeanTrajectory:
    """Compare the mean of every observable over trajectories with the measurements.

    When to choose it: measurements that average over many cells or molecules, so that the noise of
    single trajectories does not show in them, only that of measuring.

    The loss is the mean over measurements of the deviance: twice the logarithm of how much more
    likely the measurement would be if the prediction were equal to it. For normal noise that is
    ((mean - measurement) / sd)². Where the scale of the noise is itself to be fitted, no such
    comparison exists, and it is minus twice the logarithm of the density.

    With n trajectories its expectation exceeds the value for n → ∞ by the variance of the mean in
    units of the noise, of order 1/n. Source: McCullagh & Nelder 1989, Generalized Linear Models,
    section 2.3.
    """

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return "MeanTrajectory()"

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        faults = []
        for experiment, observable, rows in _parts(problem):
            distribution = observable.noise.distribution
            measured = problem.measurements.value[rows]
            wrong = measured[impossible(distribution, measured)]
            if wrong.size:
                faults.append(
                    f"observable {observable.id!r}{_under(experiment)}: {distribution} noise "
                    f"cannot give {', '.join(f'{w:g}' for w in wrong[:3])}"
                )
        if not len(problem.measurements):
            faults.append("there is no measurement to fit")
        if faults:
            listed = "".join(f"\n  - {fault}" for fault in faults)
            raise FitError(
                f"{problem.name or problem.network.id}: measurements that do not suit "
                f"their noise models:{listed}"
            )
        return ()

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the measured times of each experiment."""
        return measured_times(problem)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the mean deviance, a number or [set]; see `base.Objective`."""
        total: Any = 0.0
        for _, terms in self.terms(problem, simulated):
            total = total + _sum(terms)
        return total / len(problem.measurements)

    def terms(
        self, problem: Problem, simulated: Mapping[str, Simulated]
    ) -> Iterator[tuple[NDArray[np.intp], Any]]:
        """Yield (rows of the measurements, their deviances [..., row]) by observable."""
        for experiment, observable, rows in _parts(problem):
            one = simulated[experiment]
            measured = problem.measurements.value[rows]
            points = np.searchsorted(one.times, problem.measurements.time[rows])
            predicted = _at(one.mean(observable.formula), points)
            scale = self._scale(problem, one, observable, points)
            noise = observable.noise.distribution
            functions = _functions(predicted, scale)
            density = log_density(noise, measured, predicted, scale, functions)
            if not _has_fitted_scale(problem, observable):
                density = density - log_density(noise, measured, measured, scale, functions)
            yield rows, -2.0 * density

    @staticmethod
    def _scale(
        problem: Problem, one: Simulated, observable: Observable, points: NDArray[np.intp]
    ) -> Any:
        formula = observable.noise.scale
        if not observable.noise.kind.scale:
            return 1.0
        del problem
        return _at(one.mean(formula), points)


def _parts(problem: Problem) -> Iterator[tuple[str, Observable, NDArray[np.intp]]]:
    """Yield (experiment id, observable, rows of the measurements)."""
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    for experiment in problem.experiments:
        here = conditions == experiment.id
        for place, id in enumerate(m.observables):
            rows = np.flatnonzero(here & (m.observable_index == place))
            if rows.size:
                yield experiment.id, problem.observable[id], rows


def _has_fitted_scale(problem: Problem, observable: Observable) -> bool:
    """Tell whether the noise scale depends on fitted parameters or on the state."""
    fixed = {p.id for p in problem.parameters if not p.is_estimated}
    return bool(symbols(observable.noise.scale) - fixed - {TIME.id})


def _under(experiment: str) -> str:
    return f" in experiment {experiment!r}" if experiment else ""


def _functions(*values: Any) -> Functions | None:
    return tensorflow_functions() if any(is_tensor(value) for value in values) else None


def _at(values: Any, points: NDArray[np.intp]) -> Any:
    if is_tensor(values):
        import tensorflow as tf

        return tf.gather(values, points, axis=-1)
    return values[..., points]


def _sum(terms: Any) -> Any:
    if is_tensor(terms):
        import tensorflow as tf

        return tf.reduce_sum(terms, axis=-1)
    return terms.sum(axis=-1)
