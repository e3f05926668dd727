"""What a comparison of means and variances could have found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees.statistics.compare import POWER, Comparison
from sbmlgrad.referees.statistics.growth import detectable_mean, detectable_width

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest bias that one comparison finds with a chance of 90 %.

    Attributes:
        species: id.
        time: where the mean is largest among the times at which counts vary.
        mean: of the mean, upwards, as a fraction of it, all else being equal; NaN where nothing
            varied, infinite where the mean is zero.
        deviation: of the standard deviation, as a fraction of it, the other side having the same
            law but wider; infinite if there are too few trajectories to tell, NaN if spreads are
            not compared. Both are 0 where counts cannot vary: there any difference is found.
        differing: where two samples never varied, though counts could have, the share of
            trajectories that must have another count to be found; else NaN.
        mean_range: least and greatest `mean` over the times at which counts vary.
        deviation_range: of `deviation`, likewise.
    """

    species: str
    time: float
    mean: float
    deviation: float
    differing: float = math.nan
    mean_range: tuple[float, float] = (math.nan, math.nan)
    deviation_range: tuple[float, float] = (math.nan, math.nan)


def detectable(comparison: Comparison) -> tuple[Detectable, ...]:
    """Return the smallest biases that a comparison could have found, one a species.

    Args:
        comparison: of two samples, or of one with an exact answer.
    """
    of_one = _against_exact if comparison.is_exact else _between_samples
    return tuple(of_one(comparison, s) for s in range(len(comparison.species)))


def _between_samples(comparison: Comparison, s: int) -> Detectable:
    ours, n = comparison.ours, comparison.ours.trajectories
    mean, variance = ours.mean[:, s], ours.variance[:, s]
    t = _largest(mean, variance > 0.0)
    if t is None:
        return _constant(comparison, s)
    bias = detectable_mean(mean, variance, n, comparison.bound, POWER)
    # None is said that no trajectory would show.
    bias = np.maximum(bias, np.array([_share(_rarest(n), float(m)) for m in mean]))
    needed = comparison.bound + float(stats.norm.ppf(POWER))
    wider = np.sqrt(detectable_width(variance, ours.variance_of_variance[:, s], needed)) - 1.0
    return Detectable(
        comparison.species[s],
        float(comparison.times[t]),
        float(bias[t]),
        float(wider[t]),
        mean_range=_range(bias),
        deviation_range=_range(wider),
    )


def _constant(comparison: Comparison, s: int) -> Detectable:
    """Return what was found of a species whose counts of ours never varied."""
    name, mean, n = comparison.species[s], comparison.ours.mean[:, s], comparison.ours.trajectories
    t = _largest(mean, comparison.times > 0.0)
    if t is None:
        # All at the start, which is given.
        return Detectable(name, float(comparison.times[0]), 0.0, 0.0)
    # Of n trajectories k have another count: the means differ by √k standard errors.
    square = comparison.bound**2
    k = math.floor(square / ((n - 1) / n + square / n)) + 1
    share = 1.0 if k > n else float(stats.beta.ppf(POWER, k, n - k + 1))
    return Detectable(name, float(comparison.times[t]), math.nan, math.nan, share)


def _against_exact(comparison: Comparison, s: int) -> Detectable:
    # The law says what could have varied, whether or not it was seen to.
    name, n = comparison.species[s], comparison.ours.trajectories
    exact, ours = comparison.theirs, comparison.ours
    mean, variance = exact.mean[:, s], exact.variance[:, s]
    has_variances = not np.isnan(comparison.y).all()
    if np.isnan(variance).any():
        variance = ours.variance[:, s]
    t = _largest(mean, variance > 0.0)
    if t is None:
        if comparison.threshold is None:
            return _constant(comparison, s)
        t = int(np.argmax(mean))
        # Counts are whole, so that a constant is known to be another from one molecule on.
        error = 0.0 if comparison.mean_error is None else float(comparison.mean_error[t, s])
        bias = 0.0 if error < 1.0 else _share(error, mean[t])
        return Detectable(
            name, float(comparison.times[t]), bias, 0.0 if has_variances else math.nan
        )
    bias, wider = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    for place in np.flatnonzero(variance > 0.0).tolist():
        error = math.sqrt(float(variance[place]) / n)
        bias[place] = _share(_shift(comparison, place, s, error), mean[place])
        if has_variances:
            fourth = float(exact.fourth_moment[place, s])
            wider[place] = _wider(comparison, float(variance[place]), fourth, n)
    return Detectable(
        name,
        float(comparison.times[t]),
        float(bias[t]),
        float(wider[t]),
        mean_range=_range(bias),
        deviation_range=_range(wider),
    )


def _wider(comparison: Comparison, variance: float, fourth: float, n: int) -> float:
    """Return the bias of a standard deviation that is found, as a fraction of it."""
    # The p-values are bounds, which take a larger difference to become as small.
    needed = math.sqrt(2.0 * math.log(2.0 / comparison.level)) + float(stats.norm.ppf(POWER))
    of_variance = max(fourth - variance**2, 0.0) / n
    return math.sqrt(1.0 + needed * math.sqrt(of_variance) / variance) - 1.0


def _range(values: FloatArray) -> tuple[float, float]:
    """Return the least and the greatest of what is known."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if known.size else (math.nan, math.nan)


def _shift(comparison: Comparison, t: int, s: int, error: float) -> float:
    """Return the bias of a mean that is found, in molecules.

    Args:
        comparison: with an exact answer.
        t: place of the time.
        s: of the species.
        error: standard error of the mean.
    """
    mean = float(comparison.theirs.mean[t, s])
    threshold = comparison.bound * error
    if comparison.threshold is not None:
        # Of rare and skewed counts it is more than of normal ones.
        threshold = comparison.threshold(t, s)
    # Counts that come in rare bursts vary the more, the more bursts there are.
    grown = math.sqrt(1.0 + threshold / mean) if mean > 0.0 else 1.0
    bias = threshold + float(stats.norm.ppf(POWER)) * error * grown
    least = 0.0 if comparison.mean_error is None else float(comparison.mean_error[t, s])
    return max(bias, least, _rarest(comparison.ours.trajectories))


def _rarest(n: int) -> float:
    """Return the chance of a trajectory that one of n is like with a chance of 90 %."""
    return -math.log(1.0 - POWER) / n


def _largest(mean: FloatArray, wanted: NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(wanted)
    return int(places[np.argmax(mean[places])]) if places.size else None


def _share(bias: float, mean: float) -> float:
    if mean == 0.0:
        return 0.0 if bias == 0.0 else math.inf
    return float(bias / mean)
