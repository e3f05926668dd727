"""Predictions of the rate equations together with their slopes in the free parameters.

One solve an experiment gives both, where differences take one for each parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import DeterministicNetwork, lower_deterministic
from sbmlgrad.codegen.programs import Programs, programs
from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.engines.ode.programs import Evaluator, ode_kernel
from sbmlgrad.engines.ode.slopes import integrate_with_slopes, slope_programs, why_no_slopes
from sbmlgrad.errors import SimulationError
from sbmlgrad.fit.rate_equations.course import Course, clocked, started, values_of
from sbmlgrad.fit.rate_equations.likelihood import Predictions, scored
from sbmlgrad.fit.rate_equations.start_map import StartMap, start_map
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import TIME, ZERO, Expression, Number, add, substitute, symbols
from sbmlgrad.model.initial import random_at_start
from sbmlgrad.model.problem import Experiment, Problem

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SlopedPredictions:
    """What a problem predicts, and how that changes with the values of free parameters.

    Attributes:
        predictions: at the values.
        predicted: slopes of the predicted values, float64 [measurement, free].
        scale: slopes of the scales of noise, float64 [measurement, free].
    """

    predictions: Predictions
    predicted: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False)
class _Watched:
    """What is measured in one experiment, as programs over state, time, inputs and parameters.

    Attributes:
        values: formula and scale of each observable in turn.
        slopes: of these, those that are not zero.
        places: of these, int64 [slope, 2]: value, and state, input or parameter.
        times: float64 [time], from the start of the experiment.
        rows: measurements, int64 [measurement].
        at: their times, int64 [measurement].
        observable: place of their observables, int64 [measurement].
    """

    values: Programs
    slopes: Programs
    places: NDArray[np.int64]
    times: FloatArray
    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    observable: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Part:
    """One experiment, ready to be followed."""

    experiment: Experiment
    system: DeterministicNetwork
    start: StartMap
    watched: _Watched


@dataclass(frozen=True, eq=False)
class SlopedProblem:
    """A problem ready for predictions with slopes; made by `sloped_problem`.

    Attributes:
        problem: the problem.
        engine: solver.
        parts: its experiments.
    """

    problem: Problem
    engine: ODE
    parts: tuple[_Part, ...]

    def predict(self, free: FloatArray) -> SlopedPredictions:
        """Return predictions and slopes at values of the free parameters.

        Args:
            free: float64 [free].

        Raises:
            FitError: a measurement has no finite density.
            SimulationError: the solver fails.
        """
        problem = self.problem
        values = dict(zip((p.id for p in problem.free), free.tolist(), strict=True))
        own = np.array([values.get(p.id, p.nominal) for p in problem.parameters])
        count = len(problem.measurements)
        pairs = np.full((count, 2), np.nan)
        slopes = np.zeros((count, 2, len(free)))
        for part in self.parts:
            try:
                found, moved = _followed(self.engine, part, own, len(free), problem)
            except SimulationError as error:
                name = part.experiment.id
                raise SimulationError(f"experiment {name!r}: {error}") from error
            seen = part.watched
            pairs[seen.rows] = found[seen.at, seen.observable]
            slopes[seen.rows] = moved[seen.at, seen.observable]
        predictions = scored(problem, pairs[:, 0].copy(), pairs[:, 1].copy())
        return SlopedPredictions(predictions, slopes[:, 0], slopes[:, 1])


def sloped_problem(
    problem: Problem, engine: DeterministicEngine | None
) -> tuple[SlopedProblem | None, str]:
    """Return a problem ready for predictions with slopes, or None and why there are none.

    Args:
        problem: the problem.
        engine: solver; None means `ODE()`.

    Raises:
        SbmlGradError: the problem cannot be simulated at its nominal values.
    """
    engine = ODE() if engine is None else engine
    if not isinstance(engine, ODE):
        return None, f"{engine.name} gives no slopes"
    parts = []
    conditions = np.array(problem.measurements.condition, dtype=object)
    for experiment in problem.experiments:
        rows = np.flatnonzero(conditions == experiment.id)
        if not rows.size:
            continue
        part, reason = _part(problem, experiment, engine, rows)
        if part is None:
            return None, f"experiment {experiment.id!r}: {reason}"
        parts.append(part)
    return SlopedProblem(problem, engine, tuple(parts)), ""


def _part(
    problem: Problem, experiment: Experiment, engine: ODE, rows: NDArray[np.intp]
) -> tuple[_Part | None, str]:
    period = next(iter(experiment.periods), None)
    if period is None or len(experiment.periods) > 1 or not np.isfinite(period.start):
        return None, "it has several periods"
    if problem.measurements.time[rows].min() < period.start:
        return None, "it was measured before it begins"
    network = clocked(problem.network, period.start)
    if random_at_start(network):
        return None, "it starts from random values"
    # What has no value is refused here, with all that belongs into the message.
    nominal = {p.id: p.nominal for p in problem.parameters}
    course = Course(problem, nominal, engine)
    started(network, course, values_of(course, period))
    system = lower_deterministic(network)
    reason = why_no_slopes(system)
    if reason:
        return None, reason
    start = start_map(
        system, period.values, [p.id for p in problem.parameters], [p.id for p in problem.free]
    )
    ids = (*system.input_ids, *system.state_ids)
    timers = slope_programs(system).clock_inputs
    if any(start.depends(place) for place, id in enumerate(ids) if id in timers):
        return None, "the time at which a rate jumps depends on a parameter that is fitted"
    return _Part(experiment, system, start, _watched(problem, system, period.start, rows)), ""


def _watched(
    problem: Problem, system: DeterministicNetwork, begin: float, rows: NDArray[np.intp]
) -> _Watched:
    m = problem.measurements
    used, observable = np.unique(m.observable_index[rows], return_inverse=True)
    times, at = np.unique(m.time[rows], return_inverse=True)
    # Formulas of observables use the clock of the problem, those of the network its own.
    meaning = {TIME.id: add(TIME, Number(begin)) if begin else TIME, **system.meanings}
    pairs = [problem.observable[m.observables[k]] for k in used]
    formulas: list[Expression] = [
        substitute(formula, meaning) for o in pairs for formula in (o.formula, o.noise.scale)
    ]
    own = [p.id for p in problem.parameters if p.id not in problem.network.by_id]
    free = {p.id for p in problem.free}
    names = (*system.state_ids, *system.input_ids, *own)
    can_move = [*system.state_ids, *system.input_ids, *(id for id in own if id in free)]
    column = {id: names.index(id) for id in can_move}
    found = [
        (row, column[id], derivative(formula, id))
        for row, formula in enumerate(formulas)
        for id in symbols(formula)
        if id in column
    ]
    found = [entry for entry in found if entry[2] != ZERO]
    variables = (*system.state_ids, TIME.id)
    inputs = (*system.input_ids, *own)
    return _Watched(
        values=programs(formulas, variables, inputs),
        slopes=programs([slope for *_, slope in found], variables, inputs),
        places=np.array([entry[:2] for entry in found], dtype=np.int64).reshape(-1, 2),
        times=times - begin,
        rows=rows,
        at=at,
        observable=observable,
    )


def _followed(
    engine: ODE, part: _Part, own: FloatArray, count: int, problem: Problem
) -> tuple[FloatArray, FloatArray]:
    """Return value and scale of the observables, and their slopes.

    Returns:
        float64 [time, observable, 2] and float64 [time, observable, 2, free].
    """
    system, start, seen = part.system, part.start, part.watched
    kernel, nothing = ode_kernel(), np.zeros(0)
    begun = Evaluator(start.values, nothing, kernel)(0.0, own)
    slopes = np.zeros((len(begun), len(start.active)))
    slopes[start.places[:, 0], start.places[:, 1]] = Evaluator(start.slopes, nothing, kernel)(
        0.0, own
    )
    inputs = len(system.input_ids)
    times = seen.times if seen.times[0] == 0.0 else np.append(0.0, seen.times)
    states, moved = integrate_with_slopes(
        engine, system, begun[:inputs], slopes[:inputs], begun[inputs:], slopes[inputs:], times
    )
    states, moved = states[-len(seen.times) :], moved[-len(seen.times) :]
    new = [i for i, p in enumerate(problem.parameters) if p.id not in problem.network.by_id]
    known = np.concatenate([begun[:inputs], own[new]])
    values = Evaluator(seen.values, known, kernel).rows(seen.times, states)
    partial = Evaluator(seen.slopes, known, kernel).rows(seen.times, states)
    width = states.shape[1]
    # Slopes of states, inputs and parameters of the problem in the free parameters.
    below = np.zeros((len(seen.times), width + len(known), count))
    below[:, :width, start.active] = moved
    below[:, width : width + inputs, start.active] = slopes[:inputs]
    free = {p.id: place for place, p in enumerate(problem.free)}
    for k, i in enumerate(new):
        place = free.get(problem.parameters[i].id)
        if place is not None:
            below[:, width + inputs + k, place] = 1.0
    outer = np.zeros((len(seen.times), values.shape[1], width + len(known)))
    outer[:, seen.places[:, 0], seen.places[:, 1]] = partial
    shape = (len(seen.times), values.shape[1] // 2, 2)
    return values.reshape(shape), (outer @ below).reshape(*shape, count)
