"""`simulate` for parameters that are a TensorFlow tensor: an ensemble with gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome, Request
from sbmlgrad.engines.ensemble import Ensemble, constants
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import columns, point_count
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.gradients.base import Estimator, check_clock, check_readouts
from sbmlgrad.gradients.chain import in_parameters, refuse_parameters_in_start
from sbmlgrad.gradients.expectations import (
    ExpectationEstimator,
    Expectations,
    ParameterEstimator,
    Paths,
)
from sbmlgrad.gradients.functional import Functional, mean_functional
from sbmlgrad.gradients.tensorflow import differentiable, is_tensor
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.initial import initial_values, start_expression
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.simulation_inputs import draw_seed, explicit_of, seed_of
from sbmlgrad.simulation_job import Job, outcomes_of, software_versions

FloatArray = NDArray[np.float64]


def simulate_tensor(job: Job, parameters: Any, seed: Any, estimator: Any) -> Ensemble:
    """Simulate for a tensor [parameter] or [set, parameter]; arguments as in `simulate`."""
    method = TwoSidedAdjoint() if estimator is None else estimator
    if isinstance(method, type) or not isinstance(method, Estimator):
        raise RequestError(
            f"estimator={method!r}: pass an estimator object, for instance "
            "sbmlgrad.gradients.TwoSidedAdjoint()"
        )
    check_readouts(method, job.readouts)
    check_clock(method, job.lowered)
    reverse = _reverse_engine(job)
    if reverse.dtype != "float64":
        raise GradientError(
            f"{reverse.name}: a gradient replays the trajectories, by the random streams of "
            "double precision; leave out dtype"
        )
    theta = _parameter_tensor(job.network, parameters)
    if theta.shape.rank == 2 and theta.shape[0] is not None:
        _check_sets(job, int(theta.shape[0]))
    used: dict[str, str] = {}

    def forward(theta: FloatArray, number: int) -> Any:
        settled = _settled(job, theta, number)
        samples = _samples(settled, theta, number)
        used["engine"] = f"{samples[0][0].engine}{settled.why_engine}"
        found = [outcomes_of(of_set) for of_set in samples]
        outcomes, firings = (np.stack(part) for part in zip(*found, strict=True))
        if (outcomes > Outcome.ABSORBED).any():
            raise GradientError(
                "a trajectory failed, and statistics with a gradient cannot leave it out; "
                'simulate with on_failure="raise" to see which'
            )
        values = [np.stack([s.values for s in of_all]) for of_all in zip(*samples, strict=True)]
        if theta.ndim == 1:
            return [v[0] for v in values], outcomes[0], firings[0]
        return values, outcomes, firings

    def requests(theta: FloatArray, number: int, member: int) -> list[Request]:
        found = job.requests(_explicit(job, theta), number, member)
        return [replace(request, progress=None) for request in found]

    def backward(theta: FloatArray, number: int, cotangents: list[FloatArray]) -> FloatArray:
        engine = _reverse_engine(_settled(job, theta, number))
        if theta.ndim == 1:
            return pulled(engine, theta, number, 0, cotangents)
        rows = [
            pulled(engine, theta[i], number, i, [cotangent[i] for cotangent in cotangents])
            for i in range(len(theta))
        ]
        return np.array(rows).reshape(theta.shape)

    def pulled(
        engine: Native, theta: FloatArray, number: int, member: int, cotangents: list[FloatArray]
    ) -> FloatArray:
        total = np.zeros(len(theta))
        wanted = [place for place, cotangent in enumerate(cotangents) if np.any(cotangent)]
        if not wanted:
            return total
        parts = requests(theta, number, member)
        for place in wanted:
            request, cotangent = parts[place], cotangents[place]
            if isinstance(method, ParameterEstimator):
                functional = mean_functional(method.name, request, cotangent)
                total += differences(engine, theta, number, member, place, functional)
            else:
                refuse_parameters_in_start(job.lowered)
                slope = method.pull_back(engine, request, cotangent)
                total += in_parameters(request, slope, job.initial)
        return total

    def differences(
        engine: Native,
        theta: FloatArray,
        number: int,
        member: int,
        place: int,
        functional: Functional,
    ) -> FloatArray:
        assert isinstance(method, ParameterEstimator)
        at = lambda other: requests(other, number, member)[place]  # noqa: E731
        return method.pull_back_parameters(engine, at, theta, functional)

    def of_expectation(
        theta: FloatArray, number: int, member: int, place: int, functional: Functional
    ) -> FloatArray:
        if isinstance(method, ParameterEstimator):
            return differences(reverse, theta, number, member, place, functional)
        refuse_parameters_in_start(job.lowered)
        request = requests(theta, number, member)[place]
        assert isinstance(method, ExpectationEstimator)
        slope = method.pull_back_expectation(reverse, request, functional)
        return in_parameters(request, slope, job.initial)

    shapes = [
        (job.trajectories, point_count(r), columns(r, len(job.lowered.state_ids)))
        for r in job.readouts
    ]
    states, outcomes, firings, number = differentiable(
        theta, _seed(seed), draw_seed, forward, backward, shapes
    )
    if isinstance(method, ExpectationEstimator):
        differentiator = Expectations(method.name, theta, number, of_expectation)
    else:
        differentiator = Paths(method.name)
    return Ensemble(
        network=job.network,
        readouts=job.readouts,
        states=states,
        parameters=theta,
        constants=_fixed(job),
        outcomes=outcomes,
        firings=firings,
        seed=number,
        first_trajectory=job.first_trajectory,
        engine=f"{used.get('engine', job.engine.name)} with {method.name}",
        versions=software_versions(),
        is_differentiable=True,
        channels=job.lowered.channels,
        differentiator=differentiator,
        stride=job.stride if theta.shape.rank == 2 else 0,
    )


def _reverse_engine(job: Job) -> Native:
    # Whatever engine sampled, its firings are those of the streams, which a reverse sweep replays.
    return job.engine if isinstance(job.engine, Native) else Native()


def _explicit(job: Job, theta: FloatArray) -> dict[str, float]:
    """Return parameters by id; one that is drawn at random, NaN in the model, is left to be."""
    given = explicit_of(job.network, theta)
    return {id: value for id, value in given.items() if not np.isnan(value)}


def _settled(job: Job, theta: FloatArray, number: int) -> Job:
    if theta.ndim == 1:
        return job
    _check_sets(job, len(theta))
    return job.settled(_explicit(job, theta[0]), number, len(theta))


def _samples(job: Job, theta: FloatArray, number: int) -> Any:
    """Return samples by parameter set, then readout."""
    if theta.ndim == 1:
        return [job.run(_explicit(job, theta), number)]
    return [
        job.run(_explicit(job, row), number, member, len(theta)) for member, row in enumerate(theta)
    ]


def _check_sets(job: Job, sets: int) -> None:
    if sets < 1:
        raise ParameterError("parameters: the batch holds no parameter set")
    job.check_size(sets)


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
