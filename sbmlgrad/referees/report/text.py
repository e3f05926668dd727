"""Comparisons as text and as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.report.power_text import effect_text, mean_text, power_text, spread_text
from sbmlgrad.referees.statistics import sampled
from sbmlgrad.referees.statistics.compare import CONFIRMATION, POWER, Comparison
from sbmlgrad.referees.statistics.families import Family, plain
from sbmlgrad.referees.statistics.marginals import SMALLEST

_HEADER = ("time", "species", "mean ours", "theirs", "z", "sd ours", "theirs", "y", "")


#: Family → what a verdict calls it; several may have one word.
_KINDS = {
    sampled.DISTRIBUTIONS: "distributions",
    sampled.BETWEEN_SPECIES: "covariances between species",
    sampled.OVER_TIME: "covariances over time",
    sampled.ACROSS_TIME: "covariances between species over time",
    sampled.BETWEEN_FIRINGS: "covariances of firing counts",
    sampled.FIRINGS_AND_SPECIES: "covariances of firing counts",
    sampled.INDEPENDENCE: "independence",
    sampled.COPIES: "independence",
    sampled.FIRING_MEANS: "firing counts",
    sampled.FIRING_VARIANCES: "firing counts",
    sampled.FIRING_DISTRIBUTIONS: "firing counts",
    sampled.FIRST_FIRING: "times of first firing",
    sampled.WAITS: "waiting times",
}


def comparison_text(comparison: Comparison, rows: int) -> str:
    """Return verdict, table of the worst rows and what could have been found.

    Args:
        comparison: what to tell; the table is of its confirming run if there is one.
        rows: most rows of the table.
    """
    ours, theirs = comparison.names
    if comparison.is_still:
        return f"{ours} and {theirs}: {verdict(comparison)}"
    unit = f" {comparison.time_unit}" if comparison.time_unit else ""
    lines = [f"{ours} and {theirs}: {verdict(comparison)}", *(f"  {t}" for t in how(comparison))]
    lines += ["", *_table(comparison, rows)]
    lines += ["", *_further(comparison)] if comparison.families else []
    lines += ["", *_detectable(comparison, unit)]
    lines += [f"  not compared: {what}" for what in comparison.left_out]
    return "\n".join(lines)


def how(comparison: Comparison) -> list[str]:
    """Return how much was compared, and by which bound, in sentences."""
    sides = "of ours" if comparison.is_exact else "of each"
    lines = [
        f"{comparison.ours.trajectories} trajectories {sides}; |z| and |y| up to "
        f"{comparison.bound:.2f} and p down to {comparison.level:.2g} agree (family-wise error "
        f"{comparison.family_wise_error:.3g}, {comparison.tests} tests)"
    ]
    lines += [comparison.checks.made] if comparison.checks.made else []
    lines += [f"impossible: {what}" for what in comparison.impossible]
    again = comparison.confirmation
    if again is not None:
        first = [comparison.exceeding, *comparison.further_exceeding.values()]
        kept = [comparison.disagreement, *comparison.further_disagreement.values()]
        lines.append(
            f"{sum(int(f.sum()) for f in first)} of these tests exceeded the bound and were "
            f"repeated with {CONFIRMATION} times the trajectories; "
            f"{sum(int(f.sum()) for f in kept)} did so again"
        )
    return lines


def verdict(comparison: Comparison) -> str:
    """Return what was found, in a few words."""
    if comparison.is_still:
        return "NOTHING HAPPENED, so that there is no verdict"
    if comparison.agrees:
        kinds = ["means", *([] if np.isnan(comparison.y).all() else ["variances"])]
        kinds += dict.fromkeys(
            f"{'some ' if family.is_partial else ''}{_KINDS[family.name]}"
            for family in comparison.families
        )
        return f"{', '.join(kinds[:-1])} and {kinds[-1]} agree" if kinds[1:] else "means agree"
    found = comparison.disagreement
    parts = []
    if found.any():
        what = [("means", "variances")[i] for i in range(2) if found[i].any()]
        named = [s for i, s in enumerate(comparison.species) if found[:, :, i].any()]
        parts.append(f"{' and '.join(what)} of {', '.join(named)}")
    parts += [name for name, bad in comparison.further_disagreement.items() if bad.any()]
    if comparison.impossible:
        cannot = "IMPOSSIBLE TRAJECTORIES"
        return f"{cannot}; {'; '.join(parts)} DISAGREE" if parts else f"{cannot}: DISAGREE"
    return f"{'; '.join(parts)} DISAGREE"


def families_shown(comparison: Comparison) -> list[tuple[Family, int, int, int]]:
    """Return each family, how many of its tests there are and disagree, and its worst test.

    Where a test disagrees, it is of the confirming run.
    """
    rows = []
    for family, bad in zip(
        comparison.families, comparison.further_disagreement.values(), strict=True
    ):
        shown = family
        if bad.any() and comparison.confirmation is not None:
            again = {f.name: f for f in comparison.confirmation.families}
            shown = again[family.name]
        rows.append((shown, len(family.of), int(bad.sum()), shown.worst))
    return rows


def p_text(p: float) -> str:
    """Return a p-value as text; those that are not told apart are given as a bound."""
    return f"{p:.2g}" if p >= SMALLEST else f"< {SMALLEST:g}"


def further_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row of words for each further family.

    They are: name, number of tests, smallest p, where that is, the effect seen there, the effects
    that would be found, their unit, and how many tests disagree.
    """
    return [
        (
            family.name,
            str(number),
            p_text(float(family.p[at])),
            family.of[at],
            effect_text(float(family.effect[at]), family.unit),
            power_text(family),
            family.unit,
            f"{bad} disagree" if bad else "",
        )
        for family, number, bad, at in families_shown(comparison)
    ]


