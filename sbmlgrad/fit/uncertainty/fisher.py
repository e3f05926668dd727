"""Standard errors and intervals from the Fisher information of the measurements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.fit_provenance import AVERAGED
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.uncertainty.expected_information import Gathered, gather
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.identifiability import WIDE, is_wide, pair_flags
from sbmlgrad.fit.uncertainty.result import Uncertainty

FloatArray = NDArray[np.float64]

#: Trajectories of a batch.
TRAJECTORIES = 1000

#: Relative Monte-Carlo error of the standard errors that is aimed at.
PRECISION = 0.05

#: Standard errors from the optimum at which a fit is said to have stopped early.
EARLY = 0.5


def fisher(
    result: FitResult,
    fitted: Fitted,
    level: float = 0.9,
    trajectories: int = TRAJECTORIES,
    precision: float = PRECISION,
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
    where replicates told the noise. The
    Monte-Carlo error of the fitted values themselves is added: F⁻¹ S F⁻¹ / n, with S the scatter of
    the score over trajectories and n the trajectories that the values were averaged over. A fit
    that stopped well before the optimum, by a step of scoring, is said to, and its distance is
    added too.

    Source: Seber & Wild 2003, Nonlinear Regression, chapter 5; Polyak & Juditsky 1992, SIAM J.
    Control Optim. 30, 838, for the error of an averaged stochastic descent.

    Args:
        result: of the fit.
        fitted: the same, with objects.
        level: of the intervals.
        trajectories: of a batch, for each experiment and side of a difference.
        precision: relative Monte-Carlo error of the standard errors to aim at.

    Raises:
        FitError: another objective than `MeanTrajectory`, all parameters at bounds, or too few
            measurements.
    """
    if not isinstance(fitted.objective, MeanTrajectory):
        raise FitError(
            f"Fisher information is that of MeanTrajectory() or of an exact likelihood, and the "
            f'fit made {fitted.objective.name} small; use method="bootstrap"'
        )
    found = gather(fitted, trajectories, precision)
    averaged = averaged_trajectories(result)
    covariance = found.covariance + found.simulation / averaged
    early = _stopped_early(found, np.sqrt(np.diag(covariance)), averaged)
    if early.any():
        covariance = covariance + np.outer(found.shift, found.shift)
    size = len(fitted.space.ids)
    full = np.full((size, size), np.nan)
    full[np.ix_(found.free, found.free)] = covariance
    error = np.sqrt(np.diag(full))
    low, high = _interval(fitted, error, _quantile(level, found.freedom))
    return Uncertainty(
        method="fisher",
        level=level,
        kind="credible" if any(p.prior is not None for p in fitted.problem.free) else "confidence",
        ids=fitted.space.ids,
        values=fitted.values,
        standard_errors=error * fitted.space.slopes(fitted.values),
        lower=low,
        upper=high,
        covariance=full,
        is_logarithmic=fitted.space.is_logarithmic,
        parameter_flags=_parameter_flags(fitted, found, full, low, high, early),
        flags=_flags(found, full, averaged),
        settings={
            "trajectories": str(found.at.trajectories),
            "averaged trajectories of the optimum": str(averaged),
            "relative Monte-Carlo error of the standard errors": _listed(found.relative_error),
            "quantiles": "normal" if np.isinf(found.freedom) else f"t, {found.freedom:g} d.f.",
            "seed": str(fitted.seed),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={
            "distance_to_optimum": _at_free(found, found.shift),
            "predicted": found.at.predicted,
            "noise_scale": found.at.scale,
        },
    )


def _at_free(found: Gathered, part: FloatArray) -> FloatArray:
    """Return values of all free parameters, float64 [free]; NaN for those at a bound."""
    full = np.full(len(found.free), np.nan)
    full[found.free] = part
    return full


def _stopped_early(found: Gathered, error: FloatArray, averaged: int) -> NDArray[np.bool_]:
    """Tell which values are far from the optimum, beyond what simulation noise explains.

    Of the values as well as of the step: noise of the values is in the covariance already.
    """
    distance = np.abs(found.shift)
    noise = np.hypot(found.shift_error, np.sqrt(np.diag(found.simulation) / averaged))
    return (distance > EARLY * error) & (distance > 2.0 * noise)


def _unit(fitted: Fitted, id: str) -> str:
    place = fitted.space.ids.index(id)
    return "(of its logarithm)" if fitted.space.is_logarithmic[place] else "(of the search scale)"


def averaged_trajectories(result: FitResult) -> int:
    """Return how many trajectories the fitted values were averaged over."""
    provenance = result.model.provenance
    if provenance is not None and AVERAGED in provenance.settings:
        return int(provenance.settings[AVERAGED])
    # A result that was put together by other means: nothing is known but its last epoch.
    return int(result.trajectories_history[-1])


def _quantile(level: float, freedom: float) -> float:
    from scipy import stats

    share = 0.5 * (1.0 + level)
    return float(stats.norm.ppf(share) if np.isinf(freedom) else stats.t.ppf(share, freedom))


def _interval(fitted: Fitted, error: FloatArray, quantile: float) -> tuple[FloatArray, FloatArray]:
    space, z = fitted.space, fitted.coordinates
    with np.errstate(over="ignore"):
        return space.values(z - quantile * error), space.values(z + quantile * error)


def _parameter_flags(
    fitted: Fitted,
    found: Gathered,
    full: FloatArray,
    low: FloatArray,
    high: FloatArray,
    early: NDArray[np.bool_],
) -> dict[str, tuple[str, ...]]:
    with np.errstate(all="ignore"):
        error = np.sqrt(np.diag(full))
        pairs = pair_flags(full / error / error[:, None], fitted.space.ids)
    words: dict[str, list[str]] = {id: [] for id in fitted.space.ids}
    at_bounds = fitted.space.at_bounds(fitted.values)
    for place, id in enumerate(fitted.space.ids):
        if id in at_bounds:
            words[id].append(
                "at a bound and held there: no interval by this method, and those of the others "
                'are given that; method="profile" has one'
            )
        elif np.isinf(error[place]):
            words[id].append("not determined by these data")
        elif is_wide(low[place], high[place]):
            words[id].append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        words[id] += pairs[id]
    for id in np.array(found.ids)[early].tolist():
        shift = found.shift[found.ids.index(id)]
        side = "below" if shift > 0 else "above"
        words[id].append(
            f"the fit stopped {abs(shift):.2g} {_unit(fitted, id)} {side} the optimum of the "
            "likelihood; the interval is widened by that, and a longer fit or more trajectories "
            "would narrow it"
        )
    return {id: tuple(w) for id, w in words.items() if w}


def _flags(found: Gathered, full: FloatArray, averaged: int) -> tuple[str, ...]:
    flags = list(found.inverse.words)
    if found.variance_factors:
        sds = ", ".join(f"{id} {np.sqrt(f):.3g}" for id, f in found.variance_factors.items())
        flags.append(
            "the noise of the measurements was not known: its standard deviation was estimated "
            f"from the residuals with {found.freedom:g} degrees of freedom (times the weight "
            f"assumed in the fit: {sds})"
        )
    part = np.diag(found.simulation) / averaged
    total = np.diag(full)[found.free]
    with np.errstate(all="ignore"):
        shares = np.where(np.isfinite(total), part / total, 0.0)
    if shares.max(initial=0.0) > 0.25:
        worst = int(np.argmax(shares))
        flags.append(
            f"{100.0 * shares[worst]:.0f} % of the variance of {found.ids[worst]} is the noise of "
            "the fit's own simulations; fit with more trajectories to be rid of it"
        )
    return tuple(flags)


def _listed(values: FloatArray) -> str:
    return ", ".join(f"{value:.2g}" for value in values)
