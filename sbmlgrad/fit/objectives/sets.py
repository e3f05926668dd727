"""One parameter set at a time: the rows of a batch, with their gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.gradients.tensor_ensemble import TensorEnsemble
from sbmlgrad.gradients.tensorflow import is_tensor


def over_sets(
    simulated: Mapping[str, Simulated], loss: Callable[[Mapping[str, Simulated]], Any]
) -> Any:
    """Return the loss of every parameter set, [set]; of a single one, a number.

    Use it for losses that are no formula of statistics with a leading axis over sets.

    Args:
        simulated: experiment id → its simulation.
        loss: of one parameter set, a number or a tensor [].
    """
    sets = {_sets(one) for one in simulated.values()}
    if sets == {None}:
        return loss(simulated)
    (count,) = sets
    assert count is not None
    return stacked([loss({id: row(one, i) for id, one in simulated.items()}) for i in range(count)])


def stacked(losses: Sequence[Any]) -> Any:
    """Return numbers or tensors along a new leading axis."""
    if any(is_tensor(loss) for loss in losses):
        import tensorflow as tf

        return tf.stack(losses)
    return np.stack(losses)


def row(one: Simulated, number: int) -> Simulated:
    """Return one parameter set of a batch; statistics of a tensor keep their gradient.

    Args:
        one: a simulated batch.
        number: which set.
    """
    ensemble = one.ensemble
    extra = {
        id: value[number] if len(getattr(value, "shape", ())) else value
        for id, value in one.extra.items()
    }
    if isinstance(ensemble, TensorEnsemble):
        return Simulated(ensemble.one_set(number), extra)
    return Simulated(ensemble.part(number), extra)


def _sets(one: Simulated) -> int | None:
    return int(one.ensemble.states[0].shape[0]) if one.ensemble.is_batched else None
