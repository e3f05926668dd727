"""All pairs of values of two samples: their distances and kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sbmlgrad.distances.operations import operations_of
from sbmlgrad.engines.memory_estimate import check_bytes
from sbmlgrad.errors import RequestError, StatisticsError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.numbers import as_number


def checked_samples(simulated: Any, measured: Any, *, least: int = 2) -> tuple[Any, Any, Any]:
    """Return both samples of one kind and shape, and the operations on that kind."""
    ops = operations_of(simulated) if is_tensor(simulated) else operations_of(measured)
    x, y = ops.numbers("simulated", simulated), ops.numbers("measured", measured)
    if x.shape[1:] != y.shape[1:] or len(x.shape) not in (1, 2):
        raise RequestError(
            f"samples of shapes {tuple(x.shape)} and {tuple(y.shape)}: give both as [value] or "
            "both as [value, feature]"
        )
    sizes = (x.shape[0], y.shape[0])
    if any(size is None for size in sizes):
        raise RequestError("the number of values in a sample must be known; use tf.ensure_shape")
    if min(sizes) < least:
        raise StatisticsError(
            f"samples of {sizes[0]} and {sizes[1]} values: at least {least} of each are needed"
        )
    for what, sample in (("simulated", x), ("measured", y)):
        if _is_known(sample) and not np.isfinite(np.asarray(sample)).all():
            raise StatisticsError(
                f"{what}: there are values that are not finite, from which no distance can be "
                "told; leave them out"
            )
    return x, y, ops


def _is_known(sample: Any) -> bool:
    """Tell whether a sample has values already, which it has not inside a graph."""
    if not is_tensor(sample):
        return True
    import tensorflow as tf

    return tf.executing_eagerly()


def squares(ops: Any, x: Any, y: Any) -> Any:
    """Return squared distances of all pairs [x, y], one feature after the other."""
    n, m = x.shape[0], y.shape[0]
    if n is not None:
        check_bytes(
            5 * 8 * n * m,
            f"the distances of {n:,} times {m:,} values",
            "Take fewer trajectories or samples for this loss.",
        )
    if len(x.shape) == 1:
        return ops.square(x[:, None] - y[None, :])
    total = 0.0
    for feature in range(x.shape[1]):
        total += ops.square(x[:, feature][:, None] - y[:, feature][None, :])
    return total


def root_of(ops: Any) -> Callable[[Any], Any]:
    """Return the square root whose slope at zero is zero."""

    def root(squares: Any) -> Any:
        # The slope of a root at zero is infinite, and 0 times that would be NaN.
        is_apart = squares > 0.0
        return ops.where(is_apart, ops.sqrt(ops.where(is_apart, squares, 1.0)), 0.0)

    return root


def gaussian(bandwidth: Any, ops: Any) -> Callable[[Any], Any]:
    """Return the Gaussian kernel of squared distances."""
    return lambda squares: ops.exp(squares / (-2.0 * bandwidth * bandwidth))


def bandwidth_of(ops: Any, x: Any, y: Any, given: float | None) -> Any:
    """Return the bandwidth given, or the median of all non-zero distances."""
    if given is not None:
        number = as_number("bandwidth", given)
        if not 0.0 < number < np.inf:
            raise RequestError(f"bandwidth={given!r}: give a positive number")
        return number
    return ops.median_distance(root_of(ops)(squares(ops, ops.joined(x, y), ops.joined(x, y))))
