"""A checked simulation of one network, and its runs for one or more sets of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Engine, Progress, Request, Sample
from sbmlgrad.engines.ensemble import Ensemble, constants
from sbmlgrad.engines.failures import failure_message
from sbmlgrad.engines.memory_estimate import check_job
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.start import start_states, started
from sbmlgrad.errors import ParameterError, RequestError, SimulationError
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork

#: Packages whose versions are recorded in results.
SOFTWARE = ("sbmlgrad", "numpy", "scipy", "numba", "python-libsbml", "tensorflow", "keras")


@dataclass(frozen=True)
class Job:
    """A checked request for one network, before its parameters are known.

    Attributes:
        lowered: the network.
        readouts: what to keep.
        trajectories: how many, of every parameter set.
        first_trajectory: number of the first one.
        engine: what samples.
        initial: values at time 0 that the user gave.
        is_strict: whether failed trajectories raise.
        progress: called with (done, total) trajectories.
        is_common: whether all parameter sets take the same random streams.
        why_engine: why the engine was settled, if it was.
        starts: molecules in which trajectories start in turn, float64 [start, species], or None for
            the model's own.
    """

    lowered: LoweredNetwork
    readouts: tuple[Readout, ...]
    trajectories: int
    first_trajectory: int
    engine: Engine
    initial: dict[str, float]
    is_strict: bool
    progress: Progress | None
    is_common: bool = False
    why_engine: str = ""
    starts: NDArray[np.float64] | None = None

    @property
    def network(self) -> ReactionNetwork:
        """The network."""
        return self.lowered.network

    @property
    def stride(self) -> int:
        """From the first trajectory of one parameter set to that of the next."""
        return 0 if self.is_common else self.trajectories

    def check_size(self, sets: int) -> None:
        """Raise as `check_sets` does, and a `RequestError` for too little memory."""
        self.check_sets(sets)
        check_job(self.lowered, self.readouts, self.trajectories * sets)

    def check_sets(self, sets: int) -> None:
        """Raise for a batch without parameter sets, or with more streams than there are."""
        if sets < 1:
            raise ParameterError("parameters: the batch holds no parameter set")
        if self.first_trajectory + (sets - 1) * self.stride + self.trajectories > (
            LARGEST_TRAJECTORY + 1
        ):
            raise RequestError(f"one seed addresses trajectories 0 to {LARGEST_TRAJECTORY} only")

    def requests(
        self, explicit: Mapping[str, float], seed: int, member: int = 0, sets: int = 1
    ) -> list[Request]:
        """Return one request per readout; all replay the same trajectories.

        Args:
            explicit: parameter id → value.
            seed: key of the random streams.
            member: which of the parameter sets this is.
            sets: how many there are.
        """
        first = self.first_trajectory + member * self.stride
        numbers = np.arange(self.trajectories, dtype=np.uint64) + np.uint64(first)
        values, start = start_states(self.lowered, explicit, self.initial, seed, numbers)
        if lower(self.network, values) is not self.lowered:
            raise ParameterError(
                f"model '{self.network.id}': with these parameter values a kinetic law splits into "
                "other forward and backward rates, or a stoichiometry is another, than with the "
                "model's own, or with the first parameter set; load such values with "
                "model.with_parameters() first, and simulate them by themselves"
            )
        if self.starts is not None:
            start = started(start, self.starts, numbers)
        inputs = np.array([values[i] for i in self.lowered.input_ids], dtype=np.float64)
        progress = self._progress(member, sets)
        return [
            Request(self.lowered, inputs, start, readout, self.trajectories, seed, first, progress)
            for readout in self.readouts
        ]

    def settled(self, explicit: Mapping[str, float], seed: int, sets: int) -> Job:
        """Return the job with the kernel that suits a whole batch, judged by its first set.

        Else the engine would judge each set by itself, with a pilot trajectory every time.
        """
        from sbmlgrad.engines.native import Native

        if sets == 1 or not isinstance(self.engine, Native) or self.engine.kernel != "auto":
            return self
        if self.lowered.is_timed:
            return self
        request = self.requests(explicit, seed)[0]
        whole = replace(request, trajectories=self.trajectories * sets)
        kernel, reason = self.engine.choose_kernel(whole)
        return replace(self, engine=replace(self.engine, kernel=kernel), why_engine=reason)

    def _progress(self, member: int, sets: int) -> Progress | None:
        report = self.progress
        if report is None or sets == 1:
            return report
        n = self.trajectories
        return lambda done, _total: report(member * n + done, sets * n)

    def run(
        self, explicit: Mapping[str, float], seed: int, member: int = 0, sets: int = 1
    ) -> list[Sample]:
        """Sample every readout, and raise for failed trajectories unless they are to be marked."""
        requests = self.requests(explicit, seed, member, sets)
        samples = [self.engine.sample(request) for request in requests]
        if self.is_strict:
            for sample in samples:
                message = failure_message(sample, self.lowered, requests[0].first_trajectory)
                if message is not None:
                    where = "" if sets == 1 else f"parameter set {member}: "
                    raise SimulationError(
                        where + message,
                        outcomes=sample.outcomes,
                        ensemble=ensemble_of(self, explicit, samples, seed, member),
                    )
        return samples


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


def outcomes_of(samples: Sequence[Sample]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return the worst outcome and the most firings of each trajectory, over all readouts."""
    outcomes = np.max([sample.outcomes for sample in samples], axis=0)
    return outcomes, np.max([sample.firings for sample in samples], axis=0)


