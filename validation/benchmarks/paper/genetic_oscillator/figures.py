"""Figures of the oscillator, like the paper's: courses, errors, trajectories, cycles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import BLACK, BLUE, GREEN, ORANGE, PINK

from genetic_oscillator.fits import MODES
from genetic_oscillator.model import EMERGENT, FREE, PUBLISHED, Run, stream
from genetic_oscillator.periods import BEFORE, aligned, cycles_of, simulate_r
from genetic_oscillator.report import SEEDS, of_mode, pooled

FloatArray = NDArray[np.float64]

COLOURS = (BLUE, ORANGE, GREEN, PINK, BLACK)

#: Cells behind distributions, and hours that they are followed.
CELLS, END = 200, 350.0

#: Hours of trajectories that are drawn, and cells.
DRAWN, LINES = 150.0, 3

#: Molecules between the lines of two cells, and of the bar that is drawn beside them.
UNIT, BAR = 2_000.0, 1_000.0

#: Hours before and after a cycle begins.
ALIGNED = (-5.0, 30.0)


def plot_courses(runs: Sequence[Run], path: Path) -> None:
    """Draw parameters over steps, and errors of each parameter, one row a mode."""
    from matplotlib.figure import Figure

    names = [name for name in MODES if of_mode(runs, name)]
    figure = Figure(figsize=(12.0, 4.2 * len(names)), layout="constrained")
    grid = figure.subplots(len(names), 2, squeeze=False)
    for row, name in zip(grid, names, strict=True):
        own = of_mode(runs, name)
        _course(row[0], own)
        _errors(row[1], own)
    figure.savefig(path, dpi=130)


def _course(axes: Any, own: Sequence[Run]) -> None:
    for run in own:
        trace = np.array(run.trace)
        # Runs that needed more steps over one period are longer.
        to_the_end = np.arange(1 - len(trace), 1)
        for place, id in enumerate(FREE):
            label = id if run is own[0] else None
            colour = COLOURS[place]
            axes.plot(to_the_end, trace[:, place], color=colour, alpha=0.75, lw=1.2, label=label)
    axes.axvspan(1 - own[0].settings["averaged"], 0, color="0.9", label="median taken")
    axes.axhline(1.0, color="0.3", lw=0.8)
    axes.set_yscale("log")
    ticks = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    shown = np.concatenate([np.ravel(run.trace) for run in own])
    axes.set_ylim(min(0.45, 0.9 * shown.min()), max(2.2, 1.1 * shown.max()))
    axes.minorticks_off()
    axes.set_xlabel("step, counted from the end")
    axes.set_ylabel("parameter / truth")
    axes.set_title(f"{MODES[own[0].mode].words}: {_counted(len(own), 'run')}", fontsize=10)
    axes.legend(fontsize=8, ncols=2)
    axes.grid(alpha=0.3)


def _errors(axes: Any, own: Sequence[Run]) -> None:
    errors = 100.0 * np.array([run.errors for run in own])
    spots = np.linspace(-0.2, 0.2, len(own)) if len(own) > 1 else np.zeros(1)
    is_further = np.array([run.seed not in SEEDS for run in own])
    for place in range(len(FREE)):
        noise = 100.0 * np.array([run.noise[place] for run in own])
        for some, fill in ((~is_further, None), (is_further, "white")):
            axes.errorbar(
                (place + spots)[some],
                errors[some, place],
                noise[some],
                **{"fmt": "o", "ms": 4, "lw": 1, "color": COLOURS[place], "mfc": fill},
            )
    if is_further.any():
        axes.plot([], [], "o", ms=4, color="0.4", mfc="white", label="further seeds")
    if len(own) > 1:
        axes.plot(range(len(FREE)), 100 * pooled(own), "D", mfc="none", color=BLACK)
        axes.plot([], [], "D", mfc="none", color=BLACK, label="median over runs")
    band = 100.0 * PUBLISHED[0]
    axes.axhspan(-band, band, color="0.93", label=f"± the published MAPE of {band:.2f} %")
    axes.axhline(0.0, color="0.3", lw=0.8)
    axes.set_xticks(range(len(FREE)), FREE)
    axes.set_ylabel("error, %")
    axes.set_title("Error of each parameter, a dot a run (± standard error)", fontsize=10)
    # Room for the legend.
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.2 * (high - low))
    axes.legend(fontsize=8, loc="upper center", ncols=2)
    axes.grid(alpha=0.3, axis="y")


def plot_cycles(runs: Sequence[Run], path: Path, threads: int) -> None:
    """Draw trajectories, mean courses, periods and amplitudes, learned beside true.

    Learned values are those of the first run of each mode.
    """
    from matplotlib.figure import Figure

    chosen = [of_mode(runs, name)[0] for name in MODES if of_mode(runs, name)]
    key = stream(0, EMERGENT)
    seen = [("truth", *simulate_r(None, CELLS, END, key, threads))]
    for place, run in enumerate(chosen):
        logarithms = np.log(np.array(run.values))
        found = simulate_r(logarithms, CELLS, END, key + 1 + place, threads)
        seen.append((f"{run.mode}, seed {run.seed}", *found))
    colours = (BLACK, *COLOURS)
    figure = Figure(figsize=(13.0, 8.0), layout="constrained")
    panels = figure.subplot_mosaic("AAABBB;CCDDEE")
    _trajectories(panels["A"], seen, colours)
    _means(panels["B"], seen, colours)
    _aligned(panels["C"], seen, colours)
    found = [(name, cycles_of(times, r, BEFORE)) for name, times, r in seen]
    for axes, field, title, label in (
        (panels["D"], "periods", "Periods", "hours"),
        (panels["E"], "amplitudes", "Amplitudes", "most molecules of R in a cycle"),
    ):
        _distribution(axes, [(name, getattr(one, field)) for name, one in found], colours)
        axes.set_title(f"{title}: mean ± standard deviation over cycles", fontsize=10)
        axes.set_xlabel(label)
    figure.savefig(path, dpi=130)


def _trajectories(axes: Any, seen: Sequence[Any], colours: Sequence[str]) -> None:
    ticks = []
    for place, ((_, times, r), colour) in enumerate(zip(seen, colours, strict=False)):
        shown = times <= DRAWN
        ticks.append(-place * LINES - (LINES - 1) / 2.0)
        for cell in range(LINES):
            low = -place * LINES - cell
            axes.plot(times[shown], r[cell, shown] / UNIT + low, color=colour, lw=0.8)
    axes.set_yticks(ticks, [name.replace(", ", "\n") for name, _, _ in seen])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time, hours")
    axes.plot([-4.0, -4.0], [0.0, BAR / UNIT], color=BLACK, lw=2.5)
    axes.set_title(f"R in single cells, {LINES} each; bar: {BAR:,.0f} molecules", fontsize=10)


def _aligned(axes: Any, seen: Sequence[Any], colours: Sequence[str]) -> None:
    for place, ((name, times, r), colour) in enumerate(zip(seen, colours, strict=False)):
        since, mean = aligned(times, r, BEFORE, ALIGNED)
        axes.plot(since, mean, color=colour, lw=1.6, ls="--" if place else "-", label=name)
    axes.set_xlabel("hours since a cycle began")
    axes.set_ylabel("mean molecules of R")
    axes.set_title("Mean cycle, aligned", fontsize=10)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _means(axes: Any, seen: Sequence[Any], colours: Sequence[str]) -> None:
    for place, ((name, times, r), colour) in enumerate(zip(seen, colours, strict=False)):
        shown = times <= DRAWN
        mean, error = r.mean(axis=0)[shown], r.std(axis=0)[shown] / np.sqrt(len(r))
        axes.fill_between(times[shown], mean - error, mean + error, color=colour, alpha=0.25, lw=0)
        axes.plot(times[shown], mean, color=colour, lw=1.4, ls="--" if place else "-", label=name)
    axes.set_xlabel("time, hours")
    axes.set_ylabel("mean molecules of R")
    axes.set_title(f"Means of {CELLS} cells ± standard error", fontsize=10)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _distribution(axes: Any, found: Sequence[Any], colours: Sequence[str]) -> None:
    edges = np.histogram_bin_edges(np.concatenate([values for _, values in found]), 30)
    for place, ((name, values), colour) in enumerate(zip(found, colours, strict=False)):
        axes.hist(
            values,
            edges,
            density=True,
            histtype="step" if place else "stepfilled",
            color=colour,
            alpha=1.0 if place else 0.25,
            lw=1.6,
            label=f"{name}: {values.mean():.4g} ± {values.std():.3g}",
        )
    # Room for the legend.
    axes.set_ylim(0.0, 1.35 * axes.get_ylim()[1])
    axes.set_ylabel("density")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
