"""What kernels that are printed for a network share when they differentiate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.operators import evaluate

#: Trajectories that one call of the kernel takes. Fixed, so that sums over blocks do not depend on
#: the number of threads.
BLOCK = 256


def in_inputs(
    lowered: LoweredNetwork,
    laws: KernelLaws,
    inputs: NDArray[np.float64],
    used: tuple[int, ...],
    slopes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return a gradient in the inputs, float64 [input], given that in kernel inputs.

    It is 0 for constants that no parameter moves, as in `LoweredNetwork.input_partials`.
    """
    moved = {partial.variable for partial in lowered.input_partials}
    result = np.zeros(len(lowered.input_ids))
    count = len(result)
    place = {symbol: i for i, symbol in enumerate(lowered.input_ids)}
    values = dict(zip(laws.input_ids, inputs.tolist(), strict=True))
    for at, slope in zip(used, slopes, strict=True):
        if at < count:
            result[at] += slope
            continue
        coefficient = laws.coefficients[at - count]
        for symbol in sorted(symbols(coefficient)):
            result[place[symbol]] += slope * float(
                evaluate(derivative(coefficient, symbol), values)
            )
    result[[i for i in range(count) if i not in moved]] = 0.0
    return result
