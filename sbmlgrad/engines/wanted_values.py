"""What a statistic is about: symbols or formulas of an ensemble, on its own states or others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.asked_formulas import Asked, over_state
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.engines.symbol_values import Extra, extra_of, on_states, symbol_along_paths
from sbmlgrad.model.expression import Expression, symbols

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a statistic is about.

    Attributes:
        ensemble: the ensemble.
        asked: ids and formulas, as they were asked for.
        quantity: of ids.
        place: which readout.
        extra: id → further symbols that formulas use.
        formulas: over the state.
    """

    ensemble: Ensemble
    asked: tuple[Asked, ...]
    quantity: str | None
    place: int
    extra: Mapping[str, Any]
    formulas: tuple[Expression, ...]

    @property
    def readout(self) -> Readout:
        """The readout."""
        return self.ensemble.readouts[self.place]

    def values(self) -> list[Any]:
        """Return values; under an estimator of expectations their gradient leaves out paths."""
        ensemble = self.ensemble
        differentiator = ensemble.differentiator
        if differentiator is None or differentiator.is_pathwise:
            return [
                symbol_along_paths(ensemble, a, self.quantity, self.readout, self.extra)
                for a in self.asked
            ]
        import tensorflow as tf

        state = tf.stop_gradient(ensemble.states[self.place])
        return self._on(state, ensemble.parameters, self.extra)

    def at(
        self, theta: NDArray[np.float64], extra: Sequence[NDArray[np.float64]]
    ) -> Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Return how values follow from states kept, as arrays, at parameters held fixed."""
        given = dict(zip(self.extra, extra, strict=True))
        return lambda state: self._on(state, theta, given)

    def _on(self, state: Any, parameters: Any, extra: Mapping[str, Any]) -> list[Any]:
        return [
            on_states(self.ensemble, formula, state, self.readout, parameters, extra)
            for formula in self.formulas
        ]


def wanted(
    ensemble: Ensemble,
    asked: Sequence[Asked],
    quantity: str | None,
    readout: Readout | None,
    extra: Extra | None,
) -> Wanted:
    """Return what a statistic is about, checked; arguments as in `Ensemble.values`."""
    place = ensemble.place(readout)
    given = extra_of(ensemble, extra)
    kept = ensemble.readouts[place]
    formulas = tuple(over_state(ensemble, a, quantity, kept, given) for a in asked)
    used = frozenset().union(*(symbols(formula) for formula in formulas))
    given = {id: value for id, value in given.items() if id in used}
    return Wanted(ensemble, tuple(asked), quantity, place, given, formulas)
