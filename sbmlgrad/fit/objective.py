"""The mean-trajectory objective: squared deviations of ensemble means from the data, weighted."""

from __future__ import annotations

from typing import Any

import numpy as np

from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.fit.binding import Binding


def mean_trajectory_loss(ensemble: Ensemble, binding: Binding) -> Any:
    """Return Σ ((mean - data) / scale)² / number of data, a tensor for a differentiable ensemble.

    With n trajectories it exceeds its value for n → ∞ by the variance of the mean, of order 1/n.
    """
    total: Any = 0.0
    count = 0
    for target in binding.targets:
        mean = ensemble.mean(target.observable, readout=binding.readout)
        if ensemble.is_differentiable:
            import tensorflow as tf

            deviation = (tf.gather(mean, target.points) - target.mean) / target.scale
            total += tf.reduce_sum(tf.square(deviation))
        else:
            total += float((((mean[target.points] - target.mean) / target.scale) ** 2).sum())
        count += len(target.points)
    return total / count


def loss_standard_error(ensemble: Ensemble, binding: Binding) -> float:
    """Return the Monte-Carlo standard error of the loss, by the delta method.

    Each trajectory contributes Σ 2 (mean - data) / scale² · value to the first-order change.
    """
    influence: Any = 0.0
    count = 0
    for target in binding.targets:
        values = ensemble.values(target.observable, readout=binding.readout)[:, target.points]
        slope = 2.0 * (values.mean(axis=0) - target.mean) / target.scale**2
        influence = influence + values @ slope
        count += len(target.points)
    return float(np.std(influence / count, ddof=1) / np.sqrt(len(influence)))
