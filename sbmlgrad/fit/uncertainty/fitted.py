"""What the methods of uncertainty need of a fit: problem, values, predictions of measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.native import Native
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.choice import default_estimators
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.noise import impossible
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.problems.plain import noise_of
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.search_space import SearchSpace
from sbmlgrad.fit.simulated import Simulated, Simulator
from sbmlgrad.fit.spelled import spelled_estimator, spelled_objective
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.expression import Number
from sbmlgrad.model.problem import Observable, Problem
from sbmlgrad.simulation_inputs import LARGEST_SEED

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit, as the methods of uncertainty take it.

    Attributes:
        problem: what was calibrated.
        space: its search space.
        values: fitted ones, float64 [free].
        objective: what was made small.
        estimator: gradient method that the fit used.
        engine: what samples.
        seed: key of the random streams of the method, others than those of the fit.
    """

    problem: Problem
    space: SearchSpace
    values: FloatArray
    objective: Objective
    estimator: Estimator
    engine: Engine
    seed: int

    @property
    def coordinates(self) -> FloatArray:
        """The fitted values in the search space, float64 [free]."""
        return self.space.coordinates(self.values)

    def simulator(self, seed: int | None = None, problem: Problem | None = None) -> Simulator:
        """Return what simulates the problem, or one with the same parameters."""
        problem = self.problem if problem is None else problem
        return Simulator(
            problem=problem,
            space=self.space,
            experiments=prepared(problem),
            times=self.objective.times(problem),
            engine=self.engine,
            seed=self.seed if seed is None else seed,
        )

    def on_one_thread(self) -> Fitted:
        """Return the same for a worker among several, which must not start threads of its own."""
        if isinstance(self.engine, Native):
            return replace(self, engine=replace(self.engine, threads=1))
        return self


def fitted_of(
    result: FitResult,
    *,
    objective: Objective | None = None,
    estimator: Estimator | None = None,
    engine: Engine | None = None,
    seed: int | None = None,
) -> Fitted:
    """Return what the methods need of a result.

    Args:
        result: of `fit`.
        objective: of the fit, where its name in the result does not say it all, such as
            `DwellTimes`, which holds data.
        estimator: of the fit, likewise.
        engine: what samples; `Native()` by default.
        seed: of the random streams; by default one that follows from that of the fit.

    Raises:
        FitError: an objective or estimator that the result does not say and that was not given, or
            a fit of rate equations.
    """
    if result.engine.startswith("ODE("):
        raise FitError(
            f"the fit followed the rate equations by {result.engine}, and uncertainty is that of "
            "stochastic fits; fit again without engine=ODE(), from there with start= or warm_start"
        )
    target = _objective(result) if objective is None else objective
    if target.name != result.objective:
        raise FitError(
            f"the fit made {result.objective} small, not {target.name}; pass that object as "
            "objective="
        )
    return Fitted(
        problem=result.problem,
        space=result.free,
        values=np.array([result.values[id] for id in result.free.ids]),
        objective=target,
        estimator=_estimator(result, estimator),
        engine=Native() if engine is None else engine,
        seed=child_seed(result.seed, 1) if seed is None else seed,
    )


def _objective(result: FitResult) -> Objective:
    """Return the objective that the result names; the default one where it cannot be made so."""
    try:
        return spelled_objective(result.objective, "objective", "")
    except RequestError:
        return MeanTrajectory()


def _estimator(result: FitResult, estimator: Estimator | None) -> Estimator:
    if estimator is not None:
        return estimator
    if result.estimator == result.objective:
        # An exact objective has its own gradient, and no estimator took part.
        return default_estimators(result.problem)[0]
    for candidate in default_estimators(result.problem):
        if candidate.name == result.estimator:
            return candidate
    try:
        spelled = spelled_estimator(result.estimator, "estimator", "")
    except RequestError:
        spelled = None
    if spelled is None or spelled.name != result.estimator:
        raise FitError(
            f"the fit took gradients by {result.estimator}, which cannot be made of its name; pass "
            "that object as estimator="
        )
    return spelled


