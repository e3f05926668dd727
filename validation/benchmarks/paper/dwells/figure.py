"""Figure of real records beside their schemes: trace, dwells, neighbours, ensemble, bursts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import BLACK, BLUE, ORANGE

from dwells.curves import NEIGHBOURS, OPEN_EDGES, SHUT_EDGES, SIZES, WINDOW
from dwells.report import shown
from dwells.statistics import COURSE, GAP
from dwells.work import done, latest, verdict_of

FloatArray = NDArray[np.float64]


def plot(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw every record with its chosen scheme and, lighter, the tied one of as many states."""
    from matplotlib.figure import Figure

    records = done(lines, kind="record")
    figure = Figure(figsize=(14.0, 8.4 * len(records)), layout="constrained")
    parts = figure.subfigures(len(records), 1, squeeze=False, hspace=0.03)[:, 0]
    for part, own in zip(parts, records, strict=True):
        models = shown(latest(lines, own["record"]))
        grid = part.subplots(2, 3).ravel()
        part.suptitle(
            f"{own['record']}, the half that was not fitted; lines and bands: median and 95 % of "
            "simulated halves (E, F: fitted again)",
            fontsize=13,
        )
        _trace(grid[0], own, models[0])
        _histogram(grid[1], own, models, "open", OPEN_EDGES)
        _histogram(grid[2], own, models, "shut", SHUT_EDGES)
        middles = np.sqrt(NEIGHBOURS[1:] * NEIGHBOURS[:-1])
        _curves(grid[3], own, models, "neighbours", middles)
        grid[3].set_title("D  opening before a shutting")
        grid[3].set_xlabel("length of the shutting, ms")
        grid[3].set_ylabel("mean opening, ms")
        _curves(grid[4], own, models, "later", COURSE)
        grid[4].set_title("E  ensemble aligned at openings")
        grid[4].set_xlabel("time after an opening began, ms")
        grid[4].set_ylabel("share of channels that are open")
        _curves(grid[5], own, models, "bursts", SIZES)
        grid[5].set_title(f"F  bursts (no shutting above {GAP:g} ms)")
        grid[5].set_xlabel("openings")
        grid[5].set_ylabel("share of bursts with at least so many")
        _to_the_last(grid[5], own)
        for axes in grid[1:]:
            axes.grid(alpha=0.3)
        grid[3].set_ylim(top=1.15 * grid[3].get_ylim()[1])
        for axes in grid[3:]:
            axes.legend(fontsize=9)
    figure.savefig(path, dpi=100)


def _trace(axes: Any, own: dict[str, Any], model: dict[str, Any]) -> None:
    drawn = (("record", own["trace"], BLACK, 1.4), (words_of(model), model["trace"], BLUE, 0.0))
    for name, dwells, colour, base in drawn:
        times = np.concatenate([[0.0], np.cumsum(dwells)])
        levels = base + np.append(np.arange(len(dwells)) % 2 == 0, False)
        axes.step(times, levels, where="post", color=colour, linewidth=0.9)
        axes.text(0.5, base + 1.07, name, color=colour, fontsize=10)
    axes.set_xlim(0.0, WINDOW)
    axes.set_ylim(-0.2, 2.8)
    axes.set_yticks([0.0, 1.0, 1.4, 2.4], ["shut", "open", "shut", "open"])
    axes.set_xlabel("ms")
    axes.set_title("A  record and simulation")


def words_of(line: dict[str, Any]) -> str:
    """Return a scheme in words, with the verdict on it."""
    verdict = verdict_of(line)
    opened, shut = verdict.states
    shares = "free" if verdict.is_free else "tied"
    rejected = ", rejected" if verdict.is_rejected else ""
    return f"{opened} open, {shut} shut states, {shares}{rejected}"


def _histogram(
    axes: Any, own: dict[str, Any], models: list[dict[str, Any]], name: str, edges: FloatArray
) -> None:
    counts = _numbers(own["curves"][name])
    axes.stairs(np.sqrt(counts), edges, fill=True, color="0.82", label="record")
    for line, style in _styled(models):
        low, middle, high = (np.sqrt(_numbers(row)) for row in line["curves"][name])
        centres = np.sqrt(edges[1:] * edges[:-1])
        axes.plot(centres, middle, label=words_of(line), **style)
        if line is models[0]:
            axes.fill_between(centres, low, high, color=BLUE, alpha=0.2, linewidth=0.0)
    axes.set_xscale("log")
    used = np.flatnonzero(counts)
    axes.set_xlim(edges[max(used[0] - 2, 0)], edges[min(used[-1] + 4, len(edges) - 1)])
    axes.set_ylim(0.0, 1.4 * np.sqrt(counts.max()))
    axes.legend(fontsize=9, loc="upper left")
    axes.set_xlabel("beyond the dead time, ms")
    axes.set_ylabel("√ dwells in a bin")
    axes.set_title(f"{'B' if name == 'open' else 'C'}  {name} dwells")


def _curves(
    axes: Any, own: dict[str, Any], models: list[dict[str, Any]], name: str, at: FloatArray
) -> None:
    for line, style in _styled(models):
        low, middle, high = (_numbers(row) for row in line["curves"][name])
        axes.plot(at, middle, label=words_of(line), **style)
        if line is models[0]:
            axes.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0.0)
    seen = _numbers(own["curves"][name])
    axes.plot(at, seen, "o", color=BLACK, markersize=4, label="record")
    axes.set_xscale("log")


def _to_the_last(axes: Any, own: dict[str, Any]) -> None:
    """Show shares of bursts on a logarithmic axis, as far as the record has any."""
    seen = _numbers(own["curves"]["bursts"])
    used = np.flatnonzero(seen > 0.0)
    axes.set_yscale("log")
    axes.set_ylim(0.5 * seen[used].min(), 1.3)
    axes.set_xlim(0.9, 1.15 * SIZES[min(used[-1] + 1, len(SIZES) - 1)])


def _styled(models: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    styles = ({"color": BLUE, "linewidth": 1.8}, {"color": ORANGE, "linewidth": 1.3, "alpha": 0.6})
    return list(zip(models, styles, strict=False))


def _numbers(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], np.float64)
