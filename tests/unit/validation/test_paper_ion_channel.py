"""The paper's ion channel, short: exact judges, accuracy of descents, the file of the recording."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from networks import ROOT
from scipy.linalg import expm

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_channel_fits as fits
import paper_ion_channel
from paper_channel_exact import (
    fit_quality,
    generator,
    least_squares,
    log_likelihood,
    maximum_likelihood,
    mean_open,
    states,
)
from paper_channel_report import is_missed
from paper_nav15_file import read_sweeps
from paper_records import keep

from sbmlgrad.errors import DataError

RATES = np.array([0.75, 0.103, 1.159])


def test_the_shipped_model_has_the_published_rates():
    np.testing.assert_array_equal(fits.truth(), RATES)


def test_mean_open_is_the_integral_of_the_master_equation():
    matrix = generator(RATES, 2)
    np.testing.assert_allclose(matrix.sum(axis=1), 0.0, atol=1e-15)
    opened = np.array([o for _, o in states(2)])
    start = states(2).index((2, 0))
    edges = np.array([0.0, 0.3, 2.0, 5.0])
    fine = [np.linspace(a, b, 201) for a, b in itertools.pairwise(edges)]
    exact = [
        np.trapezoid([(expm(matrix * t) @ opened)[start] for t in times], times)
        / (times[-1] - times[0])
        for times in fine
    ]
    np.testing.assert_allclose(mean_open(RATES, edges, 2), exact, rtol=1e-4)


def test_log_likelihood_is_the_sum_over_all_hidden_paths():
    sweeps = np.array([[0, 1, 1, 0], [0, 0, 2, 1]])
    step, total = expm(generator(RATES, 2) * 0.4), 0.0
    places = {state: place for place, state in enumerate(states(2))}
    for sweep in sweeps:
        chance = 0.0
        for hidden in itertools.product(range(3), repeat=3):
            path = [(2, 0), *zip(hidden, sweep[1:], strict=True)]
            if all(state in places for state in path):
                on = [places[state] for state in path]
                chance += np.prod([step[a, b] for a, b in itertools.pairwise(on)])
        total += np.log(chance)
    assert log_likelihood(RATES, sweeps, 0.4, 2) == pytest.approx(total, rel=1e-12)


def test_maximum_likelihood_finds_the_rates():
    sweeps = fits.simulate_sweeps(7, 1000)
    assert sweeps.opened is not None
    found = maximum_likelihood(sweeps.opened, fits.INTERVAL, 2, 1.5 * RATES)
    logs, h = np.log(found), 0.02

    def value(*moves: float) -> float:
        return log_likelihood(np.exp(logs + np.array(moves)), sweeps.opened, fits.INTERVAL, 2)

    unit = h * np.eye(3)
    hessian = [
        [
            (value(*(a + b)) - value(*(a - b)) - value(*(b - a)) + value(*(-a - b))) / (4 * h * h)
            for b in unit
        ]
        for a in unit
    ]
    error = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    z = (logs - np.log(RATES)) / error
    assert np.all(np.abs(z) < 4.0), f"rates {found}, standard errors {error}, z {z}"
    assert np.all(error < 0.15)


def test_least_squares_of_an_exact_mean_is_its_rates():
    means = mean_open(RATES, fits.WINDOWS, 2)
    np.testing.assert_allclose(least_squares(means, fits.WINDOWS, 2, 2.0 * RATES), RATES, rtol=1e-5)


def test_fit_quality():
    r2, rmse, share = fit_quality(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))
    assert r2 == pytest.approx(0.5)
    assert rmse == pytest.approx(1.0 / np.sqrt(3.0))
    assert share == pytest.approx(rmse / 2.0)


def test_changes_are_counted_from_closed_on():
    levels = np.zeros((2, len(fits.STEPS)))
    levels[0, 0:3] = 1.0
    levels[1, 5] = 2.0
    np.testing.assert_array_equal(fits.changes(levels)[:, 0], [2.0, 8.0])


def test_means_and_changes_find_every_rate():
    """The tolerance is that of the data and of the trajectories at the end of the descent."""
    sweeps = fits.simulate_sweeps(3, 40_000)
    assert sweeps.opened is None
    assert sweeps.means.size == fits.SAMPLES // fits.POOLED
    fit = fits.descent("mean_and_changes", sweeps, 3, trajectories=1024, epochs=120, threads=1)
    # Relative standard errors from one sweep, by the delta method on 20,000 sweeps of their own.
    one = scatter_of_one_sweep()
    # The end averages over twenty epochs and more, and at the least counts as much as the data.
    error = one * np.sqrt(1.0 / sweeps.count + 1.0 / (20 * fit.trajectories))
    z = np.log(np.array(fit.rates) / RATES) / error
    assert np.all(np.abs(z) < 4.0), f"rates {fit.rates}, standard errors {error}, z {z}"
    assert np.all(error < np.array([0.02, 0.06, 0.02])), error
    started = np.abs(np.log(np.array(fit.trace[0]) / RATES))
    assert np.all(np.abs(np.log(np.array(fit.rates) / RATES)) < np.maximum(started, 4.0 * error))


def scatter_of_one_sweep() -> np.ndarray:
    """Return the standard deviation of log rates that one sweep gives, by means and changes."""
    steps, every = len(fits.STEPS), fits.MEANS_EVERY

    def exact(rates):
        jump = expm(generator(rates, 2) * fits.STEP)
        opened = np.array([float(o) for _, o in states(2)])
        chance = np.zeros(len(opened))
        chance[states(2).index((2, 0))] = 1.0
        along = [chance]
        for _ in range(steps):
            along.append(along[-1] @ jump)
        along = np.array(along)
        moved = (jump * (opened[:, None] - opened) ** 2).sum(axis=1)
        return np.append((along @ opened)[every::every], (along[:-1] @ moved).sum())

    up, down = (
        [exact(RATES * np.exp(sign * 1e-4 * np.eye(3)[i])) for i in range(3)] for sign in (1, -1)
    )
    slopes = (np.array(up) - np.array(down)).T / 2e-4
    readout = ValuesAt(fits.STEPS.tolist())
    cells = sg.simulate(fits.network(), readouts=[readout], trajectories=20_000, seed=5)
    levels = cells.values("O", readout=readout)
    both = np.hstack([levels[:, every - 1 :: every], fits.changes(levels)])
    z = (both.mean(axis=0) - exact(RATES)) / (both.std(axis=0) / np.sqrt(len(both)))
    assert np.abs(z).max() < 4.5, f"statistics of sweeps against the master equation: z {z}"
    weights = 1.0 / both.var(axis=0)
    weights[-1] *= len(weights) - 1
    inverse = np.linalg.inv((slopes.T * weights) @ slopes) @ (slopes.T * weights)
    return np.sqrt(np.diag(inverse @ np.cov(both.T) @ inverse.T))


def write(path, rows) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)


OPENED = np.array([[0, 1, 2, 1, 0, 0], [0, 0, 1, 0, 1, 0]])


@pytest.mark.parametrize("form", ["columns with times and names", "rows", "inward current"])
def test_layouts_of_the_recording(tmp_path, form):
    path = tmp_path / "sweeps.xlsx"
    if form == "columns with times and names":
        times = np.arange(6) * 0.01
        rows = [["time (ms)", "sweep 1", "sweep 2"], *np.column_stack([times, OPENED.T]).tolist()]
    elif form == "rows":
        rows = OPENED.tolist()
    else:
        rows = [[], *(-1.7 * OPENED.T).tolist()]
    write(path, rows)
    np.testing.assert_array_equal(read_sweeps(path, samples=6), OPENED)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (OPENED[:, :5].tolist(), "an axis of 6"),
        ((OPENED - 1).tolist(), "both sides of 0"),
        ((OPENED * 1.3 + 0.4 * (OPENED == 1)).tolist(), "is this the raw current"),
        ((0 * OPENED).tolist(), "no channel ever opens"),
        ([*OPENED.tolist(), [0, 1, "lost", 0, 0, 0]], "row 3, column 3 holds no number"),
        ([["nothing", "here"]], "no block of numbers"),
    ],
)
def test_sheets_that_are_not_the_recording_are_refused(tmp_path, rows, words):
    path = tmp_path / "sweeps.xlsx"
    write(path, rows)
    with pytest.raises(DataError, match=words) as raised:
        read_sweeps(path, samples=6)
    assert "sweeps.xlsx" in str(raised.value)


def test_a_file_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "sweeps.xlsx"
    path.write_text("no workbook")
    with pytest.raises(DataError, match="cannot be read as an Excel workbook"):
        read_sweeps(path)


def test_recorded_sweeps_have_the_statistics_of_simulated_ones():
    sweeps = fits.simulate_sweeps(2, 50)
    assert sweeps.opened is not None
    recorded = fits.sweeps_of_record(sweeps.opened)
    np.testing.assert_allclose(recorded.levels, sweeps.levels, atol=1e-12)
    np.testing.assert_allclose(recorded.variances, sweeps.variances, atol=1e-12)
    assert np.abs(recorded.means - sweeps.means).max() < 0.1


def test_page_and_figure_say_that_data_were_simulated(tmp_path, capsys):
    records = tmp_path / "records.jsonl"
    sweeps = fits.simulate_sweeps(1, 100)
    for fit in fits.exact_fits(sweeps, 1):
        keep(records, fit.as_record())
    fit = fits.descent("mean", sweeps, 1, trajectories=32, epochs=2, threads=1)
    keep(records, fit.as_record())
    many = fits.Fit("mean_and_changes", 10**6, 1, tuple((RATES * 1.03).tolist()), (1.0, 0.0, 0.0))
    keep(records, many.as_record())
    arguments = ["--methods", "", "--seeds", "1", "--records", str(records), "--out", str(tmp_path)]
    assert paper_ion_channel.main(arguments) == 1, "3 % off from a million sweeps"
    assert not is_missed([fit])
    text = (tmp_path / "ion_channel.md").read_text()
    assert "SIMULATED FROM THE PUBLISHED RATES" in text
    assert "1,000,000 sweeps" in text
    assert "| +3.00 % |" in text
    assert (tmp_path / "ion_channel.png").stat().st_size > 10_000
    assert "maximum likelihood" in capsys.readouterr().out
