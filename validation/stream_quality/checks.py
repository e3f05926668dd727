"""Checks with a p-value and checks that must hold exactly, and how they are reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Chance that right streams fail any check of a report.
FAMILY_WISE_ERROR = 1e-3

#: Least expected count of a cell of a chi-square test.
LEAST_EXPECTED = 10.0


@dataclass(frozen=True)
class Check:
    """One statistic and its chance under the law that is claimed.

    Attributes:
        about: what is tested, in a few words.
        numbers: how many draws (pairs of draws, firings, ...) it is from.
        statistic: its value, in words.
        p: chance of a value at least as extreme; two-sided where both sides would be wrong.
    """

    about: str
    numbers: int
    statistic: str
    p: float


@dataclass(frozen=True)
class Identity:
    """Two ways to get the same trajectories.

    Attributes:
        about: what is compared with what.
        trajectories: how many, or how many numbers where these are compared.
        different: how many of them are not the same to the bit.
        allowed: how many may be; more than 0 only where sums are formed in another order.
    """

    about: str
    trajectories: int
    different: int
    allowed: int = 0

    @property
    def passed(self) -> bool:
        """Whether few enough differ."""
        return self.different <= self.allowed


def pooled(
    observed: NDArray[np.int64], probability: NDArray[np.float64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Join cells, the most probable first, until each expects `LEAST_EXPECTED` counts of n.

    Which cells are joined depends on the law alone. What is left over joins the last group.

    Args:
        observed: counts [cell].
        probability: of the cells.
        n: of all cells and whatever else.

    Returns:
        Counts and probabilities [group].
    """
    order = np.argsort(-probability, kind="stable")
    mass = probability[order]
    group = np.zeros(len(order), dtype=np.int64)
    number, gathered = 0, 0.0
    for i, p in enumerate(mass):
        group[i] = number
        gathered += p
        if n * gathered >= LEAST_EXPECTED:
            number, gathered = number + 1, 0.0
    group[group == number] = max(number - 1, 0)
    counts = np.zeros(group[-1] + 1, dtype=np.int64)
    np.add.at(counts, group, observed[order])
    return counts, np.bincount(group, mass).astype(np.float64)


def chi_square(
    about: str, observed: NDArray[np.int64], probability: NDArray[np.float64], fitted: int = 0
) -> Check:
    """Return Pearson's chi-square of counts, where every expected count is at least 10.

    Args:
        about: what is tested.
        observed: counts, of any shape.
        probability: of each cell, of the same shape; a cell of probability 0 must be empty.
        fitted: degrees of freedom lost to fitted probabilities.
    """
    n = int(observed.sum())
    expected = n * probability.ravel()
    counts = observed.ravel()
    if np.any(counts[expected == 0.0]):
        return Check(about, n, "counts where none can be", 0.0)
    usual = expected > 0.0
    small = expected[usual].min()
    if small < LEAST_EXPECTED * (1.0 - 1e-6):
        raise ValueError(f"{about}: a cell expects {small:.2g} counts; join cells or draw more")
    value = float(((counts - expected)[usual] ** 2 / expected[usual]).sum())
    freedom = int(usual.sum()) - 1 - fitted
    # Both tails: counts that agree too well are no random counts either.
    p = 2.0 * min(float(stats.chi2.sf(value, freedom)), float(stats.chi2.cdf(value, freedom)))
    return Check(about, n, f"χ² = {value:.1f}, {freedom} d.f.", min(p, 1.0))


def contingency(about: str, table: NDArray[np.int64]) -> Check:
    """Return chi-square of independence of rows and columns, margins fitted.

    Args:
        about: what is tested.
        table: counts [row, column], with no empty row or column.
    """
    n = table.sum()
    rows, columns = table.sum(axis=1) / n, table.sum(axis=0) / n
    lost = len(rows) + len(columns) - 2
    return chi_square(about, table, np.outer(rows, columns), fitted=lost)


def standard_normal(about: str, numbers: int, z: float, what: str = "z") -> Check:
    """Return a check of a statistic that is standard normal."""
    return Check(about, numbers, f"{what} = {z:+.2f}", 2.0 * float(stats.norm.sf(abs(z))))


def binomial(about: str, count: int, n: int, probability: float) -> Check:
    """Return the exact two-sided test of a count, for probabilities however small."""
    below = float(stats.binom.cdf(count, n, probability))
    above = float(stats.binom.sf(count - 1, n, probability))
    words = f"{count} of {n * probability:.5g} expected"
    return Check(about, n, words, min(2.0 * min(below, above), 1.0))


def kolmogorov(about: str, cells: NDArray[np.int64]) -> Check:
    """Return the Kolmogorov-Smirnov test of counts in fine cells of equal probability.

    The largest distance at the edges of cells is at most that over all values, and less by no more
    than the width of a cell, far below the standard error here.
    """
    n = int(cells.sum())
    edges = np.arange(1, len(cells) + 1) / len(cells)
    distance = float(np.abs(np.cumsum(cells) / n - edges).max())
    p = float(stats.kstwobign.sf(distance * np.sqrt(n)))
    return Check(about, n, f"√n D = {distance * np.sqrt(n):.3f}", p)


def bound(checks: list[Check]) -> float:
    """Return the p-value below which a check fails, so that all of them keep the error (Boole)."""
    return FAMILY_WISE_ERROR / max(len(checks), 1)


def tables(
    sections: dict[str, list[Check]], identities: list[Identity], heading: str = "##"
) -> str:
    """Return all checks as Markdown, with their verdicts.

    Args:
        sections: title → checks.
        identities: checks that hold exactly.
        heading: marks of a section.
    """
    everything = [check for checks in sections.values() for check in checks]
    limit = bound(everything)
    lines = [
        f"{len(everything)} p-values; one below {limit:.1e} is a failure, so that right streams "
        f"fail anywhere with probability at most {FAMILY_WISE_ERROR:g}. The smallest is "
        f"{min((c.p for c in everything), default=1.0):.2g}.",
    ]
    for title, checks in sections.items():
        lines += ["", f"{heading} {title}", ""]
        lines += ["| what | n | statistic | p | verdict |", "|---|--:|---|--:|---|"]
        for c in checks:
            verdict = "passed" if c.p >= limit else "**FAILED**"
            lines.append(f"| {c.about} | {c.numbers:,} | {c.statistic} | {c.p:.2g} | {verdict} |")
    if identities:
        lines += ["", f"{heading} Identical results", ""]
        lines += ["| what | compared | different | verdict |", "|---|--:|--:|---|"]
        for i in identities:
            verdict = "passed" if i.passed else "**FAILED**"
            allowed = f" (up to {i.allowed} allowed)" if i.allowed else ""
            lines.append(f"| {i.about} | {i.trajectories:,} | {i.different}{allowed} | {verdict} |")
    return "\n".join(lines) + "\n"


def failures(sections: dict[str, list[Check]], identities: list[Identity]) -> list[str]:
    """Return what failed.

    Args:
        sections: title → checks.
        identities: checks that hold exactly.
    """
    everything = [check for checks in sections.values() for check in checks]
    limit = bound(everything)
    failed = [check.about for check in everything if not check.p >= limit]
    return failed + [identity.about for identity in identities if not identity.passed]
