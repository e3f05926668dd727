"""Which estimator a fit can trust: the default one, checked against differences on this model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Engine
from sbmlgrad.fit.binding import Binding
from sbmlgrad.fit.objective import mean_trajectory_loss
from sbmlgrad.fit.parameters import FreeParameters
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.finite_difference import FiniteDifference
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.simulation import simulate

#: Batches whose scatter gives the noise of a gradient, and trajectories in each.
BATCHES, BATCH_SIZE = 8, 128

#: Relative error of a gradient that does not mislead a descent.
TOLERATED = 0.2


@dataclass(frozen=True)
class Choice:
    """An estimator and why it was chosen, in words."""

    estimator: Estimator
    reason: str


def choose_estimator(
    model: ReactionNetwork,
    binding: Binding,
    free: FreeParameters,
    values: NDArray[np.float64],
    engine: Engine,
    seed: int,
    first_trajectory: int,
) -> Choice:
    """Compare `TwoSidedAdjoint` with central differences at the given values.

    The path adjoint is quieter and costs the same for any number of parameters, but it fails where
    the future is no smooth function of the state: early extinction, switches. Differences have no
    such trouble, so a disagreement beyond their noise decides against the adjoint.
    """
    differences = FiniteDifference(parameters=free.ids)
    found = {}
    for method in (TwoSidedAdjoint(), differences):
        rows = [
            log_gradient(
                model,
                binding,
                free,
                values,
                engine,
                seed,
                first_trajectory + batch * BATCH_SIZE,
                BATCH_SIZE,
                method,
            )
            for batch in range(BATCHES)
        ]
        found[method.name] = (
            np.mean(rows, axis=0),
            np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES),
        )
    (ours, our_error), (truth, true_error) = found.values()
    noise = np.linalg.norm(np.hypot(our_error, true_error))
    distance = float(np.linalg.norm(ours - truth))
    size = float(np.linalg.norm(truth))
    # The scatter of the adjoint itself is part of the verdict: a heavy tail has a large one.
    misled = distance > TOLERATED * size + 3.0 * noise or np.linalg.norm(our_error) > 2.0 * max(
        size, float(np.linalg.norm(true_error))
    )
    words = f"difference {distance:.2g}, size {size:.2g}, noise {noise:.2g}"
    if misled:
        return Choice(
            differences,
            f"gradients by {differences.name}: TwoSidedAdjoint() disagrees with it on this model "
            f"({words})",
        )
    return Choice(
        TwoSidedAdjoint(),
        f"gradients by TwoSidedAdjoint(), which agrees with central differences ({words})",
    )


def log_gradient(
    model: ReactionNetwork,
    binding: Binding,
    free: FreeParameters,
    values: NDArray[np.float64],
    engine: Engine,
    seed: int,
    first_trajectory: int,
    trajectories: int,
    estimator: Estimator,
) -> NDArray[np.float64]:
    """Return the derivative of the loss in logarithms of the free parameters, float64 [free]."""
    import tensorflow as tf

    parameters = np.array(model.parameter_values)
    parameters[free.places] = values
    theta = tf.constant(parameters)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        ensemble = simulate(
            model,
            theta,
            readouts=(binding.readout,),
            trajectories=trajectories,
            first_trajectory=first_trajectory,
            seed=seed,
            engine=engine,
            estimator=estimator,
        )
        loss = mean_trajectory_loss(ensemble, binding)
    return np.asarray(tape.gradient(loss, theta))[free.places] * values
