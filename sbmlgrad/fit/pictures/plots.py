"""Pictures of a fit: data with the model, and the course of the optimisation.

Panels are drawn by `fit.panels` and `fit.diagnostic_panels`; here they are put together into
figures for files and screens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sbmlgrad.fit.pictures import diagnostic_panels, panels
from sbmlgrad.fit.result import FitResult
from sbmlgrad.pages.figure import new_figure, save_figure

#: Panels side by side at the most, and the same where there are more than `MANY`.
COLUMNS, NARROW_COLUMNS, MANY = 3, 5, 9

#: Lines of parameters that have a name of their own in a picture.
NAMED = 12


def _save(figure: Any, path: str | Path | None) -> Any:
    if path is not None:
        save_figure(figure, path)
    return figure


def plot_fit(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw every observable: data, fitted mean, spread of trajectories and prediction band.

    Where several experiments were measured alike, each has a column and each observable a row, with
    one scale of values.

    Args:
        result: with at least one curve.
        path: picture to write, or None.

    Returns:
        The figure.
    """
    rows, columns, places = _arrangement(result)
    is_dense = len(places) > MANY
    width, height = (3.4, 2.6) if is_dense else (5.2, 3.5)
    figure, axes = new_figure(rows, columns, width, height)
    for ax in axes.flat:
        ax.set_visible(False)
    for pair, place in places.items():
        ax = axes[place]
        ax.set_visible(True)
        panels.draw_curve(ax, result, *pair)
        if is_dense:
            _make_small(ax)
    if len({place[1] for place in places.values()}) == len(result.problem.experiments) > 1:
        for row in axes:
            _share_values(row)
    # One legend for all panels, outside the data.
    labelled = axes[next(iter(places.values()))].get_legend_handles_labels()
    figure.legend(
        *labelled,
        loc="outside lower center",
        ncols=4 if columns > 2 else min(columns, 2),
        frameon=False,
        fontsize=9,
    )
    return _save(figure, path)


def _arrangement(result: FitResult) -> tuple[int, int, dict[tuple[str, str], tuple[int, int]]]:
    """Return rows, columns, and where the panel of each curve stands."""
    pairs = list(result.curves)
    experiments = list(dict.fromkeys(experiment for experiment, _ in pairs))
    observables = list(dict.fromkeys(observable for _, observable in pairs))
    most = NARROW_COLUMNS if len(pairs) > MANY else COLUMNS
    if 1 < len(experiments) <= most and len(pairs) == len(experiments) * len(observables):
        places = {(e, o): (observables.index(o), experiments.index(e)) for e, o in pairs}
        return len(observables), len(experiments), places
    columns = min(len(pairs), most)
    places = {pair: divmod(i, columns) for i, pair in enumerate(pairs)}
    return -(-len(pairs) // columns), columns, places


def _make_small(ax: Any) -> None:
    ax.title.set_fontsize(9)
    ax.tick_params(labelsize=7)
    ax.xaxis.label.set_fontsize(8)
    ax.yaxis.label.set_fontsize(8)


def _share_values(row: Any) -> None:
    shown = [ax for ax in row if ax.get_visible()]
    limits = [ax.get_ylim() for ax in shown]
    for ax in shown:
        ax.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def plot_history(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw the loss and every free parameter over the epochs.

    Parameters on logarithmic scales are drawn relative to their start, others within their bounds,
    in a panel of their own.

    Args:
        result: of a fit.
        path: picture to write, or None.

    Returns:
        The figure.
    """
    kinds = [kind for kind in (True, False) if (result.free.is_logarithmic == kind).any()]
    figure, axes = new_figure(1, 1 + len(kinds), 5.5, 3.8)
    panels.draw_loss(axes[0, 0], result)
    for ax, is_logarithmic in zip(axes[0, 1:], kinds, strict=True):
        panels.draw_parameters(ax, result, is_logarithmic=is_logarithmic, named=NAMED)
    return _save(figure, path)


def plot_residuals(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw standardised residuals over time, and against a standard normal.

    Args:
        result: with predictions.
        path: picture to write, or None.

    Returns:
        The figure.
    """
    figure, axes = new_figure(1, 2, 5.2, 3.6)
    diagnostic_panels.draw_residuals(axes[0, 0], result)
    diagnostic_panels.draw_quantiles(axes[0, 1], result)
    if len(result.problem.measurements.observables) <= len(diagnostic_panels.MARKERS):
        axes[0, 0].legend(frameon=False, fontsize=8)
    return _save(figure, path)


def plot_starts(result: FitResult, path: str | Path | None = None) -> Any:
    """Draw the losses that the starts of the descent came to, in order.

    Args:
        result: with several starts.
        path: picture to write, or None.

    Returns:
        The figure.
    """
    figure, axes = new_figure(1, 1, 5.2, 3.6)
    diagnostic_panels.draw_starts(axes[0, 0], result)
    axes[0, 0].legend(frameon=False, fontsize=8)
    return _save(figure, path)
