"""All families of tests of two sampled ensembles, besides means and variances of species."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees import joint, marginals
from sbmlgrad.referees.families import BoolArray, Family
from sbmlgrad.referees.moments import Moments

FloatArray = NDArray[np.float64]

DISTRIBUTIONS = "distributions"
BETWEEN_SPECIES = "covariances between species"
OVER_TIME = "covariances over time"
INDEPENDENCE = "independence of neighbouring trajectories"
COPIES = "copied trajectories"
FIRING_MEANS = "means of firing counts"
FIRING_VARIANCES = "variances of firing counts"
FIRING_DISTRIBUTIONS = "distributions of firing counts"


@dataclass(frozen=True, eq=False)
class Side:
    """What one side sampled.

    Attributes:
        moments: of species, arrays [time, species].
        counts: of species, float64 [trajectory, time, species], or None if only moments are known.
        firings: moments of firing counts, arrays [time, channel], or None if they were not counted.
        firing_counts: float64 [trajectory, time, channel], or None.
    """

    moments: Moments
    counts: FloatArray | None = None
    firings: Moments | None = None
    firing_counts: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Names:
    """What the axes of two sides are called.

    Attributes:
        species: ids.
        channels: ids of what can fire.
        times: float64 [time].
        coupled: pairs of places of species whose covariances are compared.
        time_unit: as in reports.
    """

    species: tuple[str, ...]
    channels: tuple[str, ...]
    times: FloatArray
    coupled: tuple[tuple[int, int], ...]
    time_unit: str = ""

    def at(self, *times: int) -> str:
        """Return words for one or more times."""
        unit = f" {self.time_unit}" if self.time_unit else ""
        return " and ".join(f"{self.times[t]:g}" for t in times) + unit


#: Family → which of its tests are needed, bool [test]; one that is not named needs all.
Wanted = dict[str, BoolArray]


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
    build = _Builder(names, level, chance, ours.moments.trajectories, wanted)
    found: list[Family] = []
    if ours.counts is not None and theirs.counts is not None:
        found += [
            build.distributions(DISTRIBUTIONS, names.species, ours.counts, theirs.counts),
            build.between_species(ours.counts, theirs.counts),
            build.over_time(ours.counts, theirs.counts),
            build.independence(ours.counts, theirs.counts),
            build.copies(ours, theirs),
        ]
    if ours.firings is not None and theirs.firings is not None:
        found += build.firings(ours.firings, theirs.firings)
        if ours.firing_counts is not None and theirs.firing_counts is not None:
            counts = (ours.firing_counts, theirs.firing_counts)
            found.append(build.distributions(FIRING_DISTRIBUTIONS, names.channels, *counts))
    return tuple(family for family in found if family.of)


#: p-value, effect, smallest effect that would be found.
_Result = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class _Builder:
    """Runs tests one after the other and gathers them into families."""

    names: Names
    level: float
    chance: float
    trajectories: int
    wanted: Wanted | None

    @property
    def needed(self) -> float:
        """Standard errors that an effect must have to be found with the chance asked for."""
        bound = stats.t.isf(self.level / 2.0, self.trajectories - 1)
        return float(bound + stats.norm.ppf(self.chance))

    def family(
        self, name: str, unit: str, tests: Iterable[tuple[str, Callable[[], _Result]]]
    ) -> Family:
        """Run the tests that are wanted."""
        listed = list(tests)
        keep = np.full(len(listed), self.wanted is not None)
        keep = keep if self.wanted is None else self.wanted.get(name, keep)
        nothing = (np.nan, np.nan, np.nan)
        rows = [run() if k else nothing for (_, run), k in zip(listed, keep, strict=True)]
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        labels = tuple(label for label, _ in listed)
        return Family(name, labels, table[:, 0], table[:, 1], unit, table[:, 2])

    def distributions(
        self, name: str, columns: Sequence[str], ours: FloatArray, theirs: FloatArray
    ) -> Family:
        """Compare marginal distributions."""
        power = marginals.detectable(self.level, self.trajectories, self.chance, 2)

        def test(t: int, s: int) -> _Result:
            d, p = marginals.two_samples(ours[:, t, s], theirs[:, t, s])
            return p, d, power

        return self.family(name, "difference of probability", self._all(columns, test))

    def between_species(self, ours: FloatArray, theirs: FloatArray) -> Family:
        """Compare covariances of coupled species at every time."""
        tests = (
            (
                f"{self.names.species[i]}, {self.names.species[j]} at {self.names.at(t)}",
                lambda t=t, i=i, j=j: self._covariance(ours, theirs, (t, i), (t, j)),
            )
            for t in range(len(self.names.times))
            for i, j in self.names.coupled
        )
        return self.family(BETWEEN_SPECIES, "difference of correlation", tests)

    def over_time(self, ours: FloatArray, theirs: FloatArray) -> Family:
        """Compare covariances of each species with itself at other times."""
        tests = (
            (
                f"{species} at {self.names.at(first, last)}",
                lambda s=s, a=first, b=last: self._covariance(ours, theirs, (a, s), (b, s)),
            )
            for s, species in enumerate(self.names.species)
            for first, last in joint.time_pairs(len(self.names.times))
        )
        return self.family(OVER_TIME, "difference of correlation", tests)

    def _covariance(
        self, ours: FloatArray, theirs: FloatArray, a: tuple[int, int], b: tuple[int, int]
    ) -> _Result:
        p, away, error = joint.difference(*(joint.products(x, a, b) for x in (ours, theirs)))
        scale = float(np.sqrt(np.prod([ours[:, t, s].var() for t, s in (a, b)])))
        if scale == 0.0:
            return p, away, np.nan
        return p, away / scale, self.needed * error / scale

    def independence(self, ours: FloatArray, theirs: FloatArray) -> Family:
        """Test whether neighbouring trajectories of either side are independent."""
        power = self.needed / np.sqrt(self.trajectories // 2)
        tests = (
            (
                f"{whose} {species} at {self.names.at(t)}",
                lambda x=side, t=t, s=s: (*joint.neighbours(x[:, t, s]), power),
            )
            for whose, side in (("our", ours), ("their", theirs))
            for t in range(len(self.names.times))
            for s, species in enumerate(self.names.species)
        )
        return self.family(INDEPENDENCE, "correlation", tests)

    def copies(self, ours: Side, theirs: Side) -> Family:
        """Test whether either side has more copied trajectories than the other."""
        assert ours.counts is not None
        assert theirs.counts is not None
        columns = (ours.counts, theirs.counts)
        # How often everything fired tells more than the counts, and equal ones are rarer by nature.
        if ours.firing_counts is not None and theirs.firing_counts is not None:
            columns = (ours.firing_counts, theirs.firing_counts)

        def test() -> _Result:
            seen = joint.copies(*columns, self.level, self.chance)
            return seen.p, seen.excess, seen.found

        return self.family(COPIES, "copies a trajectory", [("their excess", test)])

    def firings(self, ours: Moments, theirs: Moments) -> list[Family]:
        """Compare means and variances of firing counts."""
        sides = (ours, theirs)
        freedom = self.trajectories - 1

        def test(values: list[FloatArray], errors: list[FloatArray], t: int, c: int) -> _Result:
            away = float(values[0][t, c] - values[1][t, c])
            error = float(np.sqrt(errors[0][t, c] + errors[1][t, c]))
            if error == 0.0:
                return (1.0 if away == 0.0 else 0.0), away, 0.0
            scale = float(values[0][t, c]) or 1.0
            p = float(2.0 * stats.t.sf(abs(away) / error, freedom))
            return p, away / scale, self.needed * error / scale

        means = [side.mean for side in sides], [side.variance_of_mean for side in sides]
        widths = [side.variance for side in sides], [side.variance_of_variance for side in sides]
        return [
            self.family(
                name,
                "relative difference",
                self._all(self.names.channels, lambda t, c, pair=pair: test(*pair, t, c)),
            )
            for name, pair in ((FIRING_MEANS, means), (FIRING_VARIANCES, widths))
        ]

    def _all(
        self, columns: Sequence[str], test: Callable[[int, int], _Result]
    ) -> list[tuple[str, Callable[[], _Result]]]:
        """Return a test for every time and column."""
        return [
            (f"{column} at {self.names.at(t)}", lambda t=t, c=c: test(t, c))
            for t in range(len(self.names.times))
            for c, column in enumerate(columns)
        ]
