"""Sizes of effects, seen or to be found, as text."""

from __future__ import annotations

import math

from sbmlgrad.referees.statistics.families import Family
from sbmlgrad.referees.statistics.power import Detectable


def effect_text(value: float, unit: str) -> str:
    """Return an effect or what could be found, in its unit."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "no size"
    return f"{100.0 * value:+.3g} %" if unit.startswith("relative") else f"{value:+.3g}"


def power_text(family: Family) -> str:
    """Return the range of what a family could have found."""
    known = family.detectable[family.detectable > 0.0]
    if not known.size:
        return "–"
    ends = [effect_text(float(v), family.unit).lstrip("+") for v in (known.min(), known.max())]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def mean_text(found: Detectable) -> str:
    """Return what a bias of a mean that could be found is called."""
    if not math.isnan(found.differing):
        return f"by other counts in {percent_text(found.differing)} of trajectories (none varied)"
    return f"{percent_text(found.mean)}{_range_text(found.mean_range)}"


def spread_text(found: Detectable) -> str:
    """Return what a bias of a standard deviation that could be found is called."""
    if not math.isnan(found.differing):
        return "likewise"
    return f"{percent_text(found.deviation)}{_range_text(found.deviation_range)}"


def _range_text(ends: tuple[float, float]) -> str:
    """Return the range over the times, where there is one."""
    low, high = map(percent_text, ends)
    return "" if math.isnan(ends[0]) or low == high else f" ({low} to {high} over the times)"


def percent_text(fraction: float) -> str:
    """Return what a bias that could be found is called."""
    if math.isnan(fraction):
        return "not compared"
    if fraction == 0.0:
        return "any size"
    return f"{100.0 * fraction:.3g} %" if math.isfinite(fraction) else "no size (too few)"
