"""An ensemble with gradients: its values are tensors, and so are its statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sbmlgrad.engines import statistics
from sbmlgrad.engines.asked_formulas import Asked, is_affine_in_state, over_state
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.plain_call import plain_call
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.symbol_values import Extra, extra_of, on_states


@dataclass(frozen=True, eq=False)
class TensorEnsemble(Ensemble):
    """An ensemble whose statistics are TensorFlow tensors with gradients.

    The mean of what is affine in the state is taken of the mean state: backward, all such means
    together need the memory of the values once, and not once for each symbol.

    Attributes:
        mean_states: per readout the mean of the state over trajectories, tensor float64
            [..., point, column].
    """

    mean_states: tuple[Any, ...] = ()

    def mean(
        self,
        id: Asked,
        quantity: str | None = None,
        *,
        readout: Readout | None = None,
        extra: Extra | None = None,
    ) -> Any:
        """Return the mean over trajectories, float64 [point]; see `Ensemble.mean`."""
        return plain_call(_mean, self, id, quantity, readout, extra)


def mean_of_states(states: Any) -> Any:
    """Return the mean over trajectories of a tensor [..., trajectory, point, column].

    The sum first: backward, its rows are copies of one, and a mean would divide all of them.
    """
    import tensorflow as tf

    return tf.reduce_sum(states, axis=-3) / tf.cast(tf.shape(states)[-3], tf.float64)


def is_mean_of_states(
    ensemble: Ensemble, asked: Asked, quantity: str | None, readout: Readout, extra: Extra
) -> bool:
    """Tell whether the mean of a symbol follows from the mean state."""
    formula = over_state(ensemble, asked, quantity, readout, extra)
    return is_affine_in_state(ensemble, formula, readout)


def _mean(
    ensemble: TensorEnsemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    place = ensemble.place(readout)
    kept = ensemble.readouts[place]
    given = extra_of(ensemble, extra)
    formula = over_state(ensemble, asked, quantity, kept, given)
    if not is_affine_in_state(ensemble, formula, kept):
        return statistics.mean(ensemble, asked, quantity, readout, extra)
    # As if it were one trajectory.
    state = ensemble.mean_states[place][..., None, :, :]
    return on_states(ensemble, formula, state, kept, ensemble.parameters, given)[..., 0, :]
