"""Distributions of the report: the fitted model's own, all cells shown, regions that hold."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from fit_results import usual_result
from lxml import etree

from sbmlgrad.fit.pictures.distribution_panels import (
    LEVEL,
    Distribution,
    bins,
    chance,
    distributions,
    draw_distribution,
    shares,
)
from sbmlgrad.fit.pictures.plots import new_figure
from sbmlgrad.fit.report import report_html
from sbmlgrad.fit.result import FitResult
from sbmlgrad.model.snapshots import Snapshots

TIMES = (0.0, 1.0, 4.0)


@lru_cache
def counted() -> FitResult:
    """A result of molecules that come with rate 2 and go with rate 0.4, seen in two experiments."""
    rng = np.random.default_rng(4)
    rows = [
        (time, rng.poisson(5.0 * (1.0 - np.exp(-0.4 * time))), name)
        for name in ("conc0", "conc1")
        for time in TIMES
        for _ in range(50)
    ]
    time, counts, condition = zip(*rows, strict=True)
    cells = Snapshots(
        ("y0",), np.array(time), np.array(counts)[:, None], condition, "c.csv", time_unit="min"
    )
    result = usual_result()
    return replace(result, problem=replace(result.problem, snapshots=cells))


def shown_by(cells: list[int], model: list[float]) -> Distribution:
    return Distribution("", "X", 1.0, np.array(cells), np.array(model, dtype=float))


def test_the_model_is_that_of_the_fitted_values() -> None:
    found = distributions(counted())
    assert [(d.experiment, d.id, d.time) for d in found] == [
        (name, "y0", time) for name in ("conc0", "conc1") for time in TIMES
    ]
    assert {len(d.cells) for d in found} == {50}
    for one in found[:3]:
        # Immigration and death from none: Poisson, Gardiner 2009, Stochastic Methods, 11.1.
        expected = 5.0 * (1.0 - np.exp(-0.4 * one.time))
        error = np.sqrt(expected / len(one.model))
        z = (one.model.mean() - expected) / error if expected else 0.0
        assert abs(z) < 4.0, f"time {one.time}: mean {one.model.mean()}, exact {expected}, z = {z}"
        assert expected or not one.model.any()
    again = distributions(counted())
    np.testing.assert_array_equal(found[1].model, again[1].model)


def test_without_cells_nothing_is_simulated() -> None:
    assert distributions(usual_result()) == ()


@pytest.mark.parametrize(
    ("cells", "model"), [([0, 3, 900], [1.0, 2.0, 3.0]), ([5], [5.0]), ([0, 1], [40.0, 44.0])]
)
def test_bars_hold_every_cell_and_lie_around_whole_numbers(cells, model) -> None:
    shown = shown_by(cells, model)
    edges = bins(shown)
    assert (np.diff(edges) == np.diff(edges)[0]).all()
    assert ((edges - 0.5) % 1.0 == 0.0).all()
    assert len(edges) <= 31
    of_cells, of_model = shares(shown, edges)
    assert of_cells.sum() == pytest.approx(1.0)
    assert of_model.sum() > 0.99


def test_bars_end_within_the_region_as_often_as_it_says() -> None:
    """With a model known from few trajectories, too."""
    rng = np.random.default_rng(8)
    truth = np.array([0.5, 0.3, 0.15, 0.05])
    n, trajectories, repeats = 300, 2000, 4000
    model = rng.multinomial(trajectories, truth, repeats) / trajectories
    bars = rng.multinomial(n, truth, repeats) / n
    low, high = chance(model.ravel(), n, trajectories)
    inside = ((bars.ravel() >= low - 1e-12) & (bars.ravel() <= high + 1e-12)).reshape(model.shape)
    covered = inside.mean(axis=0)
    error = np.sqrt(LEVEL * (1 - LEVEL) / repeats)
    z = (covered - LEVEL) / error
    # Whole numbers of cells make it more than stated, but not by much.
    assert (z > -4.0).all(), f"covered {covered}, z = {z}"
    assert (covered < 0.985).all()


def test_a_panel_draws_cells_model_and_region() -> None:
    one = distributions(counted())[2]
    _, axes = new_figure(1, 1, 4.0, 2.2)
    ax = axes[0, 0]
    draw_distribution(ax, counted(), one)
    heights = [bar.get_height() for bar in ax.containers[0]]
    assert sum(heights) == pytest.approx(1.0)
    assert ax.get_ylim()[1] > max(heights)
    assert ax.get_title() == "y0 at 4 min, dose 0 (50 cells)"
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_the_page_has_a_panel_for_every_time() -> None:
    root = etree.fromstring(report_html(counted()).encode())
    titles = ["".join(e.itertext()) for e in root.iter("title")]
    wanted = [t for t in titles if t.startswith("cells and fitted model: y0 at time")]
    assert len(wanted) == 2 * len(TIMES)
    headings = ["".join(e.itertext()) for e in root.iter("h2")]
    assert headings.index("Distributions over cells") == headings.index("Data and model") + 1
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
