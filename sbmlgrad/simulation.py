"""`simulate`: network + parameters + engine (+ estimator) → ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import (
    DeterministicEngine,
    Engine,
    Outcome,
    Progress,
    Request,
    Sample,
    is_deterministic,
)
from sbmlgrad.engines.ensemble import Ensemble, constants
from sbmlgrad.engines.failures import failure_message
from sbmlgrad.engines.memory_estimate import check_job
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import Readout, columns, point_count
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import (
    GradientError,
    ParameterError,
    RequestError,
    SimulationError,
)
from sbmlgrad.gradients.tensorflow import differentiable, is_tensor
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.initial import initial_values, start_expression
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole
from sbmlgrad.simulation_inputs import (
    check_engine,
    default_engine,
    draw_seed,
    explicit_of,
    initial_of,
    readouts_of,
    seed_of,
)

#: Packages whose versions are recorded in results.
SOFTWARE = ("sbmlgrad", "numpy", "scipy", "numba", "python-libsbml", "tensorflow", "keras")


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
) -> Ensemble:
    """Simulate a network exactly.

    Args:
        model: the network.
        parameters: None for the model's own; a mapping id → value; an array [parameter] in the
            order of `model.parameter_ids`; or a TensorFlow tensor [parameter], and then statistics
            of the ensemble are tensors with gradients.
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

    Returns:
        The ensemble.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning, or lacks values.
        ParameterError: unknown ids or unusable values.
        RequestError: times, trajectories, seed or readouts that make no sense.
        GradientError: the estimator cannot differentiate what is asked for.
        SimulationError: trajectories failed (negative propensity or count, not finite, runaway).
    """
    if on_failure not in ("raise", "mark"):
        raise RequestError(f"on_failure={on_failure!r}: choose 'raise' or 'mark'")
    if not isinstance(model, ReactionNetwork):
        raise RequestError(f"simulate(model): pass a loaded network, not {model!r}")
    if engine is not None:
        check_engine(engine)
    if initial is not None and not isinstance(initial, Mapping):
        raise RequestError(f"initial={initial!r}: pass a mapping of ids to values")
    if progress is not None and not callable(progress):
        raise RequestError(f"progress={progress!r}: pass a function of (done, total)")
    explicit = {} if is_tensor(parameters) else explicit_of(model, parameters)
    if is_deterministic(engine):
        if estimator is not None or first_trajectory != 0:
            raise RequestError(
                "ODE() has one solution: `estimator` and `first_trajectory` mean nothing there; "
                "leave them out, or use a stochastic engine"
            )
        return _simulate_rates(model, parameters, times, readouts, initial, engine, progress)
    start = initial_of(model, initial)
    job = _Job(
        lowered=_lowered(model, explicit, start),
        readouts=readouts_of(times, readouts),
        trajectories=whole("trajectories", trajectories, 1, LARGEST_TRAJECTORY),
        first_trajectory=whole("first_trajectory", first_trajectory, 0, LARGEST_TRAJECTORY),
        engine=default_engine() if engine is None else cast(Engine, engine),
        initial=start,
        is_strict=on_failure == "raise",
        progress=progress,
    )
    if job.first_trajectory + job.trajectories > LARGEST_TRAJECTORY + 1:
        raise RequestError(f"one seed addresses trajectories 0 to {LARGEST_TRAJECTORY} only")
    check_job(job.lowered, job.readouts, job.trajectories)
    if is_tensor(parameters):
        return _simulate_tensor(job, parameters, seed, estimator)
    if estimator is not None:
        raise GradientError(
            "an estimator is of use only where the parameters are a TensorFlow tensor"
        )
    number = seed_of(seed)
    samples = job.run(explicit, number)
    return _ensemble(job, explicit, samples, number)


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
    if times is None or readouts:
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


@dataclass(frozen=True)
class _Job:
    """A checked request for one network, before its parameters are known."""

    lowered: LoweredNetwork
    readouts: tuple[Readout, ...]
    trajectories: int
    first_trajectory: int
    engine: Engine
    initial: dict[str, float]
    is_strict: bool
    progress: Progress | None

    @property
    def network(self) -> ReactionNetwork:
        return self.lowered.network

    def requests(self, explicit: Mapping[str, float], seed: int) -> list[Request]:
        """Return one request per readout; all replay the same trajectories."""
        numbers = np.arange(self.trajectories, dtype=np.uint64) + np.uint64(self.first_trajectory)
        values, start = start_states(self.lowered, explicit, self.initial, seed, numbers)
        if lower(self.network, values) is not self.lowered:
            raise ParameterError(
                f"model '{self.network.id}': with these parameter values a kinetic law splits into "
                "other forward and backward rates, or a stoichiometry is another, than with the "
                "model's own; load such values with model.with_parameters() first"
            )
        inputs = np.array([values[i] for i in self.lowered.input_ids], dtype=np.float64)
        return [
            Request(
                self.lowered,
                inputs,
                start,
                readout,
                self.trajectories,
                seed,
                self.first_trajectory,
                self.progress,
            )
            for readout in self.readouts
        ]

    def run(self, explicit: Mapping[str, float], seed: int) -> list[Sample]:
        """Sample every readout, and raise for failed trajectories unless they are to be marked."""
        samples = [self.engine.sample(request) for request in self.requests(explicit, seed)]
        if self.is_strict:
            for sample in samples:
                _raise_failed(self, explicit, samples, sample, seed)
        return samples


def _raise_failed(
    job: _Job, explicit: Mapping[str, float], samples: list[Sample], sample: Sample, seed: int
) -> None:
    message = failure_message(sample, job.lowered, job.first_trajectory)
    if message is not None:
        raise SimulationError(
            message,
            outcomes=sample.outcomes,
            ensemble=_ensemble(job, explicit, samples, seed),
        )


@lru_cache(maxsize=1)
def software_versions() -> dict[str, str]:
    """Return name → version of what results depend on and is installed."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in SOFTWARE:
        # A machine with a GPU may well have no TensorFlow; simulations do not need it.
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _ensemble(
    job: _Job, explicit: Mapping[str, float], samples: Sequence[Sample], seed: int
) -> Ensemble:
    values = initial_values(job.network, explicit, job.initial)
    outcomes = np.max([sample.outcomes for sample in samples], axis=0)
    return Ensemble(
        network=job.network,
        readouts=job.readouts,
        states=tuple(sample.values for sample in samples),
        parameters=np.array([values[p] for p in job.network.parameter_ids]),
        constants=constants(job.network, values),
        outcomes=outcomes,
        firings=np.max([sample.firings for sample in samples], axis=0),
        seed=seed,
        first_trajectory=job.first_trajectory,
        engine=samples[0].engine,
        versions=software_versions(),
        channels=job.lowered.channels,
    )


