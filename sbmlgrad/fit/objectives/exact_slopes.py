"""A number with its slope, both known without trajectories, as a tensor that has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.objectives.sets import stacked
from sbmlgrad.gradients.tensorflow import is_tensor, on_host

FloatArray = NDArray[np.float64]

#: Parameters float64 [parameter] → a number, and its slope float64 [parameter].
Sloped = Callable[[FloatArray], tuple[float, FloatArray]]


def exact_value(
    parameters: Any, value: Callable[[FloatArray], float], with_slope: Sloped
) -> float | Any:
    """Return an exact loss at the parameters of an ensemble, a number or [set].

    Use it in the `loss` of an objective that takes nothing but the parameters of its ensembles.

    Args:
        parameters: of the network, array or tensor [parameter] or [set, parameter].
        value: the loss, where no gradient is asked for.
        with_slope: the loss and its derivative, for tensors.
    """
    if len(parameters.shape) == 2:
        rows = range(int(parameters.shape[0]))
        return stacked([exact_value(parameters[i], value, with_slope) for i in rows])
    if not is_tensor(parameters):
        return value(np.asarray(parameters))
    return _differentiable(with_slope, parameters)


def _differentiable(function: Sloped, parameters: Any) -> Any:
    """Return a number and its slope, given by a NumPy function, as a tensor []."""
    import tensorflow as tf

    kept: dict[bytes, tuple[float, FloatArray]] = {}

    def solved(theta: FloatArray) -> tuple[float, FloatArray]:
        key = theta.tobytes()
        if key not in kept:
            kept[key] = function(theta)
        return kept[key]

    @tf.custom_gradient
    def exact(theta: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return on_host(lambda t, u: u * solved(t)[1], theta, upstream)

        if tf.executing_eagerly():
            return tf.constant(solved(theta.numpy())[0], tf.float64), gradient
        value = tf.numpy_function(lambda t: np.float64(solved(t)[0]), [theta], tf.float64)
        return tf.ensure_shape(value, []), gradient

    return exact(parameters)
