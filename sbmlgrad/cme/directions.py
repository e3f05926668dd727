"""Parameters as directions in the inputs: directly, and through constants that depend on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.constant_slopes import constant_slopes
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.refusals import refuse_parameters_in_changes
from sbmlgrad.errors import GradientError


def refuse_whole_numbers(lowered: LoweredNetwork, parameters: Sequence[str]) -> None:
    """Raise a `GradientError` for parameters that set whole numbers: initial counts, changes."""
    refuse_parameters_in_changes(lowered, parameters)
    in_start = sorted(lowered.parameters_in_initial_counts & set(parameters))
    if in_start:
        raise GradientError(
            f"the initial counts depend on {', '.join(map(repr, in_start))}, and whole numbers "
            "of molecules have no derivative; leave these parameters out"
        )


def in_parameters(
    lowered: LoweredNetwork,
    inputs: NDArray[np.float64],
    parameters: Sequence[str],
    given: Collection[str] = (),
) -> NDArray[np.float64]:
    """Return the derivative of every input in parameters, float64 [input, parameter].

    Args:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        parameters: ids.
        given: ids of species and compartments whose start the user gave: they do not move.

    Raises:
        GradientError: the derivative of a constant is not finite, or not known because of what the
            user gave.
    """
    ids = lowered.input_ids
    place = {parameter: k for k, parameter in enumerate(parameters)}
    result = np.zeros((len(ids), len(parameters)))
    for parameter, k in place.items():
        result[ids.index(parameter), k] = 1.0
    values = dict(zip(ids, inputs.tolist(), strict=True))
    for constant, slopes in constant_slopes(lowered, values, place, given).items():
        for parameter, slope in slopes.items():
            result[ids.index(constant), place[parameter]] = slope
    return result
