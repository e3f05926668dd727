"""The bias campaign: its truth, what it measures, what it keeps and what it says."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_gradients import Known
from networks import ROOT

import sbmlgrad as sg

sys.path.insert(0, str(ROOT / "validation"))

import gradient_bias as campaign
from campaign import records as run_records
from gradient_checks import bias_report as report
from gradient_checks.bias_measure import TABLE, Measured, is_affine, label, measure, truth
from small_networks import CASES, SQUARED_CASES, Case

BIRTH_DEATH = Case("immigration_death", "X", sg.ValuesAt([1.0, 3.0]), ("alpha", "mu"))
RATES = {"few": (1.0, 1.0), "fewer": (0.5, 1.0)}


@pytest.mark.parametrize("case", SQUARED_CASES, ids=label)
def test_the_truth_of_squares_is_the_closed_form(case: Case) -> None:
    """X is Poisson with mean m = b/μ (1 - exp(-μT)); E[X²] = m + m², and m is the variance too."""
    birth, death = RATES[case.name]
    end = float(case.readout.points[-1])
    gone = math.exp(-death * end)
    mean = birth / death * (1.0 - gone)
    slopes = np.array([mean, -mean + birth * end * gone])
    factor = 1.0 + 2.0 * mean if case.statistic == "square" else 1.0
    assert truth(case)[:, 0] == pytest.approx(slopes * factor, rel=1e-5)


def test_bias_error_noise_and_length_of_batches() -> None:
    exact = np.array([[3.0, 0.0], [0.0, -4.0]])
    found = measure(BIRTH_DEATH, exact, Known(0.9 * exact, 2.0), 4_000, 1)
    assert found.bias == pytest.approx(0.1)
    assert found.along == pytest.approx(-0.1)
    # Twenty batches, whose variance is divided by nineteen.
    assert found.noise == pytest.approx(0.9 * 2.0 * math.sqrt(20.0 / 19.0))
    assert found.error == pytest.approx(found.noise / math.sqrt(4_000))
    assert found.along_error == pytest.approx(found.error)
    assert found.z > 2.5
    assert measure(BIRTH_DEATH, exact, Known(exact, 2.0), 4_000, 1).z == pytest.approx(0.0)


def test_every_row_has_a_title_of_its_own() -> None:
    assert len({label(case) for case in TABLE}) == len(TABLE)
    assert label(BIRTH_DEATH) == "immigration_death, X at 1, 3"
    assert label(SQUARED_CASES[2]) == "few, variance of X at 2"


def test_windows_with_the_same_ends_stand_for_values() -> None:
    straight = sg.gradients.StraightThrough(1.0)
    own = campaign.shown(BIRTH_DEATH, straight)
    assert own == replace(BIRTH_DEATH, readout=sg.WindowAverages([0.0, 1.0, 3.0]))
    assert campaign.shown(BIRTH_DEATH, sg.gradients.Adjoint()) is BIRTH_DEATH
    # The square of an average has no exact answer here.
    assert campaign.shown(SQUARED_CASES[0], straight) is None


def test_who_is_unbiased() -> None:
    assert {case.name for case in CASES if is_affine(case)} == {"ion_channel", "immigration_death"}
    gradients = sg.gradients
    curved = next(case for case in CASES if case.name == "small_dimer")
    assert campaign.is_unbiased(BIRTH_DEATH, gradients.Adjoint())
    assert not campaign.is_unbiased(curved, gradients.Adjoint())
    assert not campaign.is_unbiased(SQUARED_CASES[0], gradients.TwoSidedAdjoint())
    assert campaign.is_unbiased(curved, gradients.ScoreFunction())
    assert not campaign.is_unbiased(BIRTH_DEATH, gradients.FiniteDifference())


def asked(folder: Path, **other) -> argparse.Namespace:
    settings = {"seconds": 60.0, "resolve": 0.02, "trajectories": 800, "seed": 1}
    return argparse.Namespace(
        **settings | {"estimators": None, "records": folder / "records.jsonl"} | other
    )


def test_a_campaign_goes_on_from_its_records(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(campaign, "estimators", lambda: [sg.gradients.Adjoint()])
    campaign.campaign([BIRTH_DEATH], asked(tmp_path, seconds=1e-6))
    (cut,) = run_records.read(tmp_path / "records.jsonl")
    # Noise 0.12: (0.12 / 0.02)² is little, and the least is 2,000; there was time for a pilot.
    assert (cut["trajectories"], cut["wanted"], cut["unbiased"]) == (campaign.PILOT, 2_000, True)
    campaign.campaign([BIRTH_DEATH], asked(tmp_path, seconds=1e-6))
    assert len(run_records.read(tmp_path / "records.jsonl")) == 1
    campaign.campaign([BIRTH_DEATH], asked(tmp_path))
    campaign.campaign([BIRTH_DEATH], asked(tmp_path, seconds=120.0))
    _, whole = run_records.read(tmp_path / "records.jsonl")
    assert whole["trajectories"] == whole["wanted"] == 2_000
    assert whole["error"] < 0.02
    campaign.campaign([BIRTH_DEATH], asked(tmp_path, seed=2))
    assert len(run_records.read(tmp_path / "records.jsonl")) == 3


def test_a_pilot_that_promised_too_much_is_made_up_for(tmp_path: Path, monkeypatch) -> None:
    """All is measured again with as many as the measured noise asks for, now or at the next go."""
    sizes = []

    def fake(_case, _exact, _estimator, size, *_others) -> Measured:
        sizes.append(size)
        # The pilot sees a third of the noise.
        noise = 3.0 if size > campaign.PILOT else 1.0
        return Measured(0.0, noise / math.sqrt(size), noise, 0.0, 0.0, 0.0)

    monkeypatch.setattr(campaign, "measure", fake)
    monkeypatch.setattr(campaign, "estimators", lambda: [sg.gradients.ScoreFunction()])
    campaign.campaign([BIRTH_DEATH], asked(tmp_path, seconds=1e6))
    # 1.3 (1 / 0.02)² and 1.3 (3 / 0.02)².
    assert sizes == [campaign.PILOT, 3_240, 29_240]
    (kept,) = run_records.read(tmp_path / "records.jsonl")
    assert kept["trajectories"] == kept["wanted"] == 29_240
    short = kept | {"trajectories": 3_240, "wanted": 3_240, "error": 0.05}
    score = sg.gradients.ScoreFunction()
    assert campaign.is_done(kept, score, asked(tmp_path, seconds=2e6))
    assert not campaign.is_done(short, score, asked(tmp_path, seconds=2e6))
    assert campaign.is_done(short, sg.gradients.FittedValue(), asked(tmp_path, seconds=2e6))


def record(method: str, **other) -> dict:
    return {
        "case": "net, X at 1",
        "method": method,
        "readout": "net, X at 1",
        "seed": 1,
        "resolve": 0.005,
        "bias": 0.021,
        "error": 0.004,
        "noise": 1.3,
        "z": 4.2,
        "along": -0.02,
        "along_error": 0.003,
        "unbiased": False,
        "trajectories": 1_000,
        "wanted": 1_000,
        "seconds": 6.0,
    } | other


COLUMNS = ["TwoSidedAdjoint", "ScoreFunction", "StraightThrough(temperature=0.0)"]


def page(*records: dict) -> str:
    refused = {("other, X at 1", COLUMNS[2])}
    return report.page(records, ["net, X at 1", "other, X at 1"], ["net, X at 1"], COLUMNS, refused)


def test_the_page_marks_what_is_cut_refused_substituted_or_missing() -> None:
    text = page(
        record(COLUMNS[0]),
        record(COLUMNS[1], unbiased=True, wanted=100_000),
        record(COLUMNS[2], readout="net, X in 1 windows to 1"),
    )
    row = next(line for line in text.splitlines() if line.startswith("| net, X at 1 |"))
    assert row.split(" | ")[1:] == [
        "2.1 ± 0.40 % / 1.3",
        "2.1 ± 0.40 % / 1.3 *",
        "2.1 ± 0.40 % / 1.3 † |",
    ]
    other = next(line for line in text.splitlines() if line.startswith("| other, X at 1 |"))
    assert other.split(" | ")[1:] == ["not run yet", "not run yet", "– |"]
    # 6 s for 1,000 trajectories are 10 minutes for 100,000.
    assert "1 were cut and 3 not run yet" in text
    assert "1 minutes with S = 60, 10 minutes with S = 600" in text


def test_the_page_says_what_unbiased_ones_could_have_seen() -> None:
    text = page(record(COLUMNS[1], unbiased=True, error=0.03, noise=9.5, z=0.4))
    assert "| 1,000 | 9.5 | 2.1 ± 3.0 % | 0.4 | 9.0 % |" in text
    assert "0 of 1 standard errors are at most 0.50 %, of the 0 with a noise of at most 5" in text
    assert "0 of 1 scores are 3 or more" in text


def test_the_page_says_where_the_default_is_biased() -> None:
    biased = page(record(COLUMNS[0]))
    assert "- net, X at 1: 2.1 ± 0.40 %, along the truth 2.0 ± 0.30 % shorter" in biased
    assert "on 0 of 1 rows" in biased
    small = page(record(COLUMNS[0], bias=0.004, z=1.0))
    assert "on 1 of 1 rows" in small
    unclear = page(record(COLUMNS[0], z=2.0))
    assert "Neither is shown by these numbers for: net, X at 1 (2.1 ± 0.40 %)." in unclear


def test_the_page_has_single_runs_and_the_last_record_of_a_pair_counts() -> None:
    one = record("runs", runs=[0.01, 0.04], of_mean=0.002, size=5_000)
    text = page(one | {"runs": [0.5, 0.5]}, one)
    assert "| net, X at 1 | 1.0 % | 4.0 % | 0.20 % |" in text
    assert "The largest is 4.0 %." in text
