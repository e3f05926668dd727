"""The campaign of stationary distributions: its counts, its judgement, its exit code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import stationary
from scipy import stats
from stationary_networks import CASES, truth

import sbmlgrad as sg


def test_states_are_counted_wherever_they_stand() -> None:
    states = np.array([[0, 2], [1, 0], [5, 1]])
    counts = np.array([[5, 1], [0, 2], [5, 1], [2, 0], [9, 9], [0, 5]])
    assert stationary.histogram(counts, states).tolist() == [1, 0, 2, 3]


def test_judgement_of_right_and_wrong_counts() -> None:
    probability = stats.poisson.pmf(np.arange(60), 12.0)
    generator = np.random.default_rng(5)
    right = np.bincount(generator.poisson(12.0, 10**5), minlength=61)
    words, p, cells, worst, worst_p = stationary.judge(right, probability)
    assert words.endswith(f"{cells - 1} d.f.")
    assert min(p, worst_p) > 1e-4
    assert worst < 5.0
    wrong = np.bincount(generator.poisson(12.24, 10**5), minlength=61)
    _, p, _, worst, worst_p = stationary.judge(wrong, probability)
    assert p < 1e-20
    assert worst > 5.0
    assert worst_p < 1e-5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_truth_is_a_distribution_that_hardly_moves(case: stationary.Case) -> None:
    exact = truth(case)
    assert exact.probability.sum() == pytest.approx(1.0, abs=1e-8)
    assert exact.probability.min() >= 0.0
    assert 0.0 < exact.distance < 0.02
    assert len(np.unique(exact.states, axis=0)) == len(exact.states)


@pytest.mark.parametrize(("only", "count"), [("Native", 5), ("Cuda", 1), ("Reference", 1)])
def test_engines_are_found_or_named(only: str, count: int) -> None:
    found, left_out = stationary.contenders(only)
    assert len(found) + len(left_out) == count
    assert all(only in contender.engine.name for contender in found)
    assert all(only in reason for reason in left_out)
    assert found or only == "Cuda"


def test_the_campaign_ends_with_1_for_a_rate_that_is_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "stationary.md"
    few = ["--trajectories", "4e4", "--only", "Native(kernel='lockstep')"]
    assert stationary.main([*few, "--out", str(report)]) == 0
    text = report.read_text(encoding="utf-8")
    assert text.count("| passed |") == len(CASES)
    assert "40,000" in text
    assert stationary.main([*few, "--plant", "1.02"]) == 1
    assert capsys.readouterr().out.count("**FAILED**") == len(CASES)


def test_slow_engines_take_part() -> None:
    contender = stationary.Contender(sg.engines.Reference(), part=50)
    result = stationary.measure(CASES[0], truth(CASES[0]), contender, 3000, 3, 1.0)
    assert result.trajectories == 60
    assert result.least > 1e-4
