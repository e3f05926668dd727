"""Fisher scoring: refits from nearby by steps of Gauss and Newton on fresh ensembles.

A step from z is (Jᵀ W J)⁻¹ Jᵀ u, with J the derivatives of predictions (and noise scales), W their
expected information and u the score of the measurements (Osborne 1992, "Fisher's method of
scoring", Int. Stat. Rev. 60, 99). The first steps are whole; later ones are averaged, so that the
noise of the ensembles falls as one over their number (Robbins & Monro 1951, Ann. Math. Stat. 22,
400; Polyak & Juditsky 1992, SIAM J. Control Optim. 30, 838).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.penalty import prior_score
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.fitted import per_row
from sbmlgrad.fit.uncertainty.noise_information import noise_score
from sbmlgrad.fit.uncertainty.sensitivity import Local, information, local, moving, used, weights

FloatArray = NDArray[np.float64]

#: Steps that only lead there, and those after them whose ends are averaged.
WHOLE_STEPS, AVERAGED_STEPS = 2, 5
STEPS = WHOLE_STEPS + AVERAGED_STEPS

#: No coordinate moves further in one step.
LONGEST = 1.0

#: Eigenvalues of the scaled information below this share of the largest carry no step.
RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Refit:
    """Where scoring ended.

    Attributes:
        coordinates: float64 [free].
        last_step: distance of the last two averages, float64 [free].
    """

    coordinates: FloatArray
    last_step: FloatArray


def score(simulator: Simulator, at: Local) -> FloatArray:
    """Return the derivative of the log-likelihood in the coordinates, float64 [free]."""
    problem = simulator.problem
    scores = np.stack(
        per_row(problem, noise_score, problem.measurements.value, at.predicted, at.scale)
    )
    return np.einsum("kr,krp->p", np.where(moving(at), scores, 0.0), at.slopes)


def newton_step(matrix: FloatArray, slope: FloatArray, movable: NDArray[np.bool_]) -> FloatArray:
    """Return matrix⁻¹ slope over the movable coordinates, 0 for the others.

    Directions of which the matrix knows nothing are left alone.
    """
    step = np.zeros(len(slope))
    diagonal = np.diag(matrix)
    movable = movable & (diagonal > 0.0)
    if movable.any():
        unit = 1.0 / np.sqrt(diagonal[movable])
        values, vectors = np.linalg.eigh(unit[:, None] * matrix[np.ix_(movable, movable)] * unit)
        kept = values > RIDGE * values.max()
        scaled = vectors[:, kept].T @ (unit * slope[movable])
        step[movable] = unit * (vectors[:, kept] @ (scaled / values[kept]))
    return step


def refit(simulator: Simulator, start: FloatArray, trajectories: int, first: int = 0) -> Refit:
    """Return the coordinates at which likelihood times prior of the values is largest nearby.

    Args:
        simulator: of the problem, with the measurements to fit.
        start: coordinates, float64 [free].
        trajectories: of each experiment, step and side.
        first: number of the first trajectory; every step takes fresh ones.

    Raises:
        FitError: a step that is not finite.
    """
    space = simulator.space
    z, average, before = start, start, start
    for number in range(STEPS):
        at = local(simulator, z, trajectories, first + number * used(simulator, trajectories))
        pull, stiffness = prior_score(simulator.problem, space, z)
        slope = score(simulator, at) + pull
        matrix = information(at.slopes, weights(simulator, at)) + np.diag(stiffness)
        step = newton_step(matrix, slope, ~_stuck(simulator, z, slope))
        if not np.isfinite(step).all():
            raise FitError(
                f"a refit of {', '.join(space.ids)} met a step that is not finite at "
                f"{space.values(z).tolist()}; the predictions lie outside the range of the noise"
            )
        step *= min(1.0, LONGEST / max(float(np.abs(step).max(initial=0.0)), LONGEST))
        z = space.within(z + step)
        averaged = max(number - WHOLE_STEPS + 1, 1)
        before, average = average, average + (z - average) / averaged
    return Refit(average, average - before)


def _stuck(simulator: Simulator, z: FloatArray, slope: FloatArray) -> NDArray[np.bool_]:
    """Tell which coordinates lie at a bound and want to pass it, bool [free]."""
    space = simulator.space
    at_lower = z <= space.coordinates(space.lower)
    at_upper = z >= space.coordinates(space.upper)
    return (at_lower & (slope < 0.0)) | (at_upper & (slope > 0.0))
