"""Draws a comparison: mean ± standard deviation of both sides over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.pages.figure import save_figure
from sbmlgrad.referees.statistics.compare import Comparison

#: Okabe & Ito 2008, distinguishable with any colour vision.
OURS, THEIRS, FAULT = "#0072B2", "#000000", "#D55E00"

#: Panels side by side; more would be too small to read on a page.
COLUMNS = 3

#: Points of the other side that a panel shows; more would merge into a band.
POINTS = 25


def draw_comparison(comparison: Comparison, path: str | Path) -> None:
    """Draw our mean with a band of ± one standard deviation, theirs as points with bars.

    Where more than `POINTS` times were compared, only every second, third, ... point of the other
    side is drawn; every time of disagreement is marked.

    Args:
        comparison: what to draw; its confirming run if there is one.
        path: image file; the suffix says which format.

    Raises:
        WriteError: the file cannot be written.
    """
    # The object interface needs no display and leaves the user's pyplot state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    number = len(comparison.species)
    columns = min(number, COLUMNS)
    rows = -(-number // columns)
    # matplotlib's types know neither legend entries of several artists nor settings of a layout.
    figure: Any = Figure(figsize=(max(4.2 * columns, 6.5), 3.2 * rows + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    legend: dict[str, tuple[Any, ...]] = {}
    for s in range(number):
        legend |= draw_panel(axes[s], comparison, s)
    for panel in axes[number:]:
        panel.set_axis_off()
    for place, panel in enumerate(axes[:number]):
        is_low = place >= number - columns
        panel.tick_params(labelbottom=is_low)
        if not is_low:
            panel.set_xlabel("")
    figure.legend(
        list(legend.values()),
        list(legend),
        loc="outside upper center",
        ncols=1 if columns == 1 else 3,
        frameon=False,
    )
    save_figure(figure, path, dpi=150)


def draw_panel(
    panel: Any, comparison: Comparison, s: int, theirs_colour: str = THEIRS
) -> dict[str, tuple[Any, ...]]:
    """Draw one species; return label → what the legend shows for it.

    Args:
        panel: axes.
        comparison: what to draw; its confirming run if there is one.
        s: place of the species.
        theirs_colour: of the other side.
    """
    shown = comparison.confirmation or comparison
    times = comparison.times
    ours, theirs = shown.ours, shown.theirs
    mean, deviation = ours.mean[:, s], ours.deviation[:, s]
    band = panel.fill_between(
        times, mean - deviation, mean + deviation, color=OURS, alpha=0.2, linewidth=0
    )
    # A line through one point would not show.
    marker = "s" if len(times) == 1 else None
    (line,) = panel.plot(times, mean, color=OURS, linewidth=1.5, marker=marker)
    kept = slice(None, None, -(-len(times) // POINTS))
    points = panel.errorbar(
        times[kept],
        theirs.mean[kept, s],
        # Where only means are known there is nothing to draw bars from.
        yerr=None if np.isnan(theirs.deviation).any() else theirs.deviation[kept, s],
        fmt="o",
        markersize=3.5,
        color=theirs_colour,
        elinewidth=0.8,
        capsize=2,
    )
    panel.set_title(comparison.species[s], fontsize=10)
    panel.set_xlabel("time" + (f" [{comparison.time_unit}]" if comparison.time_unit else ""))
    panel.set_ylabel("molecules")
    panel.spines[["top", "right"]].set_visible(False)
    name, other = comparison.names
    other_label = f"{other}: mean ± sd ({theirs.trajectories} trajectories)"
    if comparison.is_exact:
        other_label = f"{other}: exact mean" + ("" if np.isnan(shown.y).all() else " ± sd")
    legend: dict[str, tuple[Any, ...]] = {
        f"{name}: mean ± sd ({ours.trajectories} trajectories)": (band, line),
        other_label: (points,),
    }
    bad = comparison.disagreement[:, :, s].any(axis=0)
    if bad.any():
        # Below the data, in units of the axis, where nothing is hidden by them.
        (marks,) = panel.plot(
            times[bad],
            np.full(int(bad.sum()), 0.015),
            "^",
            color=FAULT,
            markersize=5,
            transform=panel.get_xaxis_transform(),
            clip_on=False,
        )
        panel.margins(y=0.12)
        legend["mean or variance disagrees"] = (marks,)
    return legend
