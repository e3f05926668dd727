"""Parameters as directions in the inputs: directly, and through constants that depend on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import GradientError
from sbmlgrad.model.operators import evaluate


def refuse_start(lowered: LoweredNetwork, parameters: Sequence[str]) -> None:
    """Raise a `GradientError` for parameters that the initial counts depend on."""
    in_start = sorted(lowered.parameters_in_initial_counts & set(parameters))
    if in_start:
        raise GradientError(
            f"the initial counts depend on {', '.join(map(repr, in_start))}, and whole numbers "
            "of molecules have no derivative; leave these parameters out"
        )


def in_parameters(
    lowered: LoweredNetwork, inputs: NDArray[np.float64], parameters: Sequence[str]
) -> NDArray[np.float64]:
    """Return the derivative of every input in parameters, float64 [input, parameter].

    Raises:
        GradientError: the initial assignment of a constant has no finite derivative.
    """
    ids = lowered.input_ids
    values: dict[str, Any] = dict(zip(ids, inputs, strict=True))
    result = np.zeros((len(ids), len(parameters)))
    for k, parameter in enumerate(parameters):
        result[ids.index(parameter), k] = 1.0
        for constant, slopes in lowered.constant_derivatives.items():
            if parameter not in slopes:
                continue
            slope = float(evaluate(slopes[parameter], values))
            if not math.isfinite(slope):
                raise GradientError(
                    f"the initial assignment of '{constant}' has no finite derivative in "
                    f"'{parameter}' at {values[parameter]!r}"
                )
            result[ids.index(constant), k] = slope
    return result