def _simulate_tensor(job: _Job, parameters: Any, seed: Any, estimator: Any) -> Ensemble:
    from sbmlgrad.engines.native import Native
    from sbmlgrad.gradients.base import Estimator, check_readouts
    from sbmlgrad.gradients.chain import in_parameters, refuse_parameters_in_start
    from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint

    method = estimator if estimator is not None else TwoSidedAdjoint()
    if isinstance(method, type) or not isinstance(method, Estimator):
        raise RequestError(
            f"estimator={method!r}: pass an estimator object, for instance "
            "sbmlgrad.gradients.TwoSidedAdjoint()"
        )
    check_readouts(method, job.readouts)
    if job.lowered.is_timed:
        raise GradientError(
            f"{method.name}: model '{job.network.id}' has events, rate rules, random initial "
            "values or laws that depend on time; gradients through them are not available"
        )
    ids = job.network.parameter_ids
    # Inside tf.function the length may be unknown until it runs.
    if tuple(parameters.shape) not in ((len(ids),), (None,)):
        raise ParameterError(
            f"parameters: model '{job.network.id}' has {len(ids)} parameters "
            f"({', '.join(ids) or 'none'}), got a tensor of shape {tuple(parameters.shape)}"
        )
    # Whatever engine sampled, its firings are those of the streams, which a reverse sweep replays.
    reverse = job.engine if isinstance(job.engine, Native) else Native()
    if reverse.dtype != "float64":
        raise GradientError(
            f"{reverse.name}: a gradient replays the trajectories, by the random streams of "
            "double precision; leave out dtype"
        )

    def by_id(theta: NDArray[np.float64]) -> dict[str, float]:
        return explicit_of(job.network, theta)

    used: dict[str, str] = {}

    def forward(theta: NDArray[np.float64], number: int) -> Any:
        samples = job.run(by_id(theta), number)
        used["engine"] = samples[0].engine
        outcomes = np.max([s.outcomes for s in samples], axis=0)
        if (outcomes > Outcome.ABSORBED).any():
            raise GradientError(
                "a trajectory failed, and statistics with a gradient cannot leave it out; "
                'simulate with on_failure="raise" to see which'
            )
        firings = np.max([s.firings for s in samples], axis=0)
        return [s.values for s in samples], outcomes, firings

    def backward(
        theta: NDArray[np.float64], number: int, cotangents: list[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        refuse_parameters_in_start(job.lowered)
        requests = job.requests(by_id(theta), number)
        total = np.zeros(len(ids))
        for request, cotangent in zip(requests, cotangents, strict=True):
            if np.any(cotangent):
                quiet = replace(request, progress=None)
                total += in_parameters(quiet, method.pull_back(reverse, quiet, cotangent))
        return total

    shapes = [
        (job.trajectories, point_count(r), columns(r, len(job.lowered.species_ids)))
        for r in job.readouts
    ]
    number = seed if seed is None or is_tensor(seed) else seed_of(seed)
    if seed is not None and is_tensor(seed) and hasattr(seed, "numpy"):
        number = seed_of(seed.numpy())
    states, outcomes, firings, number = differentiable(
        parameters, number, draw_seed, forward, backward, shapes
    )
    values = initial_values(job.network, {}, job.initial)
    fixed = {
        symbol: value
        for symbol, value in constants(job.network, values).items()
        if symbol in job.initial or not symbols(start_expression(job.network, symbol))
    }
    return Ensemble(
        network=job.network,
        readouts=job.readouts,
        states=states,
        parameters=parameters,
        constants=fixed,
        outcomes=outcomes,
        firings=firings,
        seed=number,
        first_trajectory=job.first_trajectory,
        engine=f"{used.get('engine', job.engine.name)} with {method.name}",
        versions=software_versions(),
        is_differentiable=True,
        channels=job.lowered.channels,
    )
