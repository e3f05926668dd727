"""Panels that compare counts in single cells with the fitted model, one for each time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.pictures.panels import BLUE, ORANGE, plain
from sbmlgrad.fit.result import FitResult

FloatArray = NDArray[np.float64]

#: Trajectories behind a model's distribution, at the least.
TRAJECTORIES = 5000

#: Bars of a panel at the most; counts are joined to wider bars beyond.
BARS = 30

#: Probability that a bar of cells ends within the region that is drawn for it.
LEVEL = 0.95

#: Share of each end of the model's distribution that a panel may leave out.
BEYOND = 0.002


@dataclass(frozen=True, eq=False)
class Distribution:
    """Counts of one species at one time: those of cells, and those of the fitted model.

    Attributes:
        experiment: id.
        id: of the species.
        time: in the unit of the model.
        cells: counted molecules, int64 [cell].
        model: of trajectories, float64 [trajectory].
    """

    experiment: str
    id: str
    time: float
    cells: NDArray[np.int64]
    model: FloatArray


def distributions(result: FitResult) -> tuple[Distribution, ...]:
    """Simulate the fitted model at the times of snapshots; empty where there are none.

    The result keeps means and not distributions, so that this takes one simulation more, with
    streams of their own that follow from the seed of the fit.

    Args:
        result: of a fit to snapshots.

    Raises:
        SimulationError: trajectories failed.
    """
    from sbmlgrad.engines.native import Native
    from sbmlgrad.fit.experiments import prepared
    from sbmlgrad.fit.objectives.base import snapshot_times
    from sbmlgrad.fit.simulated import Simulator
    from sbmlgrad.fit.uncertainty.fitted import child_seed

    problem = result.problem
    if problem.snapshots is None or result.is_deterministic:
        return ()
    simulator = Simulator(
        problem=problem,
        space=result.free,
        experiments=prepared(problem),
        times=snapshot_times(problem),
        engine=Native(),
        seed=child_seed(result.seed, 6),
    )
    values = np.array([result.values[id] for id in result.free.ids])
    simulated = simulator(values, max(result.evaluation_trajectories, TRAJECTORIES), 0)
    return tuple(_shown(result, simulated))


def _shown(result: FitResult, simulated: Any) -> Iterator[Distribution]:
    problem = result.problem
    seen = problem.snapshots
    assert seen is not None
    condition = np.array(seen.condition, dtype=object)
    for experiment, one in simulated.items():
        here = condition == experiment
        for place, id in enumerate(seen.species):
            values = np.asarray(one.values(problem.observable[id].formula))
            for time in np.unique(seen.time[here]).tolist():
                cells = seen.counts[here & (seen.time == time), place]
                at = int(np.searchsorted(one.times, time))
                yield Distribution(experiment, id, time, cells, values[:, at])


def bins(shown: Distribution) -> FloatArray:
    """Return edges between bars, float64 [bar + 1], halfway between whole numbers.

    All cells are within, and all of the model but its outermost parts.
    """
    low, high = np.quantile(shown.model, [BEYOND, 1.0 - BEYOND])
    first = int(min(np.floor(low), shown.cells.min()))
    last = int(max(np.ceil(high), shown.cells.max()))
    width = max(1, -(-(last - first + 1) // BARS))
    bars = -(-(last - first + 1) // width)
    return np.arange(bars + 1, dtype=np.float64) * width + (first - 0.5)


def shares(shown: Distribution, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the shares of cells and of the model's trajectories in each bar, float64 [bar]."""
    cells = np.histogram(shown.cells, edges)[0] / len(shown.cells)
    model = np.histogram(shown.model, edges)[0] / len(shown.model)
    return cells, model


def chance(model: FloatArray, cells: int, trajectories: int) -> tuple[FloatArray, FloatArray]:
    """Return between what shares of cells each bar is expected, if the model is right.

    Quantiles of a binomial distribution over the cells, whose probability has its own error from
    the finite number of trajectories (added as for independent errors).

    Args:
        model: shares of the model, float64 [bar].
        cells: number of cells.
        trajectories: behind the model.

    Returns:
        Lower and upper shares, float64 [bar] each.
    """
    from scipy.stats import binom

    outside = 0.5 * (1.0 - LEVEL)
    low = np.asarray(binom.ppf(outside, cells, model), dtype=np.float64) / cells
    high = np.asarray(binom.isf(outside, cells, model), dtype=np.float64) / cells
    more = math.sqrt(1.0 + cells / trajectories)
    lower = np.maximum(model - more * (model - low), 0.0)
    return lower.astype(np.float64), model + more * (high - model)


def draw_distribution(ax: Any, result: FitResult, shown: Distribution) -> None:
    """Draw shares of cells as bars, the model as steps, and where bars may end by chance.

    Bars are drawn by the roots of their heights, as their scatter is then the same for all, and
    few cells with many molecules can be seen (Tukey 1977, Exploratory Data Analysis, chapter 17).

    Args:
        ax: axes.
        result: of the fit.
        shown: what to draw.
    """
    from matplotlib.ticker import MaxNLocator

    edges = bins(shown)
    cells, model = shares(shown, edges)
    low, high = chance(model, len(shown.cells), len(shown.model))
    width = edges[1] - edges[0]
    ax.bar(edges[:-1], cells, width, align="edge", color=ORANGE, alpha=0.45, linewidth=0)
    ax.fill_between(
        np.repeat(edges, 2)[1:-1],
        np.repeat(low, 2),
        np.repeat(high, 2),
        color=BLUE,
        alpha=0.2,
        linewidth=0,
    )
    ax.stairs(model, edges, color=BLUE, linewidth=1.6, baseline=None)
    ax.set_yscale("function", functions=(_root, np.square))
    top = float(max(cells.max(), high.max()))
    ax.set_ylim(0.0, 1.06 * top)
    ax.set_yticks(_ticks(top))
    ax.set_xlim(edges[0], edges[-1])
    # One tick is enough where all cells are alike; by default there are more, at fractions.
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    seen = result.problem.snapshots
    assert seen is not None
    unit = seen.time_unit or result.model.time_unit
    name = result.problem.experiment[shown.experiment].name or shown.experiment
    title = f"{shown.id} at {shown.time:g} {unit}".rstrip() + (f", {name}" if name else "")
    ax.set_title(plain(f"{title} ({len(shown.cells)} cells)"))
    per = f" ({width:g} each bar)" if width > 1 else ""
    ax.set_xlabel(plain(f"molecules of {shown.id}{per}"))
    ax.set_ylabel("cells")


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0.0))


def _ticks(top: float) -> list[float]:
    """Return shares to label on an axis of roots: about four, in round numbers."""
    wanted = [top * (k / 4.0) ** 2 for k in range(5)]
    found = {0.0}
    for value in wanted[1:]:
        unit = 10.0 ** np.floor(np.log10(value))
        found.add(float(unit * max(k for k in (1.0, 2.0, 5.0) if k * unit <= value * 1.001)))
    return sorted(found)
