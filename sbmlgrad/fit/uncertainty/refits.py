"""Refits of a problem with other measurements, as tasks that other processes can run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.parallel import Executor, TaskProgress
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.scoring import refit
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Epochs of a refit by descent, and its learning rate, first and last.
EPOCHS, LEARNING_RATE = 40, (0.05, 0.005)


@dataclass(frozen=True, eq=False)
class RefitTask:
    """One refit.

    Attributes:
        fitted: the fit, with the problem to solve now.
        start: coordinates to begin at, float64 [free].
        trajectories: of each experiment and step.
    """

    fitted: Fitted
    start: FloatArray
    trajectories: int


@dataclass(frozen=True, eq=False)
class RefitOutcome:
    """What became of a refit.

    Attributes:
        coordinates: reached, float64 [free]; NaN if it failed.
        failure: why it failed, or empty.
    """

    coordinates: FloatArray
    failure: str = ""


def run_refit(task: RefitTask) -> RefitOutcome:
    """Refit from near by: by scoring for means, by a short descent for other objectives.

    Scoring finds the same optimum as a descent of `MeanTrajectory` with a hundredth of the
    trajectories, since it knows the curvature.
    """
    try:
        if isinstance(task.fitted.objective, MeanTrajectory):
            simulator = task.fitted.simulator()
            return RefitOutcome(refit(simulator, task.start, task.trajectories).coordinates)
        return RefitOutcome(_descent(task))
    except SbmlGradError as error:
        return RefitOutcome(np.full(len(task.start), np.nan), str(error))


def refit_all(
    tasks: Sequence[RefitTask], executor: Executor, progress: TaskProgress | None
) -> list[RefitOutcome]:
    """Run refits; beside each other where the executor does that, each on one thread then."""
    if executor.is_parallel:
        tasks = [replace(task, fitted=task.fitted.on_one_thread()) for task in tasks]
    return executor.map(run_refit, tasks, progress)


def _descent(task: RefitTask) -> FloatArray:
    from sbmlgrad.fit.run import fit

    fitted = task.fitted
    values = fitted.space.values(task.start)
    result = fit(
        starting_at(fitted.problem, dict(zip(fitted.space.ids, values.tolist(), strict=True))),
        objective=fitted.objective,
        estimator=fitted.estimator,
        engine=fitted.engine,
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        trajectories=task.trajectories,
        seed=fitted.seed,
    )
    return fitted.space.coordinates([result.values[id] for id in fitted.space.ids])


def starting_at(problem: Problem, values: dict[str, float]) -> Problem:
    """Return the problem with other starting values of parameters."""
    parameters = tuple(
        replace(p, nominal=values[p.id]) if p.id in values else p for p in problem.parameters
    )
    return replace(problem, parameters=parameters)


def holding(fitted: Fitted, id: str, value: float, seed: int) -> Fitted:
    """Return the fit of the same problem with one parameter held."""
    parameters = tuple(
        replace(p, nominal=value, is_estimated=False) if p.id == id else p
        for p in fitted.problem.parameters
    )
    problem = replace(fitted.problem, parameters=parameters)
    others = np.array(fitted.space.ids) != id
    return replace(
        fitted,
        problem=problem,
        space=search_space(problem),
        values=fitted.values[others],
        seed=seed,
    )
