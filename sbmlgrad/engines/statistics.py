"""Statistics of an ensemble, as arrays, or as tensors that every estimator can differentiate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.asked_formulas import Asked, moving
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
from sbmlgrad.engines.symbol_values import Extra, needs_expectation, symbol_along_paths
from sbmlgrad.engines.wanted_values import Wanted, wanted
from sbmlgrad.errors import GradientError, RequestError, StatisticsError
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.numbers import as_numbers

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble

#: Fewest trajectories of which estimators of expectations differentiate a variance.
FEWEST_FOR_SPREAD = 20

#: Values float64 [trajectory, point, column] → f, float64 [trajectory, ...].
Integral = Callable[[NDArray[np.float64]], NDArray[np.float64]]
#: (parameters [parameter], the ensemble's own values [trajectory, point, column], further symbols
#: []) → f.
Integrand = Callable[..., Integral]


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

    def attach(
        self,
        value: Any,
        place: int,
        states: Any,
        integrand: Integrand,
        extra: Sequence[Any] = (),
    ) -> Any:
        """Return `value`, with the gradient of E[f] in the parameters added to its own.

        Args:
            value: mean of f over trajectories, tensor [..., shape of f]; its own gradient is that
                through parameters which f uses directly.
            place: which readout f is about.
            states: values kept by that readout, tensor [..., trajectory, point, column].
            integrand: gives f.
            extra: what the integrand takes besides parameters and values, tensors [] or [set].
        """
        ...


@dataclass(frozen=True)
class Statistics:
    """How an ensemble takes its statistics; a kind of ensemble that does it otherwise has its own.

    Functions of the ensemble, and of what the methods of `Ensemble` of the same name take.

    Attributes:
        mean: (ensemble, asked, quantity, readout, extra) → mean.
        covariance: (ensemble, first, second, quantity, readout, extra) → covariance; the variance
            where both are the same.
        expectation: (ensemble, function, asked, quantity, readout, extra) → mean of the function.
        probability: (ensemble, condition, asked, quantity, readout, extra) → share.
    """

    mean: Callable[..., Any]
    covariance: Callable[..., Any]
    expectation: Callable[..., Any]
    probability: Callable[..., Any]


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


def mean(
    ensemble: Ensemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    """Return the mean over trajectories; see `Ensemble.mean`."""
    refuse_failed(ensemble)
    what = wanted(ensemble, (asked,), quantity, readout, extra)
    if needs_expectation(ensemble, what.formulas[0], what.readout):
        return _mean_of(what, lambda values: values, what.values())
    values = symbol_along_paths(ensemble, asked, quantity, readout, extra)
    if ensemble.is_differentiable:
        import tensorflow as tf

        # All trajectories weigh the same, which every estimator differentiates.
        return tf.reduce_mean(values, axis=-2)
    return values.mean(axis=-2)


def covariance(
    ensemble: Ensemble,
    first: Asked,
    second: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    """Return the sample covariance (n - 1) of two symbols; see `Ensemble.covariance`."""
    refuse_failed(ensemble)
    both = (first,) if first == second else (first, second)
    what = wanted(ensemble, both, quantity, readout, extra)
    values = what.values()
    x, y = values[0], values[-1]
    n = int(x.shape[-2])
    if n < 2:
        words = " and ".join(f"'{a}'" if isinstance(a, str) else "a formula" for a in both)
        kind = "variance" if len(both) == 1 else "covariance"
        raise StatisticsError(
            f"{kind} of {words}: at least two trajectories are needed, the ensemble has {n}"
        )
    differentiator = ensemble.differentiator
    if differentiator is not None and not differentiator.is_pathwise and n < FEWEST_FOR_SPREAD:
        raise GradientError(
            f"{differentiator.name}: a variance or covariance is taken about sample means, which "
            f"biases its gradient by about 1/n of its size, too much with {n} trajectories; "
            f"simulate at least {FEWEST_FOR_SPREAD}, or use TwoSidedAdjoint()"
        )
    if not ensemble.is_differentiable:
        if len(both) == 1:
            return x.var(axis=-2, ddof=1)
        centred = (x - x.mean(axis=-2, keepdims=True)) * (y - y.mean(axis=-2, keepdims=True))
        return centred.sum(axis=-2) / (n - 1)
    import tensorflow as tf

    x -= tf.reduce_mean(x, axis=-2, keepdims=True)
    y -= tf.reduce_mean(y, axis=-2, keepdims=True)
    value = tf.reduce_sum(x * y, axis=-2) / (n - 1)

    # d Cov = d E[(X - m)(Y - k)] with m = E[X] and k = E[Y] held fixed. The factor makes up for the
    # sample means, which follow each trajectory by 1/n.
    def integrand(
        theta: NDArray[np.float64], own: NDArray[np.float64], *extra: NDArray[np.float64]
    ) -> Integral:
        kept = what.at(theta, extra)
        centres = [part.mean(axis=0) for part in kept(own)]

        def product(values: NDArray[np.float64]) -> NDArray[np.float64]:
            parts = [part - centre for part, centre in zip(kept(values), centres, strict=True)]
            return parts[0] * parts[-1] * (n / (n - 1))

        return product

    return _attached(what, value, integrand)


def expectation(
    ensemble: Ensemble,
    function: Callable[..., Any],
    asked: Sequence[Asked],
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    """Return the mean of a function of values; see `Ensemble.expect`."""
    if not callable(function):
        raise RequestError(f"expect({function!r}): pass a function of values, then ids")
    check_ids("expect", [str(a) for a in asked])
    refuse_failed(ensemble)
    what = wanted(ensemble, asked, quantity, readout, extra)
    values = what.values()
    differentiator = ensemble.differentiator
    if differentiator is not None and differentiator.is_pathwise:
        # What never changes along a trajectory may enter in any way.
        changing = moving(ensemble, what.readout)
        is_moving = [bool(symbols(formula) & changing) for formula in what.formulas]
        refuse_steps(differentiator.name, function, values, is_moving)
    return _mean_of(what, function, values)


def probability(
    ensemble: Ensemble,
    condition: Any,
    asked: Sequence[Asked],
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    """Return the share of trajectories that meet a condition; see `Ensemble.probability`."""
    if isinstance(condition, tuple) and len(condition) == 3 and not asked:
        asked = (condition[0],)
        function = between(condition[1], condition[2])
    elif callable(condition):
        check_ids("probability", [str(a) for a in asked])
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
    what = wanted(ensemble, asked, quantity, readout, extra)
    return _mean_of(what, function, what.values())


def arrays_of(
    ensemble: Ensemble,
    ids: Sequence[Asked],
    quantity: str | None,
    place: int,
    theta: NDArray[np.float64],
) -> Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return how symbols follow from states kept, as arrays, at parameters held fixed."""
    return wanted(ensemble, ids, quantity, ensemble.readouts[place], None).at(theta, ())


