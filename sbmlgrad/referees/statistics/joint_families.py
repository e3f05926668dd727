"""Families of tests of what trajectories have together: covariances and independence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.statistics import independence, joint, pairs
from sbmlgrad.referees.statistics.asked import Asked, Places, Results
from sbmlgrad.referees.statistics.families import Family
from sbmlgrad.referees.statistics.names import Names, Side
from sbmlgrad.referees.statistics.second_moments import covariances

FloatArray = NDArray[np.float64]

OVER_TIME = "covariances over time"
INDEPENDENCE = "independence of trajectories"

#: (time, column) of one factor and of the other, and the words for both.
_Factors = tuple[tuple[int, int], tuple[int, int], str]


def second_moments(asked: Asked, ours: Side, theirs: Side, names: Names) -> list[Family]:
    """Compare covariances between species, over time and with firing counts.

    Args:
        asked: the tests.
        ours: our side, with counts.
        theirs: the other, likewise.
        names: of the axes.
    """
    assert ours.counts is not None
    assert theirs.counts is not None
    times, species = range(len(names.times)), names.species
    sides = ours.counts, theirs.counts
    found = [
        _family(
            asked,
            names,
            pairs.BETWEEN_SPECIES,
            sides,
            (
                ((t, i), (t, j), f"{species[i]}, {species[j]} at {names.at(t)}")
                for t in times
                for i, j in names.pairs.species
            ),
        ),
        _family(
            asked,
            names,
            OVER_TIME,
            sides,
            (
                ((a, s), (b, s), f"{name} at {names.at(a, b)}")
                for s, name in enumerate(species)
                for a, b in joint.time_pairs(len(times))
            ),
        ),
        _family(
            asked,
            names,
            pairs.ACROSS_TIME,
            sides,
            (
                ((t, i), (t + 1, j), f"{species[i]}, {species[j]} at {names.at(t, t + 1)}")
                for t in times[:-1]
                for i, j in names.pairs.across_time
            ),
        ),
    ]
    counted = [side.with_firings for side in (ours, theirs)]
    if counted[0] is None or counted[1] is None:
        return found
    # Columns are species, then channels, of the same trajectories.
    both, channels, after = (counted[0], counted[1]), names.channels, len(species)
    found.append(
        _family(
            asked,
            names,
            pairs.BETWEEN_FIRINGS,
            both,
            (
                (
                    (t, after + a),
                    (t, after + b),
                    f"{channels[a]}, {channels[b]} at {names.at(t)}",
                )
                for t in times
                for a, b in names.pairs.firings
            ),
        )
    )
    found.append(
        _family(
            asked,
            names,
            pairs.FIRINGS_AND_SPECIES,
            both,
            (
                ((t, after + a), (t, i), f"{channels[a]}, {species[i]} at {names.at(t)}")
                for t in times
                for a, i in names.pairs.firings_and_species
            ),
        )
    )
    return found


def _family(
    asked: Asked,
    names: Names,
    name: str,
    sides: tuple[FloatArray, FloatArray],
    factors: Iterable[_Factors],
) -> Family:
    listed = list(factors)
    columns = sides[0].shape[2]
    places = np.array([[t * columns + c for t, c in two] for *two, _ in listed], dtype=np.int64)
    places = places.reshape(-1, 2)

    def test(which: Places) -> Results:
        first, second = places[which].T
        flat = [side.reshape(len(side), -1) for side in sides]
        found = covariances(flat[0], flat[1], first, second, asked.needed)
        return found.p, found.effect, found.detectable

    return asked.family(
        name,
        "difference of correlation",
        [words for *_, words in listed],
        test,
        is_partial=name in names.pairs.left_out,
    )


def between_trajectories(asked: Asked, ours: Side, theirs: Side, names: Names) -> Family:
    """Test whether trajectories of either side are independent.

    Args:
        asked: the tests.
        ours: our side, with counts.
        theirs: the other, likewise.
        names: of the axes.
    """
    assert ours.counts is not None
    assert theirs.counts is not None
    sides = {"our": ours.counts, "their": theirs.counts}
    matchings = independence.matchings(len(ours.counts))
    each = ours.counts.shape[1] * ours.counts.shape[2] * len(matchings)
    labels = [
        f"{whose} {species} at {names.at(t)}, {matching.words}"
        for whose in sides
        for matching in matchings
        for t in range(len(names.times))
        for species in names.species
    ]

    def test(which: Places) -> Results:
        law = independence.law_of_pairs()
        parts = [
            _of_side(asked, counts, matchings, which[which // each == k] % each, law)
            for k, counts in enumerate(sides.values())
        ]
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))  # pyright: ignore[reportReturnType]

    return asked.family(INDEPENDENCE, "correlation", labels, test)


def _of_side(
    asked: Asked,
    counts: FloatArray,
    matchings: Sequence[independence.Matching],
    which: Places,
    law: independence.Laws,
) -> Results:
    flat = counts.reshape(len(counts), -1)
    columns = flat.shape[1]
    above = np.zeros(flat.shape, dtype=bool)
    for c in np.unique(which % columns).tolist():
        above[:, c] = independence.above_cut(flat[:, c])
    result = np.empty((3, len(which)))
    sizes: dict[tuple[int, int], float] = {}
    of_matching = which // columns
    for k, matching in enumerate(matchings):
        mine = np.flatnonzero(of_matching == k)
        if not mine.size:
            continue
        at = which[mine] % columns
        one, other = above[matching.first][:, at], above[matching.first + matching.distance][:, at]
        m, seen = one.sum(axis=0) + other.sum(axis=0), (one & other).sum(axis=0)
        for place, total, number in zip(mine.tolist(), m.tolist(), seen.tolist(), strict=True):
            key = len(matching.first), total
            found = law(*key)
            if key not in sizes:
                sizes[key] = found.detectable(asked.level, asked.chance)
            result[:, place] = (
                found.p(number),
                found.effect(float(number)),
                sizes[key],
            )
    return result[0], result[1], result[2]
