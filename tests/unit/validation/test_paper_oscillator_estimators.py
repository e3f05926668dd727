"""What estimators are worth on the paper's oscillator: gradients, descents by budget, pages."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from networks import ROOT

sys.path.append(str(ROOT / "validation" / "benchmarks" / "paper"))

import paper_oscillator_budgets
import paper_oscillator_estimators as estimators
import paper_oscillator_information as information
from genetic_oscillator import budgets, segments
from genetic_oscillator.model import start_of, truth
from genetic_oscillator.scoring import Stage
from paper_records import keep


def test_descents_by_budget_are_kept_and_told(tmp_path: Path):
    data = segments.make_data(4, 2_048, 25, 1)
    budget = replace(budgets.BUDGETS["two_sided_128x4"], starts=256)
    stages = (Stage(6, segments.SEGMENT, 6, False), Stage(4, segments.SEGMENT, 2, True))
    made = budgets.descent(budget, data, 4, 1, stages, 4)
    assert made.mape < 0.08, f"{made.errors}"
    assert made.trace[0] == pytest.approx(start_of(4) / truth(), rel=1e-5)
    assert json.loads(json.dumps(made.settings)) == budgets.settings_of(data, stages, 4)
    records = tmp_path / "budgets.jsonl"
    other = {"budget": "straight_through_3e-06_8192x25", "errors": [0.5, -0.25, 0.25, 0.5, -1.0]}
    for kept_one in (replace(made, budget="two_sided_128x4"), replace(made, **other)):
        keep(records, asdict(kept_one))
    paper_oscillator_budgets.main(
        ["--budgets", "", "--records", str(records), "--out", str(tmp_path)]
    )
    text = (tmp_path / "oscillator_budgets.md").read_text()
    error = f"{100 * made.mape:.2f} %"
    assert f"| TwoSidedAdjoint | 128 × 4 | 4 | {error} | {error} to {error} |" in text
    assert "| StraightThrough, T = 3e-06 | 8,192 × 25 | 4 | 50.00 % |" in text
    assert (tmp_path / "oscillator_budgets.png").exists()


def test_the_estimator_of_a_budget_is_the_one_it_names():
    found = {name: budget.estimator.name for name, budget in budgets.BUDGETS.items()}
    assert found["two_sided_8192x4"] == "TwoSidedAdjoint()"
    assert found["straight_through_0.1_512x4"] == "StraightThrough(temperature=0.1)"
    assert found["straight_through_3e-06_8192x25"] == "StraightThrough(temperature=3e-06)"


def test_pages_of_estimators_and_of_information():
    steps = np.array([[-0.1, 0.1, 0.1, -0.1, -0.1], [-0.3, 0.1, 0.1, -0.1, -0.1]])
    right = estimators.Steps("differences of the loss", steps, 0.5)
    made = estimators.Steps("`TwoSidedAdjoint()`", steps, 1.5)
    text = estimators.report([right, made], np.eye(5), 100)
    assert "| `TwoSidedAdjoint()` | 1.50 | -0.2 ± 0.1 | +0.1 ± 0 |" in text
    assert "| the way to the truth |  | -0.10 | +0.10 |" in text
    found = [("values", "R", 25.0, np.array([0.001, 0.002, 0.003, 0.004, 3.0]))]
    assert "| values | R | 25 | 0.10 | 0.20 | 0.30 | 0.40 | - |" in information.report(
        found, 10, 20
    )


def test_errors_by_budget_are_those_of_larger_batches():
    """A bias of 0.6 of the right step, and noise of 0.5 of it in one batch."""
    rng = np.random.default_rng(1)
    right = np.tile([2.0, 0.0], (4000, 1)) + 0.3 * rng.standard_normal((4000, 2))
    noise = np.sqrt(0.5) * rng.standard_normal((4000, 2))
    biased = np.tile([2.0, 1.2], (4000, 1)) + noise
    metric = np.diag([1.0, 1.0])
    of = [estimators.Steps("", steps, 1.0) for steps in (right, biased)]
    for times in (1.0, 25.0, 1e6):
        expected = np.sqrt(1.2**2 + 1.0 / times) / 2.0
        found = estimators.error_by_budget(of[1], of[0], metric, times)
        assert found == pytest.approx(expected, rel=0.03)
    unbiased = estimators.Steps("", right + noise - noise.mean(axis=0), 1.0)
    assert estimators.error_by_budget(unbiased, of[0], metric, 1e9) < 0.02
