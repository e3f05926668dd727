"""The likelihood of a calibration problem under its reaction rate equations.

Use it to judge a problem and its nominal values, and for fits without stochasticity: every
experiment is followed deterministically, periods and pre-equilibration included, and measurements
scatter around the solution as the problem's noise says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError, ParameterError
from sbmlgrad.fit.noise import impossible, log_density, why_impossible
from sbmlgrad.fit.rate_equations.course import Course, followed
from sbmlgrad.model.expression import TIME, symbols
from sbmlgrad.model.labels import suggestion
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Experiment, Problem

#: Most measurements that a message lists.
_MOST_LISTED = 5


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a problem predicts for its measurements, in the order of `problem.measurements`.

    Attributes:
        predicted: value of each measurement's observable, float64 [measurement].
        scale: scale of its noise, float64 [measurement].
        log_density: logarithm of the density of the measured value, float64 [measurement].
    """

    predicted: NDArray[np.float64]
    scale: NDArray[np.float64]
    log_density: NDArray[np.float64]

    @property
    def negative_log_likelihood(self) -> float:
        """Minus the sum of the logarithms of the densities, constants included."""
        return -float(self.log_density.sum())


def negative_log_likelihood(
    problem: Problem,
    values: Mapping[str, float] | None = None,
    engine: DeterministicEngine | None = None,
) -> float:
    """Return minus the logarithm of the likelihood under the rate equations, priors left out.

    All constants of the densities are included, as in PEtab, so that values can be compared with
    published ones.

    Args:
        problem: the problem.
        values: parameter of the problem → value; nominal values where left out.
        engine: solver; `ODE()` by default.

    Raises:
        ParameterError: a name that is no parameter of the problem.
        FitError: a steady state that is not reached, or a measurement whose density is zero or not
            defined.
        SimulationError: the solver fails.
    """
    return predict(problem, values, engine).negative_log_likelihood


def predict(
    problem: Problem,
    values: Mapping[str, float] | None = None,
    engine: DeterministicEngine | None = None,
) -> Predictions:
    """Return prediction, noise and density of every measurement under the rate equations.

    Args:
        problem: as for `negative_log_likelihood`, which says what is raised.
        values: as there.
        engine: as there.
    """
    own = _values(problem, values)
    if engine is None:
        from sbmlgrad.engines.ode.engine import ODE

        engine = ODE()
    course = Course(problem, own, engine)
    m = problem.measurements
    predicted, scale = np.full(len(m), np.nan), np.full(len(m), np.nan)
    conditions = np.array(m.condition, dtype=object)
    for experiment in problem.experiments:
        rows = np.flatnonzero(conditions == experiment.id)
        if rows.size:
            _fill(problem, experiment, course, rows, predicted, scale)
    return scored(problem, predicted, scale)


def scored(
    problem: Problem, predicted: NDArray[np.float64], scale: NDArray[np.float64]
) -> Predictions:
    """Return predictions with the densities of what was measured.

    Args:
        problem: the problem.
        predicted: value of each measurement's observable, float64 [measurement].
        scale: scale of its noise, float64 [measurement].

    Raises:
        FitError: a measurement whose density is zero or not defined.
    """
    m = problem.measurements
    density = np.full(len(m), np.nan)
    kinds = np.array([problem.observable[id].noise.distribution for id in m.observables])
    of_row = kinds[m.observable_index]
    with np.errstate(all="ignore"):
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(of_row == kind)
            density[rows] = log_density(kind, m.value[rows], predicted[rows], scale[rows])
            density[rows[impossible(kind, m.value[rows])]] = -np.inf
    _refuse(problem, predicted, scale, density)
    return Predictions(predicted, scale, density)


def _values(problem: Problem, values: Mapping[str, float] | None) -> dict[str, float]:
    result = {p.id: p.nominal for p in problem.parameters}
    for name, value in (values or {}).items():
        if name not in result:
            raise ParameterError(
                f"{name!r} is no parameter of the problem{suggestion(name, result)}; it has "
                f"{', '.join(result) or 'none'}"
            )
        if not np.isfinite(value):
            raise ParameterError(f"parameter {name!r}: {value} is not a finite number; give one")
        result[name] = float(value)
    return result


def _fill(
    problem: Problem,
    experiment: Experiment,
    course: Course,
    rows: NDArray[np.intp],
    predicted: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> None:
    """Put in predictions and scales of the measurements of one experiment."""
    m = problem.measurements
    times = np.unique(m.time[rows])
    used = {m.observables[i] for i in np.unique(m.observable_index[rows])}
    formulas = {
        id: (problem.observable[id].formula, problem.observable[id].noise.scale) for id in used
    }
    needed = frozenset().union(*(symbols(f) for pair in formulas.values() for f in pair))
    along: dict[str, Any] = {**course.own, **followed(course, experiment, times, needed)}
    along[TIME.id] = times
    for i, id in enumerate(m.observables):
        here = rows[m.observable_index[rows] == i]
        if not here.size:
            continue
        at = np.searchsorted(times, m.time[here])
        for formula, target in zip(formulas[id], (predicted, scale), strict=True):
            target[here] = np.broadcast_to(evaluate(formula, along), times.shape)[at]


def _refuse(
    problem: Problem,
    predicted: NDArray[np.float64],
    scale: NDArray[np.float64],
    density: NDArray[np.float64],
) -> None:
    """Raise a `FitError` for measurements without a finite density."""
    bad = np.flatnonzero(~np.isfinite(density))
    if not bad.size:
        return
    m = problem.measurements
    lines = []
    for i in bad[:_MOST_LISTED].tolist():
        id = m.observables[m.observable_index[i]]
        noise = problem.observable[id].noise
        told = f" with scale {scale[i]:g}" if noise.kind.scale else ""
        under = f", condition {m.condition[i]!r}" if m.condition[i] else ""
        why = why_impossible(
            noise.distribution, float(m.value[i]), float(predicted[i]), float(scale[i])
        )
        lines.append(
            f"\n  - {id!r} at time {m.time[i]:g}{under}: measured {m.value[i]:g}, predicted "
            f"{predicted[i]:g}, noise {noise.distribution}{told}: {why}"
        )
    listed = "".join(lines)
    more = f"\n  - and {bad.size - _MOST_LISTED} more" if bad.size > _MOST_LISTED else ""
    raise FitError(
        f"{problem.name or problem.network.id}: {bad.size} of {len(m)} measurements have no finite "
        f"log-density; choose another noise model or other starting values, or leave them "
        f"out:{listed}{more}"
    )
