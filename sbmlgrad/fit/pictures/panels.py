"""Single panels of the pictures of a fit, each drawn into axes that are given."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.predictions import band
from sbmlgrad.fit.result import FitResult

FloatArray = NDArray[np.float64]

#: Okabe & Ito 2008, distinguishable with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"

COLOURS = (BLUE, ORANGE, GREEN, GREY)

#: Letters in one line of a title.
TITLE = 42

#: Probability of a measurement within the band that is drawn.
LEVEL = 0.9


def plain(text: str) -> str:
    """Return a text as it stands; matplotlib would take dollar signs for mathematics."""
    return text.replace("$", r"\$")


def titled(result: FitResult, experiment: str, id: str) -> str:
    """Return what a panel of a curve is called."""
    observable = result.problem.observable[id]
    name = observable.name
    title = f"{id}: {name}" if name and name != id else id
    if experiment:
        title += f" ({result.problem.experiment[experiment].name or experiment})"
    return plain(textwrap.fill(title, TITLE))


def _unit(text: str) -> str:
    return f" [{text}]" if text else ""


def time_label(result: FitResult) -> str:
    """Return the label of the axis of time."""
    m = result.problem.measurements
    return plain(f"time{_unit(m.time_unit or result.model.time_unit)}")


def draw_curve(ax: Any, result: FitResult, experiment: str, id: str) -> None:
    """Draw one observable: data or cells, mean, spread of trajectories, band for measurements."""
    m, curve = result.problem.measurements, result.curves[experiment, id]
    observable = result.problem.observable[id]
    here = np.array([condition == experiment for condition in m.condition], dtype=np.bool_)
    if id in m.observables:
        here &= m.observable_index == m.observables.index(id)
    values = m.value[here] if id in m.observables else np.array([])
    cells = _cells(result, experiment, id)
    is_positive = bool((curve.mean >= 0.0).all() and (values >= 0.0).all())
    low = curve.mean - curve.sd
    if is_positive:
        low = np.maximum(low, 0.0)  # a band below zero would suggest what cannot be
    if not result.is_deterministic:
        ax.fill_between(
            curve.times,
            low,
            curve.mean + curve.sd,
            color=BLUE,
            alpha=0.2,
            linewidth=0,
            label="model, ± 1 sd over trajectories",
        )
    name = "model" if result.is_deterministic else "model, mean"
    ax.plot(curve.times, curve.mean, color=BLUE, linewidth=2, label=name)
    if curve.scale is not None and values.size:
        # Rate equations have no such error; their curves have sd 0.
        error = curve.sd / np.sqrt(max(result.evaluation_trajectories, 1))
        limits = band(observable.noise.distribution, curve.mean, error, curve.scale, LEVEL)
        for limit, label in zip(limits, (f"{100 * LEVEL:g} % of measurements", None), strict=True):
            ax.plot(curve.times, limit, color=GREEN, linewidth=1.2, linestyle="--", label=label)
    if values.size:
        ax.plot(
            m.time[here],
            values,
            "o",
            color=ORANGE,
            markersize=5 if values.size < 100 else 3,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=plain(f"data ({m.source_name})") if m.source_name else "data",
        )
    if cells is not None:
        times, mean, sd = cells
        ax.errorbar(
            times,
            mean,
            sd,
            fmt="o",
            color=ORANGE,
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label="cells, mean ± 1 sd",
        )
    ax.set_title(titled(result, experiment, id))
    ax.set_xlabel(time_label(result))
    ax.set_ylabel(plain(f"{id}{_unit(observable.unit)}"))
    if is_positive:
        ax.set_ylim(bottom=0.0)
    ax.margins(x=0.02)


def _cells(
    result: FitResult, experiment: str, id: str
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return times, mean and standard deviation (n - 1) of counted cells, or None without any."""
    seen = result.problem.snapshots
    if seen is None or id not in seen.species:
        return None
    here = np.array([condition == experiment for condition in seen.condition], dtype=np.bool_)
    counts = seen.counts[here, seen.species.index(id)]
    times = np.unique(seen.time[here])
    groups = [counts[seen.time[here] == time] for time in times]
    mean = np.array([group.mean() for group in groups])
    sd = np.array([group.std(ddof=1) if len(group) > 1 else 0.0 for group in groups])
    return times, mean, sd


