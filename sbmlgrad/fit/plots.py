"""Plots of a fit: data with the model's mean ± sd, and the course of the optimisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sbmlgrad.fit.result import FitResult

#: Okabe & Ito 2008, distinguishable with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Any, Any]:
    # The object interface needs no display and leaves the user's pyplot state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25, linewidth=0.6)
    return figure, axes


def _save(figure: Any, path: str | Path | None) -> Any:
    if path is not None:
        figure.savefig(path, dpi=160)
    return figure


def _unit(text: str) -> str:
    return f" [{text}]" if text else ""


def plot_fit(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw every observable: data, fitted mean and the band of ± one standard deviation."""
    observables = list(result.prediction)
    columns = min(len(observables), 3)
    rows = -(-len(observables) // columns)
    figure, axes = _figure(rows, columns, 5.6 * columns, 3.8 * rows + 0.5)
    measurements = result.binding.measurements
    names = {s.id: s.name for s in result.model.species}
    for ax, observable in zip(axes.flat, observables, strict=False):
        mean, deviation = result.prediction[observable]
        times = result.prediction_times
        ax.fill_between(
            times,
            np.maximum(mean - deviation, 0.0),
            mean + deviation,
            color=BLUE,
            alpha=0.2,
            linewidth=0,
            label="model, ± 1 sd over trajectories",
        )
        ax.plot(times, mean, color=BLUE, linewidth=2, label="model, mean")
        rows_of = measurements.observable_index == measurements.observables.index(observable)
        ax.plot(
            measurements.time[rows_of],
            measurements.value[rows_of],
            "o",
            color=ORANGE,
            markersize=5,
            markeredgecolor="white",
            label=f"data ({measurements.source_name})" if measurements.source_name else "data",
        )
        name = names.get(observable)
        ax.set_title(f"{observable}: {name}" if name and name != observable else observable)
        ax.set_xlabel(f"time{_unit(result.model.time_unit)}")
        ax.set_ylabel(observable)
        ax.set_ylim(bottom=0.0)
        ax.margins(x=0.02)
    for ax in list(axes.flat)[len(observables) :]:
        ax.set_visible(False)
    # One legend for all panels, outside the data.
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3 if columns > 1 else 2,
        frameon=False,
        fontsize=9,
    )
    return _save(figure, path)


def plot_history(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw the loss and every free parameter over the epochs, both on logarithmic axes."""
    figure, axes = _figure(1, 2, 11.0, 3.8)
    epochs = np.arange(1, len(result.loss_history) + 1)
    left, right = axes[0]
    left.plot(epochs, result.loss_history, color=BLUE, linewidth=1.5)
    left.axhline(result.loss, color=ORANGE, linestyle="--", linewidth=1.2)
    left.set_yscale("log")
    left.set_xlabel("epoch")
    left.set_ylabel("loss")
    left.set_title(
        f"loss of each epoch; dashed: fitted, {result.loss:.3g} ± {result.loss_standard_error:.1g}"
    )
    styles = ["-", "--", ":", "-."]
    for i, name in enumerate(result.free.ids):
        right.plot(
            epochs,
            result.parameter_history[:, i] / result.free.start[i],
            color=(BLUE, ORANGE, GREEN, GREY)[i % 4],
            linestyle=styles[(i // 4) % 4],
            linewidth=1.8,
            label=f"{name} = {result.values[name]:.4g}",
        )
    right.set_yscale("log")
    right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    right.tick_params(axis="y", which="minor", labelsize=8)
    right.set_xlabel("epoch")
    right.set_ylabel("value / starting value")
    right.set_title("parameters")
    right.legend(frameon=False, fontsize=9)
    return _save(figure, path)
