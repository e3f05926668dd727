"""Moments batch by batch, and the statistics of a comparison where the answer is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sbmlgrad.errors import RefereeError, RequestError
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.referees.report.text import comparison_data
from sbmlgrad.referees.statistics.compare import CONFIRMATION, Comparison, compare, confirmed


def of(counts: np.ndarray) -> Moments:
    return moments([counts])


def sides(ours: list[float], theirs: list[float]) -> Comparison:
    columns = [np.array(side, dtype=float).reshape(-1, 1, 1) for side in (ours, theirs)]
    return compare(["X"], np.array([1.0]), of(columns[0]), of(columns[1]))


@pytest.mark.parametrize("sizes", [[100], [1, 99], [40, 30, 30]])
def test_moments_do_not_depend_on_batches(sizes: list[int]) -> None:
    counts = np.random.default_rng(0).poisson(1e6, (100, 3, 2))
    found = moments(np.split(counts, np.cumsum(sizes)[:-1]))
    mean = counts.mean(axis=0)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-14)
    np.testing.assert_allclose(found.variance, counts.var(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(found.fourth_moment, ((counts - mean) ** 4).mean(axis=0), rtol=1e-9)
    assert found.trajectories == 100


def test_the_standard_error_of_a_variance_is_right_for_skewed_counts() -> None:
    n, p = 200, 0.05
    counts = np.random.default_rng(1).geometric(p, (n, 20_000, 1))
    found = of(counts)
    spread = found.variance.var(ddof=1)
    # The exact answer, from the moments of the geometric distribution.
    q = 1.0 - p
    variance, fourth = q / p**2, (q / p**2) ** 2 * (9.0 + p**2 / q)
    exact = (fourth - (n - 3) / (n - 1) * variance**2) / n
    assert spread == pytest.approx(exact, rel=0.05)
    assert found.variance_of_variance.mean() == pytest.approx(exact, rel=0.05)
    # What it would be if counts were normal is far off.
    assert exact > 3.0 * 2.0 * variance**2 / (n - 1)


def test_statistics_by_hand() -> None:
    found = sides([1, 2, 3, 6], [2, 2, 4, 4])
    assert found.z[0, 0] == pytest.approx(0.0)
    s1, s2, n = 14.0 / 3.0, 4.0 / 3.0, 4
    m1, m2 = (16 + 1 + 0 + 81) / 4.0, 1.0
    v1, v2 = ((m - (n - 3) / (n - 1) * s**2) / n for m, s in ((m1, s1), (m2, s2)))
    assert found.y[0, 0] == pytest.approx((s1 - s2) / np.sqrt(v1 + v2))
    assert found.bound == pytest.approx(stats.t.isf(1e-3 / 4, 3))
    moved = sides([1, 2, 3, 6], [3, 3, 5, 5])
    assert moved.z[0, 0] == pytest.approx(-1.0 / np.sqrt((s1 + s2) / n))


def test_constants_are_compared_exactly() -> None:
    same = sides([5.0] * 10, [5.0] * 10)
    assert same.agrees
    assert same.z[0, 0] == same.y[0, 0] == 0.0
    other = sides([5.0] * 10, [6.0] * 10)
    assert not other.agrees
    assert other.z[0, 0] == -np.inf
    assert other.y[0, 0] == 0.0
    assert "means of X DISAGREE" in str(other)


def test_one_rare_firing_is_no_disagreement() -> None:
    found = sides([0.0] * 1000, [0.0] * 999 + [1.0])
    assert found.z[0, 0] == pytest.approx(-1.0)
    assert found.y[0, 0] == pytest.approx(-1.0, rel=1e-2)
    # The other side's two states at exactly equal shares leave no more than a rounding of spread.
    assert sides([0.0, 1.0] * 500, [0.0, 1.0] * 500).agrees


def test_bound_counts_every_test() -> None:
    counts = np.random.default_rng(2).poisson(5, (50, 7, 3))
    found = compare("ABC", np.arange(7.0), of(counts), of(counts), family_wise_error=0.02)
    assert found.bound == pytest.approx(stats.t.isf(0.02 / (2 * 42), 49))
    assert np.all(found.z == 0.0)


def test_a_disagreement_counts_only_if_found_again() -> None:
    rng = np.random.default_rng(3)
    asked: list[int] = []

    def run(multiple: int, *, again: int) -> Comparison:
        asked.append(multiple)
        n = 100 * multiple
        ours, theirs = rng.poisson(5, (2, n, 2, 2)).astype(float)
        theirs[:, 0 if multiple == 1 else again, 0] += 5.0
        return compare("AB", np.array([1.0, 2.0]), of(ours), of(theirs))

    found = confirmed(lambda multiple: run(multiple, again=0))
    assert asked == [1, CONFIRMATION]
    assert not found.agrees
    np.testing.assert_array_equal(found.disagreement[0], [[True, False], [False, False]])
    elsewhere = confirmed(lambda multiple: run(multiple, again=1))
    assert elsewhere.exceeding.any()
    assert elsewhere.confirmation is not None
    assert not elsewhere.confirmation.agrees
    assert elsewhere.agrees
    assert "0 did so again" in str(elsewhere)


def test_no_repetition_where_all_agrees() -> None:
    counts = np.random.default_rng(4).poisson(5, (2, 100, 1, 1))
    found = confirmed(lambda multiple: compare("A", np.ones(1), of(counts[0]), of(counts[1])))
    assert found.confirmation is None


def test_text_shows_the_worst_rows_first() -> None:
    rng = np.random.default_rng(5)
    ours, theirs = rng.poisson(9, (2, 400, 5, 1)).astype(float)
    theirs[:, 3] += 9.0
    theirs[:, 1] = 9.0 + 3.0 * (theirs[:, 1] - 9.0)
    found = compare(["S"], np.arange(5.0), of(ours), of(theirs), time_unit="day")
    text = found.as_text(rows=2)
    assert "means and variances of S DISAGREE" in text
    rows = [line.split() for line in text.splitlines() if line.endswith("disagrees")]
    assert [row[0] for row in rows] == ["3", "1"]
    assert "and 3 rows with smaller" in text
    assert "day" in text


def test_detectable_bias_is_stated_where_the_mean_is_largest() -> None:
    rng = np.random.default_rng(6)
    counts = np.stack([rng.poisson(m, (500, 2)) for m in (4, 25, 9)], axis=1).astype(float)
    counts[:, :, 1] = 7.0
    found = compare("XY", np.array([0.0, 1.0, 2.0]), of(counts), of(counts))
    x, y = found.detectable
    assert (x.species, x.time) == ("X", 1.0)
    expected = (found.bound + stats.norm.ppf(0.9)) * np.sqrt(2 * 25 / 500) / 25
    assert x.mean == pytest.approx(expected, rel=0.2)
    assert 0.0 < x.deviation < 1.0
    assert np.isnan([y.mean, y.deviation]).all()
    assert "X at 1: mean" in str(found)
    assert f"Y at 1: mean by other counts in {100 * y.differing:.3g} % of traj" in str(found)
    assert comparison_data(found)["detectable"][1]["mean"] is None


def test_what_is_found_where_nothing_varied() -> None:
    rng, n, runs = np.random.default_rng(9), 500, 300
    still = np.full((n, 1, 1), 7.0)
    (stated,) = compare("X", np.ones(1), of(still), of(still)).detectable
    hits = 0
    for _ in range(runs):
        other = still + (rng.random((n, 1, 1)) < stated.differing)
        hits += not compare("X", np.ones(1), of(still), of(other)).agrees
    z = (hits - 0.9 * runs) / np.sqrt(0.09 * runs)
    # A share that one trajectory of n has is found by hardly any.
    assert abs(z) < 4.0, f"z = {z:.2f}"
    (few,) = compare("X", np.ones(1), of(still[:5]), of(still[:5])).detectable
    assert few.differing > 0.9
    # At the start nothing can vary.
    (start,) = compare("X", np.zeros(1), of(still), of(still)).detectable
    assert (start.mean, start.deviation) == (0.0, 0.0)


def test_no_bias_is_stated_that_no_trajectory_would_show() -> None:
    counts = np.full((2000, 1, 1), 1e4)
    counts[0] += 1.0
    (found,) = compare("X", np.ones(1), of(counts), of(counts)).detectable
    assert found.mean >= np.log(10.0) / 2000 / 1e4


def test_too_few_trajectories_find_no_spread() -> None:
    found = sides([1, 2, 3, 6], [2, 2, 4, 4])
    assert found.detectable[0].deviation == np.inf
    assert "sd no size (too few)" in str(found)
    assert comparison_data(found)["detectable"][0]["sd"] == "inf"


def test_what_cannot_be_compared_is_refused() -> None:
    counts = np.random.default_rng(7).poisson(5, (50, 2, 1))
    good, times = of(counts), np.array([1.0, 2.0])
    with pytest.raises(RequestError, match="shape"):
        compare("A", np.array([1.0]), good, good)
    with pytest.raises(RequestError, match="50 of ours and 49 of theirs"):
        compare("A", times, good, of(counts[1:]))
    with pytest.raises(RequestError, match="family_wise_error=0"):
        compare("A", times, good, good, family_wise_error=0.0)
    with pytest.raises(RefereeError, match="the other mean"):
        compare("A", times, good, replace(good, mean=np.full((2, 1), np.nan)))
    with pytest.raises(RefereeError, match="the other variance"):
        compare("A", times, good, replace(good, variance=-good.variance))


def test_plain_data_is_json() -> None:
    found = sides([5.0] * 10, [6.0] * 10)
    data = json.loads(json.dumps(comparison_data(found), allow_nan=False))
    assert data["z"] == [["-inf"]]
    assert data["disagreements"] == [{"time": 1.0, "species": "X", "of": "mean"}]
