"""Free parameters: scale, bounds and starting values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, ParameterError
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.numbers import as_number, as_numbers

#: Bounds reach this factor below and above the starting value where none are given.
DEFAULT_FACTOR = 1000.0


@dataclass(frozen=True, eq=False)
class FreeParameters:
    """What is fitted, on the scale of the optimiser (logarithm of the value).

    Attributes:
        ids: parameter ids.
        places: their positions in `model.parameter_ids`, int64 [free].
        start: starting values, float64 [free].
        lower, upper: bounds, float64 [free].
    """

    ids: tuple[str, ...]
    places: NDArray[np.int64]
    start: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def at_bounds(self, values: NDArray[np.float64]) -> tuple[str, ...]:
        """Return ids whose value lies at a bound."""
        at = np.isclose(values, self.lower, rtol=1e-6) | np.isclose(values, self.upper, rtol=1e-6)
        return tuple(i for i, here in zip(self.ids, at, strict=True) if here)


def free_parameters(
    model: ReactionNetwork,
    free: Sequence[str] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
    start: Mapping[str, float] | None,
) -> FreeParameters:
    """Check and complete what the user says about free parameters.

    Args:
        model: the network.
        free: ids; None frees every parameter that a kinetic law uses.
        bounds: id → (lower, upper), both positive.
        start: id → value; the model's own by default.

    Raises:
        ParameterError: an id that does not exist.
        FitError: values or bounds that cannot be fitted on a logarithmic scale.
    """
    if free is not None and not isinstance(free, list | tuple | set):
        raise ParameterError(f"free={free!r}: give a list of ids, for instance ['k1']")
    ids = tuple(dict.fromkeys(free)) if free is not None else _used(model)
    if not ids:
        raise FitError(f"model '{model.id}' has no parameter to fit")
    bounds, start = dict(bounds or {}), dict(start or {})
    check_parameter_names(model, [*ids, *bounds, *start])
    stray = [name for name in (*bounds, *start) if name not in ids]
    problems = [f"'{name}' has bounds or a start but is not free" for name in stray]
    problems += _dragged_along(model, ids)
    places = [model.parameter_ids.index(i) for i in ids]
    values, lower, upper = [], [], []
    for name, place in zip(ids, places, strict=True):
        own = start[name] if name in start else model.parameter_values[place]
        value = as_number(f"start of '{name}'", own)
        given = bounds.get(name, (value / DEFAULT_FACTOR, value * DEFAULT_FACTOR))
        ends = as_numbers(f"bounds of '{name}'", given)
        if ends.shape != (2,):
            problems.append(f"'{name}' has bounds {given!r}; give (lower, upper)")
            continue
        low, high = ends.tolist()
        problems += _problems(name, value, low, high)
        values.append(value)
        lower.append(low)
        upper.append(high)
    if problems:
        raise FitError("the free parameters cannot be fitted:\n  - " + "\n  - ".join(problems))
    return FreeParameters(
        ids,
        np.array(places, dtype=np.int64),
        np.array(values),
        np.array(lower, dtype=np.float64),
        np.array(upper, dtype=np.float64),
    )


def _dragged_along(model: ReactionNetwork, ids: Sequence[str]) -> list[str]:
    """Name fixed parameters whose initial assignment would follow a free one.

    The descent holds every parameter that is not free; the model would move these.
    """
    found = []
    for target in model.initial_assignments:
        if target not in model.parameter_ids or target in (*ids, *model.explicit):
            continue
        moved = sorted(_reach(model, target) & set(ids))
        if moved:
            found.append(
                f"'{target}' is set by an initial assignment that uses {', '.join(moved)}; free it "
                "too, or give it a value with with_parameters() to hold it"
            )
    return found


def _reach(model: ReactionNetwork, target: str) -> set[str]:
    """Return the symbols that an initial assignment depends on, through others too."""
    found: set[str] = set()
    waiting = [target]
    while waiting:
        for symbol in symbols(model.initial_assignments[waiting.pop()]):
            if symbol not in found and symbol in model.initial_assignments:
                waiting.append(symbol)
            found.add(symbol)
    return found


def _used(model: ReactionNetwork) -> tuple[str, ...]:
    from sbmlgrad.codegen.lowering import lower

    lowered = lower(model)
    used = {partial.variable for partial in lowered.input_partials}
    return tuple(p for i, p in enumerate(model.parameter_ids) if i in used)


def _problems(name: str, value: float, low: float, high: float) -> list[str]:
    if not (math.isfinite(value) and value > 0.0):
        return [
            f"'{name}' starts at {value}, and only positive values have a logarithm; give a "
            f"positive start, for instance start={{'{name}': 1.0}}"
        ]
    if not 0.0 < low < high < math.inf:
        return [f"'{name}' has bounds ({low}, {high}); they must satisfy 0 < lower < upper"]
    if not low <= value <= high:
        return [f"'{name}' starts at {value}, outside its bounds ({low}, {high})"]
    return []
