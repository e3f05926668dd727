"""The figures of the report, by section; a section without anything to show is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from sbmlgrad.fit.pictures import diagnostic_panels, distribution_panels, panels
from sbmlgrad.fit.result import FitResult
from sbmlgrad.pages.markup import Html
from sbmlgrad.pages.parts import Numbers, grid, key
from sbmlgrad.pages.svg import HEIGHT, panel

#: The same of distributions, which are lower, and their height in inches.
MANY_SHOWN, LOW = 24, 2.2

#: Parameters at the most of which a picture of correlations can be read.
MOST_CORRELATED = 20


def data_panels(result: FitResult, numbers: Numbers) -> Html:
    """Return one panel for each observable and experiment."""
    pictures = [
        panel(
            partial(panels.draw_curve, result=result, experiment=experiment, id=id),
            numbers(),
            f"data and fitted model: {id} {experiment}".strip(),
        )
        for experiment, id in result.curves
    ]
    return grid(pictures, "panels")


def data_key(result: FitResult) -> Html:
    """Return what the signs of the data panels mean, only those that are drawn."""
    has_data = bool(len(result.problem.measurements))
    has_band = has_data and any(curve.scale is not None for curve in result.curves.values())
    if result.is_deterministic:
        rows = [("line", "blue", "model, by the rate equations")]
    else:
        rows = [
            ("line", "blue", "model, mean over trajectories"),
            ("area", "blue", "± 1 standard deviation of single trajectories"),
        ]
    if has_band:
        rows.append(("dashes", "green", f"expected to hold {_share()} of measurements"))
    if has_data:
        rows.append(("dot", "orange", "measurement"))
    if result.problem.snapshots is not None:
        rows.append(("dot", "orange", "cells, mean ± 1 standard deviation"))
    return key(rows)


def distribution_panels_of(
    result: FitResult, shown: tuple[distribution_panels.Distribution, ...], numbers: Numbers
) -> Html:
    """Return one panel for each species, experiment and time at which cells were counted."""
    pictures = [
        panel(
            partial(distribution_panels.draw_distribution, result=result, shown=one),
            numbers(),
            f"cells and fitted model: {one.id} at time {one.time:g} {one.experiment}".strip(),
            height=LOW,
        )
        for one in shown
    ]
    return grid(pictures, "times", shown=MANY_SHOWN)


def distribution_key() -> Html:
    """Return what the signs of the distributions mean."""
    chance = f"{100 * distribution_panels.LEVEL:g} %"
    return key(
        [
            ("area", "orange", "share of the cells"),
            ("line", "blue", "fitted model"),
            ("area", "blue", f"where {chance} of the bars end by chance, if the model is right"),
        ]
    )


def _share() -> str:
    return f"{100 * panels.LEVEL:g} %"


def residual_panels(result: FitResult, numbers: Numbers) -> Html:
    """Return residuals over time and against a normal; empty without predictions."""
    if result.predictions is None:
        return Html()

    def over_time(ax: Any) -> None:
        diagnostic_panels.draw_residuals(ax, result)
        if 1 < len(result.problem.measurements.observables) <= len(diagnostic_panels.MARKERS):
            ax.legend(frameon=False, fontsize=8, ncols=3, loc="upper center")
            low, high = ax.get_ylim()
            ax.set_ylim(low, high + 0.25 * (high - low) / 2)

    normal = partial(diagnostic_panels.draw_quantiles, result=result)
    return grid(
        [
            panel(over_time, numbers(), "standardised residuals over time"),
            panel(normal, numbers(), "standardised residuals against a standard normal"),
        ],
        "panels",
    )


def course_panels(result: FitResult, numbers: Numbers) -> Html:
    """Return loss, starts, trajectories and every parameter over the epochs."""
    wanted: list[tuple[str, Callable[[Any], None]]] = [
        ("loss over the epochs", partial(panels.draw_loss, result=result))
    ]
    if len(result.starts) > 1:

        def starts(ax: Any) -> None:
            diagnostic_panels.draw_starts(ax, result)
            ax.legend(frameon=False, fontsize=8)

        wanted.append(("loss of all starts in order", starts))
    if np.ptp(result.trajectories_history) > 0:
        draw = partial(panels.draw_trajectories, result=result)
        wanted.append(("trajectories over the epochs", draw))
    for place, id in enumerate(result.free.ids):
        draw = partial(panels.draw_parameter, result=result, place=place)
        wanted.append((f"parameter {id} over the epochs", draw))
    return grid([panel(draw, numbers(), words) for words, draw in wanted], "parameters")


def course_key() -> Html:
    """Return what the signs of the course mean."""
    return key(
        [
            ("line", "blue", "value of every epoch"),
            ("dashes", "orange", "fitted value"),
            ("dots", "grey", "start"),
        ]
    )


def uncertainty_panels(result: FitResult, numbers: Numbers) -> Html:
    """Return correlations and profiles, as far as they are known."""
    return grid(list(_uncertainty_panels(result, numbers)), "profiles")


def _uncertainty_panels(result: FitResult, numbers: Numbers) -> Iterator[Html]:
    found = result.uncertainty
    if found is None:
        return
    ids = found.ids
    is_known = np.isfinite(found.covariance).any()
    if 1 < len(ids) <= MOST_CORRELATED and is_known:
        draw = partial(diagnostic_panels.draw_correlation, ids=ids, correlation=found.correlation)
        yield panel(draw, numbers(), "correlation of the estimates", height=1.3 * HEIGHT)
    for id in ids:
        if found.method == "profile" and id in found.details:
            draw = partial(diagnostic_panels.draw_profile, uncertainty=found, id=id)
            yield panel(draw, numbers(), f"profile likelihood of {id}")
        elif "samples" in found.details:
            draw = partial(diagnostic_panels.draw_samples, uncertainty=found, id=id)
            yield panel(draw, numbers(), f"samples of {id}")
