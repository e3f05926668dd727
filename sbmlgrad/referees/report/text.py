"""Comparisons as text and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.referees.report.power_text import effect_text, mean_text, power_text, spread_text
from sbmlgrad.referees.report.rows import (
    SPECIES,
    VERDICT,
    columns,
    distances,
    p_text,
    p_values,
    rows,
)
from sbmlgrad.referees.statistics import sampled
from sbmlgrad.referees.statistics.compare import CONFIRMATION, POWER, Comparison
from sbmlgrad.referees.statistics.families import Family, plain

#: Family → what a verdict calls it; several may have one word.
KINDS = {
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


def comparison_text(comparison: Comparison, most: int) -> str:
    """Return verdict, table of the worst rows and what could have been found.

    Args:
        comparison: what to tell; the table is of its confirming run if there is one.
        most: rows of the table.
    """
    ours, theirs = comparison.names
    if comparison.is_still:
        return f"{ours} and {theirs}: {verdict(comparison)}"
    unit = f" {comparison.time_unit}" if comparison.time_unit else ""
    lines = [f"{ours} and {theirs}: {verdict(comparison)}", *(f"  {t}" for t in how(comparison))]
    lines += ["", *_table(comparison, most)]
    lines += ["", *_further(comparison)] if comparison.families else []
    lines += ["", *_detectable(comparison, unit)]
    lines += [f"  not compared: {what}" for what in comparison.left_out]
    return "\n".join(lines)


def how(comparison: Comparison) -> list[str]:
    """Return how much was compared, and by which bound, in sentences."""
    sides = "of ours" if comparison.is_exact else "of each"
    # What an exact answer leaves to chance has p-values that standard errors do not tell.
    moments = "" if comparison.is_exact else f"|z| or |y| above {comparison.bound:.2f}, or "
    lines = [
        f"{comparison.ours.trajectories} trajectories {sides}; a test disagrees where it has "
        f"{moments}p below {comparison.level:.2g} (family-wise error "
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
            f"{'some ' if family.is_partial else ''}{KINDS[family.name]}"
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


def _table(comparison: Comparison, most: int) -> list[str]:
    header = columns(comparison)
    found = rows(comparison, most)
    widths = [max(map(len, column)) for column in zip(header, *found, strict=True)]
    is_word = [name in (SPECIES, VERDICT) for name in header]
    lines = ["  " + _aligned(row, widths, is_word) for row in (header, *found)]
    left_out = comparison.z.size - len(found)
    if left_out:
        less = "larger p" if comparison.is_exact else "smaller |z| and |y|"
        lines.append(f"  and {left_out} rows with {less}")
    return lines


def _aligned(row: Sequence[str], widths: list[int], is_word: list[bool]) -> str:
    cells = [
        cell.ljust(width) if word else cell.rjust(width)
        for cell, width, word in zip(row, widths, is_word, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _detectable(comparison: Comparison, unit: str) -> list[str]:
    lines = [f"  with {POWER:.0%} chance this run finds, at the time that shows most, a bias of"]
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
        **{
            name: _table_data(values)
            for name, values in zip(("z", "y"), distances(comparison), strict=True)
        },
        "p": [_table_data(values) for values in p_values(comparison)]
        if comparison.is_exact
        else None,
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
