"""Reads a case of the SBML semantic test suite: settings, expected values, tags, documents."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError

_TAGS = re.compile(r"^\s*(componentTags|testTags|testType)\s*:\s*(.*)$", re.MULTILINE)
_DOCUMENT = re.compile(r"\d+-sbml-(l\d+v\d+)\.xml")

#: Tag of a case → reason codes with which it may be refused, because ODE mode cannot mean it.
REFUSED: Mapping[str, frozenset[str]] = {
    "AlgebraicRule": frozenset({"algebraic_rule"}),
    "CSymbolDelay": frozenset({"delay"}),
    "FastReaction": frozenset({"fast_reaction"}),
    "FluxBalanceSteadyState": frozenset({"unsupported_package"}),
}


@dataclass(frozen=True, eq=False)
class SuiteCase:
    """One case.

    Attributes:
        number: five digits, as the folder is called.
        times: output times, float64 [time].
        expected: symbol → expected values, float64 [time].
        quantities: symbol → `"amount"`, `"concentration"`, or None for what the symbol means.
        absolute, relative: a value a passes for an expected b where |a - b| <= absolute +
            relative |b|.
        tags: component tags, test tags and the type of test.
        documents: level such as `l3v2` → SBML file, lowest level first.
    """

    number: str
    times: NDArray[np.float64] = field(repr=False)
    expected: Mapping[str, NDArray[np.float64]] = field(repr=False)
    quantities: Mapping[str, str | None]
    absolute: float
    relative: float
    tags: tuple[str, ...]
    documents: Mapping[str, Path] = field(repr=False)

    @property
    def expected_refusals(self) -> frozenset[str]:
        """Reason codes with which the case may be refused; empty where it must run."""
        return frozenset().union(*(REFUSED[tag] for tag in self.tags if tag in REFUSED))


def case_numbers(suite: Path, chosen: str) -> list[str]:
    """Return the numbers of the cases named, which are the names of their folders.

    Args:
        suite: folder of the suite.
        chosen: numbers with commas between; empty for all.

    Raises:
        DataError: there is no such folder, or it holds no cases.
    """
    if chosen:
        return [number.strip() for number in chosen.split(",")]
    found = sorted(p.name for p in suite.iterdir() if p.name.isdigit()) if suite.is_dir() else []
    if not found:
        raise DataError(f"{suite} holds no folders such as 00001; give the semantic suite's")
    return found


def read_case(folder: Path) -> SuiteCase:
    """Return the case in a folder named by its number.

    Raises:
        DataError: a file is missing or not what the suite's format says.
    """
    number = folder.name
    given = parse_settings(_text(folder / f"{number}-settings.txt"))
    names = _listed(given.get("variables", ""))
    is_time_course = bool(given.get("duration"))
    expected = parse_results(_text(folder / f"{number}-results.csv")) if is_time_course else {}
    missing = [name for name in names if name not in expected] if is_time_course else []
    if missing:
        raise DataError(f"case {number}: no column {', '.join(missing)} in its results")
    times = output_times(given) if is_time_course else np.zeros(0)
    if any(len(expected[name]) != len(times) for name in expected):
        raise DataError(f"case {number}: its results do not have {len(times)} rows, as it asks for")
    found = (_DOCUMENT.fullmatch(path.name) for path in sorted(folder.iterdir()))
    return SuiteCase(
        number=number,
        times=times,
        expected={name: expected[name] for name in names} if is_time_course else {},
        quantities={name: _quantity(name, given) for name in names},
        absolute=float(given.get("absolute") or 0.0),
        relative=float(given.get("relative") or 0.0),
        tags=parse_tags(_text(folder / f"{number}-model.m")),
        documents={match.group(1): folder / match.group(0) for match in found if match},
    )


def parse_settings(text: str) -> dict[str, str]:
    """Return name → value of a settings file, one `name: value` a line."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_tags(text: str) -> tuple[str, ...]:
    """Return component tags, test tags and the type of test of a case's description."""
    return tuple(tag for _, line in _TAGS.findall(text) for tag in _listed(line))


def parse_results(text: str) -> dict[str, NDArray[np.float64]]:
    """Return column → values of a results file; the first column, time, is left out."""
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    header = [name.strip() for name in rows[0]]
    values = np.array([[float(cell) for cell in row] for row in rows[1:]], dtype=np.float64)
    return {name: values[:, i] for i, name in enumerate(header) if i > 0}


def output_times(settings: Mapping[str, str]) -> NDArray[np.float64]:
    """Return the output times of a case, float64 [time]."""
    start, duration = float(settings["start"]), float(settings["duration"])
    steps = int(settings["steps"])
    return start + duration * np.arange(steps + 1) / steps


def worst_deviation(
    values: NDArray[np.float64],
    expected: NDArray[np.float64],
    absolute: float,
    relative: float,
) -> float:
    """Return the largest |a - b| / (absolute + relative |b|); at most 1 passes.

    Infinities and NaN agree only with themselves; where they do not, the result is infinite.

    Args:
        values: a, float64 [time].
        expected: b, float64 [time].
        absolute: tolerance of a case.
        relative: likewise.
    """
    same = (values == expected) | (np.isnan(values) & np.isnan(expected))
    comparable = np.isfinite(values) & np.isfinite(expected)
    if not np.all(same | comparable):
        return float("inf")
    a, b = values[comparable & ~same], expected[comparable & ~same]
    with np.errstate(divide="ignore"):
        shares = np.abs(a - b) / (absolute + relative * np.abs(b))
    return float(shares.max(initial=0.0))


def _quantity(name: str, settings: Mapping[str, str]) -> str | None:
    for quantity in ("amount", "concentration"):
        if name in _listed(settings.get(quantity, "")):
            return quantity
    return None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _text(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"{path}: the file is missing from the suite")
    return path.read_text(encoding="utf-8-sig", errors="replace")


def read_tiers(groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return case number → name of its tier, from tier → numbers."""
    return {number: tier for tier, numbers in groups.items() for number in numbers}
