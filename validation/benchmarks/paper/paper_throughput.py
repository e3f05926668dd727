"""Firings per second against the size of an ensemble, for three ways to select a reaction.

The paper's supplementary figure 2, on a processor: run `python
validation/benchmarks/paper/paper_throughput.py [--quick] [--peers-python PATH]`. One thread, 250
firings a trajectory. Every measurement is a line of the records, so that a campaign can be cut and
continued; `--models ""` only writes the page and the figure again. Exit code 1: the counts of a
contender are wrong.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from paper_records import ROOT, chosen, keep, kept, machine, positive
from selection.contenders import Contender, LeftOutError, contenders
from selection.report import page, plot
from selection.task import Drawn, Run, Task, task
from selection.tensors import ROWS

RESULTS = ROOT / "validation" / "results" / "paper"
RECORDS = RESULTS / "throughput.jsonl"

MODELS = ("dimerization", "oscillator")

SIZES = tuple(10**power for power in range(7))

#: Above this, counts are wrong, not unlucky.
MOST_DEVIATIONS = 5.0

#: Fewest trajectories whose mean is worth a look.
FEWEST = 1_000


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    Attributes:
        rounds: at most, in each of which every contender has its turn.
        seconds: processor time of a turn, about; a call is repeated until then.
        budget_s: a call that takes longer than this is not made.
        enough_s: a contender that has taken as much processor time at a size has no further turn.
    """

    rounds: int
    seconds: float
    budget_s: float
    enough_s: float = 30.0

    @property
    def is_quick(self) -> bool:
        """Whether a page of such measurements is a quick look."""
        return self.rounds < FULL.rounds


