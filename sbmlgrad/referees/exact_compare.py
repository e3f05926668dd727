"""Our ensemble against an exact answer: one-sample tests.

Where the law of the states is known, p-values of means, variances and covariances are Chernoff's
bounds and those of distributions exact. Where only means are known, the mean is compared by
Student's t, with the variance of our counts, but not less than f (1 - f), f the fractional part of
the exact mean: no whole number has a smaller variance, and where nothing rare was seen it is known
to be possible.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.errors import RefereeError
from sbmlgrad.referees import chernoff, marginals
from sbmlgrad.referees.compare import Comparison
from sbmlgrad.referees.exact import Distributions, Exact
from sbmlgrad.referees.families import Family
from sbmlgrad.referees.moments import Moments
from sbmlgrad.referees.sampled import BETWEEN_SPECIES, DISTRIBUTIONS, Names, Side

FloatArray = NDArray[np.float64]


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
        difference, and y is NaN where only means are known.

    Raises:
        RefereeError: the answer is not finite.
    """
    if not np.isfinite(exact.mean).all():
        raise RefereeError(
            f"'{exact.name}' gave a mean that is not finite, and nothing can be said from it"
        )
    known = exact.distributions
    n = ours.moments.trajectories
    if known is None or ours.counts is None:
        z = _against_means(ours.moments, exact.mean)
        y, variance = np.full_like(z, np.nan), np.full_like(z, np.nan)
        families: tuple[Family, ...] = ()
    else:
        z, y, variance = _against_laws(ours.moments, known, n)
        families = _families(ours.counts, known, names, level, chance)
    return Comparison(
        species=names.species,
        times=names.times,
        ours=ours.moments,
        theirs=Moments(exact.mean, variance, np.zeros_like(variance), 0),
        z=z,
        y=y,
        bound=float(stats.norm.isf(level / 2.0)),
        family_wise_error=0.0,
        families=families,
        level=level,
    )


def number_of_tests(ours: Side, exact: Exact, names: Names) -> int:
    """Return how many tests `compare_exact` makes."""
    times, species = exact.mean.shape
    if exact.distributions is None or ours.counts is None:
        return times * species
    return times * (3 * species + len(names.coupled))


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


def _against_laws(
    ours: Moments, known: Distributions, n: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return z, y and the exact variance, all [time, species]."""
    z, y, variance = (np.zeros_like(ours.mean) for _ in range(3))
    for t, s in np.ndindex(*ours.mean.shape):
        values, law = known.marginal(t, s)
        mean = float(values @ law)
        squares = (values - mean) ** 2
        variance[t, s] = squares @ law
        # About the known mean, so that it is a mean of independent values.
        seen = ours.variance[t, s] * (n - 1) / n + (ours.mean[t, s] - mean) ** 2
        z[t, s] = _quantile(values, law, float(ours.mean[t, s]), n)
        y[t, s] = _quantile(squares, law, float(seen), n)
    return z, y, variance


def _quantile(values: FloatArray, law: FloatArray, seen: float, n: int) -> float:
    p = chernoff.two_sided(values, law, seen, n)
    return float(np.copysign(stats.norm.isf(p / 2.0), seen - values @ law))


def _families(
    counts: FloatArray, known: Distributions, names: Names, level: float, chance: float
) -> tuple[Family, ...]:
    n = len(counts)
    power = marginals.detectable(level, n, chance, 1)

    def marginal(t: int, s: int) -> tuple[float, float, float]:
        d, p = marginals.one_sample(counts[:, t, s], *known.marginal(t, s))
        return p, d, power

    def covariance(t: int, i: int, j: int) -> tuple[float, float, float]:
        law, states = known.probability[t], known.states[:, [i, j]]
        law = law / law.sum()
        away = states - law @ states
        scale = float(np.sqrt(np.prod(law @ away**2)))
        values, place = np.unique(away[:, 0] * away[:, 1], return_inverse=True)
        weight = np.bincount(place.ravel(), law, len(values)).astype(np.float64)
        seen = float(np.prod(counts[:, t, [i, j]] - law @ states, axis=1).mean())
        p = chernoff.two_sided(values, weight, seen, n)
        if scale == 0.0:
            return p, seen, np.nan
        exact = float(values @ weight)
        spread = float(np.sqrt(weight @ (values - exact) ** 2))
        needed = float(np.sqrt(2.0 * np.log(2.0 / level)) + stats.norm.ppf(chance))
        return p, (seen - exact) / scale, needed * spread / np.sqrt(n) / scale

    times, species = range(len(names.times)), range(len(names.species))
    single = [((t, s), f"{names.species[s]} at {names.at(t)}") for t in times for s in species]
    pairs = [
        ((t, i, j), f"{names.species[i]}, {names.species[j]} at {names.at(t)}")
        for t in times
        for i, j in names.coupled
    ]
    found = [
        _family(DISTRIBUTIONS, "difference of probability", marginal, single),
        _family(BETWEEN_SPECIES, "difference of correlation", covariance, pairs),
    ]
    return tuple(family for family in found if family.of)


def _family(
    name: str,
    unit: str,
    test: Callable[..., tuple[float, float, float]],
    places: list[tuple[tuple[int, ...], str]],
) -> Family:
    table = np.array([test(*place) for place, _ in places], dtype=np.float64).reshape(-1, 3)
    labels = tuple(label for _, label in places)
    return Family(name, labels, table[:, 0], table[:, 1], unit, table[:, 2])
