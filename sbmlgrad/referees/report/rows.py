"""The table of means and variances: its columns and its rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sbmlgrad.referees.statistics.compare import Comparison
from sbmlgrad.referees.statistics.marginals import SMALLEST

FloatArray = NDArray[np.float64]

#: Columns of words; all others hold numbers.
SPECIES, VERDICT = "species", ""


def columns(comparison: Comparison) -> tuple[str, ...]:
    """Return the names of the columns.

    Beside an exact answer tests have p-values of their own, which standard errors do not tell.
    """
    p = ("p",) if comparison.is_exact else ()
    return ("time", SPECIES, "mean ours", "theirs", "z", *p, "sd ours", "theirs", "y", *p, VERDICT)


def rows(comparison: Comparison, most: int) -> list[tuple[str, ...]]:
    """Return the rows that are nearest to disagreement, as text.

    Args:
        comparison: what to tell; numbers are of its confirming run if there is one, which has more
            trajectories.
        most: rows to return.
    """
    shown = comparison.confirmation or comparison
    (of_means, of_variances), p_of = distances(shown), p_values(shown)
    found: list[tuple[str, ...]] = []
    for t, s in _worst(comparison, most):
        sides = (shown.ours, shown.theirs)
        p = [(_p(value),) if shown.is_exact else () for value in p_of[:, t, s].tolist()]
        found.append(
            (
                f"{comparison.times[t]:g}",
                comparison.species[s],
                *(f"{side.mean[t, s]:.6g}" for side in sides),
                _number(of_means[t, s], "+.2f"),
                *p[0],
                *(_number(side.deviation[t, s], ".6g") for side in sides),
                _number(of_variances[t, s], "+.2f"),
                *p[1],
                "disagrees" if comparison.disagreement[:, t, s].any() else "",
            )
        )
    return found


def distances(comparison: Comparison) -> FloatArray:
    """Return differences of means and of variances in standard errors, float64 [2, time, species].

    Two ensembles are judged by these. Beside an exact law standard errors are those of that law,
    and NaN for variances of which it tells nothing; where it tells means alone, they are those of
    our counts.
    """
    ours, theirs = comparison.ours, comparison.theirs
    if not comparison.is_exact or np.isnan(theirs.variance).all():
        return np.stack([comparison.z, comparison.y])
    n = ours.trajectories
    away = ours.mean - theirs.mean
    if comparison.mean_error is not None:
        away = np.copysign(np.maximum(np.abs(away) - comparison.mean_error, 0.0), away)
    # What the errors of as many trajectories of the right law are.
    of_law = replace(theirs, trajectories=n)
    return np.stack(
        [
            _over(away + 0.0, of_law.variance_of_mean),
            _over(ours.variance - theirs.variance, of_law.variance_of_variance),
        ]
    )


def p_values(comparison: Comparison) -> FloatArray:
    """Return p-values of means and of variances, or bounds of them, float64 [2, time, species]."""
    return np.minimum(1.0, 2.0 * stats.norm.sf(np.abs([comparison.z, comparison.y])))


def p_text(p: float) -> str:
    """Return a p-value as text; those that are not told apart are given as a bound."""
    return f"{p:.2g}" if p >= SMALLEST else f"< {SMALLEST:g}"


def _over(away: FloatArray, squared_error: FloatArray) -> FloatArray:
    certain = np.where(away == 0.0, 0.0, np.copysign(np.inf, away))
    error = np.sqrt(np.maximum(squared_error, 0.0))
    found = np.divide(away, error, out=certain, where=error > 0.0)
    return np.where(np.isnan(squared_error), np.nan, found)


def _worst(comparison: Comparison, most: int) -> list[tuple[int, int]]:
    """Return (time, species) places, disagreement first, then by the smaller of their p-values."""
    shown = comparison.confirmation or comparison
    # Where only means are known, y is not a number.
    size = np.fmax(np.abs(shown.z), np.abs(shown.y))
    # Bounds of p-values are often 1.
    away = np.nan_to_num(np.fmax.reduce(np.abs(distances(shown))), posinf=np.inf)
    agrees = ~comparison.disagreement.any(axis=0)
    order = np.lexsort((-away.ravel(), -size.ravel(), agrees.ravel()))[:most]
    places = np.unravel_index(order, size.shape)
    return [(int(t), int(s)) for t, s in zip(*places, strict=True)]


def _p(value: float) -> str:
    return "–" if math.isnan(value) else p_text(value)


def _number(value: float, form: str) -> str:
    """Return a number as text; one that is not known is a dash."""
    return "–" if math.isnan(value) else format(float(value), form)
