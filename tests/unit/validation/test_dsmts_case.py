"""Cases of the stochastic suite are read as its documents say, and oddities are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from suites.dsmts_case import parse_range, read_case, select, settings

from sbmlgrad.errors import DataError

SETTINGS = """start: 0
duration: 4
steps: 2
variables: X, Y
absolute:
relative:
amount: X, Y
concentration:
output: X-mean, X-sd, ln(Y)-mean
meanRange: (-3, 3)
sdRange: (-5, 5)
"""
TABLE = "time,X-mean,X-sd,ln(Y)-mean\n0,1,0,0\n2,2,0.5,1\n4,3,0.75,1\n\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for number in ("00001", "00002", "00007"):
        write(tmp_path / number)
    (tmp_path / "notes").mkdir()
    return tmp_path


def write(folder: Path, own: str = SETTINGS, table: str = TABLE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{folder.name}-settings.txt").write_text(own, encoding="utf-8")
    (folder / f"{folder.name}-results.csv").write_text(table, encoding="utf-8")
    for level in ("l3v1", "l2v4"):
        (folder / f"{folder.name}-sbml-{level}.xml").write_text("<sbml/>", encoding="utf-8")
    return folder


def test_a_case_is_read(suite: Path) -> None:
    case = read_case(suite / "00001")
    assert (case.number, case.end, case.steps) == ("00001", 4.0, 2)
    assert (case.mean_range, case.sd_range) == ((-3.0, 3.0), (-5.0, 5.0))
    assert list(case.documents) == ["l2v4", "l3v1"]
    assert case.species == ("X", "Y")
    x, y = case.quantities
    np.testing.assert_array_equal(x.mean, [1, 2, 3])
    assert x.deviation is not None
    np.testing.assert_array_equal(x.deviation, [0, 0.5, 0.75])
    assert (y.label, y.is_logarithm, y.deviation) == ("ln(Y)", True, None)


def test_settings_keep_empty_values_and_colons() -> None:
    assert settings("a: 1\nb:\nc: x: y\nno pair\n") == {"a": "1", "b": "", "c": "x: y"}


@pytest.mark.parametrize(
    ("text", "expected"), [("(-3, 3)", (-3.0, 3.0)), (" (-4.5,5) ", (-4.5, 5.0))]
)
def test_ranges(text: str, expected: tuple[float, float]) -> None:
    assert parse_range(text) == expected


def test_a_range_of_another_form_is_refused() -> None:
    with pytest.raises(DataError, match="expected two numbers"):
        parse_range("-3 to 3")


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("all", ["00001", "00002", "00007"]),
        ("1-5", ["00001", "00002"]),
        ("7,1,1-2", ["00001", "00002", "00007"]),
    ],
)
def test_selection(suite: Path, cases: str, expected: list[str]) -> None:
    assert [folder.name for folder in select(suite, cases)] == expected


def test_a_case_that_is_not_there_is_named(suite: Path) -> None:
    with pytest.raises(DataError, match="case 3"):
        select(suite, "1,3")


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="00001"):
        select(tmp_path, "all")


@pytest.mark.parametrize(
    ("own", "table", "message"),
    [
        (SETTINGS.replace("start: 0", "start: 1"), TABLE, "equal steps from time 0"),
        (SETTINGS, TABLE.replace("\n2,", "\n3,"), "equal steps from time 0"),
        (SETTINGS.replace("concentration:", "concentration: X"), TABLE, "only amounts"),
        (SETTINGS.replace("X-sd", "X-variance"), TABLE, "X-variance"),
        (SETTINGS.replace("X-mean, ", ""), TABLE, "no mean for X"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    tmp_path: Path, own: str, table: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_case(write(tmp_path / "00001", own, table))


def test_a_missing_file_is_named(suite: Path) -> None:
    (suite / "00001" / "00001-results.csv").unlink()
    with pytest.raises(DataError, match="case 00001"):
        read_case(suite / "00001")
