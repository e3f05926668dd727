"""What every objective offers, and what they share: noise scales, deviances, standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Groups of trajectories that are left out in turn for the standard error of a loss.
GROUPS = 20


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


def standard_error(
    objective: Objective, problem: Problem, simulated: Mapping[str, Simulated]
) -> Any:
    """Return the Monte-Carlo standard error of a loss, a number or [set].

    By the jackknife over groups of trajectories (Efron & Stein 1981, "The jackknife estimate of
    variance", Ann. Stat. 9, 586), which holds for any smooth function of ensemble statistics.
    """
    plain = {id: one.plain() for id, one in simulated.items()}
    n = min(one.ensemble.outcomes.shape[-1] for one in plain.values())
    groups = min(GROUPS, n)
    group = np.arange(n) % groups
    losses = np.stack(
        [
            np.asarray(
                objective.loss(
                    problem,
                    {id: one.some(np.flatnonzero(group != g)) for id, one in plain.items()},
                )
            )
            for g in range(groups)
        ]
    )
    spread = ((losses - losses.mean(axis=0)) ** 2).sum(axis=0)
    return np.sqrt(spread * (groups - 1) / groups)[()]


def measured_times(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Return experiment id → the times at which anything was measured in it."""
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    return {
        experiment.id: tuple(np.unique(m.time[conditions == experiment.id]).tolist())
        for experiment in problem.experiments
        if (conditions == experiment.id).any()
    }