def _further(comparison: Comparison) -> list[str]:
    header = ("further tests of", "number", "smallest p", "where", "seen", "finds", "of", "")
    table = [header, *further_rows(comparison)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in table
    ]


def worst(comparison: Comparison, rows: int) -> list[tuple[int, int]]:
    """Return (time, species) places, by the larger of |z| and |y|, disagreement first.

    Args:
        comparison: the comparison.
        rows: most places to return.
    """
    shown = comparison.confirmation or comparison
    # Where only means are known, y is not a number.
    size = np.fmax(np.abs(shown.z), np.abs(shown.y))
    agrees = ~comparison.disagreement.any(axis=0)
    order = np.lexsort((-size.ravel(), agrees.ravel()))[:rows]
    places = np.unravel_index(order, size.shape)
    return [(int(t), int(s)) for t, s in zip(*places, strict=True)]


def _table(comparison: Comparison, rows: int) -> list[str]:
    # The confirming run has more trajectories, so it is the one to show where there is one.
    shown = comparison.confirmation or comparison
    table: list[tuple[str, ...]] = [_HEADER]
    for t, s in worst(comparison, rows):
        is_bad = bool(comparison.disagreement[:, t, s].any())
        numbers = (shown.ours, shown.theirs)
        table.append(
            (
                f"{comparison.times[t]:g}",
                comparison.species[s],
                *(f"{side.mean[t, s]:.6g}" for side in numbers),
                f"{shown.z[t, s]:+.2f}",
                *(number_text(float(side.deviation[t, s]), ".6g") for side in numbers),
                number_text(float(shown.y[t, s]), "+.2f"),
                "disagrees" if is_bad else "",
            )
        )
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEADER))]
    lines = ["  " + _aligned(row, widths) for row in table]
    left_out = comparison.z.size - (len(table) - 1)
    if left_out:
        lines.append(f"  and {left_out} rows with smaller |z| and |y|")
    return lines


def number_text(value: float, form: str) -> str:
    """Return a number as text; one that is not known is a dash."""
    return "–" if math.isnan(value) else format(value, form)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if i in (1, 8) else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _detectable(comparison: Comparison, unit: str) -> list[str]:
    lines = [f"  with {POWER:.0%} chance this run finds a bias of"]
    for found in comparison.detectable:
        lines.append(
            f"    {found.species} at {found.time:g}{unit}: mean {mean_text(found)}, "
            f"sd {spread_text(found)}"
        )
    return lines


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data for JSON, tables [time][species]."""
    again = comparison.confirmation
    return {
        "names": list(comparison.names),
        "agrees": comparison.agrees,
        "nothing_happened": comparison.is_still,
        "bound": comparison.bound,
        "family_wise_error": comparison.family_wise_error,
        "trajectories": comparison.ours.trajectories,
        "times": comparison.times.tolist(),
        "species": list(comparison.species),
        "mean": [side.mean.tolist() for side in (comparison.ours, comparison.theirs)],
        "sd": [_table_data(side.deviation) for side in (comparison.ours, comparison.theirs)],
        "z": _table_data(comparison.z),
        "y": _table_data(comparison.y),
        "disagreements": [
            {
                "time": float(comparison.times[t]),
                "species": comparison.species[s],
                "of": ("mean", "variance")[which],
            }
            for which, t, s in np.argwhere(comparison.disagreement)
        ],
        "detectable": [
            {
                "species": d.species,
                "time": d.time,
                "mean": plain(d.mean),
                "sd": plain(d.deviation),
                "differing": plain(d.differing),
                "mean_range": [plain(v) for v in d.mean_range],
                "sd_range": [plain(v) for v in d.deviation_range],
            }
            for d in comparison.detectable
        ],
        "level": comparison.level,
        "tests": comparison.tests,
        "further": [family.as_dict(comparison.level) for family in comparison.families],
        "further_disagreements": [
            f"{family.name}: {family.of[i]}"
            for family in comparison.families
            for i in np.flatnonzero(comparison.further_disagreement[family.name])
        ],
        "left_out": list(comparison.left_out),
        "checked": comparison.checks.made,
        "impossible": list(comparison.impossible),
        "settings": dict(comparison.settings),
        "confirmation": None if again is None else comparison_data(again),
    }


def _table_data(table: NDArray[np.float64]) -> list[list[float | str | None]]:
    return [[plain(v) for v in row] for row in table.tolist()]
