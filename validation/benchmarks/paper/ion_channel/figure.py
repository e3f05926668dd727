"""Figure of the paper's ion channel, on sweeps simulated from the published rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from paper_records import BLACK, BLUE, GREEN, ORANGE, PINK, SKY

from ion_channel.errors import of_one_sweep
from ion_channel.exact import mean_open
from ion_channel.fits import Fit
from ion_channel.report import PUBLISHED
from ion_channel.sweeps import CHANNELS, EDGES, SWEEPS, Sweeps, simulate_sweeps, truth
from ion_channel.tables import NAMES, WORDS, groups

COLOURS = dict(
    zip(WORDS, (BLACK, GREEN, "#E69F00", ORANGE, "#8C564B", SKY, BLUE, PINK), strict=True)
)

#: Limits of rate over truth; what lies beyond is drawn at the edge with its value beside it.
RATIOS = ((0.55, 1.9), (0.25, 7.0), (0.8, 1.25))


def plot(fits: Sequence[Fit], path: Path) -> None:
    """Draw sweeps, means, descents, rates and R²; the bottom row shares its methods."""
    from matplotlib.figure import Figure

    found = groups(fits, SWEEPS)
    if not found:
        return
    figure = Figure(figsize=(14.0, 9.0), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(1.0, 1.05))
    above, below = halves
    seed = min(fit.seed for _, _, own in found for fit in own)
    sweeps = simulate_sweeps(seed, SWEEPS)
    top = above.subplots(1, 3)
    show_sweeps(top[0], sweeps)
    _means(top[1], found, sweeps, seed)
    _descents(top[2], found, seed)
    bottom = below.subplots(1, 4, sharey=True)
    for column, axes in enumerate(bottom[:3]):
        _rates(axes, found, column)
    _quality(bottom[3], found)
    labels = [
        WORDS[method].replace(", ", "\n", 1) + (f"\n{setting[0]:,} trajectories" * bool(setting[0]))
        for method, setting, _ in found
    ]
    bottom[0].set_yticks(range(len(found)), labels, fontsize=8)
    bottom[0].set_ylim(len(found) - 0.4, -0.6)
    # A descent need not end at the best fit, and then it scatters otherwise.
    bar = "± standard error of the best fit"
    bottom[0].set_title(f"D  Rates, a dot a seed (arrows: beyond the axis); bar: {bar}", loc="left")
    figure.suptitle("Ion channel, two channels; all sweeps simulated from the published rates")
    figure.savefig(path, dpi=130)


def show_sweeps(axes: Any, sweeps: Sweeps) -> None:
    """Draw the first eight sweeps, one above the other."""
    assert sweeps.opened is not None
    for row, sweep in enumerate(sweeps.opened[:8]):
        axes.step(EDGES[:-1], 0.35 * sweep + row, where="post", color=BLACK, linewidth=0.9)
    shown = min(8, len(sweeps.opened))
    axes.set_yticks(range(shown), [str(i + 1) for i in range(shown)])
    axes.set(xlabel="time, ms", ylabel="sweep")
    axes.set_title("A  Eight sweeps: none, one or two open")


def _means(axes: Any, found: Sequence[Any], sweeps: Sweeps, seed: int) -> None:
    middles = 0.5 * (EDGES[1:] + EDGES[:-1])
    axes.plot(middles, sweeps.means, color="0.65", linewidth=1.0, label=f"{SWEEPS} sweeps")
    styles = {"published rates": ":", "maximum likelihood": "-", "openings": "--", "mean": "-."}
    for method, _, own in found:
        for fit in own:
            if fit.seed == seed and method in styles:
                curve = mean_open(np.array(fit.rates), EDGES, CHANNELS)
                colour, style = COLOURS[method], styles[method]
                axes.plot(middles, curve, style, color=colour, linewidth=1.6, label=WORDS[method])
    axes.set(xlabel="time, ms", ylabel="mean open channels", ylim=(0.0, 0.85))
    axes.set_title(f"B  Means, seed {seed}")
    axes.legend(fontsize=7, loc="upper right")
    axes.grid(alpha=0.3)


def _descents(axes: Any, found: Sequence[Any], seed: int) -> None:
    fits = [fit for method, _, own in found if method == "openings" for fit in own]
    for fit in [fit for fit in fits if fit.seed == seed][:1]:
        trace = np.array(fit.trace)
        epochs = np.arange(len(trace)) * fit.trace_every
        for column, colour in enumerate((BLUE, ORANGE, GREEN)):
            axes.plot(epochs, trace[:, column], color=colour, label=NAMES[column])
            axes.axhline(truth()[column], color=colour, linestyle=":", linewidth=1.0)
    axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="rate, 1/ms")
    axes.set_title(f"C  Descent by openings, seed {seed} (dotted: truth)")
    if axes.lines:
        axes.legend(fontsize=8, loc="center right")
    axes.grid(alpha=0.3)


def _rates(axes: Any, found: Sequence[Any], column: int) -> None:
    low, high = RATIOS[column]
    errors = of_one_sweep()
    for row, (method, _, own) in enumerate(found):
        if method not in errors:
            continue
        colour = COLOURS[method]
        # Of log rates: the bar is as wide on both sides.
        half = np.exp(errors[method][column] / np.sqrt(SWEEPS))
        axes.barh(row, half - 1 / half, left=1 / half, height=0.62, color=colour, alpha=0.18)
        ratios = np.array([fit.rates[column] for fit in own]) / truth()[column]
        inside = (ratios >= low) & (ratios <= high)
        axes.plot(ratios[inside], np.full(inside.sum(), row), "o", color=colour, markersize=5)
        for is_low, beyond in ((True, ratios[ratios < low]), (False, ratios[ratios > high])):
            if not beyond.size:
                continue
            edge = low * 1.02 if is_low else high / 1.02
            axes.plot(edge, row, "<" if is_low else ">", color=colour, markersize=6, clip_on=False)
            axes.annotate(
                ", ".join(f"{ratio:.2g}" for ratio in beyond),
                (edge, row),
                xytext=(0, 7),
                textcoords="offset points",
                ha="left" if is_low else "right",
                fontsize=8,
                color=colour,
            )
    axes.axvline(1.0, color="0.3", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [t for t in (0.25, 0.5, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 4.0) if low < t < high]
    if high > 3.0:
        ticks = [0.25, 0.5, 1.0, 2.0, 4.0]
    elif low < 0.7:
        ticks = [0.6, 0.8, 1.0, 1.2, 1.5]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"{NAMES[column]} / truth")
    axes.grid(alpha=0.3, axis="x")


def _quality(axes: Any, found: Sequence[Any]) -> None:
    for row, (method, _, own) in enumerate(found):
        r2 = np.array([fit.quality[0] for fit in own])
        inside = r2 >= 0.9
        axes.plot(r2[inside], np.full(inside.sum(), row), "o", color=COLOURS[method], markersize=5)
        if not inside.all():
            beyond = ", ".join(f"{value:.2g}" for value in r2[~inside])
            axes.plot(0.901, row, "<", color=COLOURS[method], markersize=6)
            axes.annotate(beyond, (0.903, row + 0.1), fontsize=8, color=COLOURS[method])
    axes.axvline(PUBLISHED[0], color=BLACK, linestyle="--", linewidth=1.0)
    axes.set(xlim=(0.9, 1.0), xlabel=f"R² of the mean (dashed: published {PUBLISHED[0]})")
    axes.set_title("E  R², a dot a seed")
    axes.grid(alpha=0.3, axis="x")
