"""Do intervals cover the truth? Fits of measurements drawn around a known truth, many times over.

Run `python validation/interval_coverage.py [--by scoring|descent] [--cases A,B] [--repeats N]
[--records DIR] [--out FILE]`. Every repeat draws measurements, writes them into a CSV or an XLSX
file in turn, reads that, fits it from a start that is off by up to a factor 1.5 in every parameter,
and takes 90 % intervals from the Fisher information: of fits by scoring, or of `sg.fit`, by
`uncertainty(fit)`. Repeats are kept, one line each, so that a campaign can be cut and continued.
Exit code 1: a coverage lies outside 84 to 96 % by more than twice its binomial error.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from small_networks import HEAD, TEXTS

import sbmlgrad as sg
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.uncertainty.expected_information import gather
from sbmlgrad.fit.uncertainty.fitted import Fitted, child_seed
from sbmlgrad.fit.uncertainty.run import uncertainty
from sbmlgrad.fit.uncertainty.scoring import AVERAGED_STEPS, refit
from sbmlgrad.model.measurements import Measurements

FloatArray = NDArray[np.float64]

#: Nominal level, and what the coverage of at least a hundred repeats must lie in.
LEVEL, BAND = 0.9, (0.84, 0.96)

#: Trajectories behind the true means.
TRUTH_TRAJECTORIES = 400_000

#: Epochs of a descent, and trajectories of each; trajectories of a step of scoring.
EPOCHS, TRAJECTORIES, SCORING = 40, 128, 1000

#: Files that repeats go through in turn.
ENDINGS = (".csv", ".xlsx")

#: Largest factor between the start of a fit and the truth.
AWAY = 1.5


@dataclass(frozen=True)
class Case:
    """A network with a known truth and what is measured of it.

    Attributes:
        name: of the network in `small_networks`, or of a file in `SHIPPED`.
        free: ids of the parameters to fit; the values of the network are the truth.
        observables: ids of the species measured.
        times: when.
        sd: of the noise, normal.
        replicates: how often each is measured.
    """

    name: str
    free: tuple[str, ...]
    observables: tuple[str, ...]
    times: tuple[float, ...]
    sd: float
    replicates: int = 1


def _times(count: int, end: float) -> tuple[float, ...]:
    return tuple(np.round(np.linspace(end / count, end, count), 6).tolist())


CASES = (
    Case("immigration_death", ("alpha", "mu"), ("X",), _times(12, 8.0), 0.2),
    Case("dimer", ("k1", "k2"), ("C",), _times(8, 2.4), 1.0, replicates=3),
    Case("enzyme", ("kf", "kc"), ("ES", "P"), _times(8, 8.0), 0.15, replicates=3),
    Case("epidemic", ("beta", "recovery"), ("I", "R"), _times(8, 4.0), 0.4, replicates=3),
    Case("telegraph", ("k_on", "k_decay"), ("M",), _times(10, 40.0), 0.3, replicates=3),
    Case("toggle", ("a", "K", "d"), ("U", "V"), _times(8, 4.0), 0.15, replicates=3),
)

#: Models of this repository, for networks that `small_networks` does not have.
SHIPPED = Path(__file__).parents[1] / "models" / "sbml"


@dataclass(frozen=True)
class Record:
    """One repeat: fitted over true value and whether the interval covers the truth, [free]."""

    case: str
    repeat: int
    ratios: tuple[float, ...]
    covered: tuple[bool, ...]
    widths: tuple[float, ...]


@lru_cache
def network(name: str) -> sg.ReactionNetwork:
    """Return a network whose own values are the truth."""
    return sg.load(HEAD + TEXTS[name] if name in TEXTS else SHIPPED / f"{name}.xml")


@lru_cache
def truth(case: Case) -> FloatArray:
    """Return the true means, float64 [observable, time]."""
    cells = sg.simulate(
        network(case.name), times=list(case.times), trajectories=TRUTH_TRAJECTORIES, seed=20_261
    )
    return np.stack([cells.mean(id) for id in case.observables])


def measured(case: Case, rng: np.random.Generator) -> Measurements:
    """Draw measurements."""
    means = truth(case)
    shape = (*means.shape, case.replicates)
    values = means[:, :, None] + rng.normal(0.0, case.sd, shape)
    index, time, replicate = np.indices(shape)
    return Measurements(
        observables=case.observables,
        time=np.array(case.times)[time.ravel()],
        observable_index=index.ravel(),
        value=values.ravel(),
        replicate=tuple(map(str, replicate.ravel().tolist())),
        condition=("",) * values.size,
        source_name=f"{case.name}, drawn",
    )


def read_back(data: Measurements, ending: str) -> Measurements:
    """Return measurements as they come out of a file: a wide `.csv` or a long `.xlsx`."""
    long = pd.DataFrame(
        {
            "time": data.time,
            "observable": [data.observables[i] for i in data.observable_index],
            "value": data.value,
            "replicate": data.replicate,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"measured{ending}"
        if ending == ".xlsx":
            long.to_excel(file, index=False)
        else:
            wide = long.pivot(index=["replicate", "time"], columns="observable", values="value")
            wide.reset_index("time").to_csv(file, index=False)
        return sg.load_measurements(file)


def repeat(case: Case, number: int, by: str) -> Record:
    """Draw, fit, and compare intervals with the truth."""
    rng = np.random.default_rng([number, 7])
    model = network(case.name)
    true = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    true = {id: true[id] for id in case.free}
    away = rng.uniform(-math.log(AWAY), math.log(AWAY), len(case.free))
    data = read_back(measured(case, rng), ENDINGS[number % len(ENDINGS)])
    start = {id: v * math.exp(a) for (id, v), a in zip(true.items(), away, strict=True)}
    seed = int(rng.integers(2**31))
    values, low, high = METHODS[by](case, data, start, seed)
    truth = np.array(list(true.values()))
    return Record(
        case.name,
        number,
        tuple((values / truth).tolist()),
        tuple(((low <= truth) & (truth <= high)).tolist()),
        tuple(np.log(high / low).tolist()),
    )


def by_descent(
    case: Case, data: Measurements, start: dict[str, float], seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit by `sg.fit`; return values and ends of the intervals, float64 [free]."""
    result = sg.fit(
        network(case.name),
        data,
        free=list(case.free),
        start=start,
        epochs=EPOCHS,
        trajectories=TRAJECTORIES,
        estimator=_estimator(case),
        engine=ENGINE,
        seed=seed,
    )
    found = uncertainty(result, level=LEVEL, estimator=_estimator(case), engine=ENGINE)
    return found.values, found.lower, found.upper


