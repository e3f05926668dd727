"""The paper's ion channel, short: accuracy of descents, the file of the recording, the page."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from networks import ROOT

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_ion_channel
from ion_channel import fits
from ion_channel import sweeps as data
from ion_channel.errors import of_one_sweep
from ion_channel.nav15_file import read_sweeps
from ion_channel.report import is_missed, page
from ion_channel.tables import groups, quality_row, root_mean_square
from paper_records import keep, kept

from sbmlgrad.errors import DataError, FitError

RATES = np.array([0.75, 0.103, 1.159])


def test_the_shipped_model_has_the_published_rates():
    np.testing.assert_array_equal(data.truth(), RATES)


def test_changes_are_counted_from_closed_on():
    levels = np.zeros((2, len(data.STEPS)))
    levels[0, 0:3] = 1.0
    levels[1, 5] = 2.0
    np.testing.assert_array_equal(data.changes(levels)[:, 0], [2.0, 8.0])


def test_openings_are_time_open_their_number_and_their_times():
    levels = np.zeros((2, data.SAMPLES - 1))
    levels[0, 0:30] = 1.0
    levels[1, 9:49] = 2.0
    levels[1, 99] = 1.0
    np.testing.assert_allclose(
        data.openings(levels), [[0.3, 1.0, 0.01], [0.81, 3.0, 0.1 + 0.1 + 1.0]], rtol=1e-12
    )
    turn = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0], [0.5, 0.0, 1.0]])
    np.testing.assert_allclose(data.openings(levels, turn), data.openings(levels) @ turn)


@pytest.mark.parametrize("method", ["openings", "mean_and_changes", "mean", "straight_through"])
def test_short_descents_find_every_rate(method):
    """Would show a biased gradient, wrong weights, or a descent that stops early.

    The tolerance is that of the data and of the trajectories at the end of the descent, which
    averages over twenty epochs and more. From the mean, closing is uncertain by a third.
    """
    sweeps = data.simulate_sweeps(3, 20_000)
    assert sweeps.opened is None
    assert sweeps.means.size == data.SAMPLES // data.POOLED
    count = 256 if method == "openings" else 512
    fit = fits.descent(method, sweeps, 3, trajectories=count, epochs=100, threads=1)
    error = of_one_sweep()[method] * np.sqrt(1.0 / sweeps.count + 1.0 / (20 * fit.trajectories))
    z = np.log(np.array(fit.rates) / RATES) / error
    assert np.all(np.abs(z) < 4.0), f"rates {fit.rates}, standard errors {error}, z {z}"
    assert np.all(error[[0, 2]] < 0.03), error
    started = np.log(np.array(fit.trace[0]) / RATES) / error
    assert np.abs(z).max() < 0.5 * np.abs(started).max(), f"began at z {started}, ended at {z}"


def test_a_descent_that_does_not_move_is_refused(monkeypatch):
    class Still:
        values = np.tile(RATES, (3, 1))
        seconds = cpu_seconds = 0.0

    monkeypatch.setattr(fits, "descend", lambda *arguments: Still())
    with pytest.raises(FitError, match="that is no fit"):
        fits.descent("mean", data.simulate_sweeps(1, 20), 1, trajectories=10, epochs=2)


def test_sweeps_that_do_not_vary_are_refused():
    opened = np.zeros((20, data.SAMPLES), dtype=np.int64)
    opened[:, 40:90] = 1
    with pytest.raises(DataError, match="do not vary apart"):
        fits.openings_setting(data.sweeps_of_record(opened), 10, 1, 1)


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
    sweeps = data.simulate_sweeps(2, 50)
    assert sweeps.opened is not None
    recorded = data.sweeps_of_record(sweeps.opened)
    for name in ("levels", "variances", "openings", "covariance"):
        np.testing.assert_allclose(getattr(recorded, name), getattr(sweeps, name), atol=1e-12)
    assert np.abs(recorded.means - sweeps.means).max() < 0.1


def test_a_recording_is_fitted_from_starts_of_its_own(tmp_path, capsys):
    """Sweeps of three times the published rates; one begins open, so that no rates can give it."""
    opened = data.simulate_sweeps(1, 100, 3.0 * RATES).opened
    assert opened is not None
    opened[3, 0] = 1
    path = tmp_path / "open.xlsx"
    write(path, opened.T.tolist())
    arguments = ["--recording", str(path), "--methods", "", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        paper_ion_channel.main(arguments)
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert "sweep 4, sample 1: open channels: 1, and" in told
    assert "--leave-out 4" in told
    # Sweeps are numbered as in the file, whatever is left out already.
    first, opened[5, 0] = opened[5, 0], 1
    write(path, opened.T.tolist())
    with pytest.raises(SystemExit):
        paper_ion_channel.main([*arguments, "--leave-out", "4"])
    told = capsys.readouterr().err
    assert "sweep 6, sample 1: open channels: 1, and" in told
    assert "--leave-out 6)" in told
    opened[5, 0] = first
    write(path, opened.T.tolist())
    arguments += ["--leave-out", "4", "--out", str(tmp_path)]
    assert paper_ion_channel.main(arguments) == 0
    told = capsys.readouterr().out
    written = (tmp_path / "open.md").read_text(encoding="utf-8")
    assert "99 sweeps; without 4." in written
    assert "| maximum likelihood of every sample |" in written
    assert "the truth here" not in written
    assert (tmp_path / "open.png").stat().st_size > 10_000
    assert "99 sweeps, 1 left out" in told
    line = next(line for line in told.splitlines() if line.startswith("maximum likelihood"))
    found = np.array([float(word) for word in line.split("rates ")[1].split(" /ms")[0].split(",")])
    z = np.log(found / (3.0 * RATES)) / (of_one_sweep()["maximum likelihood"] / np.sqrt(99))
    # Three times faster channels end earlier in the sweep: errors are those of the slow ones.
    assert np.all(np.abs(z) < 4.0), f"rates {found}, z {z}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sweeps", "0"],
        ["--sweeps", "few"],
        ["--trajectories", "1"],
        ["--threads", "0"],
        ["--epochs", "0"],
        ["--seeds", "5-1"],
        ["--methods", "guess"],
        ["--recording", "nowhere.xlsx", "--out", "."],
        ["--recording", "nowhere.xlsx"],
    ],
)
def test_arguments_out_of_range_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        paper_ion_channel.main(arguments)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_without_options_the_committed_page_is_made():
    def asked(*arguments):
        return paper_ion_channel.part_of(paper_ion_channel.parser_of().parse_args(arguments))

    assert asked() is None
    assert asked("--sweeps", "500") == paper_ion_channel.Part(sweeps=500)
    assert paper_ion_channel.ASTRAY not in asked("--recording", "sweeps.xlsx").methods
    settings = {
        (fit.method, fit.sweeps, fit.seed, fit.trajectories)
        for record in kept(paper_ion_channel.RESULTS / "ion_channel.jsonl")
        if (fit := fits.fit_of(record)).trajectories
    }
    planned = {
        (method, part.sweeps, seed, part.of_epoch(method))
        for part in paper_ion_channel.PLAN
        for seed in part.seeds
        for method in part.methods
    }
    assert settings == planned


def test_a_fit_in_another_setting_is_another_fit(tmp_path):
    records = tmp_path / "records.jsonl"
    keep(records, fits.told("published rates", data.simulate_sweeps(1, 20), 1, RATES).as_record())
    arguments = ["--methods", "mean", "--sweeps", "20", "--seeds", "1", "--threads", "1"]
    arguments += ["--epochs", "1", "--records", str(records), "--out", str(tmp_path)]
    for count in ("10", "12", "12"):
        paper_ion_channel.main([*arguments, "--trajectories", count])
    made = [fits.fit_of(record) for record in kept(records)]
    assert [fit.trajectories for fit in made if fit.method == "mean"] == [10, 12]
    assert all(fit.date and fit.machine and fit.threads for fit in made[1:])
    assert made[0].date is None, "what a record does not say is not made up"
    assert not list(tmp_path.glob("under_way/*"))


def test_records_that_do_not_say_learning_rates_stand_with_others_and_are_not_made_again(tmp_path):
    records = tmp_path / "records.jsonl"
    new = fits.descent("mean", data.simulate_sweeps(1, 20), 1, trajectories=10, epochs=1, threads=1)
    old = replace(new, seed=2, learning_rates=())
    other = replace(new, seed=3, trajectories=12)
    for fit in (new, old, other):
        keep(records, fit.as_record())
    found = groups([new, old, other], 20)
    assert [[fit.seed for fit in own] for _, _, own in found] == [[1, 2], [3]]
    assert "seed 2: not recorded" in quality_row(*found[0])[3]
    keep(records, fits.told("least squares", data.simulate_sweeps(2, 20), 2, RATES).as_record())
    arguments = ["--methods", "mean", "--sweeps", "20", "--seeds", "2", "--trajectories", "10"]
    arguments += ["--epochs", "1", "--records", str(records), "--out", str(tmp_path)]
    paper_ion_channel.main(arguments)
    assert len(kept(records)) == 4


def test_root_mean_squares_have_standard_errors():
    """Against the scatter of root mean squares of five, over many draws; a few percent of noise."""
    draws = np.random.default_rng(4).normal(size=(4000, 200, 1))
    both = [root_mean_square(draw) for draw in draws]
    roots, errors = (np.array([b[i][0] for b in both]) for i in (0, 1))
    assert roots.std() == pytest.approx(errors.mean(), rel=0.06)
    assert np.isnan(root_mean_square(draws[0, :1])[1]).all()


def test_the_committed_page_is_that_of_the_committed_records():
    results = ROOT / "validation" / "results" / "paper"
    found = [fits.fit_of(record) for record in kept(results / "ion_channel.jsonl")]
    assert (results / "ion_channel.md").read_text() == page(found)
    assert not is_missed(found), "from a million sweeps every rate is within 2 %"


def test_page_and_figure_say_that_data_were_simulated(tmp_path, capsys):
    records = tmp_path / "records.jsonl"
    sweeps = data.simulate_sweeps(5, 100)
    for fit in fits.exact_fits(sweeps, 5):
        keep(records, fit.as_record())
    fit = fits.descent("mean", sweeps, 5, trajectories=32, epochs=2, threads=1)
    keep(records, fit.as_record())
    many = fits.Fit("mean_and_changes", 10**6, 1, tuple((RATES * 1.03).tolist()), (1.0, 0.0, 0.0))
    keep(records, many.as_record())
    arguments = ["--methods", "", "--seeds", "5", "--records", str(records), "--out", str(tmp_path)]
    assert paper_ion_channel.main(arguments) == 1, "3 % off from a million sweeps"
    assert not is_missed([fit])
    text = " ".join((tmp_path / "ion_channel.md").read_text().split())
    assert "SIMULATED FROM THE PUBLISHED RATES" in text
    assert "1,000,000 sweeps" in text
    assert "| +3.00 % |" in text
    assert "least squares on the mean, exact, 100 sweeps, seed 5: k_close" in text, "at its bound"
    assert "1 of 5 records are older" in text
    assert (tmp_path / "ion_channel.png").stat().st_size > 10_000
    assert "maximum likelihood" in capsys.readouterr().out
