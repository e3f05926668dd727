"""The pure parts of the semantic suite's campaign, on a small case of our own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sbml_text import model, parameter, rule
from semantic import FAILED, PASSED, REFUSED, Verdict, argued_cases, main, report, run_document
from suites.semantic_case import (
    output_times,
    parse_results,
    parse_settings,
    parse_tags,
    read_case,
    read_tiers,
    worst_deviation,
)

from sbmlgrad.errors import DataError

SETTINGS = """start: 0
duration: 2
steps: 2
variables: x
absolute: 1e-6
relative: 1e-4
amount:
concentration:
"""


def case_folder(
    folder: Path, *, rate: str = "1 + 0 * x", tags: str = "RateRule", last: str = "3.0"
) -> Path:
    here = folder / "00001"
    here.mkdir(parents=True)
    (here / "00001-settings.txt").write_text(SETTINGS)
    (here / "00001-results.csv").write_text(f"time, x\n0, 1.0\n1, 2.0\n2, {last}\n")
    (here / "00001-model.m").write_text(f"componentTags: {tags}\ntestTags:\ntestType: TimeCourse\n")
    kind = "algebraic" if tags == "AlgebraicRule" else "rate"
    text = model(
        parameters=[parameter("x", 1.0)],
        rules=[rule(kind, None if kind == "algebraic" else "x", rate)],
    )
    (here / "00001-sbml-l3v1.xml").write_text(text)
    return here


def test_a_case_is_read() -> None:
    given = parse_settings(SETTINGS)
    assert given["variables"] == "x"
    assert given["amount"] == ""
    np.testing.assert_allclose(output_times({**given, "start": "1"}), [1.0, 2.0, 3.0])
    results = parse_results("time,P,Q\n0,INF, NaN\n1,-INF,2\n\n")
    assert list(results) == ["P", "Q"]
    np.testing.assert_array_equal(results["P"], [np.inf, -np.inf])
    assert np.isnan(results["Q"][0])
    text = "synopsis: a\ncomponentTags: A, B\ntestTags: C\ntestType:  TimeCourse\n"
    assert parse_tags(text) == ("A", "B", "C", "TimeCourse")
    assert read_tiers({"a": ["1", "2"], "b": ["3"]}) == {"1": "a", "2": "a", "3": "b"}


@pytest.mark.parametrize(
    ("values", "expected", "share"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0 + 1e-3], [1.0], 1e-3 / (1e-3 + 1e-2)),
        ([np.inf, np.nan, -np.inf], [np.inf, np.nan, -np.inf], 0.0),
        ([np.inf], [-np.inf], np.inf),
        ([1.0], [np.nan], np.inf),
        ([np.nan], [1.0], np.inf),
    ],
)
def test_deviations_are_in_units_of_the_tolerance(
    values: list[float], expected: list[float], share: float
) -> None:
    found = worst_deviation(np.array(values), np.array(expected), 1e-3, 1e-2)
    assert found == pytest.approx(share)


def test_a_case_passes_or_fails_by_its_own_tolerances(tmp_path: Path) -> None:
    good = read_case(case_folder(tmp_path / "good"))
    assert run_document(good, "l3v1").outcome == PASSED
    wrong = read_case(case_folder(tmp_path / "wrong", last="3.001"))
    verdict = run_document(wrong, "l3v1")
    assert verdict.outcome == FAILED
    assert "'x' deviates" in verdict.detail


def test_a_refusal_counts_only_where_the_case_is_known_to_need_it(tmp_path: Path) -> None:
    known = read_case(case_folder(tmp_path / "known", rate="x - 1", tags="AlgebraicRule"))
    assert known.expected_refusals == {"algebraic_rule"}
    assert run_document(known, "l3v1").outcome == REFUSED
    surprising = read_case(case_folder(tmp_path / "surprising", rate="undefined"))
    assert run_document(surprising, "l3v1").outcome == FAILED


def test_results_of_the_wrong_length_are_an_error(tmp_path: Path) -> None:
    folder = case_folder(tmp_path)
    (folder / "00001-results.csv").write_text("time,x\n0,1\n")
    with pytest.raises(DataError, match="3 rows"):
        read_case(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = case_folder(tmp_path)
    (folder / "00001-model.m").unlink()
    with pytest.raises(DataError, match=r"00001-model\.m"):
        read_case(folder)


def test_the_report_counts_and_lists() -> None:
    verdicts = [
        Verdict("1", "l3v1", PASSED, "0.25", 1.0),
        Verdict("2", "l3v1", FAILED, "'x' deviates", 3.0),
        Verdict("3", "l3v1", REFUSED, "delay", 0.5),
    ]
    text = report(verdicts, {"1": "A", "2": "A"}, {"3": ("Tag",)}, {"2": "because"})
    assert "1 passed, 1 refused as expected, 1 failed" in text
    assert "| A | 2 | 1 | 0 | 1 |" in text
    assert "| Tag | 1 | 0 | 1 | 0 |" in text
    assert "2 l3v1: 'x' deviates (argued: because)" in text


def test_argued_cases_need_a_reason() -> None:
    assert argued_cases("- 00012: why\n00013:\n# title: x\n") == {"00012": "why"}


@pytest.mark.parametrize(("last", "status"), [("3.0", 0), ("9.0", 1)])
def test_the_exit_status_tells_whether_a_case_failed(
    tmp_path: Path, last: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    case_folder(tmp_path, last=last)
    assert main(["--suite", str(tmp_path), "--limit", "300"]) == status
    argued = tmp_path / "argued.md"
    argued.write_text("00001: our own fault")
    out = tmp_path / "report.md"
    arguments = ["--suite", str(tmp_path), "--argued", str(argued), "--out", str(out)]
    assert main(arguments) == 0
    assert "1 documents of 1 cases" in out.read_text(encoding="utf-8")
    assert "By tag" in capsys.readouterr().out
