"""Further families of tests of our ensemble against known laws: distributions and covariances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees.exact.known import Distributions
from sbmlgrad.referees.statistics import chernoff, marginals
from sbmlgrad.referees.statistics.families import Family
from sbmlgrad.referees.statistics.names import Names
from sbmlgrad.referees.statistics.pairs import BETWEEN_SPECIES
from sbmlgrad.referees.statistics.sampled import DISTRIBUTIONS

FloatArray = NDArray[np.float64]


def exact_families(
    counts: FloatArray, known: Distributions, names: Names, level: float, chance: float
) -> tuple[Family, ...]:
    """Compare marginal distributions and covariances with exact ones.

    Args:
        counts: ours, float64 [trajectory, time, species].
        known: the laws.
        names: of the axes.
        level: of a single test, for what could be found.
        chance: of finding it.

    Returns:
        The families, those without any test left out.
    """
    n = len(counts)
    power = marginals.detectable(level, n, chance, 1)
    missing = n * known.missing

    def marginal(t: int, s: int) -> tuple[float, float, float]:
        d, p = marginals.one_sample(counts[:, t, s], *known.marginal(t, s))
        return min(1.0, p + missing[t]), d, power

    def covariance(t: int, i: int, j: int) -> tuple[float, float, float]:
        law, states = known.probability[t], known.states[:, [i, j]]
        law = law / law.sum()
        away = states - law @ states
        scale = float(np.sqrt(np.prod(law @ away**2)))
        values, place = np.unique(away[:, 0] * away[:, 1], return_inverse=True)
        weight = np.bincount(place.ravel(), law, len(values)).astype(np.float64)
        seen = float(np.prod(counts[:, t, [i, j]] - law @ states, axis=1).mean())
        p = min(1.0, chernoff.two_sided(values, weight, seen, n) + missing[t])
        if scale == 0.0:
            return p, seen, np.nan
        exact = float(values @ weight)
        spread = float(np.sqrt(weight @ (values - exact) ** 2))
        needed = float(np.sqrt(2.0 * np.log(2.0 / level)) + stats.norm.ppf(chance))
        found = needed * spread / np.sqrt(n) / scale
        # No correlation is beyond one.
        return p, (seen - exact) / scale, found if found <= 1.0 + abs(exact / scale) else np.inf

    times, species = range(len(names.times)), range(len(names.species))
    single = [((t, s), f"{names.species[s]} at {names.at(t)}") for t in times for s in species]
    pairs = [
        ((t, i, j), f"{names.species[i]}, {names.species[j]} at {names.at(t)}")
        for t in times
        for i, j in names.pairs.species
    ]
    found = [
        _family(DISTRIBUTIONS, "difference of probability", marginal, single),
        replace(
            _family(BETWEEN_SPECIES, "difference of correlation", covariance, pairs),
            is_partial=BETWEEN_SPECIES in names.pairs.left_out,
        ),
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
