"""Statistics of an ensemble, as arrays, or as tensors that every estimator can differentiate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.statistic_functions import (
    FOR_JUMPS,
    answering,
    between,
    check_ids,
    check_shape,
    refuse_steps,
)
from sbmlgrad.engines.symbol_values import on_states
from sbmlgrad.errors import GradientError, RequestError, StatisticsError

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble

#: Fewest trajectories of which estimators of expectations differentiate a variance.
FEWEST_FOR_SPREAD = 20

#: Values float64 [trajectory, point, column] → f, float64 [trajectory, ...].
Integral = Callable[[NDArray[np.float64]], NDArray[np.float64]]
#: (parameters [parameter], the ensemble's own values [trajectory, point, column]) → f.
Integrand = Callable[[NDArray[np.float64], NDArray[np.float64]], Integral]


class Differentiator(Protocol):
    """What an estimator gives to an ensemble, so that statistics know their gradient."""

    @property
    def name(self) -> str:
        """Name of the estimator."""
        ...

    @property
    def is_pathwise(self) -> bool:
        """Whether values of single trajectories carry the gradient."""
        ...

    def attach(self, value: Any, place: int, states: Any, integrand: Integrand) -> Any:
        """Return `value`, with the gradient of E[f] in the parameters added to its own.

        Args:
            value: mean of f over trajectories, tensor [..., shape of f]; its own gradient is that
                through parameters which f uses directly.
            place: which readout f is about.
            states: values kept by that readout, tensor [..., trajectory, point, column].
            integrand: gives f.
        """
        ...


def refuse_failed(ensemble: Ensemble) -> None:
    """Raise a `StatisticsError` if failed trajectories would enter a statistic."""
    if ensemble.is_differentiable:
        return
    outcomes = np.asarray(ensemble.outcomes)
    failed = int((outcomes > Outcome.ABSORBED).sum())
    if failed:
        raise StatisticsError(
            f"{failed} of {outcomes.size} trajectories failed and would bias a "
            "statistic; see `outcomes`, or use `without_failures()` on purpose"
        )


def mean(ensemble: Ensemble, id: str, quantity: str | None, readout: Readout | None) -> Any:
    """Return the mean over trajectories; see `Ensemble.mean`."""
    refuse_failed(ensemble)
    values = ensemble.values(id, quantity, readout=readout)
    if ensemble.is_differentiable:
        import tensorflow as tf

        # All trajectories weigh the same, which every estimator differentiates.
        return tf.reduce_mean(values, axis=-2)
    return values.mean(axis=-2)


def covariance(
    ensemble: Ensemble, first: str, second: str, quantity: str | None, readout: Readout | None
) -> Any:
    """Return the sample covariance (n - 1) of two symbols; see `Ensemble.covariance`."""
    refuse_failed(ensemble)
    place = ensemble.place(readout)
    ids = (first,) if first == second else (first, second)
    values = _values(ensemble, ids, quantity, place)
    x, y = values[0], values[-1]
    n = int(x.shape[-2])
    if n < 2:
        what = f"variance of '{first}'" if len(ids) == 1 else f"covariance of '{first}', '{second}'"
        raise StatisticsError(f"{what}: at least two trajectories are needed, the ensemble has {n}")
    differentiator = ensemble.differentiator
    if differentiator is not None and not differentiator.is_pathwise and n < FEWEST_FOR_SPREAD:
        raise GradientError(
            f"{differentiator.name}: a variance or covariance is taken about sample means, which "
            f"biases its gradient by about 1/n of its size, too much with {n} trajectories; "
            f"simulate at least {FEWEST_FOR_SPREAD}, or use TwoSidedAdjoint()"
        )
    if not ensemble.is_differentiable:
        if len(ids) == 1:
            return x.var(axis=-2, ddof=1)
        centred = (x - x.mean(axis=-2, keepdims=True)) * (y - y.mean(axis=-2, keepdims=True))
        return centred.sum(axis=-2) / (n - 1)
    import tensorflow as tf

    x -= tf.reduce_mean(x, axis=-2, keepdims=True)
    y -= tf.reduce_mean(y, axis=-2, keepdims=True)
    value = tf.reduce_sum(x * y, axis=-2) / (n - 1)

    # d Cov = d E[(X - m)(Y - k)] with m = E[X] and k = E[Y] held fixed. The factor makes up for the
    # sample means, which follow each trajectory by 1/n.
    def integrand(theta: NDArray[np.float64], own: NDArray[np.float64]) -> Integral:
        kept = arrays_of(ensemble, ids, quantity, place, theta)
        centres = [part.mean(axis=0) for part in kept(own)]

        def product(values: NDArray[np.float64]) -> NDArray[np.float64]:
            parts = [part - centre for part, centre in zip(kept(values), centres, strict=True)]
            return parts[0] * parts[-1] * (n / (n - 1))

        return product

    return _attached(ensemble, value, place, integrand)


def expectation(
    ensemble: Ensemble,
    function: Callable[..., Any],
    ids: Sequence[str],
    quantity: str | None,
    readout: Readout | None,
) -> Any:
    """Return the mean of a function of values; see `Ensemble.expect`."""
    if not callable(function):
        raise RequestError(f"expect({function!r}): pass a function of values, then ids")
    check_ids("expect", ids)
    refuse_failed(ensemble)
    place = ensemble.place(readout)
    values = _values(ensemble, ids, quantity, place)
    differentiator = ensemble.differentiator
    if differentiator is not None and differentiator.is_pathwise:
        # What never changes along a trajectory may enter in any way.
        fixed = {*ensemble.network.by_id} - {*ensemble.species}
        refuse_steps(differentiator.name, function, values, [id not in fixed for id in ids])
    return _mean_of(ensemble, function, ids, quantity, place, values)


def probability(
    ensemble: Ensemble,
    condition: Any,
    ids: Sequence[str],
    quantity: str | None,
    readout: Readout | None,
) -> Any:
    """Return the share of trajectories that meet a condition; see `Ensemble.probability`."""
    if isinstance(condition, tuple) and len(condition) == 3 and not ids:
        ids = (condition[0],)
        function = between(condition[1], condition[2])
    elif callable(condition):
        check_ids("probability", ids)
        function = answering(condition)
    else:
        raise RequestError(
            f"probability({condition!r}): pass (id, lower, upper), with None for an open end, or a "
            "function of values that tells true from false, then ids"
        )
    refuse_failed(ensemble)
    differentiator = ensemble.differentiator
    if differentiator is not None and differentiator.is_pathwise:
        raise GradientError(
            f"{differentiator.name}: a probability is the mean of a step, whose derivative along a "
            f"trajectory is zero whatever the truth; {FOR_JUMPS} differentiate it"
        )
    place = ensemble.place(readout)
    values = _values(ensemble, ids, quantity, place)
    return _mean_of(ensemble, function, ids, quantity, place, values)


def _values(ensemble: Ensemble, ids: Sequence[str], quantity: str | None, place: int) -> list[Any]:
    """Return values whose gradient, under an estimator of expectations, leaves out the paths."""
    readout = ensemble.readouts[place]
    values = [ensemble.values(id, quantity, readout=readout) for id in ids]
    differentiator = ensemble.differentiator
    if differentiator is None or differentiator.is_pathwise:
        return values
    import tensorflow as tf

    state = tf.stop_gradient(ensemble.states[place])
    return [on_states(ensemble, id, quantity, state, readout, ensemble.parameters) for id in ids]


def arrays_of(
    ensemble: Ensemble,
    ids: Sequence[str],
    quantity: str | None,
    place: int,
    theta: NDArray[np.float64],
) -> Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return how symbols follow from states kept, as arrays, at parameters held fixed."""
    readout = ensemble.readouts[place]
    return lambda state: [on_states(ensemble, id, quantity, state, readout, theta) for id in ids]


