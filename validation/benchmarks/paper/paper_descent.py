"""One descent: statistics of an ensemble against their targets, by RMSprop on log rates.

Nothing of the method is written again here: `sg.simulate` gives the mean and its gradient,
`sbmlgrad.gradients` the estimators and temperature schedules, Keras the optimiser.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Epochs after which the state of a descent is written down.
SAVED_EVERY = 10


@dataclass(frozen=True)
class Setting:
    """How a descent is made.

    Attributes:
        readout: what is kept of a trajectory.
        statistics: ensemble → statistics that are compared, tensor [statistic].
        estimator: epoch → gradient estimator.
        trajectories: of an epoch, new ones in each.
        epochs: steps of RMSprop.
        rates: learning rates of the first and of the last epoch; between them it falls by the same
            factor in each.
        weights: of squared differences in the loss, float64 [statistic]; None weighs all the same.
        threads: of the engine.
    """

    readout: Any
    statistics: Callable[[sg.Ensemble], Any]
    estimator: Callable[[int], Any]
    trajectories: int
    epochs: int
    rates: tuple[float, float] = (0.1, 1e-4)
    weights: FloatArray | None = None
    threads: int = 2


@dataclass(frozen=True, eq=False)
class Trace:
    """A descent that is done.

    Attributes:
        values: of the parameters, before every epoch and at the end, float64 [epoch + 1,
            parameter].
        losses: weighted mean of squared differences, float64 [epoch].
        seconds: wall time, without that of descents that were interrupted.
        cpu_seconds: time of the processor, all threads.
    """

    values: FloatArray
    losses: FloatArray
    seconds: float
    cpu_seconds: float


def descend(
    model: sg.ReactionNetwork,
    start: FloatArray,
    target: FloatArray,
    setting: Setting,
    seed: int,
    checkpoint: Path | None = None,
) -> Trace:
    """Return the descent from `start`, continuing a checkpoint if it is there.

    Args:
        model: all of whose parameters are free.
        start: their values, float64 [parameter], all above 0.
        target: statistics to come to, float64 [statistic].
        setting: how.
        seed: of the random streams.
        checkpoint: file for the state, written every few epochs and at Ctrl-C, removed at the end.
    """
    import keras
    import tensorflow as tf

    logarithms = tf.Variable(tf.constant(np.log(start), tf.float64))
    optimizer = keras.optimizers.RMSprop(setting.rates[0])
    optimizer.build([logarithms])
    values, losses, spent = [np.array(start)], [], np.zeros(2)
    if checkpoint is not None and checkpoint.exists():
        with np.load(checkpoint) as stored:
            values, losses = [*stored["values"]], [*stored["losses"]]
            spent = stored["spent"]
            logarithms.assign(stored["logarithms"])
            for place, variable in enumerate(optimizer.variables):
                variable.assign(stored[f"optimizer_{place}"])

    def spent_now() -> FloatArray:
        return spent + np.array([time.perf_counter(), time.process_time()]) - began

    def save() -> None:
        assert checkpoint is not None
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        written = checkpoint.with_suffix(".part.npz")
        states = {f"optimizer_{i}": v.numpy() for i, v in enumerate(optimizer.variables)}
        np.savez(
            written,
            values=np.array(values),
            losses=np.array(losses),
            spent=spent_now(),
            logarithms=logarithms.numpy(),
            **states,
        )
        written.replace(checkpoint)

    # Named: by itself the engine judges every epoch alone, which is too small to compile for.
    engine = sg.engines.Native(kernel="lockstep", threads=setting.threads)
    weights = np.ones(len(target)) if setting.weights is None else setting.weights
    share_of = weights / weights.sum()
    began = np.array([time.perf_counter(), time.process_time()])
    try:
        for epoch in range(len(losses), setting.epochs):
            share = epoch / max(setting.epochs - 1, 1)
            first, last = setting.rates
            optimizer.learning_rate = first * (last / first) ** share
            with tf.GradientTape() as tape:
                cells = sg.simulate(
                    model,
                    tf.exp(logarithms),
                    readouts=[setting.readout],
                    trajectories=setting.trajectories,
                    first_trajectory=epoch * setting.trajectories,
                    seed=seed,
                    engine=engine,
                    estimator=setting.estimator(epoch),
                )
                off = setting.statistics(cells) - target
                loss = tf.reduce_sum(share_of * tf.square(off))
            gradient = tape.gradient(loss, logarithms)
            optimizer.apply_gradients([(gradient, logarithms)])
            losses.append(float(loss))
            values.append(np.exp(logarithms.numpy()))
            if checkpoint is not None and (epoch + 1) % SAVED_EVERY == 0:
                save()
    except KeyboardInterrupt:
        if checkpoint is not None and len(values) == len(losses) + 1:
            save()
        raise
    seconds, cpu_seconds = spent_now().tolist()
    return Trace(np.array(values), np.array(losses), seconds, cpu_seconds)
