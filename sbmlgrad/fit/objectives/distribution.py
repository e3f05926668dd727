"""`Distribution`: distances between the distributions of simulated and of measured cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.distances.ensembles import distance
from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import (
    foreign_symbols,
    losses_without,
    snapshot_times,
    snapshots_of,
)
from sbmlgrad.fit.objectives.leaving_out import distances_without
from sbmlgrad.fit.objectives.sets import over_sets
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.expression import Expression, Number, divide
from sbmlgrad.model.numbers import as_number
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: What can be chosen.
DISTANCES = ("energy", "mmd", "wasserstein")


@dataclass(frozen=True)
class Distribution:
    """Compare whole distributions over cells at every time: no likelihood, no summary.

    When to choose it: snapshots of single cells of a network too large for
    `StateSpaceLikelihood`, where means and variances are not enough, as with two peaks.

    Counts of every observable are divided by their standard deviation over cells, pooled over
    times, so that the loss has no unit and observables weigh the same. The loss is the mean of the
    distances over times and experiments, by numbers of cells.

    - `"energy"` has no setting, is zero in expectation where distributions agree, and every
      estimator differentiates it.
    - `"mmd"` looks at differences of the size of `bandwidth`.
    - `"wasserstein"` is how far molecules must be moved; the mean over observables, each by itself;
      of finite samples it is too large by about their noise. For path estimators.

    Sources: see `distances.energy_distance`, `distances.maximum_mean_discrepancy` and
    `distances.wasserstein_distance`.

    Args:
        distance: `"energy"`, `"mmd"` or `"wasserstein"`.
        bandwidth: of the kernel of `"mmd"`, in pooled standard deviations.

    Raises:
        FitError: no such distance, or a bandwidth that is not positive.
    """

    distance: str = "energy"
    bandwidth: float = 1.0

    def __post_init__(self) -> None:
        if self.distance not in DISTANCES:
            raise FitError(
                f"Distribution(distance={self.distance!r}): choose one of {', '.join(DISTANCES)}"
            )
        if not 0.0 < as_number("bandwidth", self.bandwidth) < np.inf:
            raise FitError(
                f"Distribution(bandwidth={self.bandwidth!r}): give a positive number of standard "
                "deviations"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        setting = f", bandwidth={self.bandwidth!r}" if self.distance == "mmd" else ""
        return f"Distribution(distance={self.distance!r}{setting})"

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        snapshots = snapshots_of(problem)
        if faults := foreign_symbols(problem):
            listed = "".join(f"\n  - {fault}" for fault in faults)
            raise FitError(
                f"{problem.name or problem.network.id}: snapshots that cannot be compared:{listed}"
            )
        samples = _samples(problem)
        few = [
            f"experiment {experiment!r}, time {time:g}" if experiment else f"time {time:g}"
            for experiment, times in snapshot_times(problem).items()
            for time, cells in zip(times, samples.cells[experiment], strict=True)
            if len(cells) < 2
        ]
        if few and self.distance != "wasserstein":
            raise FitError(
                f"{snapshots.source_name or 'snapshots'}: a single cell at {', '.join(few)}; a "
                f"distance by distance={self.distance!r} needs at least two; leave these out"
            )
        return (
            "counts are compared in units of their standard deviation over cells: "
            + ", ".join(
                f"{id} {scale:.4g}"
                for id, scale in zip(snapshots.species, samples.scales, strict=True)
            ),
            *(
                f"{id} does not vary between cells of a time; its unit is one molecule"
                for id, varies in zip(snapshots.species, samples.varies, strict=True)
                if not varies
            ),
        )

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the times at which cells were seen in each experiment."""
        return snapshot_times(problem)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the mean distance, a number or [set]; see `base.Objective`."""
        return over_sets(simulated, lambda one: self._loss(problem, one))

    def losses_without(
        self,
        problem: Problem,
        simulated: Mapping[str, Simulated],
        group: Mapping[str, NDArray[np.intp]],
    ) -> FloatArray:
        """Return the losses with each group of trajectories left out; see `base.LeavingOut`."""
        is_sorted = self.distance == "wasserstein" or (
            self.distance == "energy" and len(snapshots_of(problem).species) == 1
        )
        if is_sorted:  # no pairs are formed
            return losses_without(self, problem, simulated, group)
        of_sets = over_sets(simulated, lambda one: self._without(problem, one, group))
        return np.moveaxis(of_sets, -1, 0)

    def _without(
        self,
        problem: Problem,
        simulated: Mapping[str, Simulated],
        group: Mapping[str, NDArray[np.intp]],
    ) -> FloatArray:
        samples, formulas = _samples(problem), self._formulas(problem)
        total: Any = 0.0
        for experiment, cells in samples.cells.items():
            one = simulated[experiment].ensemble
            values = np.stack([one.values(formula) for formula in formulas], axis=-1)
            for point, own in enumerate(cells):
                total = total + len(own) * distances_without(
                    values[:, point], own, group[experiment], self.distance, self.bandwidth
                )
        return total / len(snapshots_of(problem))

    @staticmethod
    def _formulas(problem: Problem) -> list[Expression]:
        return [
            divide(problem.observable[id].formula, Number(scale))
            for id, scale in zip(
                snapshots_of(problem).species, _samples(problem).scales, strict=True
            )
        ]

    def _loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        samples, formulas = _samples(problem), self._formulas(problem)
        # Quantiles are those of one observable.
        groups = (
            [[i] for i in range(len(formulas))]
            if self.distance == "wasserstein"
            else [[*range(len(formulas))]]
        )
        total: Any = 0.0
        for experiment, cells in samples.cells.items():
            weights = np.array([len(own) for own in cells], dtype=np.float64)
            for group in groups:
                measured = [own[:, group[0]] if len(group) == 1 else own[:, group] for own in cells]
                found = distance(
                    simulated[experiment].ensemble,
                    measured,
                    # Formulas are asked for as ids are.
                    *(formulas[i] for i in group),  # pyright: ignore[reportArgumentType]
                    kind=self.distance,
                    bandwidth=self.bandwidth,
                )
                total = total + _sum(found * weights) / len(groups)
        return total / len(snapshots_of(problem))


@dataclass(frozen=True, eq=False)
class _Samples:
    """Measured cells, ready to be compared.

    Attributes:
        cells: experiment id → by time, scaled counts float64 [cell, observable].
        scales: what counts were divided by, float64 [observable].
        varies: whether a scale is a standard deviation, and not 1, bool [observable].
    """

    cells: Mapping[str, tuple[FloatArray, ...]]
    scales: FloatArray
    varies: NDArray[np.bool_]


@lru_cache(maxsize=4)
def _samples(problem: Problem) -> _Samples:
    snapshots = snapshots_of(problem)
    cells: dict[str, tuple[FloatArray, ...]] = {}
    for experiment, times in snapshot_times(problem).items():
        own = snapshots.of(experiment)
        cells[experiment] = tuple(own.at(time).astype(np.float64) for time in times)
    every = [one for own in cells.values() for one in own]
    squares = np.sum([((one - one.mean(axis=0)) ** 2).sum(axis=0) for one in every], axis=0)
    freedom = max(sum(len(one) - 1 for one in every), 1)
    varies = squares > 0.0
    scales = np.where(varies, np.sqrt(squares / freedom), 1.0)
    scaled = {id: tuple(one / scales for one in own) for id, own in cells.items()}
    return _Samples(scaled, scales, varies)


def _sum(values: Any) -> Any:
    if is_tensor(values):
        import tensorflow as tf

        return tf.reduce_sum(values)
    return values.sum()
