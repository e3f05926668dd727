"""Panels that judge a fit: residuals, starts, correlations; drawn into axes that are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.pictures.panels import BLUE, GREEN, GREY, ORANGE, logarithmic, plain, time_label
from sbmlgrad.fit.predictions import standardised
from sbmlgrad.fit.result import FitResult

FloatArray = NDArray[np.float64]

#: What tells observables apart among residuals; where there are more, none does.
MARKERS = ("o", "s", "^", "D", "v", "P")


def residuals_of(result: FitResult) -> FloatArray:
    """Return standardised residuals, float64 [measurement], for a result with predictions.

    Source: as `predictions.standardised`. NaN where the noise model cannot give the measurement.
    """
    m, predictions = result.problem.measurements, result.predictions
    assert predictions is not None
    found = np.full(len(m), np.nan)
    for place, id in enumerate(m.observables):
        rows = m.observable_index == place
        found[rows] = standardised(
            result.problem.observable[id].noise.distribution,
            m.value[rows],
            predictions.mean[rows],
            predictions.scale[rows],
        )
    return found


def draw_residuals(ax: Any, result: FitResult) -> None:
    """Draw standardised residuals over time, observables told apart where they are few.

    The title says how many are not finite and therefore not drawn.
    """
    m, found = result.problem.measurements, residuals_of(result)
    is_finite = np.isfinite(found)
    are_told_apart = len(m.observables) <= len(MARKERS)
    for place, id in enumerate(m.observables):
        rows = (m.observable_index == place) & is_finite
        ax.plot(
            m.time[rows],
            found[rows],
            linestyle="none",
            marker=MARKERS[place] if are_told_apart else "o",
            color=(BLUE, ORANGE, GREEN, GREY, BLUE, ORANGE)[place] if are_told_apart else BLUE,
            alpha=0.8,
            markersize=4.5 if rows.sum() < 200 else 2.5,
            markeredgewidth=0,
            label=plain(id),
        )
    ax.axhline(0.0, color=GREY, linewidth=1.0)
    for limit in (-2.0, 2.0):
        ax.axhline(limit, color=GREY, linewidth=0.8, linestyle="--")
    largest = float(np.abs(found[is_finite]).max(initial=0.0))
    ax.set_ylim(-max(3.2, 1.1 * largest), max(3.2, 1.1 * largest))
    ax.set_xlabel(time_label(result))
    ax.set_ylabel("standardised residual")
    missing = int((~is_finite).sum())
    ax.set_title(f"residuals over time; {missing} not finite" if missing else "residuals over time")


def draw_quantiles(ax: Any, result: FitResult) -> None:
    """Draw sorted residuals against a standard normal, with the region of chance.

    Each point lies in the region with probability 95 %, if residuals are independent; its limits
    are quantiles of order statistics (David & Nagaraja 2003, Order Statistics, section 2.1).
    """
    from scipy.stats import beta, norm

    found = np.sort(residuals_of(result))
    found = found[np.isfinite(found)]
    n = len(found)
    rank = np.arange(1, n + 1)
    expected = norm.ppf((rank - 0.5) / n)
    low, high = (norm.ppf(beta.ppf(share, rank, n + 1 - rank)) for share in (0.025, 0.975))
    ax.fill_between(expected, low, high, color=GREY, alpha=0.2, linewidth=0)
    ax.plot(expected, expected, color=GREY, linewidth=1.0)
    ax.plot(expected, found, "o", color=BLUE, markersize=3.5, markeredgewidth=0)
    ax.set_xlabel("standard normal")
    ax.set_ylabel("standardised residual")
    ax.set_title("residuals against a normal; grey: chance")


def draw_starts(ax: Any, result: FitResult) -> None:
    """Draw the last losses of all starts in order, worst to the right, as far as they have any."""
    starts = [(start.loss, start) for start in result.starts if np.isfinite(start.loss)]
    ordered = [start for _, start in sorted(starts, key=lambda entry: entry[0])]
    losses = np.array([start.loss for start in ordered])
    is_best = np.array([start.fate == "best" for start in ordered], dtype=np.bool_)
    others = "others" if result.is_deterministic else "given up for a better one"
    ranks = np.arange(1, len(losses) + 1)
    ax.plot(ranks, losses, color=GREY, linewidth=0.8)
    for chosen, colour, label in (
        (is_best, ORANGE, "chosen"),
        (~is_best, BLUE, others),
    ):
        ax.plot(ranks[chosen], losses[chosen], "o", color=colour, markersize=6, label=label)
    if losses.size and (losses > 0.0).all():
        logarithmic(ax)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("starts, in order of loss")
    ax.set_ylabel("loss of the last epochs")
    failed = len(result.failed_starts)
    ax.set_title(f"starts; {failed} failed" if failed else "starts")


def draw_correlation(ax: Any, ids: tuple[str, ...], correlation: FloatArray) -> None:
    """Draw the correlation of the estimates, one row for each parameter."""
    shown = np.ma.masked_invalid(correlation)
    ax.grid(visible=False)
    places = np.arange(len(ids))
    ax.pcolormesh(places, places, shown, vmin=-1.0, vmax=1.0, cmap="RdBu_r", shading="nearest")
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.set_xticks(places, [plain(id) for id in ids], rotation=90)
    ax.set_yticks(places, [plain(id) for id in ids])
    if len(ids) <= 8:
        for i in places:
            for j in places:
                value = correlation[i, j]
                if np.isfinite(value):
                    colour = "#fefefe" if abs(value) > 0.6 else "#010101"
                    ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, size=8)
    ax.set_title("correlation of the estimates")


def draw_profile(ax: Any, uncertainty: Any, id: str) -> None:
    """Draw a profile likelihood: its noisy points, the smooth curve, the threshold, the interval.

    Args:
        ax: axes.
        uncertainty: by profiles.
        id: of a parameter that has one.
    """
    own, place = uncertainty.details[id], uncertainty.ids.index(id)

    def values(coordinates: FloatArray) -> FloatArray:
        is_logarithmic = uncertainty.is_logarithmic[place]
        return np.exp(coordinates) if is_logarithmic else coordinates * own["unit"]

    ax.errorbar(
        values(own["coordinates"]),
        own["deviance"],
        own["deviance_error"],
        fmt="o",
        color=BLUE,
        markersize=4,
        linewidth=1.0,
    )
    ax.plot(values(own["smooth_coordinates"]), own["smooth_deviance"], color=BLUE, linewidth=1.5)
    ax.axhline(own["threshold"], color=GREY, linestyle=":", linewidth=1.0)
    _mark_interval(ax, uncertainty, place)
    ax.set_ylabel("−2 log-likelihood above minimum")
    if uncertainty.is_logarithmic[place]:
        logarithmic(ax, is_x=True)


def draw_samples(ax: Any, uncertainty: Any, id: str) -> None:
    """Draw the samples of one parameter, and the interval; arguments as for `draw_profile`."""
    place = uncertainty.ids.index(id)
    own = uncertainty.details["samples"][:, place]
    own = own[np.isfinite(own)]
    is_logarithmic = bool(uncertainty.is_logarithmic[place])
    edges = np.geomspace if is_logarithmic and np.ptp(own) > 0.0 else np.linspace
    ax.hist(own, bins=edges(own.min(), own.max(), 26), color=BLUE, alpha=0.5)
    _mark_interval(ax, uncertainty, place)
    ax.set_ylabel("samples")
    if is_logarithmic:
        logarithmic(ax, is_x=True)


def _mark_interval(ax: Any, uncertainty: Any, place: int) -> None:
    id, unit = uncertainty.ids[place], uncertainty.units.get(uncertainty.ids[place], "")
    ax.axvline(uncertainty.values[place], color=ORANGE, linestyle="--", linewidth=1.5)
    for end in (uncertainty.lower[place], uncertainty.upper[place]):
        if np.isfinite(end):
            ax.axvline(end, color=GREEN, linestyle="--", linewidth=1.0)
    ax.set_xlabel(plain(f"{id} [{unit}]" if unit else id))
    ax.set_title(plain(f"{id}: green, {100 * uncertainty.level:g} % interval"))
