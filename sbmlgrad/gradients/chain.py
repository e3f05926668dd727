"""From inputs of the propensities to parameters of the model, by the chain rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Request
from sbmlgrad.errors import GradientError
from sbmlgrad.model.operators import evaluate


def refuse_parameters_in_start(lowered: LoweredNetwork) -> None:
    """Raise where the initial counts depend on parameters: whole numbers have no derivative."""
    parameters = lowered.parameters_in_initial_counts
    if parameters:
        raise GradientError(
            "the initial counts depend on "
            f"{', '.join(map(repr, sorted(parameters)))} through an initial assignment, and whole "
            "numbers of molecules have no derivative; remove the initial assignment"
        )


def in_parameters(request: Request, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivative in the parameters, float64 [parameter], given that in the inputs.

    Parameters act directly, and through the compartments and the species that never change whose
    initial assignments use them.
    """
    lowered = request.lowered
    ids = lowered.network.parameter_ids
    result = gradient[: len(ids)].copy()
    values: dict[str, Any] = dict(zip(ids, request.inputs, strict=False))
    for place, constant in enumerate(lowered.constant_ids, start=len(ids)):
        for parameter, expression in lowered.constant_derivatives[constant].items():
            slope = float(evaluate(expression, values))
            if not math.isfinite(slope):
                raise GradientError(
                    f"the initial assignment of '{constant}' has no finite derivative in "
                    f"'{parameter}' at {values[parameter]!r}"
                )
            result[ids.index(parameter)] += slope * gradient[place]
    return result
