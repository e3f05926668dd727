"""Standard errors and intervals from the Fisher information of the measurements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.parallel import TaskProgress
from sbmlgrad.fit.uncertainty.around_optimum import away_words, interval_around
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.identifiability import WIDE, is_wide, pair_flags
from sbmlgrad.fit.uncertainty.nearest_optimum import NearestOptimum, is_off, nearest_optimum
from sbmlgrad.fit.uncertainty.result import FAR_FROM_OPTIMUM, Uncertainty

FloatArray = NDArray[np.float64]

#: Trajectories of a batch.
TRAJECTORIES = 1000

#: Relative Monte-Carlo error of the standard errors that is aimed at.
PRECISION = 0.05

#: Share of a variance that the simulations may make before it is said.
NOISY = 0.25


def fisher(
    fitted: Fitted,
    level: float = 0.9,
    trajectories: int = TRAJECTORIES,
    precision: float = PRECISION,
    progress: TaskProgress | None = None,
) -> Uncertainty:
    """Return standard errors and intervals from derivatives at the fitted values.

    When to choose it: always first. It takes seconds, and says which parameters the data determine.
    It describes the likelihood by its curvature, on the scale of the search; where intervals are
    wide, `profile` is to be preferred.

    The covariance is the inverse of the expected information Σ Jᵀ W J of the measurements, to which
    priors add the curvature of their densities (Laplace's approximation of the posterior), J by
    central differences under common random numbers, or by the estimator's gradients where these
    cost less. Where the noise was no more than assumed (a plain sheet without replicates), the
    variance of the residuals takes its place and intervals are those of Student's t, as they are
    where replicates told the noise.

    A fit ends near its optimum only: it stops, and its ensembles are finite. One step of scoring
    on the many trajectories drawn here measures how far away the optimum is, several where it is
    far; if they find none, the way they led is added to the errors, and a flag says so. Intervals
    lie around the optimum, and reach to the fitted value where that is further off; standard errors
    of the value hold the distance. The Monte-Carlo covariance of the optimum, F⁻¹ S F⁻¹ / n, is
    added to both, with S the scatter of the score over trajectories and n the trajectories drawn.

    Source: Seber & Wild 2003, Nonlinear Regression, chapter 5; Osborne 1992, Int. Stat. Rev. 60,
    99, for the step.

    Args:
        fitted: the fit, with objects.
        level: of the intervals.
        trajectories: of a batch, for each experiment and side of a difference.
        precision: relative Monte-Carlo error of the standard errors to aim at.
        progress: called with (batches done, batches wanted so far); for each place anew, where
            steps of scoring look for the optimum.

    Raises:
        FitError: another objective than `MeanTrajectory`, all parameters at bounds, or too few
            measurements.
    """
    if not isinstance(fitted.objective, MeanTrajectory):
        raise FitError(
            f"Fisher information is that of MeanTrajectory() or of an exact likelihood, and the "
            f'fit made {fitted.objective.name} small; use method="bootstrap"'
        )
    near = nearest_optimum(fitted, trajectories, precision, progress)
    found, distance = near.found, near.distance
    covariance = found.covariance + found.simulation / found.at.trajectories
    if near.doubt:
        away = distance[found.free]
        covariance = covariance + np.outer(away, away)
    size = len(fitted.space.ids)
    full = np.full((size, size), np.nan)
    full[np.ix_(found.free, found.free)] = covariance
    reach = _quantile(level, found.freedom) * np.sqrt(np.diag(full))
    low, high = interval_around(fitted, distance, reach)
    return Uncertainty(
        method="fisher",
        level=level,
        kind="credible" if any(p.prior is not None for p in fitted.problem.free) else "confidence",
        ids=fitted.space.ids,
        values=fitted.values,
        standard_errors=np.sqrt(np.diag(full) + distance**2) * fitted.space.slopes(fitted.values),
        lower=low,
        upper=high,
        covariance=full,
        is_logarithmic=fitted.space.is_logarithmic,
        parameter_flags=_parameter_flags(fitted, near, full, reach, low, high),
        flags=_flags(near, full),
        settings={
            "trajectories": str(found.at.trajectories),
            "relative Monte-Carlo error of the standard errors": _listed(found.relative_error),
            "quantiles": "normal" if np.isinf(found.freedom) else f"t, {found.freedom:g} d.f.",
            "seed": str(fitted.seed),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={"distance_to_optimum": distance},
    )


def _quantile(level: float, freedom: float) -> float:
    from scipy import stats

    share = 0.5 * (1.0 + level)
    return float(stats.norm.ppf(share) if np.isinf(freedom) else stats.t.ppf(share, freedom))


def _parameter_flags(
    fitted: Fitted,
    near: NearestOptimum,
    full: FloatArray,
    reach: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> dict[str, tuple[str, ...]]:
    with np.errstate(all="ignore"):
        error = np.sqrt(np.diag(full))
        pairs = pair_flags(full / error / error[:, None], fitted.space.ids)
    words: dict[str, list[str]] = {id: [] for id in fitted.space.ids}
    at_bounds = fitted.space.at_bounds(fitted.values)
    for place, id in enumerate(fitted.space.ids):
        if id in near.held and id not in at_bounds:
            words[id].append(
                "the optimum of the likelihood lies at its bound or beyond, and it was held there: "
                "no interval by this method, and those of the others are given that; widen the "
                'bound if it need not be; method="profile" has an interval'
            )
        elif id in at_bounds:
            words[id].append(
                "at a bound and held there: no interval by this method, and those of the others "
                'are given that; method="profile" has one'
            )
        elif np.isinf(error[place]):
            words[id].append("not determined by these data")
        elif is_wide(low[place], high[place]):
            words[id].append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        words[id] += pairs[id]
    found, away = near.found, near.distance
    is_far = is_off(found, away[found.free], FAR_FROM_OPTIMUM)
    remedy = "a longer fit with more trajectories"
    for id, is_this in zip(found.ids, is_far, strict=True):
        place = fitted.space.ids.index(id)
        shift, half = float(away[place]), float(reach[place])
        # An end that is the value itself needs the words, however sure the distance.
        if is_this or abs(shift) > half:
            words[id].append(away_words(fitted.space, place, shift, half, remedy))
    return {id: tuple(w) for id, w in words.items() if w}


def _flags(near: NearestOptimum, full: FloatArray) -> tuple[str, ...]:
    found = near.found
    flags = list(found.inverse.words)
    if near.doubt:
        flags.append(
            f"the fitted values are far from the optimum of the likelihood, and {near.doubt}; the "
            "intervals are rough, and a longer fit with more trajectories is needed"
        )
    if found.variance_factors:
        sds = ", ".join(f"{id} {np.sqrt(f):.3g}" for id, f in found.variance_factors.items())
        flags.append(
            "the noise of the measurements was not known: its standard deviation was estimated "
            f"from the residuals with {found.freedom:g} degrees of freedom (times the weight "
            f"assumed in the fit: {sds})"
        )
    part = found.shift_error**2
    total = np.diag(full)[found.free]
    with np.errstate(all="ignore"):
        shares = np.where(np.isfinite(total), part / total, 0.0)
    if shares.max(initial=0.0) > NOISY:
        worst = int(np.argmax(shares))
        flags.append(
            f"{100.0 * shares[worst]:.0f} % of the variance of {found.ids[worst]} is the noise of "
            "the simulations behind this interval; uncertainty(result, trajectories=...) with more "
            "of them would narrow it"
        )
    return tuple(flags)


def _listed(values: FloatArray) -> str:
    return ", ".join(f"{value:.2g}" for value in values)
