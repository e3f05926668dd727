"""Bias and noise of every gradient estimator on small networks, against the exact gradient.

Run `python validation/gradient_bias.py [--only NAME …] [--seconds S] [--write FILE]`. Every network
and estimator is one line in the file of records: relative bias of the gradient in logarithms of the
parameters (norm over parameters and readout points), its standard error, and the noise-to-signal
ratio of ONE trajectory. What is in that file is not run again, unless it was cut short and there is
more time now, so that the campaign can be stopped and continued. The page is written from the
records alone. The truth is the finite state projection.

With `--resolve 0.005`, the default, unbiased estimators and path adjoints get as many trajectories
as make a standard error of 0.5 %, by a pilot on other random streams: (noise / 0.005)² and some to
spare, up to `MOST`; `TwoSidedAdjoint` as many as make half of it. Where the pilot promised too
much, all is measured again with as many as the measured noise asks for. The others get
`--trajectories`. The limit of `--seconds` of CPU time is for each of these measurements; the
page says which were cut.

Every estimator sees the ensemble in batches of the same size, and the table gives the mean over
batches; `FittedValue` fits each batch by itself, so that a batch is one run of it. A second table
has errors of single runs of `FittedValue` on the networks that paths cannot follow. Where values at
times are read, `StraightThrough` differentiates averages over the windows between these times.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from campaign import records as run_records
from gradient_checks.bias_measure import (
    BATCHES,
    EVERY_CASE,
    TABLE,
    gradient,
    is_affine,
    label,
    measure,
    title,
    truth,
)
from gradient_checks.bias_report import page
from small_networks import HARD_CASES, Case

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt, WindowAverages

__all__ = ["EVERY_CASE", "gradient", "measure", "title", "truth"]

RESULTS = Path(__file__).resolve().parent / "results"

#: Trajectories at least and at most, of a pilot, and by how much more are taken than its noise asks
#: for.
LEAST, MOST, PILOT, SPARE = 2_000, 2_000_000, 400, 1.3

#: The pilot lies on streams that nothing else uses.
PILOT_FIRST = 10_000_000

#: Networks of many firings, which are always worth compiling for; and CPU seconds from which others
#: are, by what the pilot took.
LONG, WORTH_COMPILING = ("schloegl", "lattice"), 60.0

#: Trajectories of a single run of `FittedValue`, and how many runs there are of each network.
RUN, RUNS = 5_000, 6


def estimators() -> list[Any]:
    """Return what is compared."""
    gradients = sg.gradients
    return [
        gradients.TwoSidedAdjoint(),
        gradients.Adjoint(),
        gradients.FittedValue(),
        gradients.CoupledDifference(),
        gradients.ScoreFunction(),
        gradients.FiniteDifference(),
        gradients.StraightThrough(1.0),
        gradients.StraightThrough(0.1),
        gradients.StraightThrough(0.0),
    ]


def shown(case: Case, estimator: Any) -> Case | None:
    """Return the case that an estimator is measured on, with windows for values if need be."""
    if type(case.readout) in estimator.readouts:
        return case
    if case.statistic != "mean" or not isinstance(case.readout, ValuesAt):
        return None
    return replace(case, readout=WindowAverages([0.0, *case.readout.points.tolist()]))


def engine_for(case: Case, seconds: float = 0.0) -> sg.engines.Native:
    """Return an engine; one batch is too short for compiling to seem worth while, all are not."""
    is_long = case.name in LONG or seconds > WORTH_COMPILING
    return sg.engines.Native(kernel="lockstep" if is_long else "auto")


def called(estimator: Any) -> str:
    """Return how the tables call an estimator."""
    is_straight = isinstance(estimator, sg.gradients.StraightThrough)
    return estimator.name if is_straight else type(estimator).__name__


def is_unbiased(case: Case, estimator: Any) -> bool:
    """Tell whether an estimator is unbiased by construction; else its bias is what is asked for."""
    gradients = sg.gradients
    if isinstance(estimator, gradients.CoupledDifference | gradients.ScoreFunction):
        return True
    paths = gradients.Adjoint | gradients.TwoSidedAdjoint
    return isinstance(estimator, paths) and is_affine(case)


def is_sized(estimator: Any) -> bool:
    """Tell whether an estimator gets trajectories by its noise."""
    gradients = sg.gradients
    return isinstance(
        estimator,
        gradients.TwoSidedAdjoint
        | gradients.Adjoint
        | gradients.CoupledDifference
        | gradients.ScoreFunction,
    )


def goal(estimator: Any, resolve: float) -> float | None:
    """Return the standard error to reach, None for an estimator that is not sized by its noise."""
    if not is_sized(estimator) or not resolve:
        return None
    # Half as much for the default, of which 1 % is claimed.
    return resolve / 2.0 if isinstance(estimator, sg.gradients.TwoSidedAdjoint) else resolve


def sized(noise: float, error: float) -> int:
    """Return how many trajectories make a standard error, within what is reasonable."""
    return min(max(math.ceil(SPARE * (noise / error) ** 2), LEAST), MOST) // BATCHES * BATCHES


def line(
    case: Case, exact: np.ndarray, estimator: Any, asked: argparse.Namespace
) -> dict[str, Any]:
    """Return the record of a network and an estimator: pilot first, then all trajectories."""
    engine = engine_for(case)
    pilot = measure(case, exact, estimator, PILOT, asked.seed, engine, PILOT_FIRST)
    each = _seconds_each(case, exact.shape[1], estimator, asked.seed, engine)
    error = goal(estimator, asked.resolve)
    wanted = asked.trajectories if error is None else sized(pilot.noise, error)
    most = max(int(asked.seconds / each), PILOT) // BATCHES * BATCHES
    while True:
        number = min(wanted, most)
        begin = time.process_time()
        found = measure(case, exact, estimator, number, asked.seed, engine_for(case, number * each))
        seconds = round(time.process_time() - begin, 3)
        more = 0 if error is None or found.error <= error else sized(found.noise, error)
        if number < wanted or more <= wanted:
            break
        wanted = more
    return vars(found) | {
        "unbiased": is_unbiased(case, estimator),
        "trajectories": number,
        "wanted": wanted,
        "seconds": seconds,
    }


def _seconds_each(
    case: Case, points: int, estimator: Any, seed: int, engine: sg.engines.Native
) -> float:
    """Return the CPU time of one trajectory, without what any batch takes."""
    spent = []
    for size in (BATCHES, PILOT):
        begin = time.process_time()
        gradient(case, points, estimator, size, seed, PILOT_FIRST, engine)
        spent.append(time.process_time() - begin)
    return max(spent[1] - spent[0], 0.1 * spent[1]) / (PILOT - BATCHES)


def runs(case: Case, exact: np.ndarray, seed: int) -> dict[str, Any]:
    """Return the record of single runs of `FittedValue`: their errors, and that of their mean."""
    fitted, engine, points = sg.gradients.FittedValue(), engine_for(case), exact.shape[1]
    begin = time.process_time()
    found = [gradient(case, points, fitted, RUN, seed + i, 0, engine) for i in range(RUNS)]
    errors = [
        float(np.linalg.norm(g - exact) / np.linalg.norm(exact))
        for g in (*found, np.mean(found, axis=0))
    ]
    seconds = round(time.process_time() - begin, 3)
    return {"runs": errors[:-1], "of_mean": errors[-1], "size": RUN, "seconds": seconds}


def is_done(record: dict[str, Any] | None, estimator: Any, asked: argparse.Namespace) -> bool:
    """Tell whether a record needs no more: it is whole, or took all the time that there is."""
    if record is None or (record["seed"], record["resolve"]) != (asked.seed, asked.resolve):
        return False
    if "runs" in record:
        return True
    wanted = record["wanted"]
    error = goal(estimator, asked.resolve)
    if error is not None and record["error"] > error:
        wanted = max(wanted, sized(record["noise"], error))
    return record["trajectories"] >= wanted or record["allowed"] >= asked.seconds


def campaign(cases: Sequence[Case], asked: argparse.Namespace) -> None:
    """Add the records that are not there yet."""
    settings = {"seed": asked.seed, "resolve": asked.resolve, "allowed": asked.seconds}
    for case in cases:
        found = {(r["case"], r["method"]): r for r in run_records.read(asked.records)}
        exact: dict[str, np.ndarray] = {}
        jobs: dict[str, tuple[Case, Any]] = {}
        for method in estimators():
            own = shown(case, method)
            if own is not None:
                jobs[called(method)] = (own, method)
        if case in HARD_CASES:
            jobs["runs"] = (case, None)
        for name, (own, method) in jobs.items():
            if name not in (asked.estimators or jobs):
                continue
            if is_done(found.get((label(case), name)), method, asked):
                continue
            readout = label(own)
            if readout not in exact:
                exact[readout] = truth(own)
            if method is None:
                one = runs(own, exact[readout], asked.seed)
            else:
                one = line(own, exact[readout], method, asked)
            record = {"case": label(case), "method": name, "readout": readout} | settings | one
            run_records.append(asked.records, record)
            print(json.dumps(record), flush=True)


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = list(dict.fromkeys(case.name for case in TABLE))
    columns = [called(m) for m in estimators()]
    parser.add_argument("--only", nargs="+", choices=names, help="networks; all if not given")
    parser.add_argument(
        "--estimators",
        nargs="+",
        choices=[*columns, "runs"],
        metavar="NAME",
        help="columns of the table, or runs for single runs of FittedValue; all if not given",
    )
    parser.add_argument("--resolve", type=float, default=0.005, help="standard error to reach")
    parser.add_argument("--trajectories", type=int, default=20_000, help="of the other estimators")
    parser.add_argument("--seconds", type=float, default=600.0, help="CPU time of one record")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=Path, default=RESULTS / "gradient_bias.jsonl")
    parser.add_argument("--write", type=Path, help="also write the page into this file")
    parser.add_argument("--report", action="store_true", help="run nothing: the page alone")
    asked = parser.parse_args()
    if not asked.report:
        campaign([case for case in TABLE if case.name in (asked.only or names)], asked)
    refused = {
        (label(case), called(m)) for case in TABLE for m in estimators() if not shown(case, m)
    }
    text = page(
        run_records.read(asked.records),
        [label(case) for case in TABLE],
        [label(case) for case in HARD_CASES],
        columns,
        refused,
    )
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
