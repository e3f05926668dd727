"""Comparisons as text and as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sbmlgrad.referees.compare import CONFIRMATION, POWER, Comparison

_HEADER = ("time", "species", "mean ours", "theirs", "z", "sd ours", "theirs", "y", "")


def comparison_text(comparison: Comparison, rows: int) -> str:
    """Return verdict, table of the worst rows and what could have been found.

    Args:
        comparison: what to tell; the table is of its confirming run if there is one.
        rows: most rows of the table.
    """
    ours, theirs = comparison.names
    unit = f" {comparison.time_unit}" if comparison.time_unit else ""
    lines = [
        f"{ours} and {theirs}: {_verdict(comparison)}",
        f"  {comparison.ours.trajectories} trajectories of each; |z| and |y| up to "
        f"{comparison.bound:.2f} agree "
        f"(family-wise error {comparison.family_wise_error:g}, {2 * comparison.z.size} tests)",
    ]
    again = comparison.confirmation
    if again is not None:
        found = int(comparison.exceeding.sum())
        lines.append(
            f"  {found} of these tests exceeded the bound and were repeated with {CONFIRMATION} "
            f"times the trajectories; {int(comparison.disagreement.sum())} did so again"
        )
    lines += ["", *_table(comparison, rows), "", *_detectable(comparison, unit)]
    return "\n".join(lines)


def _verdict(comparison: Comparison) -> str:
    if comparison.agrees:
        return "means and variances agree"
    found = comparison.disagreement
    what = [("means", "variances")[i] for i in range(2) if found[i].any()]
    named = ", ".join(s for i, s in enumerate(comparison.species) if found[:, :, i].any())
    return f"{' and '.join(what)} of {named} DISAGREE"


def worst(comparison: Comparison, rows: int) -> list[tuple[int, int]]:
    """Return (time, species) places, by the larger of |z| and |y|, disagreement first.

    Args:
        comparison: the comparison.
        rows: most places to return.
    """
    shown = comparison.confirmation or comparison
    size = np.maximum(np.abs(shown.z), np.abs(shown.y))
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
                *(f"{side.deviation[t, s]:.6g}" for side in numbers),
                f"{shown.y[t, s]:+.2f}",
                "disagrees" if is_bad else "",
            )
        )
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEADER))]
    lines = ["  " + _aligned(row, widths) for row in table]
    left_out = comparison.z.size - (len(table) - 1)
    if left_out:
        lines.append(f"  and {left_out} rows with smaller |z| and |y|")
    return lines


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
            f"    {found.species} at {found.time:g}{unit}: mean {_percent(found.mean)}, "
            f"sd {_percent(found.deviation)}"
        )
    return lines


def _percent(fraction: float) -> str:
    if fraction == 0.0:
        return "any size"
    return f"{100.0 * fraction:.3g} %" if math.isfinite(fraction) else "no size (too few)"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data for JSON, tables [time][species]."""
    again = comparison.confirmation
    return {
        "names": list(comparison.names),
        "agrees": comparison.agrees,
        "bound": comparison.bound,
        "family_wise_error": comparison.family_wise_error,
        "trajectories": comparison.ours.trajectories,
        "times": comparison.times.tolist(),
        "species": list(comparison.species),
        "mean": [side.mean.tolist() for side in (comparison.ours, comparison.theirs)],
        "sd": [side.deviation.tolist() for side in (comparison.ours, comparison.theirs)],
        "z": [[_finite(v) for v in row] for row in comparison.z.tolist()],
        "y": [[_finite(v) for v in row] for row in comparison.y.tolist()],
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
                "mean": _finite(d.mean),
                "sd": _finite(d.deviation),
            }
            for d in comparison.detectable
        ],
        "settings": dict(comparison.settings),
        "confirmation": None if again is None else comparison_data(again),
    }


def _finite(value: float) -> float | str:
    # JSON has no infinity.
    return value if math.isfinite(value) else str(value)
