"""An ensemble with gradients: its values are tensors, and so are its statistics."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from sbmlgrad.engines import statistics
from sbmlgrad.engines.asked_formulas import Asked, is_affine_in_state, open_constants, over_state
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.symbol_values import Extra, extra_of, on_states
from sbmlgrad.errors import RequestError
from sbmlgrad.gradients.expectations import Expectations
from sbmlgrad.model.expression import Expression
from sbmlgrad.model.operators import evaluate


def mean_of_states(states: Any) -> Any:
    """Return the mean over trajectories of a tensor [..., trajectory, point, column].

    The sum first: backward, its rows are copies of one, and a mean would divide all of them.
    """
    import tensorflow as tf

    return tf.reduce_sum(states, axis=-3) / tf.cast(tf.shape(states)[-3], tf.float64)


def formula_of_mean(
    ensemble: TensorEnsemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Expression | None:
    """Return what a symbol is in the state, if its mean follows from the mean state."""
    kept = ensemble.readouts[ensemble.place(readout)]
    formula = over_state(ensemble, asked, quantity, kept, extra_of(ensemble, extra))
    return formula if is_affine_in_state(ensemble, formula, kept) else None


def mean_by_mean_state(
    ensemble: TensorEnsemble, formula: Expression, readout: Readout | None, extra: Extra | None
) -> Any:
    """Return the mean of what `formula_of_mean` gave, float64 [..., point]."""
    place = ensemble.place(readout)
    # As if it were one trajectory.
    state = ensemble.mean_states[place][..., None, :, :]
    given = extra_of(ensemble, extra)
    kept = ensemble.readouts[place]
    return on_states(ensemble, formula, state, kept, ensemble.parameters, given)[..., 0, :]


def _mean(
    ensemble: TensorEnsemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Any:
    if ensemble.means_of is ensemble.states:
        formula = formula_of_mean(ensemble, asked, quantity, readout, extra)
        if formula is not None:
            return mean_by_mean_state(ensemble, formula, readout, extra)
    return statistics.mean(ensemble, asked, quantity, readout, extra)


#: Of values that are all in memory, as tensors.
AS_TENSORS = replace(statistics.OF_VALUES, mean=_mean)


@dataclass(frozen=True, eq=False)
class TensorEnsemble(Ensemble):
    """An ensemble whose statistics are TensorFlow tensors with gradients.

    The mean of what is affine in the state is taken of the mean state: backward, all such means
    together need the memory of the values once, and not once for each symbol.

    Attributes:
        mean_states: per readout the mean of the state over trajectories, tensor float64
            [..., point, column].
        means_of: the `states` that these are the means of. Of an ensemble with other states, made
            of this one by `dataclasses.replace`, they are not used.
    """

    own_statistics: ClassVar[statistics.Statistics] = AS_TENSORS

    mean_states: tuple[Any, ...] = ()
    means_of: Any = None

    def one_set(self, number: int) -> TensorEnsemble:
        """Return the ensemble of one parameter set of a batch; statistics keep their gradient.

        Args:
            number: which set, from 0.

        Raises:
            RequestError: the ensemble is no batch, or has no such set.
        """
        if not self.is_batched:
            raise RequestError("one_set: this ensemble was simulated with one set of parameters")
        sets = self.states[0].shape[0]
        if number < 0 or (sets is not None and number >= sets):
            raise RequestError(f"one_set({number}): there are {sets} parameter sets, from 0")
        states = tuple(state[number] for state in self.states)
        has_means = self.means_of is self.states
        differentiator = self.differentiator
        if isinstance(differentiator, Expectations):
            differentiator = differentiator.of_set(number)
        return replace(
            self,
            states=states,
            parameters=self.parameters[number],
            constants={
                id: float(value[number, 0, 0]) if np.ndim(value) else value
                for id, value in self.constants.items()
            },
            outcomes=self.outcomes[number],
            firings=self.firings[number],
            first_trajectory=self.first_trajectory + number * self.stride,
            stride=0,
            differentiator=differentiator,
            mean_states=tuple(mean[number] for mean in self.mean_states) if has_means else (),
            means_of=states if has_means else None,
        )

    def without_gradients(self) -> Ensemble:
        """Return the same trajectories as NumPy arrays, whose statistics have no gradient."""
        kept = {field.name: getattr(self, field.name) for field in fields(Ensemble)}
        parameters = np.asarray(self.parameters)
        of_id = dict(zip(self.network.parameter_ids, np.moveaxis(parameters, -1, 0), strict=True))
        # Of a batch beside [set, trajectory, point].
        follow = {
            id: float(value) if np.ndim(value) == 0 else value[:, None, None]
            for id, formula in open_constants(self).items()
            for value in (evaluate(formula, of_id),)
        }
        return Ensemble(
            **kept
            | {
                "states": tuple(np.asarray(state) for state in self.states),
                "parameters": parameters,
                "constants": {**self.constants, **follow},
                "outcomes": np.asarray(self.outcomes),
                "firings": np.asarray(self.firings),
                "is_differentiable": False,
                "differentiator": None,
            }
        )
