"""Do two ensembles have the same means and variances? Two-sample statistics at every time.

For n trajectories of each side with means m1, m2 and sample variances s1², s2²,

    Z = (m1 - m2) / √(s1²/n + s2²/n),      Y = (s1² - s2²) / √(v1 + v2),

where v = (m4 - (n - 3)/(n - 1) s⁴) / n, with m4 the fourth central moment, is the squared standard
error of a variance for counts of any distribution (Cramér 1946, section 27.4). Each side's v is
taken from its own trajectories. The formula with one kurtosis for both (Layard 1973) alarms falsely
where one side has seen a rare burst and the other has not; with own moments and equal n, both
statistics are in essence self-normalised sums of symmetric differences, whose tails are close to
or lighter than those of Student's t for rare, bursty and two-state counts too (Efron 1969).

The bound is the one of Bonferroni over both statistics at all times and species, and over all
further tests where there are some, from Student's t with n - 1 degrees of freedom. Where all counts
of both sides are equal the comparison is exact: equal constants agree, others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.referees.moments import Moments
from sbmlgrad.referees.statistics.error_rate import check_error
from sbmlgrad.referees.statistics.families import BoolArray, Family
from sbmlgrad.referees.statistics.possible import Checks
from sbmlgrad.referees.statistics.shares import Shares

if TYPE_CHECKING:
    from sbmlgrad.referees.statistics.power import Detectable

#: Trajectories of the confirming run, in multiples of the first.
CONFIRMATION = 4

#: Chance of finding a bias of the size that a comparison states as detectable.
POWER = 0.9


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two ensembles of one network, side by side.

    Attributes:
        species: ids.
        times: float64 [time].
        ours, theirs: moments of the two sides, arrays [time, species].
        z: difference of the means in standard errors, float64 [time, species]; beside an exact
            answer the normal quantile of its p-value, see `compare_exact`.
        y: likewise of the variances.
        bound: |z| and |y| above it disagree.
        family_wise_error: chance that a right simulator exceeds the bound anywhere.
        names: what to call the two sides.
        time_unit: as written in reports.
        confirmation: the run that repeated a disagreement with more trajectories, or None.
        settings: what the other side was told, as text.
        families: further tests, of distributions, covariances, firing counts and independence.
        level: p-values of `families` below it disagree; |z| and |y| at `bound` have it too.
        left_out: what was not compared, and why, in words.
        shares: distributions of both sides at the last time, to be drawn; none if they are not
            known.
        mean_error: of an exact answer, how far its means may be from the true ones, float64 [time,
            species]; None of a sampled one.
        threshold: of an exact answer, (place of time, of species) → how far above its mean one of
            ours disagrees; None where that is not known.
        is_still: whether no count of either side ever differed from its start.
        checks: of each trajectory, whether it is one that the network can have.
    """

    species: tuple[str, ...]
    times: NDArray[np.float64]
    ours: Moments
    theirs: Moments
    z: NDArray[np.float64]
    y: NDArray[np.float64]
    bound: float
    family_wise_error: float
    names: tuple[str, str] = ("ours", "theirs")
    time_unit: str = ""
    confirmation: Comparison | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    families: tuple[Family, ...] = ()
    level: float = 0.0
    left_out: tuple[str, ...] = ()
    shares: tuple[Shares, ...] = ()
    mean_error: NDArray[np.float64] | None = field(default=None, repr=False)
    threshold: Callable[[int, int], float] | None = field(default=None, repr=False)
    is_still: bool = False
    checks: Checks = field(default_factory=Checks)

    @property
    def is_exact(self) -> bool:
        """Whether the other side is an exact answer, without sampling error."""
        return self.theirs.trajectories == 0

    @property
    def tests(self) -> int:
        """How many tests there are."""
        moments = int((~np.isnan([self.z, self.y])).sum())
        return moments + sum(len(family.of) for family in self.families)

    @property
    def exceeding(self) -> BoolArray:
        """Where |z|, |y| exceed the bound in this run alone, bool [2, time, species]."""
        return np.abs(np.stack([self.z, self.y])) > self.bound

    @property
    def disagreement(self) -> BoolArray:
        """Where means, variances disagree, bool [2, time, species].

        A value that exceeds the bound counts only if the confirming run finds it again.
        """
        if self.confirmation is None:
            return self.exceeding
        return self.exceeding & self.confirmation.exceeding

    @property
    def further_exceeding(self) -> dict[str, BoolArray]:
        """Family → which of its tests exceed their bound in this run alone, bool [test]."""
        return {family.name: family.found(self.level) for family in self.families}

    @property
    def further_disagreement(self) -> dict[str, BoolArray]:
        """Family → which of its tests disagree, bool [test], likewise only if found again."""
        if self.confirmation is None:
            return self.further_exceeding
        again = self.confirmation.further_exceeding
        return {
            name: found & again.get(name, np.zeros_like(found))
            for name, found in self.further_exceeding.items()
        }

    @property
    def needs_confirmation(self) -> bool:
        """Whether any test of this run alone exceeds its bound."""
        return bool(
            self.exceeding.any() or any(found.any() for found in self.further_exceeding.values())
        )

    @property
    def referee(self) -> str:
        """Name of the other side, without its version."""
        return self.names[1].partition(" ")[0]

    @property
    def agrees(self) -> bool:
        """Whether no disagreement was found; see `detectable` for what could have been found.

        Where nothing happened there is no verdict, so that neither this nor `disagrees` holds.
        """
        return not (self.disagrees or self.is_still)

    @property
    def impossible(self) -> tuple[str, ...]:
        """What trajectories of this run, or of the confirming one, cannot be, in words."""
        again = () if self.confirmation is None else self.confirmation.checks.broken
        return self.checks.broken or again

    @property
    def disagrees(self) -> bool:
        """Whether a test disagrees, or a trajectory cannot be."""
        further = self.further_disagreement.values()
        found = self.disagreement.any() or any(found.any() for found in further)
        return bool(found or self.impossible)

    @property
    def detectable(self) -> tuple[Detectable, ...]:
        """The smallest biases that this run could have found, one a species."""
        from sbmlgrad.referees.statistics.power import detectable

        return detectable(self)

    def as_text(self, rows: int = 10) -> str:
        """Return verdict and table, the worst rows first, at most so many of them."""
        from sbmlgrad.referees.report.text import comparison_text

        return comparison_text(self, rows)

    def __str__(self) -> str:
        return self.as_text()

    def plot(self, path: str | Path) -> None:
        """Draw mean ± standard deviation of both sides over time, one panel a species.

        Args:
            path: image file; the suffix says which format.

        Raises:
            WriteError: the file cannot be written.
        """
        from sbmlgrad.referees.report.plot import draw_comparison

        draw_comparison(self, path)


