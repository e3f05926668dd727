"""Our ensemble against an exact answer: one-sample tests.

Where the law of the states is known, p-values of means, variances and covariances are Chernoff's
bounds and those of distributions exact. Where cumulants are known instead, the p-values of means
are the same bounds. Probability that an exact answer misses is added to every p-value, times the
number of trajectories: so often at most does a sample of the true law differ from one of the law
that is known. Where nothing but means is known, they are compared by Student's t with the variance
of our counts, but not less than f (1 - f), f the fractional part of the exact mean, since no whole
number has a smaller variance; a rare burst that was not seen may then alarm falsely.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees.exact.known import Distributions, Exact
from sbmlgrad.referees.moments import Moments
from sbmlgrad.referees.statistics import chernoff
from sbmlgrad.referees.statistics.compare import Comparison
from sbmlgrad.referees.statistics.exact_families import exact_families
from sbmlgrad.referees.statistics.names import Names, Side

FloatArray = NDArray[np.float64]

#: Means that are nearer than so many true standard errors are not looked at any closer.
_NEAR = 3.0

#: Place of time and of species → how far above the mean ours disagrees.
_Threshold = Callable[[int, int], float]


def compare_exact(
    ours: Side, exact: Exact, names: Names, level: float, chance: float
) -> Comparison:
    """Compare our ensemble with an exact answer.

    Args:
        ours: our side; its counts too where distributions are known.
        exact: the answer.
        names: of the axes.
        level: of a single test.
        chance: of finding what is stated as detectable.

    Returns:
        The comparison; its z and y are normal quantiles of the p-values, with the sign of the
        difference, and y is NaN where no distributions are known. Where only cumulants are, a z
        below 3 is the difference in true standard errors.

    Raises:
        RefereeError: the answer is not finite.
    """
    if not np.isfinite(exact.mean).all():
        raise RefereeError(
            f"'{exact.name}' gave a mean that is not finite, and nothing can be said from it"
        )
    known, n = exact.distributions, ours.moments.trajectories
    bound = float(stats.norm.isf(level / 2.0))
    unknown = np.full_like(exact.mean, np.nan)
    variance, fourth, y = unknown, unknown, unknown
    mean_error = np.zeros_like(exact.mean) if exact.mean_error is None else exact.mean_error
    threshold: _Threshold | None = None
    if known is not None:
        of_laws = _Laws(known, n)
        z, y, variance, fourth = of_laws.all_tests(ours.moments)
        mean_error = np.broadcast_to(of_laws.slack, exact.mean.shape)
        threshold = of_laws.threshold(level)
    elif exact.cumulants is not None and exact.variance is not None:
        variance = exact.variance
        z = _against_cumulants(ours.moments, exact, mean_error, bound)
        threshold = _threshold_of_cumulants(exact, mean_error, n, level)
    else:
        z = _against_means(ours.moments, exact.mean)
    return Comparison(
        species=names.species,
        times=names.times,
        ours=ours.moments,
        theirs=Moments(exact.mean, variance, fourth, 0),
        z=z,
        y=y,
        bound=bound,
        family_wise_error=0.0,
        families=()
        if known is None or ours.counts is None
        else exact_families(ours.counts, known, names, level, chance),
        level=level,
        mean_error=mean_error,
        threshold=threshold,
    )


def number_of_tests(ours: Side, exact: Exact, names: Names) -> int:
    """Return how many tests `compare_exact` makes."""
    times, species = exact.mean.shape
    if exact.distributions is None:
        return times * species
    if ours.counts is None:
        return times * 2 * species
    return times * (3 * species + len(names.pairs.species))


def _against_means(ours: Moments, mean: FloatArray) -> FloatArray:
    n = ours.trajectories
    part = mean - np.floor(mean)
    variance = np.maximum(ours.variance, part * (1.0 - part))
    away = ours.mean - mean
    # A solver of equations gives a whole number only within its tolerance.
    away = np.where(np.abs(away) <= 1e-6 * np.maximum(1.0, np.abs(mean)), 0.0, away)
    certain = np.where(away == 0.0, 0.0, np.copysign(np.inf, away))
    t = np.divide(away, np.sqrt(variance / n), out=certain, where=variance > 0.0)
    return np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), n - 1))


def _against_cumulants(
    ours: Moments, exact: Exact, mean_error: FloatArray, bound: float
) -> FloatArray:
    n, cumulants, variance = ours.trajectories, exact.cumulants, exact.variance
    assert cumulants is not None
    assert variance is not None
    away = _beyond(ours.mean - exact.mean, mean_error)
    certain = np.where(away == 0.0, 0.0, np.copysign(np.inf, away))
    z = np.divide(away, np.sqrt(variance / n), out=certain, where=variance > 0.0)
    for t, s in np.argwhere(np.abs(z) > min(_NEAR, bound)).tolist():
        p = chernoff.by_cumulants(
            lambda theta, t=t, s=s: cumulants(t, s, theta), float(variance[t, s]), away[t, s], n
        )
        z[t, s] = np.copysign(stats.norm.isf(p / 2.0), away[t, s])
    return z


def _threshold_of_cumulants(
    exact: Exact, mean_error: FloatArray, n: int, level: float
) -> _Threshold:
    cumulants, variance = exact.cumulants, exact.variance
    assert cumulants is not None
    assert variance is not None

    def threshold(t: int, s: int) -> float:
        found = chernoff.threshold(
            lambda theta: cumulants(t, s, theta), float(variance[t, s]), n, level
        )
        return found + float(mean_error[t, s])

    return threshold


def _beyond(away: FloatArray, error: FloatArray) -> FloatArray:
    """Return by how much differences exceed errors, with their signs."""
    return np.sign(away) * np.maximum(np.abs(away) - error, 0.0)


class _Laws:
    """Tests against known laws.

    Args:
        known: the laws.
        n: trajectories.
    """

    def __init__(self, known: Distributions, n: int) -> None:
        self._known, self._n = known, n
        self._missing = n * known.missing
        self.slack = np.array([chernoff.slack(column) for column in known.states.T])

    def threshold(self, level: float) -> _Threshold:
        """Return how far above the mean ours disagrees at a level; infinite where it never does."""

        def threshold(t: int, s: int) -> float:
            values, law = self._known.marginal(t, s)
            left = level - float(self._missing[t])
            if left <= 0.0:
                return np.inf
            variance = float((values - values @ law) ** 2 @ law)
            return chernoff.threshold(chernoff.of_law(values, law), variance, self._n, left)

        return threshold

    def all_tests(self, ours: Moments) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return z, y and the exact variance and fourth moment, all [time, species]."""
        n = self._n
        z, y, variance, fourth = (np.zeros_like(ours.mean) for _ in range(4))
        for t, s in np.ndindex(*ours.mean.shape):
            values, law = self._known.marginal(t, s)
            mean = float(values @ law)
            squares = (values - mean) ** 2
            variance[t, s], fourth[t, s] = squares @ law, squares**2 @ law
            # About the known mean, so that it is a mean of independent values.
            seen = ours.variance[t, s] * (n - 1) / n + (ours.mean[t, s] - mean) ** 2
            z[t, s] = self._quantile(t, values, law, float(ours.mean[t, s]))
            y[t, s] = self._quantile(t, squares, law, float(seen))
        return z, y, variance, fourth

    def _p(self, t: int, values: FloatArray, law: FloatArray, seen: float) -> float:
        p = chernoff.two_sided(values, law, seen, self._n)
        return min(1.0, p + float(self._missing[t]))

    def _quantile(self, t: int, values: FloatArray, law: FloatArray, seen: float) -> float:
        p = self._p(t, values, law, seen)
        return float(np.copysign(stats.norm.isf(p / 2.0), seen - values @ law))
