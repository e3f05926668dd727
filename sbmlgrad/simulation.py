"""`simulate`: network + parameters + engine (+ estimator) → ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import DeterministicEngine, Engine, Progress, is_deterministic
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.plain_call import plain_call
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.arguments import check_network, check_on_failure, check_progress
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_numbers, whole
from sbmlgrad.simulation_inputs import (
    check_engine,
    default_engine,
    explicit_of,
    initial_of,
    readouts_of,
    seed_of,
    starts_of,
)
from sbmlgrad.simulation_job import Job, batch_of, ensemble_of, software_versions

#: Random streams of a batch: each parameter set has its own, or all share the same.
STREAMS = ("own", "common")


def simulate(
    model: ReactionNetwork,
    parameters: Any = None,
    *,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    trajectories: int = 1,
    seed: Any = None,
    engine: Engine | DeterministicEngine | None = None,
    estimator: Any = None,
    readouts: Sequence[Readout] = (),
    initial: Mapping[str, float] | None = None,
    first_trajectory: int = 0,
    on_failure: str = "raise",
    progress: Progress | None = None,
    streams: str = "own",
    starts: Any = None,
) -> Ensemble:
    """Simulate a network exactly.

    Args:
        model: the network.
        parameters: None for the model's own; a mapping id → value; an array [parameter] in the
            order of `model.parameter_ids`; or a TensorFlow tensor [parameter], and then statistics
            of the ensemble are tensors with gradients. An array or tensor [set, parameter] is a
            batch of parameter sets, and then every result has a leading axis over the sets.
        times: output times, increasing, >= 0, in the model's unit; a value is the state just after
            everything that happens then. The simulation always starts at time 0.
        trajectories: how many.
        seed: 0 <= seed < 2^63; None draws one, recorded in the ensemble.
        engine: sampling algorithm; None chooses `Native()`, which chooses a kernel by the size of
            the job and of the network; the ensemble records what and why. `ODE()` follows the
            deterministic rate equations and ignores `trajectories` and `seed`.
        estimator: gradient method for tensors; None is `TwoSidedAdjoint()`.
        readouts: other readouts than values at times; see `sbmlgrad.WindowAverages` and others.
        initial: species or compartment id → value at time 0, in the meaning of its symbol.
        first_trajectory: number of the first trajectory, so that a batch can be split.
        on_failure: `"raise"` or `"mark"` trajectories that fail.
        progress: called with (done, total) trajectories from time to time; those under way count in
            part.
        streams: random streams of a batch of parameter sets. With `"own"` set b takes trajectories
            `first_trajectory + b * trajectories` and on, so that the sets are independent; with
            `"common"` all take the same (common random numbers), so that differences between sets
            have less noise.
        starts: molecules in which trajectories start at time 0, an array [start, species] in the
            order of `model.species_ids`, such as `other.counts[:, -1]`; trajectory number i starts
            in state i modulo their number. None starts all as the model says.

    Returns:
        The ensemble.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning, or lacks values.
        ParameterError: unknown ids or unusable values.
        RequestError: times, trajectories, seed or readouts that make no sense.
        GradientError: the estimator cannot differentiate what is asked for.
        SimulationError: trajectories failed (negative propensity or count, not finite, runaway).
    """
    return plain_call(
        _simulate,
        model,
        parameters,
        times=times,
        trajectories=trajectories,
        seed=seed,
        engine=engine,
        estimator=estimator,
        readouts=readouts,
        initial=initial,
        first_trajectory=first_trajectory,
        on_failure=on_failure,
        progress=progress,
        streams=streams,
        starts=starts,
    )


def _simulate(
    model: ReactionNetwork,
    parameters: Any,
    *,
    times: Any,
    trajectories: int,
    seed: Any,
    engine: Engine | DeterministicEngine | None,
    estimator: Any,
    readouts: Sequence[Readout],
    initial: Mapping[str, float] | None,
    first_trajectory: int,
    on_failure: str,
    progress: Progress | None,
    streams: str,
    starts: Any,
) -> Ensemble:
    check_on_failure(on_failure)
    check_network("simulate", model)
    if engine is not None:
        check_engine(engine)
    if initial is not None and not isinstance(initial, Mapping):
        raise RequestError(f"initial={initial!r}: pass a mapping of ids to values")
    for id, value in (initial or {}).items():
        if is_tensor(value):
            raise GradientError(_refused_start(model, str(id)))
    if not isinstance(streams, str) or streams not in STREAMS:
        raise RequestError(f"streams={streams!r}: choose one of {STREAMS}")
    check_progress(progress)
    if is_deterministic(engine):
        if estimator is not None or first_trajectory != 0 or starts is not None:
            raise RequestError(
                "ODE() has one solution: `estimator`, `first_trajectory` and `starts` mean nothing "
                "there; leave them out, or use a stochastic engine"
            )
        return _simulate_rates(model, parameters, times, readouts, initial, engine, progress)
    start = initial_of(model, initial)
    is_batch = _is_batch(parameters)
    given = [None] if is_tensor(parameters) else list(parameters) if is_batch else [parameters]
    sets = [explicit_of(model, one) for one in given]
    job = Job(
        lowered=_lowered(model, sets[0], start),
        readouts=readouts_of(times, readouts),
        trajectories=whole("trajectories", trajectories, 1, LARGEST_TRAJECTORY),
        first_trajectory=whole("first_trajectory", first_trajectory, 0, LARGEST_TRAJECTORY),
        engine=default_engine() if engine is None else cast(Engine, engine),
        initial=start,
        is_strict=on_failure == "raise",
        progress=progress,
        is_common=streams == "common",
        starts=starts_of(model, starts, start),
    )
    if is_tensor(parameters):
        from sbmlgrad.simulation_tensor import simulate_tensor

        # Counts what the gradient takes, too.
        return simulate_tensor(job, parameters, seed, estimator)
    job.check_size(len(sets))
    if estimator is not None:
        raise GradientError(
            "an estimator is of use only where the parameters are a TensorFlow tensor"
        )
    number = seed_of(seed)
    job = job.settled(sets[0], number, len(sets))
    samples = [job.run(one, number, member, len(sets)) for member, one in enumerate(sets)]
    if is_batch:
        return batch_of(job, sets, samples, number)
    return ensemble_of(job, sets[0], samples[0], number)


def _refused_start(model: ReactionNetwork, id: str) -> str:
    """Say why a tensor as an initial value has no gradient, and what has one."""
    if any(compartment.id == id for compartment in model.compartments):
        return (
            f"initial: '{id}' is a compartment, and gradients are in the parameters of the model "
            "alone, so that a tensor would silently have none. Let the size follow a parameter by "
            f"an initial assignment, in Antimony '{id} = size; size = 1', and pass that parameter "
            "with the others; or give a number, for instance float(value)"
        )
    return (
        f"initial: a tensor for '{id}' would have no gradient, because whole numbers of molecules "
        "have no derivative; pass numbers, for instance float(value)"
    )


def _is_batch(parameters: Any) -> bool:
    """Tell whether parameters are an array [set, parameter]."""
    if parameters is None or is_tensor(parameters) or isinstance(parameters, Mapping):
        return False
    array = as_numbers("parameters", parameters)
    if array.ndim == 2 and not len(array):
        raise ParameterError("parameters: the batch holds no parameter set")
    return array.ndim == 2


def _simulate_rates(
    model: ReactionNetwork,
    parameters: Any,
    times: Any,
    readouts: Sequence[Readout],
    initial: Mapping[str, float] | None,
    engine: DeterministicEngine,
    progress: Progress | None,
) -> Ensemble:
    """Simulate deterministically; only values at times are defined."""
    from sbmlgrad.engines.deterministic import solve_rate_equations

    if is_tensor(parameters):
        raise GradientError(
            "ODE() does not differentiate with respect to a TensorFlow tensor; pass NumPy values, "
            "or use a stochastic engine"
        )
    if times is None or len(readouts_of(times, readouts)) > 1:
        raise RequestError("ODE() gives values at `times`; other readouts are for stochastic paths")
    return solve_rate_equations(
        model,
        explicit_of(model, parameters),
        times,
        initial=initial_of(model, initial),
        engine=engine,
        versions=software_versions(),
        progress=progress,
    )


def _lowered(
    model: ReactionNetwork, explicit: Mapping[str, float], initial: Mapping[str, float]
) -> LoweredNetwork:
    """Lower a network for the values given, which may need other channels than the document's."""
    if not explicit and not initial:
        return lower(model)
    return lower(model, initial_values(model, explicit, initial))