FULL, QUICK = Effort(5, 0.5, 200.0), Effort(2, 0.1, 6.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and return 1 if any counts are wrong."""
    options = _parser().parse_args(arguments)
    effort = QUICK if options.quick else FULL
    records, out = options.records or RECORDS, options.out or RESULTS
    if options.quick and (records.resolve() == RECORDS or out.resolve() == RESULTS):
        raise SystemExit("--quick: give --records and --out, so that quick looks stay apart")
    everybody = contenders(options.peers_python)
    try:
        names = chosen(options.contenders, everybody) or list(everybody)
        models = chosen(options.models, MODELS)
    except argparse.ArgumentTypeError as error:
        raise SystemExit(f"--contenders, --models: {error}") from error
    for model in models:
        measure(model, [everybody[name] for name in names], options.sizes, effort, records)
    found = kept(records)
    if not found:
        raise SystemExit(f"{records} holds no measurement")
    out.mkdir(parents=True, exist_ok=True)
    is_quick = any(r.get("quick", False) for r in found)
    text = page(found, list(everybody.values()), quick=is_quick)
    print(text)
    (out / "throughput.md").write_text(text, encoding="utf-8")
    plot(found, list(everybody.values()), out / "throughput.png")
    return int(any(abs(r.get("z") or 0.0) > MOST_DEVIATIONS for r in found))


def measure(
    model: str,
    asked: Sequence[Contender],
    sizes: Sequence[int],
    effort: Effort,
    records: Path,
) -> None:
    """Measure contenders on a model, size by size, in turns; what has a record is not repeated.

    Args:
        model: id of a shipped model.
        asked: who competes.
        sizes: of the ensembles, increasing.
        effort: how much to measure.
        records: file of records.
    """
    job = task(model)
    ready: dict[str, Run] = {}
    for size in sizes:
        known = {(r["model"], r["contender"], r["size"]): r for r in kept(records)}
        turns = []
        for contender in asked:
            key = (model, contender.name, size)
            # Who was left out of a smaller ensemble is left out of this one too.
            if key in known or _is_out(contender, model, size, known):
                continue
            words = _obstacle(contender, job, size, known, effort, ready)
            if words is None:
                turns.append(contender)
                continue
            keep(records, {**_key(key), "left out": words})
            print(f"{model} {size:,} {contender.name}: left out: {words}", flush=True)
        for record in _turns(job, turns, size, effort, ready):
            keep(records, record)
            print(
                f"{model} {size:,} {record['contender']}: {record['firings a second']:.3g} "
                f"firings/s, z {record['z']}",
                flush=True,
            )


def _key(key: tuple[str, str, int]) -> dict[str, Any]:
    return dict(zip(("model", "contender", "size"), key, strict=True))


def _is_out(
    contender: Contender, model: str, size: int, known: dict[tuple[str, str, int], dict[str, Any]]
) -> bool:
    return any(
        "left out" in r and (m, name) == (model, contender.name) and n <= size
        for (m, name, n), r in known.items()
    )


def _obstacle(
    contender: Contender,
    job: Task,
    size: int,
    known: dict[tuple[str, str, int], dict[str, Any]],
    effort: Effort,
    ready: dict[str, Run],
) -> str | None:
    """Return why a contender is not measured at a size, or None after having made it ready."""
    if contender.most is not None and size > contender.most:
        return f"it takes at most {contender.most:,} trajectories here, for its memory"
    before = [
        r
        for (model, name, _), r in known.items()
        if (model, name) == (job.name, contender.name) and "firings a second" in r
    ]
    if before:
        last = max(before, key=lambda r: r["size"])
        seconds = last["seconds a call"] * size / last["size"]
        if seconds > effort.budget_s:
            return f"a call would take about {seconds:.0f} s"
    try:
        if contender.name not in ready:
            ready[contender.name] = contender.prepare(job)
    except LeftOutError as error:
        return str(error)
    return None


def _turns(
    job: Task, turns: Sequence[Contender], size: int, effort: Effort, ready: dict[str, Run]
) -> list[dict[str, Any]]:
    """Return the records of one size, of contenders that took turns."""
    rates: dict[str, list[tuple[float, float]]] = {c.name: [] for c in turns}
    drawn: dict[str, list[Drawn]] = {c.name: [] for c in turns}
    taken_s = dict.fromkeys(rates, 0.0)
    for contender in turns:
        # Compiles for this size, and warms up.
        ready[contender.name](min(size, ROWS), 1)
    for number in range(effort.rounds):
        first = number % max(1, len(turns))
        for contender in [*turns[first:], *turns[:first]]:
            of_one = rates[contender.name]
            if taken_s[contender.name] >= effort.enough_s:
                continue
            calls: list[Drawn] = []
            while sum(d.cpu_s for d in calls) < effort.seconds and len(calls) < 10_000:
                seed = 1000 * number + len(calls) + 2
                calls.append(ready[contender.name](size, seed))
            total = sum(d.firings for d in calls)
            cpu, wall = (sum(getattr(d, of) for d in calls) for of in ("cpu_s", "wall_s"))
            of_one.append((total / cpu, total / wall))
            taken_s[contender.name] += cpu
            drawn[contender.name].append(calls[-1])
    found = []
    for contender in turns:
        by_cpu, by_wall = zip(*rates[contender.name], strict=True)
        last = drawn[contender.name][-1]
        found.append(
            {
                **_key((job.name, contender.name, size)),
                "firings a second": statistics.median(by_cpu),
                "from": min(by_cpu),
                "to": max(by_cpu),
                "by the clock": statistics.median(by_wall),
                "seconds a call": last.cpu_s,
                "rounds": len(by_cpu),
                "quick": effort.is_quick,
                "z": _deviation(job, contender, last, size),
                "date": datetime.now(UTC).date().isoformat(),
                "machine": machine(),
            }
        )
    return found


def _deviation(job: Task, contender: Contender, last: Drawn, size: int) -> float | None:
    """Return by how many standard errors the mean of the watched species is off."""
    if last.last is None or size < FEWEST:
        return None
    # GillesPy2 ends at a time; the others end after a number of firings.
    expected = job.expected_by_end if contender.kind == "peer" else job.expected
    error = np.sqrt(expected.var() * (1.0 / size + 1.0 / len(expected)))
    away = float(last.last.mean() - expected.mean())
    if error == 0.0:
        return 0.0 if away == 0.0 else float("inf")
    return round(away / float(error), 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default=",".join(MODELS), help=", ".join(MODELS))
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="default 1,10,...,1000000")
    parser.add_argument("--contenders", default="", help="names with commas; default all")
    parser.add_argument("--peers-python", help="interpreter of an environment with GillesPy2")
    parser.add_argument("--quick", action="store_true", help="short turns; needs both of these")
    parser.add_argument("--records", type=Path, help=f"default {RECORDS.relative_to(ROOT)}")
    parser.add_argument("--out", type=Path, help=f"default {RESULTS.relative_to(ROOT)}")
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(positive(part)) for part in text.split(",")}))


if __name__ == "__main__":
    # One thread each, which TensorFlow must know before it starts.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
