"""Functions of the state: by the id of a species, by a Python function, or by their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.state_space import StateSpace
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import ParameterError, RequestError
from sbmlgrad.model.numbers import as_numbers

FloatArray = NDArray[np.float64]
#: Id of a species (its count); states float64 [state, species] → float64 [state] or
#: [state, function]; or such values themselves.
StateFunction = str | Callable[[FloatArray], NDArray] | NDArray

#: Relative error up to which a function of the state counts as affine.
AFFINE = 1e-9


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expectations of functions of the state.

    Attributes:
        value: float64 [point] or [point, function]; what has leaked counts as nothing.
        leak: probability that has left the states by each point, float64 [point]. A function with
            values between low and high adds between leak·low and leak·high to the value.
    """

    value: FloatArray
    leak: FloatArray

    def within(self, low: float, high: float) -> tuple[FloatArray, FloatArray]:
        """Return bounds on the true expectation of functions that stay between low and high."""
        leak = self.leak.reshape(-1, *[1] * (self.value.ndim - 1))
        return self.value + np.minimum(leak * low, 0.0), self.value + np.maximum(leak * high, 0.0)


def place_of(lowered: LoweredNetwork, species: str) -> int:
    """Return the column of a species, or raise a `ParameterError`."""
    if species not in lowered.species_ids:
        raise ParameterError(
            f"'{species}' is no species that reactions change in model '{lowered.network.id}'; "
            f"those are {', '.join(map(repr, lowered.species_ids))}"
        )
    return lowered.species_ids.index(species)


def function_values(
    lowered: LoweredNetwork, space: StateSpace, function: StateFunction
) -> FloatArray:
    """Return the values of functions of the state, float64 [state] or [state, function].

    Raises:
        ParameterError: no such species.
        RequestError: no numbers, values of another shape, or not finite.
    """
    if isinstance(function, str):
        return space.states[:, place_of(lowered, function)]
    values = as_numbers("function", function(space.states) if callable(function) else function)
    if values.ndim not in (1, 2) or values.shape[0] != space.size:
        raise RequestError(
            f"function: gave an array {list(values.shape)}; give [state] or [state, function], "
            f"here with {space.size} states"
        )
    if not np.isfinite(values).all():
        where = np.argwhere(~np.isfinite(values))[0][0]
        raise RequestError(
            f"function: not finite in state {space.counts[where].tolist()}, where it may count"
        )
    return values


def check_affine(states: FloatArray, rows: FloatArray) -> None:
    """Raise unless functions of the state, float64 [state, function], are affine in the counts."""
    design = np.column_stack([np.ones(len(states)), states])
    fitted = design @ np.linalg.lstsq(design, rows, rcond=None)[0]
    if np.abs(fitted - rows).max(initial=0.0) > AFFINE * max(1.0, np.abs(rows).max(initial=0.0)):
        raise RequestError(
            "the expectation of a function of window averages needs more than the distribution at "
            "each time, unless the function is affine; simulate for it, or average the function of "
            "the state instead"
        )
