"""What a comparison of means and variances could have found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from sbmlgrad.referees.compare import POWER, Comparison


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest relative bias that one comparison finds with a chance of 90 %.

    Attributes:
        species: id.
        time: where the mean is largest among the times at which our counts vary.
        mean: of the mean, as a fraction of it, all else being equal.
        deviation: of the standard deviation, as a fraction of it, the other side having the same
            law but wider; infinite if there are too few trajectories to tell, NaN if spreads are
            not compared. Both are 0 where our
            counts never vary: there any difference is found.
    """

    species: str
    time: float
    mean: float
    deviation: float


def detectable(comparison: Comparison) -> tuple[Detectable, ...]:
    """Return the smallest biases that a comparison could have found, one a species.

    Args:
        comparison: of two samples, or of one with an exact answer.
    """
    is_exact, has_variances = comparison.is_exact, not np.isnan(comparison.y).all()
    bound = comparison.bound
    if is_exact and has_variances:
        # The p-values are bounds, which take a larger difference to become as small.
        bound = math.sqrt(2.0 * math.log(2.0 / comparison.level))
    needed = bound + float(stats.norm.ppf(POWER))
    sides = 1.0 if is_exact else 2.0
    of_mean = np.sqrt(sides * comparison.ours.variance_of_mean)
    of_variance = np.sqrt(comparison.ours.variance_of_variance)
    found = []
    for s, species in enumerate(comparison.species):
        mean, variance = comparison.ours.mean[:, s], comparison.ours.variance[:, s]
        varying = np.flatnonzero(variance > 0.0)
        if not varying.size:
            at = float(comparison.times[np.argmax(mean)])
            found.append(Detectable(species, at, 0.0, 0.0 if has_variances else math.nan))
            continue
        t = int(varying[np.argmax(mean[varying])])
        bias = needed * float(of_mean[t, s] / mean[t])
        excess = needed * float(of_variance[t, s] / variance[t])
        ratio = 1.0 + excess if is_exact else _variance_ratio(excess)
        wider = float(ratio**0.5 - 1.0) if has_variances else math.nan
        found.append(Detectable(species, float(comparison.times[t]), bias, wider))
    return tuple(found)


def _variance_ratio(needed: float) -> float:
    """Return the ratio r of variances that is `needed` times the error of their difference.

    The wider side's variance has r times the standard error of the narrower side's, so that
    r - 1 = needed √(1 + r²); from needed = 1 on no ratio is large enough.
    """
    rest = 1.0 - needed**2
    return (1.0 + math.sqrt(1.0 - rest**2)) / rest if rest > 0.0 else math.inf
