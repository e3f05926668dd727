"""Noise of the gradient from one trajectory, against temperature and against the regime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradient_timing.tables import title
from gradient_timing.variance import Row, Study

#: Colours that colour-blind readers can tell apart (Okabe and Ito).
_STYLES = {
    "StraightThrough(1)": ("#D55E00", "o", "-"),
    "StraightThrough(0.1)": ("#E69F00", "s", "-"),
    "StraightThrough(0)": ("#CC79A7", "D", "-"),
    "TwoSidedAdjoint": ("#0072B2", "^", "--"),
    "Adjoint": ("#56B4E9", "v", "--"),
    "CoupledDifference": ("#009E73", "P", ":"),
    "ScoreFunction": ("#222222", "X", ":"),
    "FittedValue": ("#F0E442", "*", "-."),
    "FiniteDifference": ("#7F7F7F", "d", "-."),
}

_AXES = {"k_off": "k_off (free molecules are scarcer to the left)", "horizon": "horizon"}


def plot(study: Study, path: Path) -> None:
    """Draw one column a model: above by temperature, below by regime; both log–log.

    Args:
        study: what was measured.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(row.case.model for row in study.rows))
    figure = Figure(figsize=(5.2 * len(models), 8.4), layout="constrained")
    grid = figure.subplots(2, len(models), squeeze=False)
    for column, model in enumerate(models):
        rows = [row for row in study.rows if row.case.model == model and not row.message]
        _by_temperature(grid[0, column], rows)
        _by_regime(grid[1, column], rows)
    handles: dict[str, Any] = {}
    for axes in grid.flat:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=9)
    figure.savefig(path, dpi=150)


def _by_temperature(axes: Any, rows: Sequence[Row]) -> None:
    numbers = {row.case.at: sum(r.case == row.case for r in rows) for row in rows}
    at = max(numbers, key=lambda a: numbers[a])
    own = [row for row in rows if row.case.at == at]
    warm = [r for r in own if r.temperature]
    axes.plot(
        [r.temperature for r in warm],
        [r.noise for r in warm],
        color="#D55E00",
        marker="o",
        label="StraightThrough(temperature)",
    )
    for row in (r for r in own if not r.temperature):
        colour, _, line = _STYLES[title(row)]
        axes.axhline(row.noise, color=colour, linestyle=line, label=f"{title(row)}, any")
    case = own[0].case
    axes.set_title(f"{case.model}, {case.varies} = {case.at:g}")
    axes.set_xlabel("temperature")
    _finish(axes)


def _by_regime(axes: Any, rows: Sequence[Row]) -> None:
    for name, (colour, marker, line) in _STYLES.items():
        own = sorted((r for r in rows if title(r) == name), key=lambda r: r.case.at)
        if own:
            axes.plot(
                [r.case.at for r in own],
                [r.noise for r in own],
                color=colour,
                marker=marker,
                linestyle=line,
                label=name,
            )
    axes.set_xlabel(_AXES[rows[0].case.varies])
    axes.set_title(rows[0].case.model)
    _finish(axes)


def _finish(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylabel("noise of one trajectory / gradient")
    axes.grid(which="major", alpha=0.4)
    axes.grid(which="minor", alpha=0.12)
