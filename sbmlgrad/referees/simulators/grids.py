"""Even grids for simulators that take no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Most steps of a grid that is finer than the times asked for.
LONGEST = 1000


def uniform_steps(times: NDArray[np.float64]) -> int | None:
    """Return the least number of even steps from 0 to the last time that pass through all times.

    Args:
        times: increasing, >= 0, float64 [time].

    Returns:
        Steps, at most `LONGEST`; None if there are none, or the last time is 0.
    """
    last = float(times[-1])
    if last == 0.0:
        return None
    for steps in range(1, LONGEST + 1):
        places = times / last * steps
        if np.allclose(places, np.round(places), rtol=0.0, atol=1e-9 * steps):
            return steps
    return None
