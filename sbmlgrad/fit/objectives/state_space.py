"""`StateSpaceLikelihood`: the exact likelihood of counts in cells, by the master equation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.projection import LARGEST_STATE_SPACE
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import FitError
from sbmlgrad.fit.experiments import PreparedExperiment, prepared
from sbmlgrad.fit.objectives.base import foreign_symbols, snapshot_times, snapshots_of
from sbmlgrad.fit.objectives.cell_likelihood import Observation, deviance, seen_in
from sbmlgrad.fit.objectives.exact_slopes import exact_value
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.numbers import as_number, whole
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class StateSpaceLikelihood:
    """Make the counts in cells as likely as the master equation allows: exact, without noise.

    When to choose it: snapshots of single cells of a network that spreads over at most some ten
    thousand states. It uses all that is in the data, needs no trajectories, and its gradient is
    exact. Some of the species may be unseen: their counts are summed over.

    The loss is the mean over cells of twice the logarithm of how much more likely the cell would be
    if the model had the very frequencies of the data (the deviance). It is above zero for the truth
    too, the more so the fewer cells share a count. States are added until what has leaked out of
    them is less than a thousandth of the probability of any count that was seen.

    Sources: Munsky & Khammash 2006, "The finite state projection algorithm for the solution of the
    chemical master equation"; Fox & Munsky 2019, "The finite state projection based Fisher
    information matrix approach to estimate information and optimize single-cell experiments", PLoS
    Comput. Biol. 15, e1006365, equation 6 (the likelihood).

    Args:
        detection: probability with which a molecule is seen, independently of all others: one for
            all observables, or observable → one (1 where left out).
        background: share of cells that the model does not explain, with counts uniform between 0
            and the largest seen. Without it, a count that is all but impossible is an error, as it
            may be at bad starting values.
        largest: number of states to give up at.

    Raises:
        FitError: a probability outside its range.
    """

    detection: float | Mapping[str, float] = 1.0
    background: float = 0.0
    largest: int = LARGEST_STATE_SPACE

    def __post_init__(self) -> None:
        given = self.detection.values() if isinstance(self.detection, Mapping) else [self.detection]
        for one in given:
            if not 0.0 < as_number("detection", one) <= 1.0:
                raise FitError(
                    f"StateSpaceLikelihood(detection={self.detection!r}): a probability of seeing "
                    "a molecule lies above 0 and is at most 1"
                )
        if not 0.0 <= as_number("background", self.background) < 1.0:
            raise FitError(
                f"StateSpaceLikelihood(background={self.background!r}): give a share of cells, at "
                "least 0 and below 1"
            )
        whole("largest", self.largest, 2, 10**9)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        seen = dict(self.detection) if isinstance(self.detection, Mapping) else self.detection
        return (
            f"StateSpaceLikelihood(detection={seen!r}, background={self.background!r}, "
            f"largest={self.largest!r})"
        )

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        snapshots = snapshots_of(problem)
        network = problem.network
        faults = []
        if lower(network).is_timed:
            faults.append(
                f"model '{network.id}' has events, rate rules or laws of time, which no master "
                "equation with a constant generator follows; use Distribution() or Moments()"
            )
        if isinstance(self.detection, Mapping):
            faults += [
                f"detection of {id!r}, which was not counted; there are "
                f"{', '.join(snapshots.species)}"
                for id in sorted(self.detection.keys() - {*snapshots.species})
            ]
        faults += foreign_symbols(problem)
        if faults:
            listed = "".join(f"\n  - {fault}" for fault in faults)
            raise FitError(
                f"{problem.name or network.id}: snapshots without a likelihood by the master "
                f"equation:{listed}"
            )
        words = ["the probability of every cell is exact, by the master equation; no trajectories"]
        if self.background:
            words.append(
                f"a share of {self.background:g} of the cells is left unexplained, with uniform "
                "counts"
            )
        return tuple(words)

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the times at which cells were seen in each experiment."""
        return snapshot_times(problem)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the mean deviance at the parameters of an ensemble, a number or [set]."""
        total: Any = 0.0
        for experiment in _experiments(problem):
            parameters = simulated[experiment.id].ensemble.parameters
            total = total + self._at(problem, experiment, parameters)
        return total

    def exact_loss_and_gradient(
        self, problem: Problem, values: FloatArray
    ) -> tuple[float, FloatArray]:
        """Return the loss and its exact derivative in the free parameters.

        Args:
            problem: what is calibrated.
            values: of the free parameters, float64 [free].

        Returns:
            The loss, and float64 [free].

        Raises:
            StateSpaceError: too many states, or a count that is all but impossible.
            GradientError: initial counts depend on a free parameter.
        """
        loss, slopes = 0.0, np.zeros(len(search_space(problem).ids))
        for experiment in prepared(problem):
            part, slope = deviance(
                problem, experiment, experiment.parameters(values), self._observation
            )
            loss += part
            np.add.at(slopes, experiment.sources, slope[experiment.places])
        return loss, slopes

    def log_likelihood(self, problem: Problem, values: FloatArray) -> float:
        """Return the natural logarithm of the probability of all cells, at some values [free]."""
        total = sum(
            deviance(
                problem, experiment, experiment.parameters(values), self._observation, slopes=False
            )[0]
            for experiment in _experiments(problem)
        )
        best = sum(seen.best for own in seen_in(problem).values() for seen in own)
        return best - 0.5 * self.count(problem) * total

    def count(self, problem: Problem) -> int:
        """Return the number of cells, each of which the likelihood takes by itself."""
        return len(snapshots_of(problem))

    @property
    def _observation(self) -> Observation:
        return Observation(self.detection, self.background, self.largest)

    def _at(self, problem: Problem, experiment: PreparedExperiment, parameters: Any) -> Any:
        def value(theta: FloatArray) -> float:
            return deviance(problem, experiment, theta, self._observation, slopes=False)[0]

        def with_slope(theta: FloatArray) -> tuple[float, FloatArray]:
            return deviance(problem, experiment, theta, self._observation)

        return exact_value(parameters, value, with_slope)


def _experiments(problem: Problem) -> tuple[PreparedExperiment, ...]:
    """Return the experiments in which cells were seen."""
    seen = seen_in(problem)
    return tuple(experiment for experiment in prepared(problem) if experiment.id in seen)
