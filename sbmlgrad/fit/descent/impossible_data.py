"""What a loss that is not finite means: measurements that their noise models cannot give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.rate_equations.likelihood import scored
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.problem import Problem


def refuse_impossible(
    objective: Objective,
    problem: Problem,
    simulated: Mapping[str, Simulated],
    losses: NDArray[np.float64],
) -> None:
    """Refuse losses that are not finite, where a measurement is the reason.

    Use it before the gradient, which knows less of the reason.

    Args:
        objective: what is made small; those that do not compare means are left to the gradient.
        problem: what is calibrated.
        simulated: experiment id → its simulation for several sets of parameters.
        losses: of these sets, float64 [set].

    Raises:
        FitError: names the measurements, with time, prediction and scale of the noise.
    """
    bad = np.flatnonzero(~np.isfinite(losses))
    if not bad.size or not isinstance(objective, MeanTrajectory):
        return
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    predicted, scale = np.full(len(m), np.nan), np.ones(len(m))
    for experiment, one in simulated.items():
        for place, id in enumerate(m.observables):
            rows = np.flatnonzero((conditions == experiment) & (m.observable_index == place))
            points = np.searchsorted(one.times, m.time[rows])
            observable = problem.observable[id]
            predicted[rows] = _mean(one, observable.formula, int(bad[0]))[points]
            if observable.noise.kind.scale:
                scale[rows] = _mean(one, observable.noise.scale, int(bad[0]))[points]
    scored(problem, predicted, scale)


def _mean(one: Simulated, formula: Expression, place: int) -> NDArray[np.float64]:
    """Return the mean of a formula for one of several sets, float64 [time]."""
    found: Any = np.asarray(one.mean(formula), dtype=np.float64)
    return np.broadcast_to(found, (*found.shape[:-1], len(one.times)))[place]
