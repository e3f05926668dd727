"""The paper's reversible dimerisation, short: what the campaign does, and that it is accurate."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from networks import ROOT

import sbmlgrad as sg

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_dimerization
from paper_descent import Setting, descend
from paper_records import keep, kept, numbers
from reversible_dimerization import fits as paper_dimerization_fits
from reversible_dimerization import report
from reversible_dimerization.fits import (
    FIRINGS,
    K2,
    MODES,
    Fit,
    fit_of,
    fit_one,
    make_target,
    network,
)


def literal_means(model, rates, grid, firings: int, trajectories: int, seed: int, estimator):
    """Return means as published: so many firings each, then straight lines between them."""
    import tensorflow as tf

    after = sg.AfterFirings(range(1, firings + 1))
    cells = sg.simulate(
        model, rates, readouts=[after], trajectories=trajectories, seed=seed, estimator=estimator
    )
    counts = cells.values("C", readout=after)
    times = cells.values("time", readout=after)
    counts = tf.concat([tf.zeros_like(counts[:, :1]), counts], axis=1)
    times = tf.concat([tf.zeros_like(times[:, :1]), times], axis=1)
    places = np.array([np.searchsorted(row, grid, side="right") for row in times.numpy()])
    assert places.max() <= firings, "a trajectory ends before the grid does"
    left, right = (tf.gather(times, places + s, batch_dims=1) for s in (-1, 0))
    low, high = (tf.gather(counts, places + s, batch_dims=1) for s in (-1, 0))
    share = (grid - left) / (right - left)
    return tf.reduce_mean(low + share * (high - low), axis=0)


@pytest.mark.parametrize("temperature", [1.0, 0.05])
def test_lines_between_a_fixed_number_of_firings_are_the_interpolated_readout(temperature):
    import tensorflow as tf

    model, n, seed, firings = network(6), 300, 5, 60
    rates = tf.Variable(tf.constant(model.parameter_values, tf.float64))
    ends = sg.simulate(model, readouts=[sg.AfterFirings([firings])], trajectories=n, seed=seed)
    last = float(ends.values("time", readout=ends.readouts[0]).min())
    grid = np.linspace(last / 7, last * 0.999, 7)
    estimator, readout = sg.gradients.StraightThrough(temperature), sg.Interpolated(grid.tolist())
    weights = np.linspace(1.0, -2.0, len(grid))
    with tf.GradientTape(persistent=True) as tape:
        literal = literal_means(model, rates, grid, firings, n, seed, estimator)
        cells = sg.simulate(
            model, rates, readouts=[readout], trajectories=n, seed=seed, estimator=estimator
        )
        ours = cells.mean("C", readout=readout)
        both = [tf.reduce_sum(weights * means) for means in (literal, ours)]
    np.testing.assert_allclose(ours, literal, rtol=1e-10)
    slopes = [tape.gradient(total, rates).numpy() for total in both]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-7)
    assert np.all(slopes[0] != 0.0)


@pytest.mark.parametrize(
    ("mode", "targets", "trajectories", "epochs"),
    [("ours_tenth", 20_000, 1000, 120), ("published", 4_000, 300, 100)],
)
def test_a_short_fit_finds_the_constants(mode, targets, trajectories, epochs, monkeypatch):
    monkeypatch.setattr(report, "CURVE_TRAJECTORIES", 2000)
    # Down at the published 0.001, slopes are so noisy that their covariance with the means shifts
    # a fit by an amount in inverse proportion to the trajectories: by several percent with 300.
    monkeypatch.setattr(paper_dimerization_fits, "TEMPERATURES", (1.0, 0.1))
    place = 6
    # Fewer steps have to be longer.
    short = replace(MODES[mode], trajectories=trajectories, rates=paper_dimerization_fits.RATES)
    fit = fit_one(short, 3, place, targets=targets, epochs=epochs, threads=1)
    # The end of the descent averages over ten epochs and more.
    averaged = 10 * trajectories
    target = report.scatter_of_target(place, targets)
    model = report.scatter_of_target(place, averaged)
    error = np.log(np.array(fit.values) / np.array(fit.truth))
    z = error / np.hypot(target, model)
    assert np.all(np.abs(z) < 4.5), f"{mode}: errors {error}, z {z}"
    started = np.abs(np.log(np.array(fit.start) / np.array(fit.truth)))
    assert np.all(np.abs(error) < started), f"{mode}: from {started} to {error}"
    assert fit.beyond < 0.01
    assert len(fit.trace) >= 50


def test_the_grid_ends_within_the_firings_of_every_trajectory_of_the_target():
    mode = MODES["published"]
    target = make_target(mode, 1, 7, trajectories=200, points=5)
    np.testing.assert_allclose(np.diff(target.grid), target.grid[0])
    lines = make_target(MODES["ours"], 1, 7, trajectories=200, points=5)
    np.testing.assert_array_equal(target.grid, lines.grid)
    assert 0.0 < np.abs(target.means - lines.means).max() < 1.0
    assert FIRINGS == 250
    assert K2[-1] == pytest.approx(1.28)


def test_a_descent_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path):
    model = network(5)
    readout = sg.WindowAverages([0.0, 1.0, 2.0])
    calls: list[int] = []

    def setting(stop_at: int) -> Setting:
        def statistics(cells):
            calls.append(1)
            if len(calls) == stop_at:
                raise KeyboardInterrupt
            return cells.mean("C", readout=readout)

        estimator = sg.gradients.TwoSidedAdjoint()
        return Setting(readout, statistics, lambda epoch: estimator, 20, 8, threads=1)

    start, target = np.array([0.02, 0.2]), np.array([20.0, 30.0])
    whole = descend(model, start, target, setting(-1), 3)
    file = tmp_path / "state.npz"
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        descend(model, start, target, setting(6), 3, file)
    assert file.exists()
    calls.clear()
    resumed = descend(model, start, target, setting(-1), 3, file)
    assert len(calls) == 3, "what was done before is not done again"
    np.testing.assert_array_equal(resumed.values, whole.values)
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    assert np.abs(whole.values[-1] / start - 1.0).max() > 0.05


def test_weights_say_which_statistics_count():
    model, readout = network(5), sg.WindowAverages([0.0, 0.5, 1.0])
    start = np.array(model.parameter_values)
    mean = sg.simulate(model, readouts=[readout], trajectories=50, seed=4).mean(
        "C", readout=readout
    )
    target = mean + np.array([0.0, 50.0])

    def end(weights):
        estimator = sg.gradients.TwoSidedAdjoint()
        return descend(
            model,
            start,
            target,
            Setting(
                readout,
                lambda cells: cells.mean("C", readout=readout),
                lambda epoch: estimator,
                50,
                1,
                weights=weights,
                threads=1,
            ),
            4,
        ).losses[0]

    assert end(np.array([1.0, 0.0])) == pytest.approx(0.0, abs=1e-20)
    assert end(np.array([1.0, 1.0])) == pytest.approx(1250.0)
    assert end(None) == pytest.approx(1250.0)


def test_a_record_that_was_cut_off_is_left_out_and_written_over(tmp_path):
    file = tmp_path / "records.jsonl"
    assert kept(file) == []
    keep(file, {"a": 1})
    with file.open("a") as opened:
        opened.write('{"a": 2, "b"')
    assert kept(file) == [{"a": 1}]
    keep(file, {"a": 3})
    assert kept(file) == [{"a": 1}, {"a": 3}]
    file.write_text('{"a"\n{"a": 4}\n')
    with pytest.raises(json.JSONDecodeError):
        kept(file)


def test_numbers():
    assert numbers("1-3,7") == (1, 2, 3, 7)


def made_up(mode: str, seed: int, place: int, error: float) -> Fit:
    k2 = K2[place]
    return Fit(
        mode,
        seed,
        place,
        100,
        MODES[mode].trajectories,
        2,
        MODES[mode].rates,
        (0.01, k2),
        (0.02, k2),
        (0.01 * (1.0 + error), k2 * (1.0 - 2.0 * error)),
        1.0,
        0.0,
        2.0,
        3.0,
        ((2.0, 1.0), (1.0, 1.0)),
        1,
    )


def test_page_and_figure_show_every_seed_and_miss_what_is_missed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "CURVE_TRAJECTORIES", 200)
    records = tmp_path / "records.jsonl"
    for seed in (1, 2, 3, 4, 5):
        for place in range(len(K2)):
            keep(records, made_up("ours_tenth", seed, place, 0.0004 * seed).as_record())
    arguments = ["--modes", "", "--records", str(records), "--out", str(tmp_path)]
    assert paper_dimerization.main(arguments) == 1
    text = (tmp_path / "dimerization.md").read_text()
    # Overall 1.5 times the error of k1, 0.0012 on average: above the published error.
    assert "| 1, 2, 3, 4, 5 | 0.180 %" in text
    assert text.count("| TwoSidedAdjoint, 10,000 trajectories | ") == 6
    assert "Not run yet: StraightThrough" in text
    assert "published | " in text
    assert (tmp_path / "dimerization.png").stat().st_size > 10_000
    assert "MAPE overall" in capsys.readouterr().out
    fits = [made_up("ours_tenth", s, p, 0.0002) for s in range(1, 6) for p in range(len(K2))]
    assert not report.is_missed(fits)
    assert fit_of(fits[0].as_record()) == fits[0]


def test_fits_with_other_learning_rates_stand_by_themselves(monkeypatch):
    monkeypatch.setattr(report, "CURVE_TRAJECTORIES", 200)
    fits = [made_up("ours_tenth", s, p, 0.0002) for s in range(1, 6) for p in range(len(K2))]
    text = report.page(fits)
    assert "Other learning rates" not in text
    trial = replace(made_up("ours_tenth", 1, 2, 0.9), rates=(0.1, 1e-5))
    tried = report.page([*fits, trial])
    assert not report.is_missed([*fits, trial])
    head, trials = tried.split("## Other learning rates")
    assert head.strip() == text.strip()
    assert "| from 0.1 to 1e-05 | 0.04 | +90.00, -180.00 | +0.00, +0.00 (epoch 1) |" in trials
    assert "| from 0.1 to 0.0001 | 0.04 | +0.02, -0.04 |" in trials
    assert trials.count("TwoSidedAdjoint") == 2


def test_the_scatter_that_the_target_gives_shrinks_as_the_root_of_its_trajectories(monkeypatch):
    monkeypatch.setattr(report, "CURVE_TRAJECTORIES", 500)
    few, many = (report.scatter_of_target(4, n) for n in (100, 10_000))
    np.testing.assert_allclose(few, 10.0 * many)
    assert 0.0003 * math.sqrt(10) < many[0] < 0.0008 * math.sqrt(10)
