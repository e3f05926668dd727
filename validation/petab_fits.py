"""Do fits of published problems by the rate equations reach the published optimum?

Run `python validation/petab_fits.py [--problems DIR] [--cases A,B] [--starts N] [--records DIR]
[--out FILE]`. For each problem of the PEtab benchmark collection: the negative log-likelihood at
its nominal values beside the published one, then fits from random starts, drawn evenly between the
bounds of the parameter table on the scale of each parameter. Starts are kept, one line each, so
that a campaign can be cut and continued. Exit code 1: a likelihood at nominal values is not the
published one, or no start reaches it.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, SimulationError
from sbmlgrad.fit.rate_equations.least_squares import fit_rate_equations
from sbmlgrad.fit.rate_equations.likelihood import Predictions, predict, scored
from sbmlgrad.fit.rate_equations.slopes import sloped_problem
from sbmlgrad.io.petab import load_petab
from sbmlgrad.model.problem import Problem, ProblemParameter

FloatArray = NDArray[np.float64]

#: A start has reached the optimum when its negative log-likelihood is larger by at most this.
REACHED = 0.1

#: Likelihoods at nominal values agree when they differ by at most this.
AGREES = 1e-3

#: A start is drawn at most so often until it can be simulated.
MOST_DRAWS = 100

#: Where the published problems lie, unpacked, unless told otherwise, and where starts are kept.
PROBLEMS = Path("petab")
RECORDS = Path(__file__).resolve().parent / "results" / "petab"


@dataclass(frozen=True)
class Case:
    """A published problem.

    Attributes:
        name: of its folder in the collection.
        published: negative log-likelihood at the nominal values; NaN where it is that of the
            predictions in the problem's own folder.
        starts: random starts by default.
        decades: starts lie within so many orders of magnitude of the nominal values.
    """

    name: str
    published: float
    starts: int
    decades: float = math.inf

    @property
    def label(self) -> str:
        """What the table calls it."""
        if math.isinf(self.decades):
            return self.name
        return f"{self.name}, starts within 10^±{self.decades:g} of nominal"

    @property
    def file(self) -> str:
        """Name of the file of its records."""
        return f"{self.name}{'' if math.isinf(self.decades) else '_near'}.jsonl"


#: The published values are those that the tests of AMICI hold for the collection
#: (https://github.com/AMICI-dev/AMICI, tests/benchmark_models/benchmark_models.yaml).
CASES = (
    Case("Boehm_JProteomeRes2014", 138.22199693517703, 60),
    Case("Bertozzi_PNAS2020", math.nan, 40),
    Case("Rahman_MBS2016", math.nan, 40),
    Case("Elowitz_Nature2000", -63.20279991419332, 40),
    Case("Elowitz_Nature2000", -63.20279991419332, 20, decades=0.5),
    Case("Fujita_SciSignal2010", -53.08377736998929, 20),
    Case("Sneyd_PNAS2002", -319.79177818768756, 20),
)


@dataclass(frozen=True)
class Record:
    """What became of one start.

    Attributes:
        case: name of the problem.
        start: its number, which is the seed of its values.
        objective: negative log-likelihood where it ended.
        steps: of the optimiser.
        evaluations: solves of all experiments, each with its slopes.
        seconds: wall time.
        reason: why it ended.
        values: where it ended, [free].
    """

    case: str
    start: int
    objective: float
    steps: int
    evaluations: int
    seconds: float
    reason: str
    values: tuple[float, ...]


def problem_file(folder: Path) -> Path:
    """Return the YAML file of a problem's folder; some hold a second one with data for tests."""
    found = sorted(p for p in folder.glob("*.yaml") if not p.name.startswith("petab_test"))
    if len(found) != 1:
        raise SystemExit(f"{folder}: {len(found)} PEtab problems; unpack the collection there")
    return found[0]


def published(case: Case, problem: Problem, folder: Path, own: Predictions) -> float:
    """Return the published negative log-likelihood at the nominal values.

    Where nobody states one, it is that of the predictions in the problem's folder, which another
    simulator made; the scales of noise are ours.
    """
    if not math.isnan(case.published):
        return case.published
    (table,) = folder.glob("simulat*.tsv")
    theirs: dict[tuple[str, str, float], list[float]] = {}
    for row in csv.DictReader(table.read_text("utf-8-sig").splitlines(), delimiter="\t"):
        key = (row["observableId"], row["simulationConditionId"], float(row["time"]))
        theirs.setdefault(key, []).append(float(row["simulation"]))
    m = problem.measurements
    predicted = np.empty(len(m))
    for i, ours in enumerate(own.predicted):
        base = problem.observable[m.observables[m.observable_index[i]]].base
        found = theirs[base, m.condition[i], float(m.time[i])]
        # Variants of an observable at one time are told apart by their values.
        predicted[i] = min(found, key=lambda value, ours=ours: abs(value - ours))
    return scored(problem, predicted, own.scale).negative_log_likelihood