def by_scoring(
    case: Case, data: Measurements, start: dict[str, float], seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit by two rounds of scoring; returns as `by_descent`."""
    problem, _ = plain_problem(network(case.name), data, list(case.free), start=start)
    space = search_space(problem)
    estimator, engine = _estimator(case), ENGINE
    objective = MeanTrajectory()
    one = Fitted(problem, space, space.start, objective, estimator, engine, child_seed(seed, 1))
    rough = refit(one.simulator(), one.coordinates, SCORING // 4).coordinates
    reached = refit(one.simulator(child_seed(seed, 2)), rough, SCORING).coordinates
    found = gather(
        replace(one, values=space.values(reached), seed=child_seed(seed, 3)), SCORING // 2, 0.1
    )
    if not found.free.all():
        raise RuntimeError(f"{case.name}: a fit ended at a bound")
    behind = AVERAGED_STEPS * SCORING
    error = np.sqrt(np.diag(found.covariance + found.simulation / behind))
    reach = stats.t.ppf(0.5 * (1.0 + LEVEL), found.freedom) * error
    return space.values(reached), space.values(reached - reach), space.values(reached + reach)


ENGINE = sg.engines.Native(kernel="table", threads=1)

METHODS = {"scoring": by_scoring, "descent": by_descent}


def _estimator(case: Case) -> sg.gradients.TwoSidedAdjoint | sg.gradients.FiniteDifference:
    # An epidemic may die out early and a toggle chooses its side, which the path adjoint does not
    # see.
    if case.name in ("epidemic", "toggle"):
        return sg.gradients.FiniteDifference(parameters=case.free)
    return sg.gradients.TwoSidedAdjoint()


def kept(file: Path) -> list[Record]:
    """Return the repeats that were done before."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    lists = ("ratios", "covered", "widths")
    return [Record(row["case"], row["repeat"], *(tuple(row[k]) for k in lists)) for row in rows]


def coverage(records: Sequence[Record]) -> tuple[FloatArray, FloatArray]:
    """Return share of intervals that cover the truth and its binomial error, float64 [free]."""
    hits = np.array([record.covered for record in records], dtype=np.float64)
    share = hits.mean(axis=0)
    return share, np.sqrt(LEVEL * (1.0 - LEVEL) / len(records)) * np.ones_like(share)


def page(cases: Sequence[Case], records: dict[tuple[str, str], list[Record]]) -> str:
    """Return the results as a page."""
    lines = [
        "# Coverage of intervals on known truths",
        "",
        "Measurements were drawn around the true means with normal noise, fitted from starts off",
        f"by up to a factor {AWAY:g} in every parameter, and given {LEVEL * 100:g} % intervals",
        "from the Fisher information. The noise is not told to the fit: it is estimated from",
        "replicates, or without them from residuals. Errors are those of the fitted values; the",
        "coverage has its binomial standard error. Written by `validation/interval_coverage.py`.",
        "",
        f"- *scoring*: fits by Fisher scoring, two rounds, {SCORING} trajectories a step.",
        f"- *descent*: `sg.fit` with {EPOCHS} epochs of {TRAJECTORIES} trajectories and the steps",
        "  of scoring that follow them, then `uncertainty(fit)`.",
        "",
        "Repeats go through a CSV file and a workbook in turn.",
        "",
        "| network | fit | measured | parameter | repeats | mean error | rms error "
        "| ratio of the ends of the interval, median | coverage | z against 90 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        for by in METHODS:
            if found := records.get((case.name, by)):
                lines += _rows(case, by, found)
    return "\n".join([*lines, ""])


def _rows(case: Case, by: str, found: Sequence[Record]) -> list[str]:
    share, error = coverage(found)
    ratios = np.array([record.ratios for record in found])
    widths = np.median([record.widths for record in found], axis=0)
    what = f"{', '.join(case.observables)} at {len(case.times)} times × {case.replicates}"
    rows = []
    for place, id in enumerate(case.free):
        off = ratios[:, place] - 1.0
        rows.append(
            f"| {case.name} | {by} | {what} | {id} | {len(found)} | {off.mean() * 100:+.2f} % "
            f"± {off.std(ddof=1) / math.sqrt(len(off)) * 100:.2f} % "
            f"| {math.sqrt((off**2).mean()) * 100:.1f} % | {math.exp(widths[place]):.3f} "
            f"| {share[place] * 100:.0f} ± {error[place] * 100:.0f} % "
            f"| {(share[place] - LEVEL) / error[place]:+.2f} |"
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--by", choices=[*METHODS, "none"], default="scoring")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES))
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--records", type=Path, default=Path("coverage_records"))
    parser.add_argument("--out", type=Path, help="page of all repeats that were kept")
    options = parser.parse_args(arguments)
    options.records.mkdir(parents=True, exist_ok=True)
    chosen = [case for case in CASES if case.name in options.cases.split(",")]
    for case in chosen if options.by != "none" else ():
        file = file_of(options.records, case, options.by)
        for number in range(len(kept(file)), options.repeats):
            record = repeat(case, number, options.by)
            with file.open("a") as open_file:
                open_file.write(json.dumps(asdict(record)) + "\n")
            print(case.name, number, record.covered, flush=True)
    records = {
        (case.name, by): kept(file_of(options.records, case, by))
        for case in CASES
        for by in METHODS
    }
    text = page(CASES, records)
    print(text)
    if options.out is not None:
        options.out.write_text(text)
    return int(any(_is_off(found) for found in records.values() if found))


def file_of(folder: Path, case: Case, by: str) -> Path:
    """Return the file that keeps the repeats of a case."""
    return folder / f"{case.name}_{by}.jsonl"


def _is_off(found: Sequence[Record]) -> bool:
    share, error = coverage(found)
    return bool((share < BAND[0] - 2.0 * error).any() or (share > BAND[1] + 2.0 * error).any())


if __name__ == "__main__":
    sys.exit(main())
