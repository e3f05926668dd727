"""How likely the counts in cells are under the master equation, and the slope of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.directions import in_parameters, refuse_whole_numbers
from sbmlgrad.cme.projected import Projection
from sbmlgrad.cme.projection import project
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import FitError, StateSpaceError
from sbmlgrad.fit.experiments import PreparedExperiment
from sbmlgrad.fit.objectives.base import snapshot_times, snapshots_of
from sbmlgrad.fit.objectives.detection import Seen, chances
from sbmlgrad.model.expression import Expression, substitute
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Probability that may leak out of the states by the last time, at first.
TOLERANCE = 1e-9
#: Share of the probability of an observed count that may have leaked.
ACCURACY = 1e-3
#: Least probability of a count that the sums of the master equation give to that accuracy.
LEAST = 1e-12
#: How far from a whole number rounding may put the value of an observable.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Observation:
    """How cells are seen.

    Attributes:
        detection: probability with which a molecule is seen: one for all observables, or by
            observable (1 where left out).
        background: share of cells with uniform counts.
        largest: number of states to give up at.
    """

    detection: float | Mapping[str, float]
    background: float
    largest: int

    def of(self, ids: tuple[str, ...]) -> FloatArray:
        """Return the detection probability of some observables, float64 [observable]."""
        if isinstance(self.detection, Mapping):
            return np.array([self.detection.get(id, 1.0) for id in ids], dtype=np.float64)
        return np.full(len(ids), self.detection, dtype=np.float64)


def deviance(
    problem: Problem,
    experiment: PreparedExperiment,
    parameters: FloatArray,
    observation: Observation,
    *,
    slopes: bool = True,
) -> tuple[float, FloatArray]:
    """Return one experiment's part of the mean deviance of all cells, and its slope.

    Args:
        problem: what is calibrated.
        experiment: of the problem.
        parameters: of the network, float64 [parameter].
        observation: how cells are seen.
        slopes: whether to work out the slope.

    Returns:
        The deviance, and its derivative in the parameters, float64 [parameter]: 0 in those that the
        experiment holds, and everywhere without `slopes`.

    Raises:
        StateSpaceError: too many states, or a count that is all but impossible.
        GradientError: initial counts depend on a free parameter.
    """
    network, seen = problem.network, seen_in(problem)[experiment.id]
    detection = observation.of(snapshots_of(problem).species)
    ids = tuple(network.parameter_ids[i] for i in experiment.places)
    given = {
        id: value
        for id, value in zip(network.parameter_ids, parameters.tolist(), strict=True)
        if not np.isnan(value)
    }
    if slopes:
        refuse_whole_numbers(lower(network), ids)
    readout = ValuesAt(snapshot_times(problem)[experiment.id])
    cells = len(snapshots_of(problem))
    tolerance = TOLERANCE
    while True:
        projection = project(
            network,
            until=float(readout.points[-1]),
            parameters=given,
            initial=experiment.initial,
            tolerance=tolerance,
            largest=observation.largest,
        )
        counts = _observed(problem, projection, given, experiment.initial)
        found = [
            chances(one, p, counts, detection, observation.background)
            for one, p in zip(seen, projection.distributions(readout.points), strict=True)
        ]
        least = min(float(one.probability.min()) for one in found)
        leak = projection.leak(float(readout.points[-1])) * (1.0 - observation.background)
        if leak <= ACCURACY * least or tolerance <= ACCURACY * LEAST:
            break
        tolerance = ACCURACY * max(min(least, tolerance), LEAST)
    if least < LEAST:
        raise _impossible(problem, experiment, given, seen, [c.probability for c in found])
    total = sum(
        float(one.numbers @ (np.log(one.frequency) - np.log(own.probability)))
        for one, own in zip(seen, found, strict=True)
    )
    gradient = np.zeros(len(parameters))
    if slopes and ids:
        weights = np.stack([own.weights for own in found], axis=1)
        _, in_inputs = projection.total_in_inputs(readout, lambda _: weights)
        directions = in_parameters(projection.lowered, projection.inputs, ids, projection.given)
        gradient[experiment.places] = in_inputs @ directions
    return 2.0 * total / cells, -2.0 * gradient / cells


@lru_cache(maxsize=4)
def seen_in(problem: Problem) -> Mapping[str, tuple[Seen, ...]]:
    """Return experiment id → the different counts that were seen, by time."""
    snapshots = snapshots_of(problem)
    largest = snapshots.counts.max(axis=0)
    found: dict[str, tuple[Seen, ...]] = {}
    for experiment, times in snapshot_times(problem).items():
        own = snapshots.of(experiment)
        found[experiment] = tuple(Seen.of(own.at(time), largest) for time in times)
    return found


def _observed(
    problem: Problem,
    projection: Projection,
    parameters: Mapping[str, float],
    initial: Mapping[str, float],
) -> NDArray[np.int64]:
    """Return what would be counted in every state, int64 [state, observable]."""
    network = problem.network
    values: dict[str, Any] = dict(initial_values(network, parameters, initial))
    states = projection.space.states
    values |= {s: states[:, i] for i, s in enumerate(projection.lowered.species_ids)}
    columns = []
    for id in snapshots_of(problem).species:
        formula: Expression = substitute(problem.observable[id].formula, network.in_counts)
        found = np.broadcast_to(np.asarray(evaluate(formula, values)), (len(states),))
        whole = np.rint(found)
        if not (np.abs(found - whole) <= ROUNDING).all():
            bad = int(np.argmax(np.abs(found - whole)))
            raise FitError(
                f"observable {id!r} is {found[bad]:g} in state "
                f"{dict(zip(projection.lowered.species_ids, states[bad].tolist(), strict=True))}, "
                "and cells hold whole numbers of molecules; let its formula give molecules"
            )
        columns.append(whole.astype(np.int64))
    return np.stack(columns, axis=1)


def _impossible(
    problem: Problem,
    experiment: PreparedExperiment,
    parameters: Mapping[str, float],
    seen: tuple[Seen, ...],
    probability: list[FloatArray],
) -> StateSpaceError:
    times = snapshot_times(problem)[experiment.id]
    time, one, p = min(
        zip(times, seen, probability, strict=True), key=lambda entry: float(entry[2].min())
    )
    cell = one.counts[int(np.argmin(p))].tolist()
    counts = dict(zip(snapshots_of(problem).species, cell, strict=True))
    where = f" in experiment {experiment.id!r}" if experiment.id else ""
    ids = [problem.network.parameter_ids[i] for i in experiment.places]
    values = ", ".join(f"{id} = {parameters[id]:.4g}" for id in ids)
    return StateSpaceError(
        f"a cell with {counts} at time {time:g}{where} has a probability of {p.min():.2g} with "
        f"{values}, too little for its logarithm to be known; start from better values (fit with "
        "Moments() or Distribution() first), or let StateSpaceLikelihood(background=1e-4) leave "
        "such cells unexplained"
    )
