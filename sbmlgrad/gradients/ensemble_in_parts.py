"""Statistics with gradients of more trajectories than fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines import statistics
from sbmlgrad.engines.asked_formulas import Asked
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.memory_estimate import VARIABLE
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.symbol_values import Extra, extra_of
from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.gradients.expectations import MOST_TRIED, refuse_mixing, refuse_unlike
from sbmlgrad.gradients.tensor_ensemble import (
    TensorEnsemble,
    formula_of_mean,
    mean_by_mean_state,
)

#: (ensemble of one part, further symbols) → statistic.
OfPart = Callable[[TensorEnsemble, dict[str, Any]], Any]


class NotKept(Sequence[Any]):
    """In the place of values: says why there are none."""

    def __init__(self, trajectories: int, parts: int) -> None:
        self._words = (
            f"values of {trajectories:,} trajectories and what their gradient takes would not fit "
            f"into memory, so that these were simulated in {parts} parts, of which statistics are "
            "kept; ask for mean, variance, covariance, expect or probability, or simulate fewer "
            f"trajectories or times, or raise the limit by {VARIABLE}; pass the parameters as an "
            "array if no gradient is wanted"
        )

    def __getitem__(self, place: Any) -> NoReturn:
        """Refuse."""
        raise RequestError(self._words)

    def __len__(self) -> NoReturn:
        """Refuse."""
        raise RequestError(self._words)


def _mean(
    ensemble: EnsembleInParts,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    formula = formula_of_mean(ensemble, asked, quantity, readout, extra)
    if formula is not None:
        return mean_by_mean_state(ensemble, formula, readout, extra)

    def of_part(part: TensorEnsemble, given: dict[str, Any]) -> Any:
        return part.mean(asked, quantity, readout=readout, extra=given)

    return _in_parts(ensemble, of_part, extra)


def _covariance(
    ensemble: EnsembleInParts,
    first: Asked,
    second: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    import tensorflow as tf

    both = (first,) if first == second else (first, second)
    # d Cov = d E[(X - m)(Y - k)], with the means m and k held fixed.
    centres = [
        tf.stop_gradient(ensemble.mean(one, quantity, readout=readout, extra=extra)) for one in both
    ]
    n = float(sum(ensemble.sizes))

    def product(*values: Any) -> Any:
        return (values[0] - centres[0]) * (values[-1] - centres[-1]) * (n / (n - 1.0))

    def of_part(part: TensorEnsemble, given: dict[str, Any]) -> Any:
        assert part.differentiator is not None
        if not part.differentiator.is_pathwise:
            return part.expect(product, *both, quantity=quantity, readout=readout, extra=given)
        values = [part.values(one, quantity, readout=readout, extra=given) for one in both]
        return tf.reduce_mean(product(*values), axis=-2)

    return _in_parts(ensemble, of_part, extra)


def _of_function(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return how a statistic of functions is taken in parts.

    Args:
        method: of an ensemble, that takes it: `expect` or `probability`.
    """

    def statistic(
        ensemble: EnsembleInParts,
        function: Any,
        asked: Sequence[Asked],
        quantity: str | None,
        readout: Readout | None,
        extra: Extra | None,
    ) -> Any:
        trial = _tried(function)

        def of_part(part: TensorEnsemble, given: dict[str, Any]) -> Any:
            return method(part, trial, *asked, quantity=quantity, readout=readout, extra=given)

        return _in_parts(ensemble, of_part, extra)

    return statistic


def _tried(function: Any) -> Any:
    """Return a function that refuses at its first call if it mixes trajectories.

    It would see those of one part alone, so that its value would depend on the memory there is.
    Inside `tf.function`, where values are symbols, it is tried when the graph runs.
    """
    import tensorflow as tf

    if not callable(function):
        return function
    is_tried = False

    name = "an ensemble in parts"

    def trial(*values: Any) -> Any:
        nonlocal is_tried
        if is_tried:
            return function(*values)
        is_tried = True
        if tf.executing_eagerly():
            some = np.stack([np.asarray(v)[:MOST_TRIED] for v in values], axis=-1)
            refuse_mixing(lambda s: _of_arrays(function, s), some, name)
            return function(*values)
        # In the graph, since the function may hold tensors of it.
        few = [value[:MOST_TRIED] for value in values]
        alone: Any = function(*few)
        among: Any = function(*(tf.concat([v, v + 1.0], axis=0) for v in few))
        if not all(tf.is_tensor(one) and one.shape.rank != 0 for one in (alone, among)):
            if alone is None:
                raise GradientError(
                    f"{name}: the function that was given returns None; return a number for each "
                    "trajectory, [trajectory, ...]"
                )
            # No number for each trajectory, which is refused where it is used.
            return function(*values)

        def check(found: Any, wanted: Any) -> None:
            refuse_unlike(found.numpy(), wanted.numpy(), name)

        checked = tf.py_function(check, [among[: tf.shape(few[0])[0]], alone], [])
        with tf.control_dependencies([checked]):
            return function(*(tf.identity(value) for value in values))

    return trial


