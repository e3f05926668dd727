"""Draws a check: bias, noise and error of every estimator, and the sweep over temperature."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sbmlgrad.gradients.straight_through import StraightThrough
from sbmlgrad.pages.figure import save_figure

if TYPE_CHECKING:
    from sbmlgrad.gradients.check.measurement import Measured
    from sbmlgrad.gradients.check.result import GradientCheck

#: Okabe & Ito 2008, distinguishable with any colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"

#: Whether biases are resolved from zero → how their points are filled, and what they are called.
_BIASES = (
    (True, ORANGE, "bias ± 2 standard errors"),
    (False, "white", "bias ± 2 standard errors, not resolved"),
)

#: Relative errors below this are drawn at the left edge.
SMALLEST = 1e-5


def plot_check(check: GradientCheck, path: str | Path | None = None) -> Any:
    """Draw a check; see `GradientCheck.plot`."""
    # The object interface needs no display and leaves the user's pyplot state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sweep = [
        (float(row.estimator.temperature), row)
        for row in check.rows
        if type(row.estimator) is StraightThrough and row.gradients is not None
    ]
    has_sweep = len(sweep) > 1
    height = 1.9 + 0.34 * max(len(check.ranking), 6) + 0.2 * bool(check.why_no_sweep)
    figure = Figure(figsize=(14.0 if has_sweep else 9.5, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(
        1, 2 if has_sweep else 1, squeeze=False, width_ratios=[2.2, 1.0][: 1 + has_sweep]
    )
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25, linewidth=0.6)
    _draw_estimators(axes[0, 0], check)
    if has_sweep:
        _draw_sweep(axes[0, 1], sorted(sweep, key=lambda pair: pair[0]), check.intended)
    figure.suptitle(
        f"{check.model}: gradient of the {check.statistic} in {_shortened(check.free)}\n"
        f"reference: {check.reference.words}",
        fontsize=10,
    )
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        columnspacing=1.2,
        frameon=False,
        fontsize=9,
    )
    if path is not None:
        save_figure(figure, path)
    return figure


def _draw_estimators(ax: Any, check: GradientCheck) -> None:
    order = list(check.ranking)
    rows = [one.row for one in order]
    places = np.arange(len(rows))[::-1]
    noise = [row.noise / math.sqrt(check.intended) for row in rows]
    errors = [one.error for one in order]
    for place, error in zip(places, errors, strict=True):
        ax.plot([SMALLEST / 10, _shown(error)], [place, place], color=GREY, alpha=0.15, linewidth=9)
    for is_resolved, face, label in _BIASES:
        chosen = [i for i, row in enumerate(rows) if row.is_resolved is is_resolved]
        if not chosen:
            continue
        biases = np.array([_shown(rows[i].bias) for i in chosen])
        reach = np.array([2.0 * rows[i].bias_error for i in chosen])
        low = np.minimum(reach, biases - SMALLEST / 10)
        ax.errorbar(
            biases,
            places[chosen],
            xerr=[np.maximum(low, 0.0), reach],
            fmt="o",
            color=ORANGE,
            markerfacecolor=face,
            markersize=6,
            linewidth=1.4,
            capsize=2.5,
            label=label,
        )
    shown = [_shown(value) for value in noise]
    label = f"noise of a gradient from {check.intended:,} trajectories"
    ax.plot(shown, places, "d", color=BLUE, markersize=6, label=label)
    shown = [_shown(value) for value in errors]
    ax.plot(shown, places, "|", color="black", markersize=14, markeredgewidth=2, label="error")
    ax.set_xscale("log")
    values = [*noise, *errors, *(row.bias + 2.0 * row.bias_error for row in rows), 1e-2]
    ax.set_xlim(max(0.3 * min(_shown(v) for v in [*noise, *errors]), SMALLEST), 1.6 * max(values))
    ax.xaxis.set_major_formatter(lambda value, _: f"{100.0 * value:g} %")
    ax.set_yticks(places, [row.name for row in rows], fontsize=9)
    if rows:
        ax.get_yticklabels()[0].set_fontweight("bold")
    ax.set_xlabel("relative to the size of the gradient")
    refused = len(check.refusals)
    title = "best first" + (f"; {refused} refused, see the table" if refused else "")
    if check.why_no_sweep:
        title += f"\n{check.why_no_sweep}"
    ax.set_title(title, fontsize=10)


def _draw_sweep(ax: Any, sweep: list[tuple[float, Measured]], intended: int) -> None:
    # Evenly spaced, because 0 has no place on a logarithmic axis.
    places = np.arange(len(sweep))
    rows = [row for _, row in sweep]
    biases = np.array([_shown(row.bias) for row in rows])
    reach = np.array([2.0 * row.bias_error for row in rows])
    low = np.maximum(np.minimum(reach, biases - SMALLEST / 10), 0.0)
    ax.plot(places, biases, color=ORANGE, linewidth=1.4)
    for is_resolved, face, label in _BIASES:
        chosen = [i for i, row in enumerate(rows) if row.is_resolved is is_resolved]
        if not chosen:
            continue
        ax.errorbar(
            places[chosen],
            biases[chosen],
            yerr=[low[chosen], reach[chosen]],
            fmt="o",
            color=ORANGE,
            markerfacecolor=face,
            linewidth=1.4,
            capsize=2.5,
            label=label,
        )
    noise = [_shown(row.noise / math.sqrt(intended)) for row in rows]
    ax.plot(places, noise, "d--", color=BLUE, linewidth=1.2)
    ax.set_yscale("log")
    ax.set_ylim(bottom=0.3 * min([*noise, *biases]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{100.0 * value:g} %")
    ax.set_xticks(places, [f"{temperature:g}" for temperature, _ in sweep])
    ax.set_xlabel("temperature")
    ax.set_title("StraightThrough", fontsize=10)


def _shown(value: float) -> float:
    return max(value, SMALLEST)


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:7])}, … {names[-1]}"
