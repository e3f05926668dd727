"""The information that all measurements have on the parameters, with its Monte-Carlo error.

Slopes are known from ensembles only, and the square of a noisy slope is too large on average. So
products are taken between different batches of trajectories (a U-statistic: Hoeffding 1948, Ann.
Math. Stat. 19, 293), and the scatter over batches left out in turn tells the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.parallel import TaskProgress
from sbmlgrad.fit.penalty import prior_score
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.fitted import Fitted, replicate_freedom
from sbmlgrad.fit.uncertainty.identifiability import Directions, directions, jackknife_error
from sbmlgrad.fit.uncertainty.residuals import residual_factors
from sbmlgrad.fit.uncertainty.scoring import newton_step, score
from sbmlgrad.fit.uncertainty.sensitivity import (
    Local,
    cheaper,
    information,
    local,
    score_scatter,
    used,
    weights,
)

FloatArray = NDArray[np.float64]

#: Batches at first and at the most.
BATCHES, MOST_BATCHES = 8, 64


@dataclass(frozen=True, eq=False)
class Gathered:
    """Information on the free parameters that are not at a bound.

    Attributes:
        ids: of these, in order.
        free: which of the search space they are, bool [free].
        at: predictions and slopes, of these parameters only.
        weight: float64 [2, measurement].
        matrix: information of measurements and priors, float64 [part, part].
        inverse: of it, and what it leaves open.
        covariance: of the coordinates, from the noise of the measurements, [part, part].
        variance_factors: observable id → residual variance over the assumed one, where the noise
            was an assumption.
        freedom: degrees of freedom behind the noise; infinite where it was known or is fitted.
        simulation: Monte-Carlo covariance of an optimum found from one trajectory of each
            experiment, float64 [part, part]; from n it is one n-th.
        shift: distance to the optimum by a step of scoring, float64 [part].
        shift_error: its Monte-Carlo standard error, float64 [part].
        relative_error: of the standard errors, from the simulations, float64 [part].
        slope: of the log-likelihood with priors, float64 [free], of parameters at a bound too.
    """

    ids: tuple[str, ...]
    free: NDArray[np.bool_]
    at: Local
    weight: FloatArray
    matrix: FloatArray
    inverse: Directions
    covariance: FloatArray
    variance_factors: dict[str, float]
    freedom: float
    simulation: FloatArray
    shift: FloatArray
    shift_error: FloatArray
    relative_error: FloatArray
    slope: FloatArray


def gather(
    fitted: Fitted, trajectories: int, precision: float, progress: TaskProgress | None = None
) -> Gathered:
    """Simulate until standard errors are known well enough, and gather the information.

    Args:
        fitted: the fit.
        trajectories: of a batch, for each experiment and side of a difference.
        precision: relative Monte-Carlo error of every standard error at which to stop; it is not
            reached where `MOST_BATCHES` do not suffice, and the result says what was.
        progress: called with (batches done, batches wanted so far).

    Raises:
        FitError: fewer measurements than parameters where the noise has to be estimated.
    """
    simulator = fitted.simulator()
    method = cheaper(simulator, fitted.estimator)
    space, first = fitted.space, 0
    at_bound = np.isin(space.ids, space.at_bounds(fitted.values))
    free = ~at_bound
    if not free.any():
        raise FitError(
            f"every fitted parameter ({', '.join(space.ids)}) lies at a bound, so that none has an "
            "interval; widen the bounds and fit again"
        )
    pull, stiffness = prior_score(simulator.problem, space, fitted.coordinates)
    prior = np.diag(stiffness[free])
    batches: list[Local] = []
    wanted = BATCHES
    while True:
        while len(batches) < wanted:
            batches.append(local(simulator, fitted.coordinates, trajectories, first, method))
            first += used(simulator, trajectories)
            if progress is not None:
                progress(len(batches), wanted)
        at = reduce(Local.__add__, batches)
        weight = weights(simulator, at)
        slopes = np.stack([batch.slopes[:, :, free] for batch in batches])
        matrices = [product + prior for product in _cross_products(slopes, weight)]
        matrix, left_out = matrices[0], np.stack(matrices[1:])
        ids = tuple(id for id, f in zip(space.ids, free, strict=True) if f)
        inverse = directions(matrix, ids, space.is_logarithmic[free], left_out)
        relative = _relative_error(left_out, inverse)
        # What looks open may be so for want of trajectories.
        if wanted >= MOST_BATCHES or (relative <= precision).all():
            break
        wanted *= 2
    reached = Local(at.predicted, at.scale, at.slopes[:, :, free], at.trajectories)
    closed = np.where(np.isfinite(inverse.covariance), inverse.covariance, 0.0)
    # A measurement that moves with parameters at a bound alone has no part in the step.
    shift = newton_step(matrix, score(simulator, reached) + pull[free], ~inverse.is_open)
    covariance, factors, freedom = _with_residuals(
        simulator, reached, weight, inverse.covariance, slopes, shift, prior
    )
    scatter = score_scatter(
        simulator, fitted.coordinates, reached.slopes, weight, trajectories * BATCHES, first
    )
    simulation = closed @ scatter @ closed
    return Gathered(
        ids=ids,
        free=free,
        at=reached,
        weight=weight,
        matrix=matrix,
        inverse=inverse,
        covariance=covariance,
        variance_factors=factors,
        freedom=freedom,
        simulation=simulation,
        shift=shift,
        shift_error=np.sqrt(np.diag(simulation) / at.trajectories),
        relative_error=relative,
        slope=score(simulator, at) + pull,
    )


def _cross_products(slopes: FloatArray, weight: FloatArray) -> Iterator[FloatArray]:
    """Yield the information of all batches, then that without each of them."""
    total = slopes.sum(axis=0)
    own = [information(batch, weight) for batch in slopes]
    everything, count = sum(own), len(own)
    yield (information(total, weight) - everything) / (count * (count - 1))
    for batch, square in zip(slopes, own, strict=True):
        rest = information(total - batch, weight) - (everything - square)
        yield rest / ((count - 1) * (count - 2))


def _relative_error(left_out: FloatArray, inverse: Directions) -> FloatArray:
    """Return the relative error of every standard error, NaN where a parameter is open."""
    known = ~inverse.is_open
    result = np.full(len(known), np.nan)
    if known.any():
        parts = left_out[:, known][:, :, known]
        errors = np.sqrt(np.abs(np.diagonal(np.linalg.pinv(parts), axis1=1, axis2=2)))
        result[known] = jackknife_error(errors) / np.sqrt(np.diag(inverse.covariance)[known])
    return result


def _with_residuals(
    simulator: Simulator,
    at: Local,
    weight: FloatArray,
    inverse: FloatArray,
    slopes: FloatArray,
    shift: FloatArray,
    prior: FloatArray,
) -> tuple[FloatArray, dict[str, float], float]:
    """Return the covariance with assumed noise put right by the residuals.

    With weights that were assumed the covariance is that of weighted least squares, C M C with
    M = Σ s² w J Jᵀ and s² the residual variance of each observable (White 1980, Econometrica 48,
    817).
    """
    problem = simulator.problem
    m = problem.measurements
    closed = np.where(np.isfinite(inverse), inverse, 0.0)
    leverage = np.einsum("rp,pq,rq,r->r", at.slopes[0], closed, at.slopes[0], weight[0])
    # Residuals at the optimum: those of a fit that stopped before it are too large.
    predicted = at.predicted + at.slopes[0] @ shift
    factors, freedom = residual_factors(problem, predicted, at.scale, len(inverse), leverage)
    if not factors:
        return inverse, {}, replicate_freedom(problem)
    index = [m.observables[int(i)] for i in m.observable_index]
    of_row = np.array([factors.get(id, 1.0) for id in index])
    meat = next(iter(_cross_products(slopes, weight * of_row))) + prior
    covariance = closed @ meat @ closed
    covariance[~np.isfinite(inverse)] = np.inf
    return covariance, factors, freedom