def _of_arrays(function: Callable[..., Any], stacked: NDArray[np.float64]) -> NDArray[Any]:
    import tensorflow as tf

    columns = [tf.constant(stacked[..., place]) for place in range(stacked.shape[-1])]
    return np.asarray(function(*columns))


def _in_parts(ensemble: EnsembleInParts, of_part: OfPart, extra: Extra | None) -> Any:
    """Return the mean of a statistic over parts, with its gradient, one part at a time."""
    import tensorflow as tf

    symbols = extra_of(ensemble, extra)
    names = tuple(symbols)
    total = sum(ensemble.sizes)

    def weighted(place: int, theta: Any, others: Sequence[Any]) -> Any:
        given = dict(zip(names, others, strict=True))
        value = of_part(ensemble.parts[place](theta), given)
        return value * (ensemble.sizes[place] / total)

    inputs = [ensemble.parameters, *symbols.values()]
    fixed = [tf.stop_gradient(one) for one in inputs]
    # In the open: what a function takes from elsewhere, a variable say, is seen by the caller's
    # tape, which keeps what it needs of every part. Parameters are held fixed, so that nothing else
    # is kept.
    value = weighted(0, fixed[0], fixed[1:])
    for place in range(1, len(ensemble.parts)):
        value += weighted(place, fixed[0], fixed[1:])
    shape = tf.stop_gradient(value)

    @tf.custom_gradient
    def nothing(*inputs: Any) -> Any:
        def gradient(cotangent: Any) -> Any:
            found = [tf.zeros_like(one) for one in inputs]
            # A function may hold the very tensors that were passed; what it makes of them is in
            # `value` already, so that only copies are watched.
            own = [tf.identity(one) for one in inputs]
            for place in range(len(ensemble.parts)):
                with tf.GradientTape() as tape:
                    tape.watch(own)
                    share = weighted(place, own[0], own[1:])
                slopes = tape.gradient(
                    share, own, cotangent, unconnected_gradients=tf.UnconnectedGradients.ZERO
                )
                found = [a + b for a, b in zip(found, slopes, strict=True)]
            return tuple(found)

        return tf.zeros_like(shape), gradient

    return value + nothing(*inputs)


#: Of values of which one part at a time is in memory.
IN_PARTS = statistics.Statistics(
    mean=_mean,
    covariance=_covariance,
    expectation=_of_function(TensorEnsemble.expect),
    probability=_of_function(TensorEnsemble.probability),
)


@dataclass(frozen=True, eq=False)
class EnsembleInParts(TensorEnsemble):
    """An ensemble of which one part at a time is in memory.

    Trajectories are keyed by their numbers, so that they are the same in whatever parts. Means of
    what is affine in the state are known from the first pass, and all of them together are one walk
    back; every other statistic simulates the parts again, once for its value and once for its
    gradient. What one trajectory did is not kept, and functions that mix trajectories, for `expect`
    and `probability`, are refused by a `GradientError`. Under an estimator that follows paths,
    every part must show the derivative of a function that `expect` takes.

    A trainable `tf.Variable` within a function that `expect` or `probability` takes has its
    gradient too. The tape that asks for it keeps what TensorFlow made of the values of every part
    on the way, so that memory then grows with all trajectories.

    Attributes:
        parts: parameters [parameter] → the ensemble of a part, for every part.
        sizes: trajectories of the parts.
    """

    own_statistics: ClassVar[statistics.Statistics] = IN_PARTS

    parts: tuple[Callable[[Any], TensorEnsemble], ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def is_batched(self) -> bool:
        """Whether there are several parameter sets; there is one."""
        return False

    def without_gradients(self) -> Ensemble:
        """Refuse: there are no values to give.

        Raises:
            RequestError: always.
        """
        raise RequestError(
            f"an ensemble of {sum(self.sizes):,} trajectories in {len(self.sizes)} parts has no "
            "values, of which a loss, its standard error or NumPy statistics could be taken again "
            "without gradients: values and their gradient would not fit into memory; simulate "
            f"fewer trajectories or times, or raise the limit by {VARIABLE}"
        )