def ensemble_of(
    job: Job, explicit: Mapping[str, float], samples: Sequence[Sample], seed: int, member: int = 0
) -> Ensemble:
    """Return the ensemble of one parameter set."""
    values = initial_values(job.network, explicit, job.initial)
    outcomes, firings = outcomes_of(samples)
    return Ensemble(
        network=job.network,
        readouts=job.readouts,
        states=tuple(sample.values for sample in samples),
        parameters=np.array([values[p] for p in job.network.parameter_ids]),
        constants=constants(job.network, values),
        outcomes=outcomes,
        firings=firings,
        seed=seed,
        first_trajectory=job.first_trajectory + member * job.stride,
        engine=samples[0].engine,
        versions=software_versions(),
        channels=job.lowered.channels,
    )


def batch_of(
    job: Job, sets: Sequence[Mapping[str, float]], samples: Sequence[Sequence[Sample]], seed: int
) -> Ensemble:
    """Return the ensemble of several parameter sets, with an axis over them in front."""
    each = [initial_values(job.network, explicit, job.initial) for explicit in sets]
    fixed = [constants(job.network, values) for values in each]
    found = [outcomes_of(of_set) for of_set in samples]
    parameters = [[values[p] for p in job.network.parameter_ids] for values in each]
    return Ensemble(
        network=job.network,
        readouts=job.readouts,
        states=tuple(np.stack([s.values for s in column]) for column in zip(*samples, strict=True)),
        parameters=np.array(parameters).reshape(len(sets), len(job.network.parameter_ids)),
        # Beside [set, trajectory, point]; one that is the same everywhere stays a number.
        constants={id: _of_sets([values[id] for values in fixed]) for id in fixed[0]},
        outcomes=np.stack([outcomes for outcomes, _ in found]),
        firings=np.stack([firings for _, firings in found]),
        seed=seed,
        first_trajectory=job.first_trajectory,
        engine=f"{samples[0][0].engine}{job.why_engine}",
        versions=software_versions(),
        channels=job.lowered.channels,
        stride=job.stride,
    )


def _of_sets(values: list[float]) -> float | NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    is_same = bool(np.all((array == array[0]) | (np.isnan(array) & np.isnan(array[0]))))
    return values[0] if is_same else array[:, None, None]