def draw_loss(ax: Any, result: FitResult) -> None:
    """Draw the loss of every epoch with its error, and that of the fitted values."""
    losses, errors = result.loss_history, result.error_history
    epochs = np.arange(1, len(losses) + 1)
    is_logarithmic = bool((losses > 0.0).all() and result.loss > 0.0)
    low = losses - errors
    if is_logarithmic:
        # A logarithmic axis has no place for an end at or below zero.
        low = np.maximum(low, 0.1 * losses)
    ax.plot(epochs, losses, color=BLUE, linewidth=1.5)
    ax.fill_between(epochs, low, losses + errors, color=BLUE, alpha=0.2, linewidth=0)
    ax.axhline(result.loss, color=ORANGE, linestyle="--", linewidth=1.2)
    if is_logarithmic:
        logarithmic(ax)
    ax.set_xlabel("epoch")
    if result.has_exact_loss:
        ax.set_ylabel("loss")
        ax.set_title(f"loss; dashed: fitted, {result.loss:.5g}")
    else:
        ax.set_ylabel("loss ± s.e.")
        ax.set_title(f"loss; dashed: fitted, {result.loss:.3g} ± {result.loss_standard_error:.1g}")


def draw_trajectories(ax: Any, result: FitResult) -> None:
    """Draw how many trajectories every epoch had."""
    counts = result.trajectories_history
    ax.step(np.arange(1, len(counts) + 1), counts, where="mid", color=BLUE, linewidth=1.5)
    ax.set_ylim(0.0, 1.1 * counts.max())
    ax.set_xlabel("epoch")
    ax.set_ylabel("trajectories")
    ax.set_title("trajectories per experiment")


def draw_parameter(ax: Any, result: FitResult, place: int) -> None:
    """Draw one parameter over the epochs, with its start and the fitted value."""
    name = result.free.ids[place]
    path = result.parameter_history[:, place]
    ax.plot(np.arange(1, len(path) + 1), path, color=BLUE, linewidth=1.5)
    ax.axhline(result.free.start[place], color=GREY, linestyle=":", linewidth=1.2)
    ax.axhline(result.values[name], color=ORANGE, linestyle="--", linewidth=1.2)
    if result.free.is_logarithmic[place]:
        logarithmic(ax)
    ax.set_xlabel("epoch")
    ax.set_ylabel(plain(f"{name}{_unit(result.units[name])}"))
    ax.set_title(plain(f"{name} = {result.values[name]:.4g}"))


def draw_parameters(ax: Any, result: FitResult, *, is_logarithmic: bool, named: int) -> None:
    """Draw all parameters of one kind of scale; those that moved most have names."""
    space = result.free
    places = np.flatnonzero(space.is_logarithmic == is_logarithmic)
    moved = np.ptp(space.coordinates(result.parameter_history), axis=0)[places]
    order = places[np.argsort(-moved, kind="stable")].tolist()
    epochs = np.arange(1, len(result.parameter_history) + 1)
    for rank, place in reversed(list(enumerate(order))):
        path = result.parameter_history[:, place]
        path = path / space.start[place] if is_logarithmic else path
        name = space.ids[place]
        is_named = len(order) <= named or rank < named - 1
        ax.plot(
            epochs,
            path,
            color=COLOURS[rank % 4] if is_named else GREY,
            linestyle=("-", "--", ":")[rank // 4 % 3] if is_named else "-",
            linewidth=1.8 if is_named else 0.6,
            alpha=1.0 if is_named else 0.5,
            label=plain(f"{name} = {result.values[name]:.4g}") if is_named else None,
        )
    if is_logarithmic:
        logarithmic(ax)
    ax.set_xlabel("epoch")
    ax.set_ylabel("value / starting value" if is_logarithmic else "value")
    hidden = len(order) - (named - 1) if len(order) > named else 0
    ax.set_title(f"parameters, {hidden} of them in grey" if hidden else "parameters")
    handles, labels = ax.get_legend_handles_labels()
    columns = 1 if len(labels) <= 6 else 2
    ax.legend(handles[::-1], labels[::-1], frameon=False, fontsize=8, ncols=columns)


def logarithmic(ax: Any, *, is_x: bool = False) -> None:
    """Make an axis logarithmic, with plain numbers, also where it spans less than a decade."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

    (ax.set_xscale if is_x else ax.set_yscale)("log")
    low, high = ax.get_xlim() if is_x else ax.get_ylim()
    axis = ax.xaxis if is_x else ax.yaxis
    decades = np.log10(high / low)
    if decades < 1.0:
        axis.set_major_locator(MaxNLocator(5))
        axis.set_minor_locator(NullLocator())
    elif decades < 3.0:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.0 else (1.0, 3.0)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())
