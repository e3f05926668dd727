"""Statistics with exact gradients: expectations, covariances and first passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.functions import StateFunction, function_values
from sbmlgrad.cme.projected import Projection
from sbmlgrad.cme.projection import LARGEST_STATE_SPACE, check_set, project
from sbmlgrad.cme.state_space import StateSet
from sbmlgrad.engines.readouts import Readout, ValuesAt, WindowAverages
from sbmlgrad.errors import RequestError
from sbmlgrad.model.arguments import check_network, ids_of
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Statistic:
    """A statistic at points of a readout, and its gradient.

    Attributes:
        value: float64 [point].
        gradient: float64 [point, parameter].
        leak: probability that has left the states by each point, float64 [point].
        parameters: ids of the columns of the gradient.
        gradient_error: difference to the gradient of a coarser projection, float64
            [point, parameter], or None if it was not asked for. An estimate, not a bound.
    """

    value: FloatArray
    gradient: FloatArray
    leak: FloatArray
    parameters: tuple[str, ...]
    gradient_error: FloatArray | None = None


def expectation(
    projection: Projection,
    readout: Readout,
    function: StateFunction,
    parameters: tuple[str, ...] | None = None,
    *,
    with_error: bool = False,
) -> Statistic:
    """Return the expectation of one function of the state, with its gradient.

    Use it for means, moments and, with an indicator function, probabilities of sets.

    Args:
        projection: of the network.
        readout: values at times, or window averages (of the function).
        function: id of a species; or states float64 [state, species] → float64 [state]. Values
            instead of a function will do where no error is asked for.
        parameters: ids to differentiate in; None for all.
        with_error: solve a finer projection too, give its answer, and say how the gradient differs.

    Raises:
        ParameterError: unknown ids.
        RequestError: more than one function, or values where the states change.
        GradientError: the initial counts depend on a parameter, or a derivative is not finite.
    """
    names = _parameters_of("expectation", projection, parameters)
    if not isinstance(with_error, bool):
        raise RequestError(f"with_error={with_error!r}: choose True or False")
    if function_values(projection.lowered, projection.space, function).ndim != 1:
        raise RequestError("expectation: give one function of the state; `covariance` takes two")
    if with_error and not (isinstance(function, str) or callable(function)):
        raise RequestError("with_error: give a function of states; a finer projection has others")
    gradient = projection.gradient_in_parameters(readout, function, names)
    if not with_error:
        found = projection.expect(readout, function)
        return Statistic(found.value, gradient, found.leak, names)
    finer = projection.finer()
    found = finer.expect(readout, function)
    fine = finer.gradient_in_parameters(readout, function, names)
    return Statistic(found.value, fine, found.leak, names, np.abs(fine - gradient))


def covariance(
    projection: Projection,
    times: Sequence[float],
    first: StateFunction,
    second: StateFunction,
    parameters: tuple[str, ...] | None = None,
) -> Statistic:
    """Return the covariance of two functions of the state at times, with its gradient.

    The variance is the covariance of a function with itself.

    Args:
        projection: of the network.
        times: increasing.
        first: as in `expectation`.
        second: likewise.
        parameters: ids to differentiate in; None for all.

    Raises:
        RequestError: a function with several values, or ids that are no list.
        ParameterError: an id that does not exist.
    """
    names = _parameters_of("covariance", projection, parameters)
    rows = [function_values(projection.lowered, projection.space, f) for f in (first, second)]
    if any(row.ndim != 1 for row in rows):
        raise RequestError("covariance: give one function of the state each")
    a, b = rows
    # Covariances do not change when constants are taken away, and cancel less then.
    readout = ValuesAt(times)
    middle = projection.expect(readout, np.stack(rows, axis=1)).value.mean(axis=0)
    a, b = a - middle[0], b - middle[1]
    functions = np.stack([a * b, a, b, np.ones(len(a))], axis=1)
    found = projection.expect(readout, functions)
    slopes = projection.gradient_in_parameters(readout, functions[:, :3], names)
    both, x, y, _ = (found.value[:, i] for i in range(4))
    gradient = slopes[:, 0] - slopes[:, 1] * y[:, None] - slopes[:, 2] * x[:, None]
    return Statistic(both - x * y, gradient, found.leak, names)


def _parameters_of(verb: str, projection: Any, parameters: Any) -> tuple[str, ...]:
    """Return the ids to differentiate in; all for None."""
    if not isinstance(projection, Projection):
        raise RequestError(
            f"{verb}(projection): pass what sbmlgrad.cme.project gives, not {projection!r}"
        )
    known = projection.lowered.network.parameter_ids
    return known if parameters is None else ids_of("parameters", parameters, known)


@dataclass(frozen=True, eq=False)
class FirstPassage:
    """When a set of states is first reached.

    Attributes:
        probability: of having reached it by each time. The true one lies above, by at most the
            leak.
        waiting: mean of the time until then, or until the last of the times, whichever is first;
            one point. The true one lies above, by at most the last leak times the last time.
        projection: of the network that stops there.
    """

    probability: Statistic
    waiting: Statistic
    projection: Projection


def first_passage(
    model: ReactionNetwork,
    reached: StateSet,
    times: Sequence[float],
    *,
    of: tuple[str, ...] | None = None,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    tolerance: float = 1e-9,
    largest: int = LARGEST_STATE_SPACE,
) -> FirstPassage:
    """Return the distribution of the time at which a set is first reached, with its gradient.

    Trajectories stop in the set, so that being there means having reached it. Choose it for rare
    events, switching times and extinction.

    Args:
        model: the network.
        reached: tells which states belong to the set: states float64 [state, species] → bool
            [state].
        times: increasing; the last is positive.
        of: ids of parameters to differentiate in; None for all.
        parameters: id → value, over the model's own.
        initial: species or compartment id → value at time 0.
        tolerance: probability that may leak.
        largest: number of states to give up at.

    Raises:
        ParameterError: unknown ids.
        StateSpaceError: more states are needed than allowed.
        RequestError: times or a set that make no sense.
    """
    check_network("first_passage", model)
    if reached is None:
        raise RequestError("first_passage: there is no set to reach; pass `reached`")
    check_set("reached", reached)
    names = model.parameter_ids if of is None else ids_of("of", of, model.parameter_ids)
    check_parameter_names(model, names)
    readout = ValuesAt(times)
    last = float(readout.points[-1])
    if last == 0.0:
        raise RequestError("first_passage: the last time must be positive")
    projection = project(
        model,
        until=last,
        parameters=parameters,
        initial=initial,
        tolerance=tolerance,
        largest=largest,
        absorbing=reached,
    )
    hit = projection.hit
    still = expectation(projection, WindowAverages([0.0, last]), 1.0 - hit, names)
    waiting = Statistic(still.value * last, still.gradient * last, still.leak, still.parameters)
    return FirstPassage(expectation(projection, readout, hit, names), waiting, projection)
