"""Minus twice the log-likelihood of a problem, from ensembles, with its Monte-Carlo error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import GROUPS
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.penalty import penalty
from sbmlgrad.fit.search_space import as_mapping
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.fitted import Fitted

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Deviance:
    """A deviance with its Monte-Carlo error.

    Attributes:
        value: less its bias, of order one over the trajectories.
        error: standard error.
    """

    value: float
    error: float


def check_likelihood(fitted: Fitted, method: str) -> None:
    """Raise unless the loss of a fit is a likelihood of its measurements.

    Raises:
        FitError: another objective than `MeanTrajectory`.
    """
    if not isinstance(fitted.objective, MeanTrajectory):
        raise FitError(
            f'method="{method}" needs a likelihood of the measurements, and the fit made '
            f'{fitted.objective.name} small; use method="bootstrap"'
        )


def deviance(
    simulator: Simulator, coordinates: FloatArray, trajectories: int, first_trajectory: int = 0
) -> Deviance:
    """Return minus twice the log-likelihood and log-prior, up to a constant of the measurements.

    The bias from a finite ensemble is taken out, and the error found, by the jackknife over groups
    of trajectories (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, chapters 2
    and 3).

    Args:
        simulator: of the problem.
        coordinates: float64 [free].
        trajectories: of each experiment.
        first_trajectory: number of the first; the same ones make deviances comparable.

    Raises:
        FitError: values that a prior excludes.
    """
    problem, objective = simulator.problem, MeanTrajectory()
    values = simulator.space.values(coordinates)
    prior = 2.0 * penalty(problem, values)
    if not np.isfinite(prior):
        raise FitError(f"a prior excludes one of {as_mapping(simulator.space, values)}")
    simulated = simulator(values, trajectories, first_trajectory)
    groups = min(GROUPS, trajectories)
    group = np.arange(trajectories) % groups
    whole = float(objective.loss(problem, simulated))
    parts = np.array(
        [
            float(
                objective.loss(
                    problem,
                    {id: one.some(np.flatnonzero(group != g)) for id, one in simulated.items()},
                )
            )
            for g in range(groups)
        ]
    )
    corrected = groups * whole - (groups - 1) * parts.mean()
    error = np.sqrt(((parts - parts.mean()) ** 2).sum() * (groups - 1) / groups)
    count = len(problem.measurements)
    return Deviance(prior + count * float(corrected), count * float(error))
