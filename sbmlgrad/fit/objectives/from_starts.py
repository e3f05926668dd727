"""Trajectories that start in given states, each state several times, with gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.fit.experiments import PreparedExperiment
from sbmlgrad.fit.objectives.base import FEWEST_FROM_A_STATE, StartedObjective
from sbmlgrad.fit.simulated import Simulated, Simulator
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.initial import initial_values
from sbmlgrad.simulation_inputs import explicit_of
from sbmlgrad.simulation_job import Job, batch_of, ensemble_of

FloatArray = NDArray[np.float64]


def simulate_started(
    simulator: Simulator,
    objective: StartedObjective,
    values: Any,
    trajectories: int,
    first_trajectory: int,
    *,
    estimator: Estimator | None = None,
) -> dict[str, Simulated]:
    """Simulate every experiment of a problem from the states that an objective starts in.

    Use it in the place of calling the simulator, for objectives with `starts`.

    Args:
        simulator: of the problem.
        objective: says where trajectories start.
        values: of the free parameters, array or tensor [free] or [set, free].
        trajectories: of each experiment and set at least; every state is taken equally often.
        first_trajectory: number of the first; the experiments follow each other.
        estimator: gradient method for tensors.

    Returns:
        Experiment id → what was simulated: trajectory i started in state i modulo their number.
        Only symbols of the model can be asked for.
    """
    problem = simulator.problem
    starts = objective.starts(problem)
    results, first = {}, first_trajectory
    place, sets = simulator.batch(values)
    for experiment in simulator.experiments:
        if experiment.id not in starts:
            continue
        rows = starts[experiment.id]
        count = len(rows) * max(-(-trajectories // len(rows)), FEWEST_FROM_A_STATE)
        own = first + place * count
        ensemble = _simulated(simulator, experiment, values, rows, count, own, estimator)
        results[experiment.id] = Simulated(ensemble, {})
        first += count * sets
    return results


def _simulated(
    simulator: Simulator,
    experiment: PreparedExperiment,
    values: Any,
    starts: FloatArray,
    trajectories: int,
    first_trajectory: int,
    estimator: Estimator | None,
) -> Ensemble:
    network = simulator.problem.network
    given = [*experiment.parameters(np.asarray(values).reshape(-1, values.shape[-1]))]
    sets: Sequence[Mapping[str, float]] = [explicit_of(network, one) for one in given]
    initial = dict(experiment.initial)
    job = Job(
        lowered=lower(network, initial_values(network, sets[0], initial)),
        readouts=(simulator.readout(experiment.id, estimator),),
        trajectories=trajectories,
        first_trajectory=first_trajectory,
        engine=simulator.engine,
        initial=initial,
        is_strict=simulator.on_failure == "raise",
        progress=None,
        # Trajectories take them in turn by their numbers, which need not begin at a multiple.
        starts=np.roll(starts, first_trajectory % len(starts), axis=0),
    )
    if is_tensor(values):
        from sbmlgrad.simulation_tensor import simulate_tensor

        # Counts what the gradient takes, too.
        return simulate_tensor(job, experiment.parameter_tensors(values), simulator.seed, estimator)
    job.check_size(len(sets))
    job = job.settled(sets[0], simulator.seed, len(sets))
    samples = [job.run(one, simulator.seed, i, len(sets)) for i, one in enumerate(sets)]
    if len(values.shape) == 1:
        return ensemble_of(job, sets[0], samples[0], simulator.seed)
    return batch_of(job, sets, samples, simulator.seed)
