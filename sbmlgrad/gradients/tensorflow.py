"""Estimators as a TensorFlow operation: parameters in, kept values out, gradient by replay.

Works eagerly and inside `tf.function`. Simulation itself never imports this module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: (parameters [parameter], seed) → (kept values per readout, outcomes, firings).
Forward = Callable[
    [NDArray[np.float64], int],
    tuple[list[NDArray[np.float64]], NDArray[np.int8], NDArray[np.int64]],
]
#: (parameters [parameter], seed, cotangent per readout) → gradient [parameter].
Backward = Callable[[NDArray[np.float64], int, list[NDArray[np.float64]]], NDArray[np.float64]]


def is_tensor(value: object) -> bool:
    """Tell whether a value is a TensorFlow tensor or variable, without importing TensorFlow."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not hasattr(tf, "Tensor"):
        return False
    if isinstance(value, tf.Tensor | tf.Variable):
        return True
    # A Keras variable wraps a TensorFlow one.
    return isinstance(getattr(value, "value", None), tf.Variable)


def differentiable(
    parameters: Any,
    seed: Any,
    draw_seed: Callable[[], int],
    forward: Forward,
    backward: Backward,
    shapes: Sequence[tuple[int, int, int]],
) -> tuple[tuple[Any, ...], Any, Any, Any]:
    """Return kept values as tensors whose gradient is the estimator's.

    Args:
        parameters: tensor [parameter].
        seed: whole number, integer tensor, or None to draw one at every execution.
        draw_seed: draws a seed.
        forward: simulates.
        backward: pulls a cotangent back.
        shapes: static shape of each readout's values.

    Returns:
        Kept values per readout, float64 [trajectory, point, column]; outcomes; firings; seed.
    """
    import tensorflow as tf

    theta = tf.cast(tf.convert_to_tensor(parameters), tf.float64)
    if tf.executing_eagerly():
        number = draw_seed() if seed is None else int(seed)
        return _eager(tf, theta, number, forward, backward)
    return _graph(tf, theta, seed, draw_seed, forward, backward, shapes)


def _eager(
    tf: Any, theta: Any, seed: int, forward: Forward, backward: Backward
) -> tuple[tuple[Any, ...], Any, Any, Any]:
    # Called directly, so that errors keep their type.
    kept: dict[str, Any] = {}

    @tf.custom_gradient
    def sample(theta: Any) -> Any:
        values, kept["outcomes"], kept["firings"] = forward(theta.numpy(), seed)

        def gradient(*cotangents: Any) -> Any:
            if tf.executing_eagerly():
                pulled = backward(theta.numpy(), seed, [c.numpy() for c in cotangents])
                return tf.constant(pulled, tf.float64)
            # Inside a Jacobian the cotangents are symbols of a graph.
            pulled = tf.numpy_function(
                lambda *c: backward(theta.numpy(), seed, list(c)), list(cotangents), tf.float64
            )
            return tf.ensure_shape(pulled, theta.shape)

        return tuple(tf.constant(v, tf.float64) for v in values), gradient

    values = sample(theta)
    return tuple(values), kept["outcomes"], kept["firings"], seed


def _graph(
    tf: Any,
    theta: Any,
    seed: Any,
    draw_seed: Callable[[], int],
    forward: Forward,
    backward: Backward,
    shapes: Sequence[tuple[int, int, int]],
) -> tuple[tuple[Any, ...], Any, Any, Any]:
    if seed is None:
        number = tf.numpy_function(lambda: np.int64(draw_seed()), [], tf.int64, stateful=True)
    else:
        number = tf.cast(seed, tf.int64)
    number = tf.ensure_shape(number, [])

    def run(theta: NDArray[np.float64], seed: NDArray[np.int64]) -> list[Any]:
        values, outcomes, firings = forward(theta, int(seed))
        return [*values, outcomes, firings]

    def pull(theta: NDArray[np.float64], seed: NDArray[np.int64], *cotangents: Any) -> Any:
        return backward(theta, int(seed), list(cotangents))

    kept: dict[str, Any] = {}

    @tf.custom_gradient
    def sample(theta: Any) -> Any:
        types = [tf.float64] * len(shapes) + [tf.int8, tf.int64]
        result = tf.numpy_function(run, [theta, number], types, stateful=True)
        values = [tf.ensure_shape(v, s) for v, s in zip(result, shapes, strict=False)]
        kept["outcomes"], kept["firings"] = result[-2:]

        def gradient(*cotangents: Any) -> Any:
            pulled = tf.numpy_function(pull, [theta, number, *cotangents], tf.float64)
            return tf.ensure_shape(pulled, theta.shape)

        return tuple(values), gradient

    values = sample(theta)
    return tuple(values), kept["outcomes"], kept["firings"], number
