"""The descent: Keras optimisers on logarithms of parameters, fresh trajectories every epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Engine
from sbmlgrad.errors import FitError
from sbmlgrad.fit.binding import Binding
from sbmlgrad.fit.objective import mean_trajectory_loss
from sbmlgrad.fit.parameters import FreeParameters
from sbmlgrad.fit.schedules import Schedule
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.simulation import simulate

#: Called with (epochs done, epochs, loss).
FitProgress = Callable[[int, int, float], None]

OPTIMIZERS = ("adam", "rmsprop")


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that the descent needs to know."""

    model: ReactionNetwork
    binding: Binding
    free: FreeParameters
    estimator: Estimator
    engine: Engine
    optimizer: Any
    learning_rate: Schedule | None
    temperature: Schedule | None
    epochs: int
    trajectories: int
    seed: int
    progress: FitProgress | None
    evaluation_trajectories: int


@dataclass
class Trace:
    """What the descent leaves: one entry an epoch."""

    losses: list[float] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    interrupted: bool = False
    estimator: Estimator | None = None
    assumptions: tuple[str, ...] = ()


def make_optimizer(name: Any) -> Any:
    """Return a fresh Keras optimiser for a name, or like the given one."""
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


def descend(plan: Plan, start: NDArray[np.float64] | None = None) -> Trace:
    """Run the epochs; Ctrl-C ends them and keeps what was reached.

    Every epoch simulates trajectories of its own: numbers epoch·n to (epoch + 1)·n of one seed.
    After each step the values are projected on their bounds; `FitResult.at_bounds` says so.
    """
    import tensorflow as tf

    first = plan.free.start if start is None else start
    logarithms = tf.Variable(tf.constant(np.log(first), tf.float64))
    others = tf.constant(np.array(plan.model.parameter_values), tf.float64)
    places = plan.free.places[:, None]
    low, high = np.log(plan.free.lower), np.log(plan.free.upper)
    trace = Trace()
    optimizer = make_optimizer(plan.optimizer)
    for epoch in range(plan.epochs):
        try:
            estimator = _at(plan, epoch)
            trace.values.append(np.exp(logarithms.numpy()))
            with tf.GradientTape() as tape:
                parameters = tf.tensor_scatter_nd_update(others, places, tf.exp(logarithms))
                ensemble = simulate(
                    plan.model,
                    parameters,
                    readouts=(plan.binding.readout,),
                    trajectories=plan.trajectories,
                    first_trajectory=epoch * plan.trajectories,
                    seed=plan.seed,
                    engine=plan.engine,
                    estimator=estimator,
                )
                loss = mean_trajectory_loss(ensemble, plan.binding)
            gradient = tape.gradient(loss, logarithms)
            _refuse_bad(plan, epoch, loss, gradient)
            if plan.learning_rate is not None:
                optimizer.learning_rate = plan.learning_rate(epoch, plan.epochs)
            optimizer.apply_gradients([(gradient, logarithms)])
            logarithms.assign(tf.clip_by_value(logarithms, low, high))
            trace.losses.append(float(loss))
            if plan.progress is not None:
                plan.progress(epoch + 1, plan.epochs, trace.losses[-1])
        except KeyboardInterrupt:
            trace.interrupted = True
            del trace.values[len(trace.losses) :]
            break
    if trace.losses:
        trace.values.append(np.exp(logarithms.numpy()))
    return trace


def _at(plan: Plan, epoch: int) -> Estimator:
    if plan.temperature is None:
        return plan.estimator
    temperature = plan.temperature(epoch, plan.epochs)
    return dataclasses.replace(plan.estimator, temperature=temperature)  # type: ignore[type-var]


def _refuse_bad(plan: Plan, epoch: int, loss: Any, gradient: Any) -> None:
    if not np.isfinite(float(loss)) or not np.isfinite(gradient.numpy()).all():
        slopes = dict(zip(plan.free.ids, gradient.numpy().tolist(), strict=True))
        raise FitError(
            f"epoch {epoch + 1}: the loss is {float(loss)} with gradient {slopes}, which is not "
            "finite; narrow the bounds or lower the learning rate"
        )
