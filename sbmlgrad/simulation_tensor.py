"""`simulate` for parameters that are a TensorFlow tensor: an ensemble with gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.ensemble import Ensemble, constants
from sbmlgrad.engines.memory_estimate import check_bytes
from sbmlgrad.engines.readouts import columns, point_count
from sbmlgrad.engines.statistics import Differentiator
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.gradients.base import Estimator, check_clock, check_laws, check_readouts
from sbmlgrad.gradients.ensemble_in_parts import EnsembleInParts, NotKept
from sbmlgrad.gradients.expectations import (
    ExpectationEstimator,
    Expectations,
    ParameterEstimator,
    Paths,
)
from sbmlgrad.gradients.memory import (
    PARTS_ADVICE,
    available,
    gradient_bytes,
    in_parts_bytes,
    least_bytes,
    part_size,
    part_sizes,
)
from sbmlgrad.gradients.tensor_ensemble import TensorEnsemble, mean_of_states
from sbmlgrad.gradients.tensorflow import differentiable, is_tensor
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.initial import initial_values, start_expression
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.simulation_inputs import draw_seed, seed_of
from sbmlgrad.simulation_job import Job, software_versions
from sbmlgrad.simulation_replay import Replay

FloatArray = NDArray[np.float64]


def simulate_tensor(job: Job, parameters: Any, seed: Any, estimator: Any) -> Ensemble:
    """Simulate for a tensor [parameter] or [set, parameter]; arguments as in `simulate`.

    Where the values and what their gradient takes do not fit into memory, trajectories are
    simulated and walked back in parts, for statistics of the ensemble alone.
    """
    method = TwoSidedAdjoint() if estimator is None else estimator
    if isinstance(method, type) or not isinstance(method, Estimator):
        raise RequestError(
            f"estimator={method!r}: pass an estimator object, for instance "
            "sbmlgrad.gradients.TwoSidedAdjoint()"
        )
    check_readouts(method, job.readouts)
    check_clock(method, job.lowered)
    check_laws(method, job.lowered)
    replay = Replay(job, method)
    if replay.reverse.dtype != "float64":
        raise GradientError(
            f"{replay.reverse.name}: a gradient replays the trajectories, by the random streams of "
            "double precision; leave out dtype"
        )
    theta = _parameter_tensor(job.network, parameters)
    sets = 1
    if theta.shape.rank == 2 and theta.shape[0] is not None:
        sets = int(theta.shape[0])
    job.check_sets(sets)
    sizes = _sizes(job, sets, theta)
    if len(sizes) > 1:
        return _in_parts(replay, theta, _seed(seed), sizes)
    return _at_once(replay, theta, _seed(seed))


def _sizes(job: Job, sets: int, theta: Any) -> tuple[int, ...]:
    """Return the trajectories of the parts that a gradient is taken in.

    Batches and graphs are not taken apart: they are one part, and refused where not even a gradient
    of means would fit.

    Raises:
        RequestError: there is too little memory.
    """
    import tensorflow as tf

    total = job.trajectories * sets
    needed = gradient_bytes(job.lowered, job.readouts, total)
    # Asked once, since what is available changes.
    there = available(needed)
    if there is None or needed <= there:
        return (job.trajectories,)
    what = f"a gradient over {total:,} trajectories"
    if theta.shape.rank == 2 or not tf.executing_eagerly():
        least = least_bytes(job.lowered, job.readouts, total)
        check_bytes(least, what, PARTS_ADVICE, there)
        return (job.trajectories,)
    most = part_size(job.lowered, job.readouts, job.trajectories, needed, there)
    sizes = part_sizes(job.trajectories, most)
    has_starts = job.starts is not None
    least = in_parts_bytes(job.lowered, job.readouts, job.trajectories, sizes[0], has_starts)
    check_bytes(least, f"{what}, in parts", PARTS_ADVICE, there)
    return sizes


def _at_once(replay: Replay, theta: Any, seed: Any) -> TensorEnsemble:
    job = replay.job
    used: dict[str, str] = {}

    def forward(theta: FloatArray, number: int) -> Any:
        values, outcomes, firings, used["engine"] = replay.forward(theta, number)
        return values, outcomes, firings

    shapes = [
        (job.trajectories, point_count(r), columns(r, len(job.lowered.state_ids)))
        for r in job.readouts
    ]
    states, outcomes, firings, number = differentiable(
        theta, seed, draw_seed, forward, replay.backward, shapes
    )
    return TensorEnsemble(
        network=job.network,
        readouts=job.readouts,
        states=states,
        parameters=theta,
        constants=_fixed(job),
        outcomes=outcomes,
        firings=firings,
        seed=number,
        first_trajectory=job.first_trajectory,
        engine=f"{used.get('engine', job.engine.name)} with {replay.method.name}",
        versions=software_versions(),
        is_differentiable=True,
        channels=job.lowered.channels,
        differentiator=_differentiator(replay, theta, number),
        stride=job.stride if theta.shape.rank == 2 else 0,
        mean_states=tuple(mean_of_states(state) for state in states),
        means_of=states,
    )


def _in_parts(replay: Replay, theta: Any, seed: Any, sizes: tuple[int, ...]) -> Ensemble:
    """Return an ensemble that keeps statistics, made of parts with consecutive trajectories."""
    whole = replay.job
    total = whole.trajectories
    lows = [sum(sizes[:place]) for place in range(len(sizes))]
    # One kernel, judged by all trajectories.
    first = replace(whole, trajectories=sizes[0])
    number = draw_seed() if seed is None else int(seed)
    settled = first.settled(replay.explicit(np.asarray(theta)), number, len(sizes))
    parts = [
        Replay(
            replace(
                settled,
                trajectories=size,
                first_trajectory=whole.first_trajectory + low,
                progress=_shifted(whole, low),
            ),
            replay.method,
        )
        for low, size in zip(lows, sizes, strict=True)
    ]
    used: dict[str, str] = {}

    def forward(theta: FloatArray, number: int) -> Any:
        sums: list[FloatArray] = []
        outcomes, firings = [], []
        for part in parts:
            values, of_part, fired, used["engine"] = part.forward(theta, number)
            found = [v.sum(axis=0) for v in values]
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else found
            outcomes.append(of_part)
            firings.append(fired)
        return [s / total for s in sums], np.concatenate(outcomes), np.concatenate(firings)

    def backward(theta: FloatArray, number: int, cotangents: list[FloatArray]) -> FloatArray:
        rows = [cotangent[None] / total for cotangent in cotangents]
        if not isinstance(replay.method, ExpectationEstimator | ParameterEstimator):
            # One row stands for all trajectories, and a walk back keeps no values.
            return replay.backward(theta, number, rows)
        return np.sum([part.backward(theta, number, rows) for part in parts], axis=0)

    means, outcomes, firings, _ = differentiable(theta, number, draw_seed, forward, backward, ())
    none: Any = NotKept(total, len(parts))
    # Progress is that of the first pass.
    again = [Replay(replace(part.job, progress=None), part.method) for part in parts]
    return EnsembleInParts(
        network=whole.network,
        readouts=whole.readouts,
        states=none,
        parameters=theta,
        constants=_fixed(whole),
        outcomes=outcomes,
        firings=firings,
        seed=number,
        first_trajectory=whole.first_trajectory,
        engine=f"{used['engine']} with {replay.method.name}, in {len(parts)} parts of up to "
        f"{sizes[0]:,} trajectories, which together would not fit into memory",
        versions=software_versions(),
        is_differentiable=True,
        channels=whole.lowered.channels,
        differentiator=_differentiator(replay, theta, number),
        mean_states=means,
        means_of=none,
        parts=tuple(lambda theta, part=part: _at_once(part, theta, number) for part in again),
        sizes=sizes,
    )


def _differentiator(replay: Replay, theta: Any, number: Any) -> Differentiator:
    """Return how statistics that are no tensor operations on the states get their gradient."""
    name = replay.method.name
    if isinstance(replay.method, ExpectationEstimator):
        return Expectations(name, theta, number, replay.of_expectation)
    return Paths(name)


def _shifted(job: Job, low: int) -> Any:
    report = job.progress
    if report is None:
        return None
    return lambda done, _total: report(low + done, job.trajectories)


def _parameter_tensor(network: ReactionNetwork, parameters: Any) -> Any:
    """Return parameters as a tensor float64 [parameter] or [set, parameter], checked."""
    import tensorflow as tf

    theta = tf.convert_to_tensor(parameters)
    if not theta.dtype.is_floating:
        raise ParameterError(
            f"parameters: a tensor of {theta.dtype.name} has no gradient; pass float64 or float32"
        )
    theta = tf.cast(theta, tf.float64)
    if theta.shape.rank is None:
        raise ParameterError(
            "parameters: a tensor of unknown rank may be one set or a batch; fix that, for "
            f"instance by tf.ensure_shape(parameters, [{len(network.parameter_ids)}])"
        )
    ids = network.parameter_ids
    # Inside tf.function a length may be unknown until it runs.
    if theta.shape.rank not in (1, 2) or theta.shape[-1] not in (len(ids), None):
        raise ParameterError(
            f"parameters: model '{network.id}' has {len(ids)} parameters "
            f"({', '.join(ids) or 'none'}), got a tensor of shape {tuple(theta.shape)}; pass "
            "[parameter] or [set, parameter]"
        )
    return theta


def _seed(seed: Any) -> Any:
    """Return a seed as a number, or a symbol of the graph under construction, or None."""
    if seed is None:
        return None
    if not is_tensor(seed):
        return seed_of(seed)
    return seed_of(seed.numpy()) if hasattr(seed, "numpy") else seed


def _fixed(job: Job) -> dict[str, float]:
    """Return symbols that never change and depend on no parameter."""
    values = initial_values(job.network, {}, job.initial)
    return {
        symbol: value
        for symbol, value in constants(job.network, values).items()
        if symbol in job.initial or not symbols(start_expression(job.network, symbol))
    }
