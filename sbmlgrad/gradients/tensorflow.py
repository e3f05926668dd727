"""Estimators as a TensorFlow operation: parameters in, kept values out, gradient by replay.

Works eagerly and inside `tf.function`. Simulation itself never imports this module's TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError

#: (parameters [..., parameter], seed) → (kept values per readout, outcomes, firings).
Forward = Callable[
    [NDArray[np.float64], int],
    tuple[list[NDArray[np.float64]], NDArray[np.int8], NDArray[np.int64]],
]
#: (parameters [..., parameter], seed, cotangent per readout) → gradient [..., parameter].
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
    theta: Any,
    seed: Any,
    draw_seed: Callable[[], int],
    forward: Forward,
    backward: Backward,
    shapes: Sequence[tuple[int, int, int]],
) -> tuple[tuple[Any, ...], Any, Any, Any]:
    """Return kept values as tensors whose gradient is the estimator's.

    Args:
        theta: tensor float64 [..., parameter].
        seed: whole number, integer tensor, or None to draw one at every execution.
        draw_seed: draws a seed.
        forward: simulates.
        backward: pulls a cotangent back.
        shapes: static shape [trajectory, point, column] of each readout's values.

    Returns:
        Kept values per readout, float64 [..., trajectory, point, column]; outcomes and firings
        [..., trajectory]; seed.

    Raises:
        GradientError: XLA is to compile the graph.
    """
    import tensorflow as tf

    if tf.executing_eagerly():
        number = draw_seed() if seed is None else int(seed)
        return _eager(tf, theta, number, forward, backward)
    _refuse_xla(tf)
    return _graph(tf, theta, seed, draw_seed, forward, backward, shapes)


def on_host(function: Callable[..., NDArray[np.float64]], theta: Any, *others: Any) -> Any:
    """Return a gradient that a NumPy function computes, as a tensor of the shape of `theta`.

    Args:
        function: NumPy function of all arguments.
        theta: tensor float64 [..., parameter].
        others: further tensors or numbers.

    Raises:
        GradientError: the result is differentiated once more, which no estimator can do.
    """
    import tensorflow as tf

    arguments = [tf.convert_to_tensor(a) for a in (theta, *others)]
    # Outside the operation, which may not use variables that it does not declare; a function that
    # was given to `expect` may. The memory of the tensors themselves, since values may be most of
    # what there is.
    found = function(*[np.asarray(a) for a in arguments]) if tf.executing_eagerly() else None

    @tf.custom_gradient
    def pulled(*arguments: Any) -> Any:
        def refuse(*_: Any) -> Any:
            raise GradientError(
                "second derivatives: an estimator gives the first derivative of an expectation "
                "only, and the second is not contained in it; use differences of first "
                "derivatives, or a quasi-Newton optimiser"
            )

        if found is not None:
            return tf.constant(found, tf.float64), refuse
        # Inside a function or a Jacobian the arguments are symbols of a graph.
        result = tf.numpy_function(function, list(arguments), tf.float64)
        return tf.ensure_shape(result, theta.shape), refuse

    return pulled(*arguments)


def _eager(
    tf: Any, theta: Any, seed: int, forward: Forward, backward: Backward
) -> tuple[tuple[Any, ...], Any, Any, Any]:
    # Called directly, so that errors keep their type.
    kept: dict[str, Any] = {}

    def pull(theta: NDArray[np.float64], *cotangents: NDArray[np.float64]) -> Any:
        return backward(theta, seed, list(cotangents))

    @tf.custom_gradient
    def sample(theta: Any) -> Any:
        values, kept["outcomes"], kept["firings"] = forward(theta.numpy(), seed)

        def gradient(*cotangents: Any) -> Any:
            return on_host(pull, theta, *cotangents)

        # Each array goes as its tensor comes.
        return tuple(tf.constant(values.pop(0), tf.float64) for _ in range(len(values))), gradient

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
    sets = tuple(theta.shape[:-1])

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
        values = [tf.ensure_shape(v, (*sets, *s)) for v, s in zip(result, shapes, strict=False)]
        rows = (*sets, shapes[0][0])
        kept["outcomes"], kept["firings"] = (tf.ensure_shape(r, rows) for r in result[-2:])

        def gradient(*cotangents: Any) -> Any:
            return on_host(pull, theta, number, *cotangents)

        return tuple(values), gradient

    values = sample(theta)
    return tuple(values), kept["outcomes"], kept["firings"], number


def _refuse_xla(tf: Any) -> None:
    """Raise where XLA will compile the graph under construction.

    TensorFlow says so by a context around the outermost graph, for which it has no public name;
    without it, XLA itself refuses the operation, in other words.
    """
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = getattr(graph, "_get_control_flow_context", lambda: None)()
        if context is not None and context.IsXLAContext():
            raise GradientError(
                "XLA (jit_compile=True) cannot compile a simulation, whose kernels are machine "
                "code already: leave out jit_compile, in Keras by "
                "model.compile(jit_compile=False) or by supports_jit = False of the layer"
            )
        graph = getattr(graph, "outer_graph", None)