def child_seed(seed: int, *path: int) -> int:
    """Return a seed whose streams have nothing to do with those of others."""
    drawn = np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)[0]
    return int(drawn) & LARGEST_SEED


def parts(problem: Problem) -> Iterator[tuple[str, Observable, NDArray[np.intp]]]:
    """Yield (experiment id, observable, rows of the measurements) for all that were measured."""
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    for experiment in problem.experiments:
        here = conditions == experiment.id
        for place, id in enumerate(m.observables):
            rows = np.flatnonzero(here & (m.observable_index == place))
            if rows.size:
                yield experiment.id, problem.observable[id], rows


def points_of(problem: Problem, one: Simulated, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places of some measurements among the times of a simulation."""
    return np.searchsorted(one.times, problem.measurements.time[rows])


def predictions(
    problem: Problem, simulated: Mapping[str, Simulated]
) -> tuple[FloatArray, FloatArray]:
    """Return prediction and noise scale of every measurement, float64 [measurement] each."""
    predicted = np.full(len(problem.measurements), np.nan)
    scale = np.ones(len(problem.measurements))
    for experiment, observable, rows in parts(problem):
        one = simulated[experiment]
        points = points_of(problem, one, rows)
        predicted[rows] = one.mean(observable.formula)[points]
        if observable.noise.kind.scale:
            scale[rows] = one.mean(observable.noise.scale)[points]
    return predicted, scale


def per_row(problem: Problem, function: Any, *arrays: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Apply a function of (distribution, *arrays) → two arrays to all measurements."""
    first, second = np.zeros(len(problem.measurements)), np.zeros(len(problem.measurements))
    for _, observable, rows in parts(problem):
        first[rows], second[rows] = function(
            observable.noise.distribution, *(array[rows] for array in arrays)
        )
    return first, second


def named(problem: Problem, row: int) -> str:
    """Return which measurement a row is, in words."""
    m = problem.measurements
    condition = f" in experiment {m.condition[row]!r}" if m.condition[row] else ""
    return f"{m.observables[int(m.observable_index[row])]!r} at time {m.time[row]:g}{condition}"


def assumed_noise(problem: Problem) -> tuple[str, ...]:
    """Return ids of observables whose noise scale is an assumption, not known and not estimated.

    A plain sheet without replicates says nothing about its noise: `plain_problem` then takes the
    spread over time as a weight, which an error of measurement it is not.
    """
    m = problem.measurements
    if len(m.conditions) != 1:
        return ()
    found = []
    for id in m.observables:
        noise = problem.observable[id].noise
        if noise.distribution == "normal" and isinstance(noise.scale, Number):
            observed = m.observed(id)
            has_spread = bool((observed.standard_deviation[observed.replicates > 1] > 0.0).any())
            if not has_spread and noise_of(id, observed)[0] == noise.scale.value:
                found.append(id)
    return tuple(found)


def replicate_freedom(problem: Problem) -> float:
    """Return the degrees of freedom of noise scales that replicates gave, infinite for others.

    `plain_problem` takes the standard deviation of replicates, pooled over times, as that of the
    noise; it is an estimate, and an observable with few replicates has a poor one.
    """
    m = problem.measurements
    if len(m.conditions) != 1:
        return np.inf
    freedom = np.inf
    for id in m.observables:
        noise, observed = problem.observable[id].noise, m.observed(id)
        spare = int((observed.replicates - 1).sum())
        if noise.distribution == "normal" and isinstance(noise.scale, Number) and spare:
            is_own = noise_of(id, observed)[0] == noise.scale.value
            freedom = min(freedom, float(spare)) if is_own else freedom
    return freedom


def with_measurements(problem: Problem, values: FloatArray) -> Problem:
    """Return the problem with other measured values, float64 [measurement].

    Raises:
        FitError: values that the noise models cannot give.
    """
    for _, observable, rows in parts(problem):
        if impossible(observable.noise.distribution, values[rows]).any():
            raise FitError(
                f"observable {observable.id!r}: values that {observable.noise.distribution} noise "
                "cannot give"
            )
    return replace(problem, measurements=replace(problem.measurements, value=values))