def starting_point(
    problem: Problem, number: int, decades: float = math.inf
) -> tuple[FloatArray, int]:
    """Draw values between the bounds, evenly on the scale of each parameter, float64 [free].

    Logarithms lie within so many decades of the nominal ones. Where the equations or their slopes
    overflow, it is drawn again; how often it was drawn is returned too.
    """
    rng = np.random.default_rng([number, 2019])
    sloped, _ = sloped_problem(problem, None)
    for draws in range(1, MOST_DRAWS + 1):
        shares = rng.random(len(problem.free))
        start = np.array(
            [_between(p, u, decades) for p, u in zip(problem.free, shares, strict=True)]
        )
        try:
            if sloped is not None:
                sloped.predict(start)
        except (FitError, SimulationError):
            continue
        return start, draws
    raise SystemExit(f"{problem.name}: none of {MOST_DRAWS} random starts can be simulated")


def _between(parameter: ProblemParameter, share: float, decades: float) -> float:
    low, high = parameter.lower, parameter.upper
    if parameter.scale == "lin":
        return low + (high - low) * share
    if not math.isinf(decades):
        low = max(low, parameter.nominal * 10.0**-decades)
        high = min(high, parameter.nominal * 10.0**decades)
    return low * (high / low) ** share


def from_start(case: Case, problem: Problem, number: int) -> Record:
    """Fit from one random start."""
    begun = time.monotonic()
    start, draws = starting_point(problem, number, case.decades)
    found = fit_rate_equations(problem, start[None, :]).descents[0]
    return Record(
        case.name,
        number,
        found.negative_log_likelihood,
        len(found.history),
        found.evaluations + draws,
        time.monotonic() - begun,
        found.reason,
        tuple(found.values.tolist()),
    )


def as_line(record: Record) -> str:
    """Return a record as it is kept."""
    return json.dumps(asdict(record)) + "\n"


def kept(file: Path) -> list[Record]:
    """Return the starts that were done before."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [Record(**{**row, "values": tuple(row["values"])}) for row in rows]


def page(rows: Sequence[str]) -> str:
    """Return the results as a page."""
    return "\n".join(
        [
            "# Published problems fitted by the rate equations",
            "",
            "Negative log-likelihoods, all constants included. *Published* is the value at the",
            "nominal parameters: that which the tests of AMICI hold, or (*) that of predictions",
            "in the problem's own folder, made by another simulator. Starts were drawn evenly",
            "between the bounds of the parameter table, on the scale of each parameter, whatever",
            f"the nominal values; one has *reached* the optimum within {REACHED:g} of the lower of",
            "the published value and the best found. Evaluations are solves of all experiments,",
            "each with its slopes in all parameters; times are of one core that others shared.",
            "Written by `validation/petab_fits.py`.",
            "",
            "| problem | free | measurements | published | at nominal values | best of the starts "
            "| starts | reached | median of the starts | evaluations a start, median "
            "| seconds a start, median |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"With {_versions()}.",
            "",
        ]
    )


def _versions() -> str:
    names = ("sbmlgrad", "numpy", "scipy", "numba", "python-libsbml")
    return ", ".join([f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in names)])


def row_of(
    case: Case, problem: Problem, folder: Path, records: Sequence[Record]
) -> tuple[str, bool]:
    """Return the line of a problem in the table, and whether it is as it should be."""
    own = predict(problem)
    nominal = own.negative_log_likelihood
    wanted = published(case, problem, folder, own)
    ends = np.array([record.objective for record in records])
    best = float(ends.min(initial=math.inf))
    reached = int((ends <= min(best, wanted) + REACHED).sum())
    mark = " (*)" if math.isnan(case.published) else ""
    text = (
        f"| {case.label} | {len(problem.free)} | {len(problem.measurements)} | {wanted:.4f}{mark} "
        f"| {nominal:.4f} | {best:.4f} | {len(ends)} | {reached} | {np.median(ends):.4f} "
        f"| {np.median([r.evaluations for r in records]):.0f} "
        f"| {np.median([r.seconds for r in records]):.1f} |"
    )
    return text, abs(nominal - wanted) <= AGREES and best <= wanted + REACHED


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problems", type=Path, default=PROBLEMS)
    parser.add_argument("--cases", default=",".join(case.name for case in CASES))
    parser.add_argument("--starts", type=int, help="of each problem; by default its own number")
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--out", type=Path, help="page of all problems with starts that were kept")
    options = parser.parse_args(arguments)
    options.records.mkdir(parents=True, exist_ok=True)
    chosen = options.cases.split(",")
    rows, is_fine = [], True
    for case in CASES:
        file = options.records / case.file
        folder = options.problems / case.name
        if case.name not in chosen and not file.exists():
            continue
        problem = load_petab(problem_file(folder))
        wanted = case.starts if options.starts is None else options.starts
        for number in range(len(kept(file)), wanted if case.name in chosen else 0):
            record = from_start(case, problem, number)
            with file.open("a") as stream:
                stream.write(as_line(record))
            print(case.name, number, record.objective, record.reason, flush=True)
        if records := kept(file):
            text, fine = row_of(case, problem, folder, records)
            rows.append(text)
            is_fine &= fine
    text = page(rows)
    print(text)
    if options.out is not None:
        options.out.write_text(text)
    return int(not is_fine)


if __name__ == "__main__":
    sys.exit(main())