def compare(
    species: Sequence[str],
    times: NDArray[np.float64],
    ours: Moments,
    theirs: Moments,
    *,
    family_wise_error: float = 1e-3,
    level: float | None = None,
    **labels: Any,
) -> Comparison:
    """Compare means and variances of two independent ensembles.

    Choose `confirmed` to have a disagreement repeated before it counts.

    Args:
        species: ids.
        times: float64 [time].
        ours: our moments, arrays [time, species].
        theirs: the other side's, likewise, of as many trajectories. With differing numbers rare
            molecules and two-state species would raise false alarms several times too often.
        family_wise_error: chance, between 0 and 1, that a right simulator is found to disagree.
        level: of a single test, where others share the error; None shares it among these alone.
        labels: other attributes of the `Comparison`.

    Returns:
        The comparison, not yet confirmed.

    Raises:
        RequestError: shapes or numbers of trajectories that do not fit, or an error that is no
            probability.
        RefereeError: the other side's statistics are not finite or not those of real numbers.
    """
    check_error(family_wise_error)
    shape = (len(times), len(species))
    _check(ours, "our", shape)
    _check(theirs, "the other", shape)
    n = ours.trajectories
    if n < 2 or theirs.trajectories != n:
        raise RequestError(
            f"trajectories: {n} of ours and {theirs.trajectories} of theirs; give both sides as "
            "many, at least two, or the stated error does not hold"
        )
    of_mean = np.sqrt(ours.variance_of_mean + theirs.variance_of_mean)
    of_variance = np.sqrt(ours.variance_of_variance + theirs.variance_of_variance)
    each = family_wise_error / (2 * np.prod(shape)) if level is None else level
    return Comparison(
        species=tuple(species),
        times=np.asarray(times, dtype=np.float64),
        ours=ours,
        theirs=theirs,
        z=_in_errors(ours.mean - theirs.mean, of_mean),
        y=_in_errors(ours.variance - theirs.variance, of_variance),
        bound=float(stats.t.isf(each / 2.0, n - 1)),
        family_wise_error=family_wise_error,
        level=float(each),
        **labels,
    )


def confirmed(
    run: Callable[[int], Comparison],
) -> Comparison:
    """Compare, and repeat a disagreement once before it counts.

    Args:
        run: multiple of the trajectories (1, then `CONFIRMATION`) → comparison of ensembles that
            have not been used before.

    Returns:
        The first comparison; with the second as its `confirmation` if there was one.
    """
    first = run(1)
    return first if not first.needs_confirmation else replace(first, confirmation=run(CONFIRMATION))


def _check(side: Moments, whose: str, shape: tuple[int, int]) -> None:
    arrays = {"mean": side.mean, "variance": side.variance, "fourth moment": side.fourth_moment}
    for what, array in arrays.items():
        if array.shape != shape:
            raise RequestError(
                f"{whose} {what} has shape {array.shape}, not [time, species] {shape}"
            )
        # A NaN would compare as agreement.
        if not np.isfinite(array).all() or (what != "mean" and (array < 0.0).any()):
            raise RefereeError(
                f"{whose} {what} holds a value that is not finite or, as a square, negative, and "
                "nothing can be said from it; the simulator that gave it is at fault"
            )


def _in_errors(difference: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    # Without any spread a difference is certain, however small.
    certain = np.where(difference == 0.0, 0.0, np.copysign(np.inf, difference))
    return np.divide(difference, error, out=certain, where=error > 0.0)
