"""What distances compute with: the same operations on arrays and on tensors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import StatisticsError
from sbmlgrad.gradients.tensorflow import is_tensor
from sbmlgrad.model.numbers import as_numbers


def _median_distance(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    positive = distances[distances > 0.0]
    if not positive.size:
        raise StatisticsError("bandwidth: all values of both samples are equal; give a bandwidth")
    return np.asarray(np.median(positive), dtype=np.float64)


def _ranks(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for every x how many y are less, minus how many are greater."""
    ordered = np.sort(y)
    below = np.searchsorted(ordered, x, side="left")
    above = len(y) - np.searchsorted(ordered, x, side="right")
    return (below - above).astype(np.float64)


NUMPY = SimpleNamespace(
    numbers=as_numbers,
    stack=np.stack,
    columns=lambda columns: np.stack(columns, axis=1),
    joined=lambda x, y: np.concatenate([x, y]),
    mean=np.mean,
    mean_rows=lambda table: np.mean(table, axis=1),
    sum=np.sum,
    abs=np.abs,
    exp=np.exp,
    sqrt=np.sqrt,
    square=np.square,
    where=np.where,
    sort=np.sort,
    take=np.take,
    ranks=_ranks,
    median_distance=_median_distance,
)


def operations_of(sample: Any) -> Any:
    """Return the operations on the kind of a sample, NumPy's or TensorFlow's."""
    if not is_tensor(sample):
        return NUMPY
    import tensorflow as tf

    def ranks(x: Any, y: Any) -> Any:
        x, y = tf.stop_gradient(x), tf.sort(tf.stop_gradient(y))
        below = tf.searchsorted(y, x, side="left")
        above = y.shape[0] - tf.searchsorted(y, x, side="right")
        return tf.cast(below - above, tf.float64)

    def median_distance(distances: Any) -> Any:
        fixed = tf.stop_gradient(distances)
        if tf.executing_eagerly():
            return tf.constant(_median_distance(fixed.numpy()), tf.float64)
        return tf.ensure_shape(tf.numpy_function(_median_distance, [fixed], tf.float64), [])

    return SimpleNamespace(
        numbers=lambda _what, values: tf.cast(tf.convert_to_tensor(values), tf.float64),
        stack=tf.stack,
        columns=lambda columns: tf.stack(columns, axis=1),
        joined=lambda x, y: tf.concat([x, y], axis=0),
        mean=tf.reduce_mean,
        mean_rows=lambda table: tf.reduce_mean(table, axis=1),
        sum=tf.reduce_sum,
        abs=tf.abs,
        exp=tf.exp,
        sqrt=tf.sqrt,
        square=tf.square,
        where=tf.where,
        sort=tf.sort,
        take=tf.gather,
        ranks=ranks,
        median_distance=median_distance,
    )