def _mean_of(
    ensemble: Ensemble,
    function: Callable[..., Any],
    ids: Sequence[str],
    quantity: str | None,
    place: int,
    values: list[Any],
) -> Any:
    axis = len(values[0].shape) - 2
    result = function(*values)
    if not ensemble.is_differentiable:
        array = np.asarray(result, dtype=np.float64)
        check_shape(array.shape, values[0].shape, axis)
        return array.mean(axis=axis)
    import tensorflow as tf

    result = tf.cast(result, tf.float64)
    check_shape(tuple(result.shape), tuple(values[0].shape), axis)
    value = tf.reduce_mean(result, axis=axis)

    def integrand(theta: NDArray[np.float64], _own: NDArray[np.float64]) -> Integral:
        kept = arrays_of(ensemble, ids, quantity, place, theta)

        def of_arrays(state: NDArray[np.float64]) -> NDArray[np.float64]:
            with tf.init_scope():
                found = tf.cast(function(*(tf.constant(part) for part in kept(state))), tf.float64)
                return found.numpy()

        return of_arrays

    return _attached(ensemble, value, place, integrand)


def _attached(ensemble: Ensemble, value: Any, place: int, integrand: Integrand) -> Any:
    differentiator = ensemble.differentiator
    if differentiator is None or differentiator.is_pathwise:
        return value
    return differentiator.attach(value, place, ensemble.states[place], integrand)
