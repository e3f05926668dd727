"""Schemes judged on unseen dwells by a bootstrap in which every replicate is fitted again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwells.halves import Half, Layout
from dwells.scheme import Scheme, fit_scheme, simulate
from dwells.statistics import (
    DISTANCES,
    SCALES,
    differences,
    expected,
    observed,
    off_scale,
    on_scale,
)

FloatArray = NDArray[np.float64]

#: Error of the test of a scheme, over all its statistics.
LEVEL = 0.01

#: What simulated unseen halves must lie beyond to be called a spread.
TAILS = (2.5, 97.5)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of a scheme.

    Attributes:
        scheme: what was fitted.
        is_free: whether its shares are.
        criterion: Bayesian information criterion on the half that was fitted.
        seen: statistics of the unseen half, float64 [statistic].
        told: what the scheme expects; for distances the median of the replicates.
        spread: between what 95 % of the replicates lie, float64 [2, statistic].
        scores: how many standard deviations of the replicates the unseen half is off.
        p_values: of each statistic, over all of them, float64 [statistic].
        naive: smallest such value if the fitted scheme were known to be the truth.
    """

    scheme: Scheme
    is_free: bool
    criterion: float
    seen: FloatArray
    told: FloatArray
    spread: FloatArray
    scores: FloatArray
    p_values: FloatArray
    naive: float

    @property
    def p_value(self) -> float:
        """That of the scheme: of its largest score."""
        return float(self.p_values.min())

    @property
    def is_rejected(self) -> bool:
        """Whether it is, at `LEVEL`."""
        return self.p_value <= LEVEL

    @property
    def states(self) -> tuple[int, int]:
        """Numbers of open and shut states."""
        return len(self.scheme.opened), len(self.scheme.shut)


def judge(
    fitted: Half,
    unseen: Half,
    layout: Layout,
    states: tuple[int, int],
    *,
    is_free: bool,
    replicates: int,
    seed: int,
    watch: Callable[[Half, Scheme], None] | None = None,
) -> Verdict:
    """Fit a scheme to one half of a record and judge it on the other.

    Each replicate is a record of the fitted scheme, cut as the real one. Its first half is fitted
    again, from the same kind of start, and its second compared with that fit (parametric bootstrap
    with estimated parameters, Stute, Gonzáles Manteiga and Presedo Quindimil 1993). A difference
    counts in standard deviations of the replicates; the largest of all statistics is ranked among
    the largest of each replicate (single-step maxT, Westfall and Young 1993).

    Args:
        fitted: one half.
        unseen: the other.
        layout: how the record is cut.
        states: numbers of open and of shut states.
        is_free: whether the next state depends on the last.
        replicates: how many.
        seed: of the simulations.
        watch: called with the unseen half of every replicate and what was fitted to its other one.
    """
    scheme = fit_scheme(fitted, states, is_free=is_free)
    again, plain = [], []
    for first, second in simulate(scheme, layout, replicates, seed):
        refit = fit_scheme(first, states, is_free=is_free)
        again.append(differences(second, refit))
        plain.append(differences(second, scheme))
        if watch:
            watch(second, refit)
    drawn, off = np.array(again), differences(unseen, scheme)
    scores, p_values = _compared(off, drawn)
    told = on_scale(expected(scheme))
    is_distance = np.isnan(told)
    told = np.where(is_distance, np.median(drawn, axis=0), told)
    around = np.percentile(drawn, TAILS, axis=0) + np.where(is_distance, 0.0, told)
    return Verdict(
        scheme=scheme,
        is_free=is_free,
        criterion=float(scheme.free * np.log(len(fitted.opened)) - 2.0 * scheme.log_likelihood),
        seen=observed(unseen, scheme),
        told=off_scale(told),
        spread=np.array([off_scale(row) for row in around]),
        scores=scores,
        p_values=p_values,
        naive=float(_compared(off, np.array(plain))[1].min()),
    )


def _compared(off: FloatArray, drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scores and p-values, adjusted over all statistics, of one among drawn differences.

    Args:
        off: differences, float64 [statistic].
        drawn: of replicates, float64 [replicate, statistic].
    """
    scores = (off - drawn.mean(axis=0)) / drawn.std(axis=0, ddof=1)
    # For the ranks centre and scale are those of all, the one included, lest it look more extreme
    # than the replicates for being the only one that did not shape them.
    together = np.vstack([off, drawn])
    sizes = sizes_of(together, together)
    return scores, (sizes.max(axis=1)[:, None] >= sizes[0]).mean(axis=0)


def sizes_of(off: FloatArray, drawn: FloatArray) -> FloatArray:
    """Return how far differences are from the centre of drawn ones, in standard deviations.

    Args:
        off: differences, float64 [one, statistic].
        drawn: differences that tell centre and scale, float64 [replicate, statistic].

    Returns:
        Sizes, float64 [one, statistic]; those of distances have a sign, for a small distance is no
        disagreement, while other statistics may be off to both sides.
    """
    scores = (off - drawn.mean(axis=0)) / drawn.std(axis=0, ddof=1)
    is_distance = np.array([name in DISTANCES for name in SCALES])
    return np.where(is_distance, scores, np.abs(scores))