def _mean_of(what: Wanted, function: Callable[..., Any], values: list[Any]) -> Any:
    axis = len(values[0].shape) - 2
    result = function(*values)
    if not what.ensemble.is_differentiable:
        array = as_numbers("what the function gives", result)
        check_shape(array.shape, values[0].shape, axis)
        return array.mean(axis=axis)
    import tensorflow as tf

    try:
        result = tf.cast(result, tf.float64)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        raise RequestError(
            f"the function gives {result!r}, which is no tensor of numbers; let it return one "
            "number for each trajectory"
        ) from error
    check_shape(tuple(result.shape), tuple(values[0].shape), axis)
    value = tf.reduce_mean(result, axis=axis)

    def integrand(
        theta: NDArray[np.float64], _own: NDArray[np.float64], *extra: NDArray[np.float64]
    ) -> Integral:
        kept = what.at(theta, extra)

        def of_arrays(state: NDArray[np.float64]) -> NDArray[np.float64]:
            with tf.init_scope():
                found = tf.cast(function(*(tf.constant(part) for part in kept(state))), tf.float64)
                return found.numpy()

        return of_arrays

    return _attached(what, value, integrand)


def _attached(what: Wanted, value: Any, integrand: Integrand) -> Any:
    ensemble = what.ensemble
    differentiator = ensemble.differentiator
    if differentiator is None or differentiator.is_pathwise:
        return value
    extra = tuple(what.extra.values())
    return differentiator.attach(value, what.place, ensemble.states[what.place], integrand, extra)


#: Of values that are all in memory, as arrays or tensors.
OF_VALUES = Statistics(mean, covariance, expectation, probability)
