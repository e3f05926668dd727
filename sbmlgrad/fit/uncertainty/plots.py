"""Pictures of uncertainty: one panel for each parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.fit.pictures.diagnostic_panels import draw_profile, draw_samples
from sbmlgrad.fit.pictures.plots import new_figure, save_figure
from sbmlgrad.fit.uncertainty.result import Uncertainty

#: Panels in a row.
COLUMNS = 3

#: Normal curves reach this many standard errors.
REACH = 4.0

#: Colour of the normal curve, and of what marks the value and the interval on it.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"


def plot_uncertainty(uncertainty: Uncertainty, path: str | Path | None = None) -> Any:
    """Draw one panel for each parameter: its profile, its samples, or else its normal curve.

    Args:
        uncertainty: of any method.
        path: file to write, or None.

    Returns:
        The figure.
    """
    ids = uncertainty.ids
    columns = min(len(ids), COLUMNS)
    figure, axes = new_figure(-(-len(ids) // columns), columns, 4.4, 3.4)
    for ax, id in zip(axes.flat, ids, strict=False):
        if uncertainty.method == "profile" and id in uncertainty.details:
            draw_profile(ax, uncertainty, id)
        elif "samples" in uncertainty.details:
            draw_samples(ax, uncertainty, id)
        else:
            _draw_normal(ax, uncertainty, id)
    for ax in list(axes.flat)[len(ids) :]:
        ax.set_visible(False)
    if path is not None:
        save_figure(figure, path)
    return figure


def _draw_normal(ax: Any, uncertainty: Uncertainty, id: str) -> None:
    """Draw the normal curve on the scale of the search, or say that there is none."""
    place = uncertainty.ids.index(id)
    value, error = float(uncertainty.values[place]), float(uncertainty.standard_errors[place])
    unit = uncertainty.units.get(id, "")
    ax.set_xlabel(f"{id} [{unit}]" if unit else id)
    ax.set_yticks([])
    ax.axvline(value, color=ORANGE, linestyle="--", linewidth=1.5)
    if not np.isfinite(error) or error <= 0.0:
        ax.set_title(f"{id}: no interval", fontsize=9)
        return
    z = np.linspace(-REACH, REACH, 201)
    is_logarithmic = bool(uncertainty.is_logarithmic[place])
    at = value * np.exp(z * error / value) if is_logarithmic else value + z * error
    ax.plot(at, np.exp(-0.5 * z**2), color=BLUE, linewidth=1.5)
    for end in uncertainty.interval(id):
        ax.axvline(end, color=GREY, linestyle=":", linewidth=1.0)
    ax.set_title(f"{id}: dotted, {100 * uncertainty.level:g} % interval", fontsize=9)
