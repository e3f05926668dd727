"""Keras optimisers: by name, made afresh, and with state that can be kept and cut."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError

OPTIMIZERS = ("adam", "rmsprop")


def make_optimizer(name: Any) -> Any:
    """Return a fresh Keras optimiser for a name, or like the given one.

    Raises:
        FitError: neither a known name nor a Keras optimiser.
    """
    import keras

    if isinstance(name, keras.optimizers.Optimizer):
        # An optimiser is tied to the variables of its first use, so each descent gets its own.
        return type(name).from_config(name.get_config())
    if not isinstance(name, str):
        raise FitError(f"optimizer={name!r}: pass a name or a Keras optimiser")
    if name.lower() == "adam":
        # With the usual 0.999 the large first gradients shrink every step of so short a descent.
        return keras.optimizers.Adam(beta_2=0.95)
    if name.lower() == "rmsprop":
        return keras.optimizers.RMSprop()
    raise FitError(f"optimizer={name!r}: choose one of {OPTIMIZERS}, or pass a Keras optimiser")


def optimizer_name(optimizer: Any) -> str:
    """Return how an optimiser is recorded in results."""
    return type(make_optimizer(optimizer)).__name__


class Steps:
    """An optimiser at work on coordinates [set, free]; its memory can be read and set.

    Keras keeps the memory of an optimiser beside its variables; here it is arrays that a checkpoint
    holds, and of which sets can be dropped.
    """

    def __init__(self, optimizer: Any, coordinates: NDArray[np.float64]) -> None:
        import tensorflow as tf

        self.variable = tf.Variable(tf.constant(coordinates, tf.float64))
        self._optimizer = make_optimizer(optimizer)
        self._optimizer.build([self.variable])

    @property
    def memory(self) -> list[NDArray[Any]]:
        """What the optimiser remembers, copied."""
        return [np.array(variable.numpy()) for variable in self._optimizer.variables]

    @memory.setter
    def memory(self, arrays: list[NDArray[Any]]) -> None:
        for variable, array in zip(self._optimizer.variables, arrays, strict=True):
            variable.assign(array)

    def step(
        self, gradient: NDArray[np.float64], learning_rate: float | None
    ) -> NDArray[np.float64]:
        """Take a step and return the coordinates reached, float64 [set, free]."""
        import tensorflow as tf

        if learning_rate is not None:
            self._optimizer.learning_rate = learning_rate
        self._optimizer.apply_gradients([(tf.constant(gradient), self.variable)])
        return np.array(self.variable.numpy())

    def move(self, coordinates: NDArray[np.float64]) -> None:
        """Put the coordinates elsewhere, as a projection on bounds does."""
        self.variable.assign(coordinates)


def without_sets(
    memory: list[NDArray[Any]], sets: int, kept: NDArray[np.intp]
) -> list[NDArray[Any]]:
    """Return the memory of an optimiser for some of its sets."""
    return [m[kept] if m.ndim == 2 and m.shape[0] == sets else m for m in memory]
