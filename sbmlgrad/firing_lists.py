"""`firings`: every firing of exact trajectories, for those who need more than states at times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Progress, Request
from sbmlgrad.engines.failures import failure_message
from sbmlgrad.engines.firing_list import FiringList, Lister
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import GradientError, RequestError, SimulationError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.arguments import check_network, check_on_failure, check_progress
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number
from sbmlgrad.simulation import software_versions
from sbmlgrad.simulation_inputs import explicit_of, initial_of, numbers_of, seed_of

__all__ = ["FiringList", "firings"]


def firings(
    model: ReactionNetwork,
    parameters: Any = None,
    *,
    until: float,
    trajectories: int = 1,
    seed: Any = None,
    engine: Native | None = None,
    initial: Mapping[str, float] | None = None,
    first_trajectory: int = 0,
    on_failure: str = "raise",
    progress: Progress | None = None,
) -> FiringList:
    """Simulate exactly and list every firing.

    Choose it for what values at times do not tell: waiting times, order of reactions, first
    passages. It takes 9 bytes a firing (10 above 256 reactions) and twice the time of a simulation,
    since trajectories are counted before they are written down. They are those of `simulate` with
    the same seed.

    Args:
        model: the network; it may have no events, rate rules or laws that depend on time.
        parameters: as in `simulate`, but no TensorFlow tensor.
        until: the last time; a firing just then is listed.
        trajectories: how many.
        seed: as in `simulate`.
        engine: `Native` with threads and a firing limit, or None.
        initial: as in `simulate`.
        first_trajectory: number of the first trajectory.
        on_failure: `"raise"`, or `"mark"` to list what trajectories did before they failed.
        progress: called with (done, total) trajectories while firings are counted.

    Returns:
        The firings.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning, or lacks values.
        RequestError: a request that makes no sense, a model with a clock, or a list that does not
            fit into memory.
        SimulationError: trajectories failed.
    """
    check_network("firings", model)
    check_on_failure(on_failure)
    if is_tensor(parameters):
        raise GradientError("firings have no derivative; pass NumPy values")
    if engine is not None and not isinstance(engine, Native):
        raise RequestError(
            f"engine={engine!r}: firings are listed by sbmlgrad.engines.Native() only"
        )
    check_progress(progress)
    count, first = numbers_of(trajectories, first_trajectory)
    end = as_number("until", until)
    if not 0.0 <= end < np.inf:
        raise RequestError(f"until={until!r}: give a finite time >= 0")
    explicit, given, number = (
        explicit_of(model, parameters),
        initial_of(model, initial),
        seed_of(seed),
    )
    lowered = lower(model, initial_values(model, explicit, given) if explicit or given else None)
    numbers = np.arange(count, dtype=np.uint64) + np.uint64(first)
    request = Request(
        lowered=lowered,
        inputs=np.zeros(0),
        start=np.zeros((1, len(lowered.state_ids))),
        readout=ValuesAt([end]),
        trajectories=count,
        seed=number,
        first_trajectory=first,
        progress=progress,
    )
    native = Native() if engine is None else engine
    # Refuses models with a clock before their start is worked out.
    Lister(request, native)
    values, start = start_states(lowered, explicit, given, number, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids], dtype=np.float64)
    lister = Lister(replace(request, inputs=inputs, start=start), native)
    sample = lister.count()
    message = failure_message(sample, lowered, first)
    if message is not None and on_failure == "raise":
        raise SimulationError(message, outcomes=sample.outcomes)
    trajectory_start, times, reactions = lister.list(sample)
    return FiringList(
        network=lowered.network,
        reaction_ids=tuple(channel.id for channel in lowered.channels),
        stoichiometry=lowered.stoichiometry,
        trajectory_start=trajectory_start,
        times=times,
        reactions=reactions,
        start=start.astype(np.int64),
        outcomes=sample.outcomes,
        until=end,
        seed=number,
        first_trajectory=first,
        engine=sample.engine,
        versions=software_versions(),
    )
