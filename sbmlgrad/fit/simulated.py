"""An experiment that has been simulated: what its observables come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.readouts import Interpolated, Readout, ValuesAt
from sbmlgrad.fit.experiments import PreparedExperiment, fixed_values
from sbmlgrad.fit.search_space import SearchSpace
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.memory import fits, gradient_bytes
from sbmlgrad.gradients.tensor_ensemble import TensorEnsemble
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.problem import Problem
from sbmlgrad.simulation import simulate


@dataclass(frozen=True, eq=False)
class Simulated:
    """One experiment under one set of parameters, or under a batch of sets.

    Attributes:
        ensemble: its trajectories.
        extra: parameter of the problem that is none of the network → value: a number, or a
            tensor or array [set] for a batch.
    """

    ensemble: Ensemble
    extra: Mapping[str, Any]

    @property
    def times(self) -> NDArray[np.float64]:
        """Output times, float64 [time]."""
        return self.ensemble.readouts[0].points

    def mean(self, formula: Expression) -> Any:
        """Return the mean of a formula over trajectories, [..., time]."""
        return self.ensemble.mean(formula, extra=self.extra)

    def variance(self, formula: Expression) -> Any:
        """Return the variance (n - 1) of a formula over trajectories, [..., time]."""
        return self.ensemble.variance(formula, extra=self.extra)

    def covariance(self, first: Expression, second: Expression) -> Any:
        """Return the covariance (n - 1) of two formulas over trajectories, [..., time]."""
        return self.ensemble.covariance(first, second, extra=self.extra)

    def values(self, formula: Expression) -> Any:
        """Return a formula along every trajectory, [..., trajectory, time]."""
        return self.ensemble.values(formula, extra=self.extra)

    def plain(self) -> Simulated:
        """Return the same as NumPy arrays without gradients."""
        ensemble = self.ensemble
        if not isinstance(ensemble, TensorEnsemble):
            return self
        extra = {id: np.asarray(value) for id, value in self.extra.items()}
        return Simulated(ensemble.without_gradients(), extra)

    def some(self, chosen: NDArray[np.intp]) -> Simulated:
        """Return the same of some trajectories only; of arrays, not of tensors."""
        ensemble = self.ensemble
        part = replace(
            ensemble,
            states=tuple(state[..., chosen, :, :] for state in ensemble.states),
            outcomes=ensemble.outcomes[..., chosen],
            firings=ensemble.firings[..., chosen],
        )
        return replace(self, ensemble=part)


@dataclass(frozen=True, eq=False)
class Simulator:
    """Simulates all experiments of a problem.

    Attributes:
        problem: what is calibrated.
        space: its search space.
        experiments: as `experiments.prepared` gives them.
        times: output times of each experiment.
        engine: what samples.
        seed: key of the random streams.
        on_failure: as in `simulate`.
        part: (place, sets) of the sets that are asked for within a larger batch whose trajectories
            are numbered together, or None where they are the whole batch.
    """

    problem: Problem
    space: SearchSpace
    experiments: tuple[PreparedExperiment, ...]
    times: Mapping[str, tuple[float, ...]]
    engine: Engine
    seed: int
    on_failure: str = "raise"
    part: tuple[int, int] | None = None

    def batch(self, values: Any) -> tuple[int, int]:
        """Return (place, sets) of values [free] or [set, free] within their batch."""
        if self.part is not None:
            return self.part
        return 0, 1 if len(values.shape) == 1 else int(values.shape[0])

    @property
    def trajectories_per_set(self) -> int:
        """How many trajectories each one that is asked for takes, over all experiments."""
        return len(self.experiments)

    def readout(self, experiment: str, estimator: Estimator | None) -> Readout:
        """Return what is kept of an experiment; interpolated where an estimator needs that."""
        times = self.times[experiment]
        if estimator is not None and ValuesAt not in estimator.readouts:
            return Interpolated(times)
        return ValuesAt(times)

    def __call__(
        self,
        values: Any,
        trajectories: int,
        first_trajectory: int,
        *,
        estimator: Estimator | None = None,
        times: Mapping[str, tuple[float, ...]] | None = None,
    ) -> dict[str, Simulated]:
        """Simulate every experiment.

        Args:
            values: of the free parameters, array [free] or [set, free]; or a tensor, and then
                statistics have gradients.
            trajectories: of each experiment and set.
            first_trajectory: number of the first; the experiments follow each other.
            estimator: gradient method for tensors.
            times: output times instead of those of the objective; experiments that have none are
                left out.

        Returns:
            Experiment id → what was simulated.
        """
        place, sets = self.batch(values)
        simulator = self if times is None else replace(self, times=times)
        extra = self._extra(values)
        results = {}
        for number, experiment in enumerate(self.experiments):
            if experiment.id not in simulator.times:
                continue
            make = experiment.parameter_tensors if is_tensor(values) else experiment.parameters
            ensemble = simulate(
                self.problem.network,
                make(values),
                readouts=(simulator.readout(experiment.id, estimator),),
                trajectories=trajectories,
                first_trajectory=first_trajectory + (number * sets + place) * trajectories,
                seed=self.seed,
                engine=self.engine,
                estimator=estimator if is_tensor(values) else None,
                initial=experiment.initial or None,
                on_failure=self.on_failure,
            )
            results[experiment.id] = Simulated(ensemble, extra)
        return results

    def gradient_fits(self, trajectories: int, estimator: Estimator) -> bool:
        """Tell whether a gradient over all experiments of one parameter set fits into memory.

        Args:
            trajectories: of each experiment.
            estimator: gradient method.
        """
        lowered = lower(self.problem.network)
        needed = sum(
            gradient_bytes(lowered, (self.readout(one.id, estimator),), trajectories)
            for one in self.experiments
            if one.id in self.times
        )
        return fits(needed)

    def pilot(self, values: Any, trajectories: int) -> dict[str, Simulated]:
        """Simulate a few trajectories, failing ones included, to see what they cost."""
        return replace(self, on_failure="mark")(values, trajectories, 0)

    def _extra(self, values: Any) -> dict[str, Any]:
        own = set(self.problem.network.parameter_ids)
        extra: dict[str, Any] = {
            id: value for id, value in fixed_values(self.problem).items() if id not in own
        }
        is_batch = len(values.shape) == 2
        for place, id in enumerate(self.space.ids):
            if id not in own:
                extra[id] = values[:, place] if is_batch else values[place]
        return extra
