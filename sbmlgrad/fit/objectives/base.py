"""What every objective offers, which there are, and what they share: times, standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.snapshots import Snapshots

FloatArray = NDArray[np.float64]

#: Groups of trajectories that are left out in turn for the standard error of a loss.
GROUPS = 20

#: Fewest trajectories from each state that an objective starts in, so that they show their scatter.
FEWEST_FROM_A_STATE = 4

#: Objective → its module, of this package.
OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "Distribution": "distribution",
        "DwellTimes": "dwell_times",
        "MeanTrajectory": "mean_trajectory",
        "Moments": "moments",
        "RateOfChange": "rates_of_change",
        "StateSpaceLikelihood": "state_space",
        "SyntheticLikelihood": "synthetic",
    }
)


@runtime_checkable
class Objective(Protocol):
    """What a fit makes small: a frozen object with its settings, in a file of its own."""

    @property
    def name(self) -> str:
        """How it is recorded in results, as written in code."""
        ...

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed, in words.

        Raises:
            FitError: the measurements do not suit this objective; lists everything.
        """
        ...

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the output times that each experiment must be simulated at."""
        ...

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the loss, a number or [set]; a tensor with a gradient for ensembles with one.

        Args:
            problem: what is calibrated.
            simulated: experiment id → its simulation.
        """
        ...


@runtime_checkable
class ExactObjective(Objective, Protocol):
    """An objective that needs no trajectories: a descent takes its own value and gradient.

    Its `loss` takes from an ensemble nothing but the parameters.
    """

    def exact_loss_and_gradient(
        self, problem: Problem, values: FloatArray
    ) -> tuple[float, FloatArray]:
        """Return the loss and its derivative in the free parameters, float64 [free].

        Args:
            problem: what is calibrated.
            values: of the free parameters, float64 [free].
        """
        ...


@runtime_checkable
class ExactLikelihood(ExactObjective, Protocol):
    """An exact objective whose loss is a constant minus twice the mean log-likelihood.

    Its curvature then says how certain fitted values are.
    """

    def log_likelihood(self, problem: Problem, values: FloatArray) -> float:
        """Return the natural logarithm of the likelihood at values of the free parameters."""
        ...

    def count(self, problem: Problem) -> int:
        """Return the number of independent observations that the mean is taken over."""
        ...


@runtime_checkable
class HoldsData(Objective, Protocol):
    """An objective with data of its own beside those of the problem."""

    @property
    def digest(self) -> str:
        """Hash of the data, so that a checkpoint knows them."""
        ...


@runtime_checkable
class StartedObjective(Objective, Protocol):
    """An objective whose trajectories start in states of its own, see `from_starts`."""

    def starts(self, problem: Problem) -> Mapping[str, FloatArray]:
        """Return experiment id → states in which trajectories start, float64 [start, state]."""
        ...

    def groups(self, problem: Problem, experiment: str, trajectories: int) -> NDArray[np.intp]:
        """Return the group of each trajectory, to be left out together, int [trajectory]."""
        ...


@runtime_checkable
class LeavingOut(Objective, Protocol):
    """An objective that knows a faster way to leave groups of trajectories out."""

    def losses_without(
        self,
        problem: Problem,
        simulated: Mapping[str, Simulated],
        group: Mapping[str, NDArray[np.intp]],
    ) -> FloatArray:
        """Return the losses with each group left out, float64 [group] or [group, set].

        Args:
            problem: what is calibrated.
            simulated: experiment id → its simulation, of arrays.
            group: experiment id → number of each trajectory's group, int [trajectory].
        """
        ...


def objective_class(name: str) -> Any:
    """Return the class of an objective by its name in `OBJECTIVES`."""
    import importlib

    return getattr(importlib.import_module(f"sbmlgrad.fit.objectives.{OBJECTIVES[name]}"), name)


def standard_error(
    objective: Objective, problem: Problem, simulated: Mapping[str, Simulated]
) -> Any:
    """Return the Monte-Carlo standard error of a loss, a number or [set].

    By the jackknife over groups of trajectories (Efron & Stein 1981, "The jackknife estimate of
    variance", Ann. Stat. 9, 586), which holds for any smooth function of ensemble statistics.
    """
    plain = {id: one.plain() for id, one in simulated.items()}
    if isinstance(objective, ExactObjective):
        return np.zeros_like(np.asarray(objective.loss(problem, plain)))[()]
    numbers = {id: int(one.ensemble.outcomes.shape[-1]) for id, one in plain.items()}
    if isinstance(objective, StartedObjective):
        group = {id: objective.groups(problem, id, n) for id, n in numbers.items()}
        groups = min(int(own.max()) + 1 for own in group.values())
    else:
        groups = min(GROUPS, *numbers.values())
        group = {id: np.arange(n) % groups for id, n in numbers.items()}
    if isinstance(objective, LeavingOut):
        losses = objective.losses_without(problem, plain, group)
    else:
        losses = losses_without(objective, problem, plain, group)
    spread = ((losses - losses.mean(axis=0)) ** 2).sum(axis=0)
    return np.sqrt(spread * (groups - 1) / groups)[()]


def losses_without(
    objective: Objective,
    problem: Problem,
    simulated: Mapping[str, Simulated],
    group: Mapping[str, NDArray[np.intp]],
) -> FloatArray:
    """Return the losses with each group of trajectories left out; arguments as of `LeavingOut`."""
    groups = min(int(own.max()) + 1 for own in group.values())
    return np.stack(
        [
            np.asarray(
                objective.loss(
                    problem,
                    {id: one.some(np.flatnonzero(group[id] != g)) for id, one in simulated.items()},
                )
            )
            for g in range(groups)
        ]
    )


def measured_times(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Return experiment id → the times at which anything was measured in it."""
    m = problem.measurements
    return _times(problem, m.time, m.condition)


def snapshot_times(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Return experiment id → the times at which cells were seen in it."""
    snapshots = snapshots_of(problem)
    return _times(problem, snapshots.time, snapshots.condition)


def snapshots_of(problem: Problem) -> Snapshots:
    """Return the snapshots of a problem.

    Raises:
        FitError: it has none.
    """
    if problem.snapshots is None:
        raise FitError(
            f"{problem.name or problem.network.id}: there are no snapshots of single cells, and "
            "this objective compares distributions over cells; load them with load_snapshots(), "
            "or choose Moments() for replicates, or MeanTrajectory()"
        )
    return problem.snapshots


def foreign_symbols(problem: Problem) -> list[str]:
    """Name the counted observables whose formulas use more than symbols of the model."""
    found = []
    for id in snapshots_of(problem).species:
        more = sorted(symbols(problem.observable[id].formula) - problem.network.by_id.keys())
        if more:
            found.append(
                f"the formula of {id!r} uses {', '.join(more)}; for this objective counts are "
                "functions of the model's state alone"
            )
    return found


def _times(
    problem: Problem, time: FloatArray, condition: tuple[str, ...]
) -> dict[str, tuple[float, ...]]:
    conditions = np.array(condition, dtype=object)
    return {
        experiment.id: tuple(np.unique(time[conditions == experiment.id]).tolist())
        for experiment in problem.experiments
        if (conditions == experiment.id).any()
    }
