"""Z and Y of the stochastic test suite, a calibrated Y, and the rule that judges in two stages.

For n trajectories with sample mean m, expected mean μ and standard deviation σ (Evans, Gillespie
and Wilkinson 2008, 10.1093/bioinformatics/btm566), S² being taken about the known mean:

    Z = √n (m - μ) / σ,        suite's Y = √(n/2) (S²/σ² - 1).

The suite's Y is a standard normal only for normal counts; its wide ranges make up for that. The
criterion here is

    Y = √n (S² - σ²) / √(M - S⁴),    M = mean of (x - μ)⁴,

whose denominator is the sample's own standard error of S² for counts of any distribution (Cramér
1946, section 27.4). Where the suite gives no σ, μ is a median and Z = (above - below) / √n.

The expected values are those of the suite's tables, as printed; with the digits they have, this
shifts no statistic by more than about 0.2 at 40,000 trajectories.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from suites.dsmts_case import Case, Quantity

#: Where σ = 0, values may differ from μ by this much, relative to max(1, |μ|): the tables' digits.
EQUAL = 1e-5

#: Stage one asks |Y| to stay below this; it is the suite's bound for Z.
FIRST_BOUND = 3.0


@dataclass(frozen=True, eq=False)
class Scores:
    """Statistics of one quantity.

    Attributes:
        label: of the quantity.
        z: float64 [time]; NaN where the suite's table holds no logarithm.
        y: calibrated, float64 [time]; NaN where there is no expected σ.
        suite_y: the suite's own, likewise.
    """

    label: str
    z: NDArray[np.float64] = field(repr=False)
    y: NDArray[np.float64] = field(repr=False)
    suite_y: NDArray[np.float64] = field(repr=False)


def scores(quantity: Quantity, amounts: NDArray[np.float64]) -> Scores:
    """Return the statistics of one quantity.

    Args:
        quantity: what is expected.
        amounts: of its species, float64 [trajectory, time].
    """
    values, mean = amounts, quantity.mean
    absent = np.zeros(len(mean), dtype=bool)
    if quantity.is_logarithm:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log(amounts)
        # Before the first draw the amount is 0, and the suite writes 0 for its logarithm.
        absent = (amounts == 0.0).all(axis=0) & (mean == 0.0)
        values = np.where(absent, 0.0, values)
    n = len(values)
    if not np.isfinite(values).all():
        infinite = np.full(len(mean), np.inf)
        return Scores(quantity.label, infinite, infinite, infinite)
    distance = values - mean
    nothing = np.full(len(mean), np.nan)
    if quantity.deviation is None:
        z = np.sign(distance).sum(axis=0) / np.sqrt(n)
        return Scores(quantity.label, z, nothing, nothing)
    deviation = quantity.deviation
    constant = deviation == 0.0
    equal = (np.abs(distance) <= EQUAL * np.maximum(1.0, np.abs(mean))).all(axis=0)
    exact = np.where(equal, 0.0, np.inf)
    sigma = np.where(constant, 1.0, deviation)
    second, fourth = (distance**2).mean(axis=0), (distance**4).mean(axis=0)
    z = np.sqrt(n) * distance.mean(axis=0) / sigma
    suite_y = np.sqrt(n / 2.0) * (second / sigma**2 - 1.0)
    y = _in_errors(second - sigma**2, np.sqrt(np.maximum(fourth - second**2, 0.0) / n), sigma**2)
    z, y, suite_y = (np.where(constant, exact, v) for v in (z, y, suite_y))
    return Scores(quantity.label, *(np.where(absent, np.nan, v) for v in (z, y, suite_y)))


def case_scores(case: Case, amounts: NDArray[np.float64]) -> tuple[Scores, ...]:
    """Return the statistics of a case.

    Args:
        case: the case.
        amounts: float64 [trajectory, time, quantity].
    """
    return tuple(scores(q, amounts[:, :, i]) for i, q in enumerate(case.quantities))


def _in_errors(
    difference: NDArray[np.float64], error: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    # Without any spread of (x - μ)², as for a fair coin, S² has no error at all.
    same = np.abs(difference) <= EQUAL * scale
    certain = np.where(same, 0.0, np.copysign(np.inf, difference))
    return np.divide(difference, error, out=certain, where=error > EQUAL * EQUAL * scale)


@dataclass(frozen=True, eq=False)
class Outside:
    """Where the statistics of one stage leave their ranges.

    Attributes:
        mean: bool [quantity, time], of Z.
        deviation: bool [quantity, time], of Y.
    """

    mean: NDArray[np.bool_]
    deviation: NDArray[np.bool_]

    def __and__(self, other: Outside) -> Outside:
        return Outside(self.mean & other.mean, self.deviation & other.deviation)

    @property
    def count(self) -> int:
        """How many statistics are outside."""
        return int(self.mean.sum() + self.deviation.sum())


def stage_one(case: Case, found: tuple[Scores, ...]) -> Outside:
    """Return what leaves the suite's own range of Z, or ±3 with Y.

    Args:
        case: the case.
        found: statistics of its quantities, in their order.
    """
    low, high = case.mean_range
    z, y = np.stack([s.z for s in found]), np.stack([s.y for s in found])
    return Outside((z <= low) | (z >= high), np.abs(y) >= FIRST_BOUND)


def stage_two(bound: float, found: tuple[Scores, ...]) -> Outside:
    """Return what leaves ±bound.

    Args:
        bound: as `second_bound` returns it.
        found: statistics of a fresh and larger ensemble.
    """
    z, y = np.stack([s.z for s in found]), np.stack([s.y for s in found])
    return Outside(np.abs(z) >= bound, np.abs(y) >= bound)


def second_bound(points: int, family_wise_error: float) -> float:
    """Return the bound of stage two that keeps the family-wise error.

    A statistic counts as wrong only if both stages find it outside. The stages are independent,
    so that over N statistics, however they hang together, the chance of any false alarm is at most
    N p1 p2 (Boole). The bound is never below that of stage one.

    Args:
        points: N, statistics judged with one family-wise error.
        family_wise_error: chance that a right simulator fails anywhere.
    """
    first = 2.0 * float(stats.norm.sf(FIRST_BOUND))
    needed = family_wise_error / (max(points, 1) * first)
    return max(FIRST_BOUND, float(stats.norm.isf(min(needed, 1.0) / 2.0)))


def judged_points(case: Case) -> int:
    """Return how many statistics of a case are random: those of points with σ > 0, or no σ."""
    return sum(
        len(q.mean) if q.deviation is None else 2 * int((q.deviation > 0.0).sum())
        for q in case.quantities
    )
