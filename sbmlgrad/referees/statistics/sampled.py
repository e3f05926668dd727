"""All families of tests of two sampled ensembles, besides means and variances of species."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees.moments import Moments
from sbmlgrad.referees.statistics import first_firing, joint, marginals
from sbmlgrad.referees.statistics.asked import Asked, Places, Results, Wanted, one_by_one
from sbmlgrad.referees.statistics.families import Family
from sbmlgrad.referees.statistics.growth import detectable_mean, detectable_width
from sbmlgrad.referees.statistics.joint_families import (
    INDEPENDENCE,
    OVER_TIME,
    between_trajectories,
    second_moments,
)
from sbmlgrad.referees.statistics.names import Names, Side
from sbmlgrad.referees.statistics.pairs import (
    ACROSS_TIME,
    BETWEEN_FIRINGS,
    BETWEEN_SPECIES,
    FIRINGS_AND_SPECIES,
)
from sbmlgrad.referees.waiting import WAITED_FOR

__all__ = [
    "ACROSS_TIME",
    "BETWEEN_FIRINGS",
    "BETWEEN_SPECIES",
    "COPIES",
    "DISTRIBUTIONS",
    "FIRINGS_AND_SPECIES",
    "FIRING_DISTRIBUTIONS",
    "FIRING_MEANS",
    "FIRING_VARIANCES",
    "FIRST_FIRING",
    "INDEPENDENCE",
    "OVER_TIME",
    "WAITS",
    "Names",
    "Side",
    "Wanted",
    "sampled_families",
]

FloatArray = NDArray[np.float64]

DISTRIBUTIONS = "distributions"
COPIES = "copied trajectories"
FIRING_MEANS = "means of firing counts"
FIRING_VARIANCES = "variances of firing counts"
FIRING_DISTRIBUTIONS = "distributions of firing counts"
FIRST_FIRING = "times of first firing"
WAITS = "waiting times"


def sampled_families(
    ours: Side, theirs: Side, names: Names, level: float, chance: float, wanted: Wanted | None
) -> tuple[Family, ...]:
    """Compare everything that both sides know.

    Args:
        ours: our side.
        theirs: the other, of as many trajectories.
        names: of the axes.
        level: of a single test, for what could be found.
        chance: of finding it.
        wanted: tests that are needed; p-values of others are NaN. None needs none, to count them.

    Returns:
        The families, those without any test left out.
    """
    asked = Asked(level, chance, ours.moments.trajectories, wanted)
    found: list[Family] = []
    if ours.counts is not None and theirs.counts is not None:
        found += [
            _distributions(asked, names, DISTRIBUTIONS, names.species, ours.counts, theirs.counts),
            *second_moments(asked, ours, theirs, names),
            between_trajectories(asked, ours, theirs, names),
            _copies(asked, ours, theirs),
        ]
    if ours.firings is not None and theirs.firings is not None:
        found += _firings(asked, names, ours.firings, theirs.firings)
        if ours.firing_counts is not None and theirs.firing_counts is not None:
            counts = (ours.firing_counts, theirs.firing_counts)
            found += [
                _distributions(asked, names, FIRING_DISTRIBUTIONS, names.channels, *counts),
                _first_firings(asked, names, *counts),
            ]
    if ours.waits is not None and theirs.waits is not None:
        found.append(_waits(asked, ours.waits, theirs.waits))
    return tuple(family for family in found if family.of)


def _labels(names: Names, columns: tuple[str, ...]) -> list[str]:
    """Return words for every time and column."""
    return [f"{column} at {names.at(t)}" for t in range(len(names.times)) for column in columns]


def _distributions(
    asked: Asked,
    names: Names,
    name: str,
    columns: tuple[str, ...],
    ours: FloatArray,
    theirs: FloatArray,
) -> Family:
    power = marginals.detectable(asked.level, asked.trajectories, asked.chance, 2)

    def test(place: int) -> tuple[float, float, float]:
        t, s = divmod(place, len(columns))
        d, p = marginals.two_samples(ours[:, t, s], theirs[:, t, s])
        return p, d, power

    labels = _labels(names, columns)
    return asked.family(name, "difference of probability", labels, one_by_one(test))


def _waits(asked: Asked, ours: FloatArray, theirs: FloatArray) -> Family:
    """Compare how long the sides wait for firings; one that does not come is waited for longest."""
    power = marginals.detectable(asked.level, asked.trajectories, asked.chance, 2)

    def test(place: int) -> tuple[float, float, float]:
        d, p = marginals.two_samples(ours[:, place], theirs[:, place])
        return p, d, power

    labels = [f"firing {k}" for k in WAITED_FOR]
    return asked.family(WAITS, "difference of probability", labels, one_by_one(test))


def _copies(asked: Asked, ours: Side, theirs: Side) -> Family:
    """Test whether either side has more copied trajectories than the other."""
    assert ours.counts is not None
    assert theirs.counts is not None
    columns = (ours.counts, theirs.counts)
    # How often everything fired tells more than the counts, and equal ones are rarer by nature.
    if ours.firing_counts is not None and theirs.firing_counts is not None:
        columns = (ours.firing_counts, theirs.firing_counts)

    def test(_: int) -> tuple[float, float, float]:
        seen = joint.copies(*columns, asked.level, asked.chance)
        return seen.p, seen.excess, seen.found

    return asked.family(COPIES, "copies a trajectory", ["their excess"], one_by_one(test))


def _firings(asked: Asked, names: Names, ours: Moments, theirs: Moments) -> list[Family]:
    """Compare means and variances of firing counts."""
    n, labels = asked.trajectories, _labels(names, names.channels)

    def results(
        values: list[FloatArray], errors: list[FloatArray], found: FloatArray, which: Places
    ) -> Results:
        one, other = (value.ravel()[which] for value in values)
        away = one - other
        error = np.sqrt(sum(e.ravel()[which] for e in errors))
        # Without any spread a difference is certain.
        certain = np.where(away == 0.0, 0.0, np.inf)
        t = np.divide(np.abs(away), error, out=certain, where=error > 0.0)
        p = 2.0 * stats.t.sf(t, n - 1)
        return np.asarray(p), away / np.where(one == 0.0, 1.0, one), found.ravel()[which]

    def means(which: Places) -> Results:
        values = [side.mean for side in (ours, theirs)]
        errors = [side.variance_of_mean for side in (ours, theirs)]
        found = detectable_mean(ours.mean, ours.variance, n, asked.bound, asked.chance)
        return results(values, errors, found, which)

    def widths(which: Places) -> Results:
        values = [side.variance for side in (ours, theirs)]
        errors = [side.variance_of_variance for side in (ours, theirs)]
        found = detectable_width(ours.variance, ours.variance_of_variance, asked.needed) - 1.0
        return results(values, errors, found, which)

    unit = "relative difference"
    return [
        asked.family(FIRING_MEANS, unit, labels, means),
        asked.family(FIRING_VARIANCES, unit, labels, widths),
    ]


def _first_firings(asked: Asked, names: Names, ours: FloatArray, theirs: FloatArray) -> Family:
    """Compare the chances that nothing has fired by a time."""
    n = asked.trajectories
    columns = (*names.channels, "any")
    labels = [f"{c} after {names.at(t)}" for t in range(len(names.times)) for c in columns]

    def test(which: Places) -> Results:
        one, other = (first_firing.silent(side).ravel()[which] for side in (ours, theirs))
        p = first_firing.p_values(one, other, n)
        found = first_firing.detectable(one, n, asked.level, asked.chance)
        return p, (one - other) / n, found

    return asked.family(FIRST_FIRING, "difference of probability", labels, test)
