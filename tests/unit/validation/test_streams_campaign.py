"""The campaign of random streams: its statistics, and that it finds what is planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import streams
from scipy import stats
from stream_quality.checks import (
    Check,
    Identity,
    binomial,
    chi_square,
    contingency,
    failures,
    kolmogorov,
    pooled,
    tables,
)
from stream_quality.engines import different
from stream_quality.kernels import PLANTS, stream_module
from stream_quality.numbers import (
    PROPENSITIES,
    bits,
    correlations,
    firings,
    many_streams,
    neighbours,
)

#: What must find each fault, and nothing less: a part of the names of failed checks.
FOUND_BY = {
    "coarse": "bits 0 to 7 of u",
    "one_number": "selection and waiting time independent",
    "shared_trajectories": "trajectories, u: largest r",
    "shared_seeds": "seeds, v: largest r",
    "overlapping_draws": "a draw and the next one: v, u, correlation",
    "slow_clock": "Kolmogorov-Smirnov",
}


def test_chi_square_is_that_of_scipy() -> None:
    observed = np.array([18, 25, 31, 26])
    share = np.array([0.2, 0.3, 0.25, 0.25])
    expected = stats.chisquare(observed, 100 * share)
    check = chi_square("", observed, share)
    assert check.statistic.startswith(f"χ² = {expected.statistic:.1f}, 3 d.f.")
    low = min(expected.pvalue, 1.0 - expected.pvalue)
    assert check.p == pytest.approx(2.0 * low)


def test_contingency_is_that_of_scipy() -> None:
    table = np.array([[30, 20, 50], [40, 45, 60]])
    expected = stats.chi2_contingency(table, correction=False)
    check = contingency("", table)
    assert check.statistic == f"χ² = {expected.statistic:.1f}, {expected.dof} d.f."


def test_counts_where_none_can_be_fail() -> None:
    assert chi_square("", np.array([45, 55, 0]), np.array([0.5, 0.5, 0.0])).p > 0.1
    assert chi_square("", np.array([45, 55, 1]), np.array([0.5, 0.5, 0.0])).p == 0.0


def test_counts_that_agree_too_well_fail() -> None:
    assert chi_square("", np.full(1000, 50), np.full(1000, 0.001)).p < 1e-12


def test_small_expectations_are_refused_and_joined() -> None:
    observed, share = np.array([880, 70, 40, 4, 6, 0]), np.array([0.9, 0.06, 0.03, 0.006, 0.004, 0])
    with pytest.raises(ValueError, match="join cells"):
        chi_square("", observed, share)
    counts, joined = pooled(observed, share, 1000)
    assert counts.tolist() == [880, 70, 40, 10]
    np.testing.assert_allclose(joined, [0.9, 0.06, 0.03, 0.01])
    assert 0.05 < chi_square("", counts, joined).p < 1.0


def test_what_is_left_over_joins_the_last_group() -> None:
    counts, joined = pooled(np.array([50, 45, 5]), np.array([0.5, 0.45, 0.05]), 100)
    assert counts.tolist() == [50, 50]
    np.testing.assert_allclose(joined, [0.5, 0.5])


def test_rare_counts_have_exact_chances() -> None:
    assert binomial("", 0, 10**8, 1e-8).p == pytest.approx(2.0 * np.exp(-1.0))
    assert binomial("", 12, 10**8, 1e-8).p == pytest.approx(2 * stats.poisson.sf(11, 1), rel=1e-4)
    assert binomial("", 1, 10**8, 0.0).p == 0.0


def test_kolmogorov_in_fine_cells_is_that_of_the_values() -> None:
    values = np.random.default_rng(3).random(20_000)
    exact = stats.kstest(values, "uniform", method="asymp")
    cells = np.histogram(values, np.linspace(0.0, 1.0, 2**16 + 1))[0]
    assert kolmogorov("", cells).p == pytest.approx(exact.pvalue, abs=0.01)


def test_verdicts_and_the_bound() -> None:
    checks = [Check("good", 10, "z = 0", 0.5), Check("bad", 10, "z = 9", 1e-9)]
    same = [Identity("equal", 5, 0), Identity("tied", 5, 1, 1), Identity("unequal", 5, 1)]
    assert failures({"part": checks}, same) == ["bad", "unequal"]
    text = tables({"part": checks}, same)
    assert text.count("**FAILED**") == 2
    assert text.count("passed") == 3
    assert "below 5.0e-04 is a failure" in text


def test_bits_that_differ_are_different() -> None:
    one = np.zeros((3, 1, 2))
    other = one.copy()
    other[1, 0, 1] = -0.0
    assert different(one, other) == 1


def test_correlations_of_another_generator_pass() -> None:
    """The exact laws hold for independent rows, and one pair that is correlated is found."""
    rows = np.random.default_rng(4).standard_normal((1200, 300))
    assert failures({"": correlations("rows", rows)}, []) == []
    rows[700] += 0.5 * rows[3]
    assert failures({"": correlations("rows", rows)}, []) == ["rows: largest r, either sign"]


def test_propensities_span_what_they_should() -> None:
    assert PROPENSITIES.sum() == pytest.approx(1.0, abs=1e-15)
    assert PROPENSITIES[[0, 5, -1]].tolist() == [1e-8, 1e-8, 1e-8]
    assert (PROPENSITIES == 0.0).sum() == 1


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_fault_is_found(plant: str) -> None:
    module = stream_module(plant)
    if plant == "slow_clock":
        checks = firings(module, 51, 5 * 10**6)
    elif plant == "coarse":
        checks = bits(module, 51, 10**5)
    elif plant.startswith("shared"):
        checks = many_streams(module, 51, 200)
    else:
        checks = firings(module, 51, 10**6) + neighbours(module, 51, 10**6, ["draw"])
    failed = failures({"": checks}, [])
    assert any(FOUND_BY[plant] in name for name in failed), failed


def test_the_campaign_ends_with_1_for_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--draws", "2e5", "--streams", "300"]
    report = tmp_path / "streams.md"
    assert streams.main([*small, "--only-numbers", "--out", str(report)]) == 0
    text = report.read_text(encoding="utf-8")
    assert "FAILED" not in text
    assert text.count("| passed |") > 100
    assert streams.main([*small, "--plant", "one_number"]) == 1
    captured = capsys.readouterr()
    assert "planted fault `one_number`" in captured.out
    assert "selection and waiting time independent" in captured.err
