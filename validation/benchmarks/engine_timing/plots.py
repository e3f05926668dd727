"""The results as figures: log–log lines of three axes, and bars of first results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine_timing.axes import Results, Start
from engine_timing.measure import Comparison, Measured

#: Axis → (what varies, its label, the value of a job).
_LINES: dict[str, tuple[str, Callable[[Comparison], float]]] = {
    "grid": ("output times of a trajectory", lambda job: job.model.points),
    "ensemble": ("trajectories of a call", lambda job: job.trajectories or 0),
    "sizes": ("reactions of the network", lambda job: len(job.model.reactions)),
}

#: Ours in colours that colour-blind readers can tell apart (Okabe and Ito), peers in greys.
_COLOURS = {
    True: ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442"),
    False: ("#222222", "#999999", "#555555", "#bbbbbb", "#777777", "#333333"),
}
_MARKERS = "osD^vPX"


def plots(results: Results, folder: Path) -> list[Path]:
    """Draw what was measured.

    Args:
        results: of the axes that ran.
        folder: for the PNG files.

    Returns:
        The files written.
    """
    written = []
    for axis, (label, place) in _LINES.items():
        jobs = results.axes.get(axis, [])
        if any(entry.speed for job in jobs for entry in job.entries):
            written.append(_lines(axis, label, place, jobs, folder / f"throughput_{axis}.png"))
    if any(s.first_s for s in results.starts):
        written.append(_bars(results.starts, folder / "throughput_start.png"))
    return written


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _lines(
    axis: str,
    label: str,
    place: Callable[[Comparison], float],
    jobs: Sequence[Comparison],
    path: Path,
) -> Path:
    figure, axes = _axes(8.5, 5.0)
    entries = {e.contender: e for job in jobs for e in job.entries}
    numbers = {True: 0, False: 0}
    for name, entry in entries.items():
        points = [
            (place(job), e) for job in jobs for e in job.entries if e.contender == name and e.speed
        ]
        if not points:
            continue
        rank = numbers[entry.is_ours]
        numbers[entry.is_ours] += 1
        _line(axes, axis, entry, points, rank)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(label)
    if axis == "sizes":
        axes.set_ylabel("processor time of a firing [ns]")
    else:
        axes.set_ylabel("firings per second of processor time")
    axes.grid(which="major", alpha=0.4)
    axes.grid(which="minor", alpha=0.12)
    model = jobs[0].model
    name = "sparse networks" if axis == "sizes" else f"{model.title} to t = {model.end:g}"
    axes.set_title(f"{name}, one core")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    figure.savefig(path, dpi=150)
    return path


def _line(
    axes: Any, axis: str, entry: Measured, points: Sequence[tuple[float, Measured]], rank: int
) -> None:
    per_firing = axis == "sizes"
    colours = _COLOURS[entry.is_ours]

    def shown(speeds: Sequence[float]) -> tuple[float, float, float]:
        values = [1e9 / s for s in speeds] if per_firing else list(speeds)
        middle = statistics.median(values)
        return middle, middle - min(values), max(values) - middle

    middles, below, above = zip(*(shown(e.speeds()) for _, e in points), strict=True)
    axes.errorbar(
        [x for x, _ in points],
        middles,
        yerr=(below, above),
        label=entry.title,
        color=colours[rank % len(colours)],
        marker=_MARKERS[rank % len(_MARKERS)],
        markersize=5.5,
        # Told apart by the line and the filling too, not by colour alone.
        linestyle="-" if entry.is_ours else "--",
        markerfacecolor=None if entry.is_ours else "white",
        linewidth=1.6,
        capsize=2,
    )


def _bars(starts: Sequence[Start], path: Path) -> Path:
    shown = [s for s in starts if s.first_s]
    figure, axes = _axes(8.5, 1.2 + 0.45 * len(shown))
    kinds = (
        ("first process (nothing kept)", [s.first_s for s in shown], -0.2, "#0072B2"),
        ("later process (kernels kept)", [s.later_s for s in shown], 0.2, "#E69F00"),
    )
    for label, samples, shift, colour in kinds:
        bars = [(i, statistics.median(v)) for i, v in enumerate(samples) if v]
        # A peer has one bar, in the middle of its row.
        places = [i + (shift if shown[i].later_s else 0.0) for i, _ in bars]
        drawn = axes.barh(places, [s for _, s in bars], 0.38, label=label, color=colour)
        axes.bar_label(drawn, fmt="%.2g s", padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), [s.title for s in shown])
    axes.invert_yaxis()
    # Room for the number behind the longest bar.
    axes.set_xlim(0.0, 1.05 * axes.get_xlim()[1])
    axes.set_xlabel("wall-clock time from the start of a process to its first result [s]")
    axes.set_title("First result: oscillator, 10 trajectories to t = 20")
    axes.grid(axis="x", which="major", alpha=0.4)
    axes.set_axisbelow(True)
    if any(s.later_s for s in shown):
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(path, dpi=150)
    return path
