"""The last steps of a fit of means: Fisher scoring from where the descent ended.

A descent creeps along directions that the data hardly determine; scoring knows the curvature and
takes them in a few steps, each on a fresh ensemble.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.fit.descent.plan import Plan, State
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.uncertainty.scoring import STEPS, refit
from sbmlgrad.fit.uncertainty.sensitivity import used

FloatArray = NDArray[np.float64]

#: What it may cost at the most, as a share of the descent.
SHARE = 0.5

#: Simulations that one gradient of the descent is worth.
GRADIENT = 5.0

#: Ensembles smaller than this give steps that are mostly noise.
FEWEST = 100


def refined(
    plan: Plan, state: State, start: FloatArray, first: int
) -> tuple[FloatArray | None, int, str]:
    """Take steps of scoring, where they suit the fit.

    They do if `MeanTrajectory` was made small by a descent that came to its end, and if ensembles
    large enough cost no more than `SHARE` of it.

    Args:
        plan: of the descent.
        state: its end; Ctrl-C among the steps is noted in it, and the descent stays what it was.
        start: coordinates, float64 [free].
        first: number of the first trajectory.

    Returns:
        Coordinates that were reached, float64 [free], or None; how many numbers of trajectories
        that took; and what was done, in words, or an empty text.
    """
    if not isinstance(plan.objective, MeanTrajectory) or state.is_cut:
        return None, 0, ""
    simulated = sum(epoch.trajectories * len(epoch.sets) for epoch in state.epochs)
    sides = 1 + 2 * len(start)
    size = int(SHARE * GRADIENT * simulated / (STEPS * sides))
    if size < FEWEST:
        return None, 0, ""
    taken = STEPS * used(plan.simulator, size)
    try:
        reached = refit(plan.simulator, start, size, first).coordinates
    except KeyboardInterrupt:
        state.is_interrupted = True
        return None, taken, "steps of scoring after the descent were interrupted"
    except SbmlGradError as error:
        return None, taken, f"steps of scoring after the descent were not possible: {error}"
    return reached, taken, f"{STEPS} steps of scoring, {size} trajectories each, after the descent"
