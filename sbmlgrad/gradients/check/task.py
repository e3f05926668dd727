"""What a check differentiates: numbers of an ensemble, in the logarithms of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.codegen.refusals import refuse_parameters_in_changes
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.failures import failure_message
from sbmlgrad.engines.kernel_choice import AUTO, LOCKSTEP
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings, Readout, WindowAverages, columns, point_count
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import ParameterError, RequestError, SimulationError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.chain import (
    in_parameters,
    refuse_parameters_in_start,
    used_parameters,
)
from sbmlgrad.gradients.check.statistic import Statistic
from sbmlgrad.gradients.expectations import ParameterEstimator
from sbmlgrad.gradients.paths.path_adjoint import pays_lockstep
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.numbers import as_number, as_numbers

FloatArray = NDArray[np.float64]

#: Numbers that are differentiated one by one; of more, combinations are.
MOST_TARGETS = 12

#: Combinations that stand for more numbers than that.
COMBINATIONS = 8


@dataclass(frozen=True, eq=False)
class Task:
    """A network, and what of it is differentiated.

    Attributes:
        model: the network.
        explicit: parameter id → value, over the model's own.
        lowered: the network with these values.
        readout: what is kept of a trajectory.
        statistic: of every species at every point.
        free: ids of the parameters.
        scale: by what derivatives in them are multiplied, float64 [parameter]: the value where it
            is positive, so that they are derivatives in the logarithm, else 1.
        targets: what each number that is differentiated is called.
        weights: of each number over the statistics, float64 [target, point, column].
        batch: trajectories of one gradient.
        seed: key of the random streams.
        engine: samples, and gives threads and kernel.
    """

    model: ReactionNetwork
    explicit: Mapping[str, float]
    lowered: LoweredNetwork
    readout: Readout
    statistic: Statistic
    free: tuple[str, ...]
    scale: FloatArray
    targets: tuple[str, ...]
    weights: FloatArray
    batch: int
    seed: int
    engine: Native

    def request(self, number: int, size: int | None = None) -> Request:
        """Return the request of batch `number`, of `size` trajectories or the usual number."""
        return self._request(number, self.batch if size is None else size, self.explicit)

    def _request(self, number: int, count: int, explicit: Mapping[str, float]) -> Request:
        first = number * count
        streams = np.arange(count, dtype=np.uint64) + np.uint64(first)
        values, start = start_states(self.lowered, explicit, {}, self.seed, streams)
        inputs = np.array([values[i] for i in self.lowered.input_ids], dtype=np.float64)
        return Request(self.lowered, inputs, start, self.readout, count, self.seed, first)

    def sample(self, number: int) -> FloatArray:
        """Return the kept values of a batch, float64 [trajectory, point, column].

        Raises:
            SimulationError: a trajectory failed.
        """
        request = self.request(number)
        sample = self.engine.sample(request)
        message = failure_message(sample, self.lowered, request.first_trajectory)
        if message is not None:
            raise SimulationError(message, outcomes=sample.outcomes)
        return sample.values

    def slope(
        self, estimator: Estimator, number: int, weights: FloatArray, values: FloatArray
    ) -> FloatArray:
        """Return the derivative of weighted statistics of a batch, float64 [parameter].

        In the logarithms of free parameters, where these are positive.

        Args:
            estimator: of any sort.
            number: of the batch.
            weights: float64 [point, column].
            values: kept values of the batch, float64 [trajectory, point, column].

        Raises:
            GradientError: the estimator cannot differentiate this.
        """
        request = self.request(number)
        if isinstance(estimator, ParameterEstimator):
            found = initial_values(self.model, self.explicit, {})
            theta = np.array([found[p] for p in self.model.parameter_ids])
            functional = self.statistic.functional_about(weights, values)
            at = partial(self._at, number)
            whole = estimator.pull_back_parameters(self.engine, at, theta, functional)
            return whole[[self.model.parameter_ids.index(p) for p in self.free]] * self.scale
        refuse_parameters_in_start(self.lowered)
        slope = self.statistic.pull_back(estimator, self.engine, request, weights, values)
        return self.in_logarithms(request, slope)

    def _at(self, number: int, theta: FloatArray) -> Request:
        pairs = zip(self.model.parameter_ids, theta.tolist(), strict=True)
        # One that is drawn at random has no value of its own.
        return self._request(number, self.batch, {p: v for p, v in pairs if not np.isnan(v)})

    def in_logarithms(self, request: Request, gradient: FloatArray) -> FloatArray:
        """Return the derivative in free parameters, float64 [parameter], given that in inputs."""
        places = [self.model.parameter_ids.index(p) for p in self.free]
        return in_parameters(request, gradient)[places] * self.scale

    def settled(self, batches: int) -> Task:
        """Return the task with code of its own if that pays for a gradient over all batches.

        Else the engine would judge each batch by itself.
        """
        if self.engine.kernel != AUTO or self.lowered.is_timed:
            return self
        whole = replace(self.request(0), trajectories=batches * self.batch)
        if not pays_lockstep(self.engine, whole):
            return self
        return replace(self, engine=replace(self.engine, kernel=LOCKSTEP))

    def with_readout(self, readout: Readout) -> Task:
        """Return the task with another readout; of use for sampling alone."""
        return replace(self, readout=readout)


def lowered_of(model: ReactionNetwork, explicit: Mapping[str, float]) -> LoweredNetwork:
    """Return the network at these parameter values."""
    return lower(model, initial_values(model, explicit, {})) if explicit else lower(model)


def explicit_of(model: ReactionNetwork, parameters: Any) -> dict[str, float]:
    """Return the parameters that the user gave, by id.

    Raises:
        ParameterError: unknown ids, a wrong number of values, or one that is not finite.
    """
    if parameters is None:
        return {}
    if isinstance(parameters, Mapping):
        given = {str(k): as_number(f"parameter '{k}'", v) for k, v in parameters.items()}
        check_parameter_names(model, given)
    else:
        array = as_numbers("parameters", parameters)
        if array.shape != (len(model.parameter_ids),):
            raise ParameterError(
                f"parameters: model '{model.id}' has {len(model.parameter_ids)} parameters, got an "
                f"array of shape {array.shape}; pass one value for each, or a mapping id → value"
            )
        given = dict(zip(model.parameter_ids, array.tolist(), strict=True))
    for name, value in given.items():
        if not np.isfinite(value):
            raise ParameterError(f"parameter '{name}': the value {value} is not a finite number")
    return given


def free_of(lowered: LoweredNetwork, free: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of free parameters; by default all that a propensity depends on.

    With a clock, all that events, rate rules or the start depend on, too; never those that say how
    many molecules a firing changes.

    Raises:
        ParameterError: an id that does not exist, or none at all.
        GradientError: one that says how many molecules a firing changes.
    """
    ids = lowered.network.parameter_ids
    if free is not None:
        check_parameter_names(lowered.network, free)
        refuse_parameters_in_changes(lowered, free)
        found = tuple(dict.fromkeys(free))
    elif lowered.is_timed:
        found = tuple(p for p in ids if p in used_parameters(lowered))
    else:
        used = {lowered.input_ids[one.variable] for one in lowered.input_partials}
        for constant in used & set(lowered.constant_ids):
            used |= set(lowered.constant_derivatives[constant])
        found = tuple(p for p in ids if p in used)
    if free is None:
        found = tuple(p for p in found if p not in lowered.parameters_in_changes)
    if not found:
        raise ParameterError(
            f"model '{lowered.network.id}': no parameter is free, so there is no gradient to check;"
            f" its parameters are {', '.join(ids) or '(none)'}"
        )
    return found


