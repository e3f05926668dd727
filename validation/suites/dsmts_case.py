"""Reads a case of the SBML stochastic test suite: settings, expected values, documents by level."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import DataError

OUTPUT = re.compile(r"(?:ln\((?P<logged>\w+)\)|(?P<plain>\w+))-(?P<statistic>mean|sd)")
RANGE = re.compile(r"\(\s*(?P<low>[^,\s]+)\s*,\s*(?P<high>[^)\s]+)\s*\)")


@dataclass(frozen=True, eq=False)
class Quantity:
    """One species of a case and what the suite expects of its amount.

    Attributes:
        species: id.
        is_logarithm: whether the values are those of ln(amount).
        mean: expected mean, float64 [time].
        deviation: expected standard deviation, float64 [time]; None where the distribution has
            none, and then `mean` is the median.
    """

    species: str
    is_logarithm: bool
    mean: NDArray[np.float64] = field(repr=False)
    deviation: NDArray[np.float64] | None = field(repr=False)

    @property
    def label(self) -> str:
        """Name as in the suite's tables."""
        return f"ln({self.species})" if self.is_logarithm else self.species


@dataclass(frozen=True, eq=False)
class Case:
    """One case.

    Attributes:
        number: five digits, as the folder is called.
        end: last output time; the first is 0.
        steps: output intervals.
        quantities: what is expected.
        mean_range, sd_range: where the suite wants its Z and Y.
        documents: level such as `l3v1` → SBML file.
    """

    number: str
    end: float
    steps: int
    quantities: tuple[Quantity, ...]
    mean_range: tuple[float, float]
    sd_range: tuple[float, float]
    documents: Mapping[str, Path] = field(repr=False)

    @property
    def species(self) -> tuple[str, ...]:
        """Ids to ask a simulator for."""
        return tuple(quantity.species for quantity in self.quantities)


def settings(text: str) -> dict[str, str]:
    """Return name → value of a settings file, one `name: value` a line."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_range(text: str) -> tuple[float, float]:
    """Return the ends of a range written as `(-3, 3)`.

    Raises:
        DataError: it is not written so.
    """
    found = RANGE.fullmatch(text.strip())
    if found is None:
        raise DataError(f"range {text!r}: expected two numbers, as in '(-3, 3)'")
    return float(found["low"]), float(found["high"])


def quantities(output: str, columns: Mapping[str, NDArray[np.float64]]) -> tuple[Quantity, ...]:
    """Return what the `output` setting names, with its columns of the table of results.

    Args:
        output: such as `X-mean, X-sd`.
        columns: name → values, float64 [time].

    Raises:
        DataError: a name that is not of this form or not in the table, or a quantity without mean.
    """
    wanted: dict[tuple[str, bool], dict[str, NDArray[np.float64]]] = {}
    for name in (part.strip() for part in output.split(",")):
        found = OUTPUT.fullmatch(name)
        if found is None or name not in columns:
            raise DataError(f"output {name!r}: not of the form X-mean or X-sd, or not in the table")
        key = (found["logged"] or found["plain"], found["logged"] is not None)
        wanted.setdefault(key, {})[found["statistic"]] = columns[name]
    lonely = [key[0] for key, found in wanted.items() if "mean" not in found]
    if lonely:
        raise DataError(f"output {output!r}: no mean for {', '.join(lonely)}")
    return tuple(
        Quantity(species, is_logarithm, found["mean"], found.get("sd"))
        for (species, is_logarithm), found in wanted.items()
    )


def read_case(folder: Path) -> Case:
    """Return the case in a folder named by its number.

    Raises:
        DataError: a file is missing or is not what the suite's documents say.
    """
    number = folder.name
    try:
        own = settings((folder / f"{number}-settings.txt").read_text(encoding="utf-8"))
        with (folder / f"{number}-results.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = (row for row in csv.reader(file) if row)
    except OSError as error:
        raise DataError(f"case {number}: {error}; is this a folder of the suite?") from error
    table = np.array(rows, dtype=np.float64)
    columns = {name.strip(): table[:, i] for i, name in enumerate(header)}
    end, steps = float(own["duration"]), int(own["steps"])
    if float(own["start"]) != 0.0 or not np.allclose(
        columns["time"], np.linspace(0.0, end, steps + 1)
    ):
        raise DataError(f"case {number}: its table is not one of {steps} equal steps from time 0")
    if own.get("concentration"):
        raise DataError(f"case {number}: concentrations are asked for; only amounts are read here")
    return Case(
        number=number,
        end=end,
        steps=steps,
        quantities=quantities(own["output"], columns),
        mean_range=parse_range(own["meanRange"]),
        sd_range=parse_range(own["sdRange"]),
        documents={
            path.stem.removeprefix(f"{number}-sbml-"): path
            for path in sorted(folder.glob(f"{number}-sbml-*.xml"))
        },
    )


def select(suite: Path, cases: str) -> list[Path]:
    """Return the folders of the cases named.

    Args:
        suite: folder of the suite.
        cases: `all`, or numbers and ranges such as `1-39,41`.

    Raises:
        DataError: no such folder, a number that it does not have, or what is no number. A range
            takes what is there.
    """
    present = {
        int(f.name): f for f in sorted(suite.glob("[0-9][0-9][0-9][0-9][0-9]")) if f.is_dir()
    }
    if not present:
        raise DataError(f"{suite} holds no folders such as 00001; give the stochastic suite's")
    if cases == "all":
        return list(present.values())
    numbers = list(_numbers(cases.split(","), present))
    return [present[n] for n in sorted(set(numbers))]


def _numbers(parts: Iterable[str], present: Mapping[int, Path]) -> Iterable[int]:
    for part in parts:
        first, dash, last = part.partition("-")
        if not all(end.strip().isdigit() for end in ([first, last] if dash else [first])):
            raise DataError(f"cases {part!r}: write numbers and ranges, such as 1-39,41")
        if dash:
            yield from (n for n in present if int(first) <= n <= int(last))
        elif int(part) in present:
            yield int(part)
        else:
            raise DataError(f"case {part}: not in this suite; it has {len(present)} cases")
