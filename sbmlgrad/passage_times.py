"""`first_passage`: when a condition first holds, from exact trajectories that stop there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.plain_call import plain_call
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages
from sbmlgrad.engines.statistic_functions import FOR_JUMPS
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.expectations import ExpectationEstimator, ParameterEstimator
from sbmlgrad.gradients.fitted_value import FittedValue
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.arguments import check_network
from sbmlgrad.model.expression import ONE, ZERO, piecewise, symbols
from sbmlgrad.model.initial import initial_values, start_expression
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number, as_numbers
from sbmlgrad.model.stopping import Condition, Marked, marked
from sbmlgrad.simulation import simulate
from sbmlgrad.simulation_inputs import explicit_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FirstPassage:
    """When a condition first holds: what trajectories that stop there say.

    With a batch of parameter sets every statistic has a leading axis over the sets.

    Attributes:
        times: float64 [time].
        probability: that it has held by each time, float64 [time]; a tensor with a gradient for
            such parameters.
        probability_error: its standard error, √(p (1 - p)/(n - 1)), float64 [time]; it is 0 where
            all trajectories say the same; then the probability is within 3/n of 0 or 1 at a
            confidence of 95 %.
        waiting: mean of the time until it holds, or of `horizon` where that comes first; a number,
            or a tensor with a gradient.
        waiting_error: its standard error.
        horizon: when trajectories end.
        ensemble: the trajectories, in molecules; values at 0 and `times`, then the window average
            from 0 to the horizon.
        flag: id of the species of that ensemble which is 1 once the condition holds, unless it
            holds from the start.
    """

    times: FloatArray
    probability: Any
    probability_error: Any
    waiting: Any
    waiting_error: Any
    horizon: float
    ensemble: Ensemble
    flag: str


def first_passage(
    model: ReactionNetwork,
    condition: Condition,
    horizon: float,
    parameters: Any = None,
    *,
    trajectories: int,
    seed: Any = None,
    engine: Engine | None = None,
    estimator: Any = None,
    times: Sequence[float] | FloatArray | None = None,
) -> FirstPassage:
    """Simulate until a condition first holds, and say when it does.

    When to use it: extinction, switching, thresholds, rare events. In small networks
    `sbmlgrad.cme.first_passage` gives the same without noise. Trajectories are exact, and so are
    the times at which they stop: nothing is looked for on a grid.

    With the condition true at the time T, P(T <= t) is the probability to have stopped by t, and
    E[min(T, h)] is h times the mean share of the time until h during which it has not.

    Args:
        model: the network. Laws may depend on the time; events and rate rules are refused, because
            they would go on to move the state after the condition holds.
        condition: `(id, lower, upper)` for lower <= value <= upper, None for an open end; or an
            expression of species, compartments and parameters. Both in what symbols mean in the
            model's own mathematics.
        horizon: when trajectories end.
        parameters: as in `simulate`. For a tensor the statistics have gradients.
        trajectories: how many.
        seed: as in `simulate`.
        engine: as in `simulate`.
        estimator: gradient method for a tensor, one that differentiates expectations; None is
            `FittedValue()`.
        times: increasing, at most `horizon`; None means the horizon alone.

    Returns:
        The distribution at `times`, the mean waiting time, and standard errors.

    Raises:
        RequestError: a condition, horizon, times or estimator that make no sense, or a model that
            cannot stop.
        GradientError: an estimator that follows paths, which see no jump; or a condition on
            parameters, in which probabilities jump.
        UnsupportedModelError: the model has no exact stochastic meaning.
        SimulationError: trajectories failed.
    """
    return plain_call(
        _first_passage,
        model,
        condition,
        horizon,
        parameters,
        trajectories=trajectories,
        seed=seed,
        engine=engine,
        estimator=estimator,
        times=times,
    )


def _first_passage(
    model: ReactionNetwork,
    condition: Condition,
    horizon: float,
    parameters: Any,
    *,
    trajectories: int,
    seed: Any,
    engine: Engine | None,
    estimator: Any,
    times: Sequence[float] | FloatArray | None,
) -> FirstPassage:
    check_network("first_passage", model)
    until = as_number("horizon", horizon)
    if not 0.0 < until < np.inf:
        raise RequestError(f"horizon={horizon!r}: give a positive, finite time")
    given: Any = [until] if times is None else times
    asked = ValuesAt(given).points
    if asked[-1] > until:
        raise RequestError(f"times: {asked[-1]:g} lies after the horizon, {until:g}")
    lowered = _lowered(model, parameters)
    found = marked(model, lowered.channels, condition)
    is_differentiated = is_tensor(parameters)
    if is_differentiated:
        estimator = FittedValue() if estimator is None else estimator
        _check_estimator(estimator, lowered, found)
    points = asked if asked[0] == 0.0 else np.concatenate([[0.0], asked])
    window = WindowAverages([0.0, until])
    ensemble = simulate(
        found.network,
        parameters,
        times=points,
        readouts=[window],
        trajectories=trajectories,
        seed=seed,
        engine=engine,
        estimator=estimator,
    )
    moves_start = is_differentiated and bool(lowered.parameters_in_initial_counts)
    at_start = _share_at_start(ensemble, found, moves_start)
    skipped = len(points) - len(asked)
    probability = ensemble.mean(found.flag)[..., skipped:] + at_start[..., None]
    inside = ensemble.mean(found.flag, readout=window)[..., 0]
    return FirstPassage(
        times=asked,
        probability=probability,
        probability_error=_error_of_share(ensemble, probability),
        waiting=until * (1.0 - inside - at_start),
        waiting_error=until * _error_outside(ensemble, found.flag, window, at_start),
        horizon=until,
        ensemble=ensemble,
        flag=found.flag,
    )


def _lowered(model: ReactionNetwork, parameters: Any) -> LoweredNetwork:
    """Return the network at the parameters given, where they are numbers of one set."""
    if parameters is None or is_tensor(parameters):
        return lower(model)
    if not isinstance(parameters, Mapping) and as_numbers("parameters", parameters).ndim == 2:
        return lower(model)
    explicit = explicit_of(model, parameters)
    return lower(model, initial_values(model, explicit, {})) if explicit else lower(model)


def _check_estimator(estimator: Any, lowered: LoweredNetwork, found: Marked) -> None:
    if isinstance(estimator, type) or not isinstance(estimator, Estimator):
        raise RequestError(
            f"estimator={estimator!r}: pass an estimator object, for instance "
            "sbmlgrad.gradients.FittedValue()"
        )
    if not isinstance(estimator, ExpectationEstimator):
        raise GradientError(
            f"estimator={estimator!r}: a first passage is a jump, whose derivative along a "
            f"trajectory is zero whatever the truth; {FOR_JUMPS} differentiate its expectation"
        )
    network = lowered.network
    used = set(symbols(found.holds) - network.state_species)
    used |= set().union(*(symbols(start_expression(network, id)) for id in used))
    steered = sorted(used & set(network.parameter_ids))
    if steered:
        raise GradientError(
            f"the condition depends on {', '.join(map(repr, steered))}, in which probabilities "
            "jump, since states are whole numbers of molecules; write numbers into the condition"
        )
    if lowered.parameters_in_initial_counts and not isinstance(estimator, ParameterEstimator):
        raise GradientError(
            "the initial counts depend on "
            f"{', '.join(map(repr, sorted(lowered.parameters_in_initial_counts)))}; use "
            'FiniteDifference() for a model loaded with initial="randomised"'
        )


def _share_at_start(ensemble: Ensemble, found: Marked, moves: bool) -> Any:
    """Return the share of trajectories in which the condition holds from the start.

    Args:
        ensemble: its first point is at time 0.
        found: the network.
        moves: whether the share depends on parameters that are differentiated in.
    """
    share = ensemble.mean(piecewise(ONE, found.holds, ZERO))[..., 0]
    if not ensemble.is_differentiable or moves:
        return share
    import tensorflow as tf

    return tf.stop_gradient(share)


def _error_of_share(ensemble: Ensemble, share: Any) -> Any:
    n = float(ensemble.states[0].shape[-3])
    return _root(ensemble, share * (1.0 - share) / max(n - 1.0, 1.0))


def _error_outside(ensemble: Ensemble, flag: str, window: WindowAverages, at_start: Any) -> Any:
    """Return the standard error of the share of time until the condition holds."""
    outside = 1.0 - ensemble.values(flag, readout=window)[..., 0]
    n = float(outside.shape[-1])
    # Where the condition holds from the start the flag stays 0, and the share of time is 0, not 1.
    total = outside.sum(axis=-1) if isinstance(outside, np.ndarray) else _sum(outside)
    squares = outside * outside
    second = squares.sum(axis=-1) if isinstance(outside, np.ndarray) else _sum(squares)
    mean, square = total / n - at_start, second / n - at_start
    return _root(ensemble, (square - mean * mean) / max(n - 1.0, 1.0))


def _sum(tensor: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(tensor, axis=-1)


def _root(ensemble: Ensemble, variance: Any) -> Any:
    """Return the root of a variance, in which rounding may leave less than nothing."""
    if not ensemble.is_differentiable:
        return np.sqrt(np.maximum(variance, 0.0))
    import tensorflow as tf

    return tf.sqrt(tf.maximum(tf.stop_gradient(variance), 0.0))
