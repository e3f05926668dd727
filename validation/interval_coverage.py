"""Do intervals cover the truth? Fits of measurements drawn around a known truth, many times over.

Run `python validation/interval_coverage.py [--cases A,B] [--repeats N] [--records DIR] [--out F]`.
Every repeat draws measurements, writes them into a CSV or an XLSX file in turn, reads that, fits it
by `sg.fit` from a start that is off by up to a factor 1.5 in every parameter, and takes 90 %
intervals by `uncertainty(fit)`. Repeats are kept, one line each, so that a campaign can be cut and
continued; `--repeats 0` only writes the page of those that are.
Exit code 1: a coverage lies outside 84 to 96 %, which one parameter whose intervals are right does
in 3 of 100 campaigns; or a case has less than a hundred repeats.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from small_networks import HEAD, TEXTS

import sbmlgrad as sg
from sbmlgrad.fit.uncertainty.run import uncertainty
from sbmlgrad.model.measurements import Measurements

FloatArray = NDArray[np.float64]

#: Nominal level, what coverages must lie in, and how many repeats tell.
LEVEL, BAND, ENOUGH = 0.9, (0.84, 0.96), 100

#: Trajectories behind the true means.
TRUTH_TRAJECTORIES = 400_000

#: Epochs of a fit, and trajectories of each.
EPOCHS, TRAJECTORIES = 40, 128

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


def repeat(case: Case, number: int) -> Record:
    """Draw, fit, and compare intervals with the truth."""
    rng = np.random.default_rng([number, 7])
    model = network(case.name)
    true = dict(zip(model.parameter_ids, model.parameter_values.tolist(), strict=True))
    true = {id: true[id] for id in case.free}
    away = rng.uniform(-math.log(AWAY), math.log(AWAY), len(case.free))
    data = read_back(measured(case, rng), ENDINGS[number % len(ENDINGS)])
    start = {id: v * math.exp(a) for (id, v), a in zip(true.items(), away, strict=True)}
    seed = int(rng.integers(2**31))
    values, low, high = fitted(case, data, start, seed)
    truth = np.array(list(true.values()))
    return Record(
        case.name,
        number,
        tuple((values / truth).tolist()),
        tuple(((low <= truth) & (truth <= high)).tolist()),
        tuple(np.log(high / low).tolist()),
    )


def fitted(
    case: Case, data: Measurements, start: dict[str, float], seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit as a user would; return values and ends of the intervals, float64 [free]."""
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


ENGINE = sg.engines.Native(kernel="table", threads=1)


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
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lists = ("ratios", "covered", "widths")
    return [Record(row["case"], row["repeat"], *(tuple(row[k]) for k in lists)) for row in rows]


def coverage(records: Sequence[Record]) -> tuple[FloatArray, FloatArray]:
    """Return share of intervals that cover the truth and its binomial error, float64 [free]."""
    hits = np.array([record.covered for record in records], dtype=np.float64)
    share = hits.mean(axis=0)
    return share, np.sqrt(LEVEL * (1.0 - LEVEL) / len(records)) * np.ones_like(share)


def page(cases: Sequence[Case], records: dict[str, list[Record]]) -> str:
    """Return the results as a page."""
    lines = [
        "# Coverage of intervals on known truths",
        "",
        "Measurements were drawn around the true means with normal noise, written into a CSV file",
        "or a workbook in turn, and read from there. `sg.fit` started off by up to a factor",
        f"{AWAY:g} in every parameter and took {EPOCHS} epochs of {TRAJECTORIES} trajectories;",
        f"`uncertainty(fit)` gave {LEVEL * 100:g} % intervals. The noise is not told to the fit:",
        "it is estimated from replicates, or without them from residuals. Errors are those of the",
        "fitted values; the coverage has its binomial standard error.",
        "Written by `validation/interval_coverage.py`.",
        "",
        "| network | measured | parameter | repeats | mean error | rms error "
        "| ratio of the ends of the interval, median | coverage | z against 90 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        if found := records.get(case.name):
            lines += _rows(case, found)
    return "\n".join([*lines, ""])


def _rows(case: Case, found: Sequence[Record]) -> list[str]:
    share, error = coverage(found)
    ratios = np.array([record.ratios for record in found])
    widths = np.median([record.widths for record in found], axis=0)
    what = f"{', '.join(case.observables)} at {len(case.times)} times × {case.replicates}"
    rows = []
    for place, id in enumerate(case.free):
        off = ratios[:, place] - 1.0
        rows.append(
            f"| {case.name} | {what} | {id} | {len(found)} | {off.mean() * 100:+.2f} % "
            f"± {off.std(ddof=1) / math.sqrt(len(off)) * 100:.2f} % "
            f"| {math.sqrt((off**2).mean()) * 100:.1f} % | {math.exp(widths[place]):.3f} "
            f"| {share[place] * 100:.0f} ± {error[place] * 100:.0f} % "
            f"| {(share[place] - LEVEL) / error[place]:+.2f} |"
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES))
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--records", type=Path, default=Path("coverage_records"))
    parser.add_argument("--out", type=Path, help="page of all repeats that were kept")
    options = parser.parse_args(arguments)
    names = options.cases.split(",")
    if unknown := set(names) - {case.name for case in CASES}:
        parser.error(f"--cases: {', '.join(sorted(unknown))} unknown")
    options.records.mkdir(parents=True, exist_ok=True)
    for case in (case for case in CASES if case.name in names):
        file = file_of(options.records, case)
        for number in range(len(kept(file)), options.repeats):
            record = repeat(case, number)
            with file.open("a", encoding="utf-8") as open_file:
                open_file.write(json.dumps(asdict(record)) + "\n")
            print(case.name, number, record.covered, flush=True)
    records = {case.name: kept(file_of(options.records, case)) for case in CASES}
    text = page(CASES, records)
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return int(any(len(found) < ENOUGH or _is_off(found) for found in records.values()))


def file_of(folder: Path, case: Case) -> Path:
    """Return the file that keeps the repeats of a case."""
    return folder / f"{case.name}.jsonl"


def _is_off(found: Sequence[Record]) -> bool:
    share, _ = coverage(found)
    return bool((share < BAND[0]).any() or (share > BAND[1]).any())


if __name__ == "__main__":
    sys.exit(main())
