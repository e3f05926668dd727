"""Short form of the coverage campaign: 30 repeats of a known truth, refitted by scoring.

The campaign itself, over whole fits, is `validation/interval_coverage.py`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import interval_coverage
import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty.fisher import fisher
from sbmlgrad.fit.uncertainty.fitted import Fitted, child_seed
from sbmlgrad.fit.uncertainty.scoring import refit
from sbmlgrad.model.measurements import Measurements

LEVEL, REPEATS = 0.9, 30


def test_intervals_cover_the_truth() -> None:
    """Share of 60 intervals of 90 % (two parameters) against the binomial, within z = 3.

    The two parameters of one repeat are correlated, so that there are 30 independent ones at the
    least: the standard error is that of 30. Intervals half as wide would cover 59 %, z = -5.7.
    """
    truth, times = np.array([2.0, 0.4]), np.arange(1, 11) * 0.8
    blank, index = ("",) * times.size, np.zeros(times.size, dtype=np.int64)
    fall = 5.0 * (1.0 - np.exp(-0.4 * times))
    hits = []
    for number in range(REPEATS):
        noise = 0.25 * np.random.default_rng([number, 2]).normal(size=times.size)
        data = Measurements(("X",), times, index, fall + noise, blank, blank)
        problem, _ = plain_problem(network("immigration_death"), data, ["alpha", "mu"])
        space = search_space(problem)
        one = Fitted(
            problem,
            space,
            space.start,
            MeanTrajectory(),
            sg.gradients.TwoSidedAdjoint(),
            sg.engines.Native(threads=1, kernel="table"),
            child_seed(number, 8),
        )
        reached = refit(one.simulator(), one.coordinates, 500).coordinates
        own = replace(one, values=space.values(reached), seed=child_seed(number, 9))
        found = fisher(own, LEVEL, 200, 0.3)
        hits.append((found.lower < truth) & (truth < found.upper))
    share = float(np.mean(hits))
    z = (share - LEVEL) / math.sqrt(LEVEL * (1.0 - LEVEL) / REPEATS)
    assert abs(z) < 3.0, f"coverage {share:.2f}, z = {z:.2f}"


@pytest.mark.parametrize("ending", interval_coverage.ENDINGS)
def test_measurements_of_the_campaign_go_through_a_file(ending, monkeypatch) -> None:
    """What is drawn is what is read back, whatever the file calls replicates."""
    monkeypatch.setattr(interval_coverage, "TRUTH_TRAJECTORIES", 1_000)
    case = replace(interval_coverage.CASES[3], sd=0.3)
    drawn = interval_coverage.measured(case, np.random.default_rng(1))
    read = interval_coverage.read_back(drawn, ending)
    assert set(read.observables) == {"I", "R"}
    for id in read.observables:
        one, other = drawn.observed(id), read.observed(id)
        np.testing.assert_array_equal(one.replicates, other.replicates)
        np.testing.assert_allclose(one.mean, other.mean)


def test_a_repeat_of_the_campaign(monkeypatch) -> None:
    """Few epochs of few trajectories: what comes back is near the truth, and so are its ends."""
    monkeypatch.setattr(interval_coverage, "EPOCHS", 12)
    monkeypatch.setattr(interval_coverage, "TRAJECTORIES", 64)
    monkeypatch.setattr(interval_coverage, "TRUTH_TRAJECTORIES", 4_000)
    case = replace(interval_coverage.CASES[1], sd=0.5)
    record = interval_coverage.repeat(case, 0)
    assert np.abs(np.log(record.ratios)).max() < 0.3
    assert min(record.widths) > 0.0
    assert max(record.widths) < 1.0


def test_the_campaign_reports_what_it_found() -> None:
    case = interval_coverage.CASES[0]
    records = [
        interval_coverage.Record(case.name, n, (1.1, 0.9), (n < 9, True), (0.3, 0.4))
        for n in range(10)
    ]
    share, error = interval_coverage.coverage(records)
    assert share.tolist() == [0.9, 1.0]
    np.testing.assert_allclose(error, 0.3 / math.sqrt(10))
    page = interval_coverage.page([case], {case.name: records})
    assert "| 10 | +10.00 % ± 0.00 % | 10.0 % | 1.350 | 90 ± 9 % | +0.00 |" in page
    drawn = interval_coverage.measured(
        replace(interval_coverage.CASES[1], sd=1e-9), np.random.default_rng(1)
    )
    assert len(drawn) == 24
    assert drawn.observed("C").replicates.tolist() == [3] * 8