def scale_of(values: Mapping[str, float], free: Sequence[str]) -> FloatArray:
    """Return what turns derivatives in parameters into those in logarithms, where there are any."""
    return np.array([values[p] if values[p] > 0.0 else 1.0 for p in free])


def species_of(lowered: LoweredNetwork, of: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the species whose statistics are differentiated; by default all that can change.

    Raises:
        ParameterError: one is no species that reactions change.
    """
    if of is None:
        return lowered.species_ids
    names = (of,) if isinstance(of, str) else tuple(dict.fromkeys(of))
    unknown = [name for name in names if name not in lowered.species_ids]
    if unknown or not names:
        raise ParameterError(
            f"of: {', '.join(map(repr, unknown)) or 'nothing'} is no species that reactions change "
            f"in model '{lowered.network.id}'; those are {', '.join(lowered.species_ids)}"
        )
    return names


def targets_of(
    lowered: LoweredNetwork, readout: Readout, species: Sequence[str], seed: int
) -> tuple[tuple[str, ...], FloatArray]:
    """Return what is differentiated: its names, and weights float64 [target, point, column].

    Every species at every point by itself, or if those are many, combinations of all of them with
    random signs: the squared norm of such gradients is on average that of all gradients together,
    times the number of combinations over that of the statistics.
    """
    shape = (point_count(readout), columns(readout, len(lowered.state_ids)))
    places = [lowered.species_ids.index(s) for s in species]
    count = shape[0] * len(places)
    if count <= MOST_TARGETS:
        weights = np.zeros((count, *shape))
        names = []
        for t, (point, place) in enumerate(np.ndindex(shape[0], len(places))):
            weights[t, point, places[place]] = 1.0
            names.append(f"{species[place]} {_where(readout, point)}")
        return tuple(names), weights
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (COMBINATIONS, shape[0], len(places)))
    weights = np.zeros((COMBINATIONS, *shape))
    weights[:, :, places] = signs
    return tuple(f"combination {t + 1} of {count}" for t in range(COMBINATIONS)), weights


def readout_of(readout: Readout | None, times: Any) -> Readout:
    """Return the readout that is meant: one of its own, or values at times.

    Raises:
        RequestError: both are given, or none.
    """
    from sbmlgrad.engines.readouts import ValuesAt

    if (readout is None) == (times is None):
        raise RequestError("check_gradient: give either `times` or a `readout`")
    if readout is None:
        return ValuesAt(times)
    if not isinstance(readout, Readout):
        raise RequestError(
            f"readout={readout!r}: pass a readout, for instance sbmlgrad.WindowAverages([0, 1, 2])"
        )
    return readout


def _where(readout: Readout, point: int) -> str:
    if isinstance(readout, WindowAverages):
        return f"in {readout.points[point]:g} … {readout.points[point + 1]:g}"
    if isinstance(readout, AfterFirings):
        return f"after {readout.counts[point]} firings"
    return f"at {readout.points[point]:g}"
