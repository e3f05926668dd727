"""The SBML stochastic test suite with every engine and kernel of sbmlgrad.

Run `python validation/dsmts_engines.py --suite DIR` on the suite's `stochastic` folder. Cases with
events, rules on rates, explicit time or draws run on one kernel only, which `dsmts.py` judges; here
are the others, by Z and Y in the same two stages (see `suites.dsmts_statistics`). `Reference` and
`TensorFlow` take fewer trajectories. Exit code 1: an engine failed a case.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from suites.dsmts_case import Case, read_case, select
from suites.dsmts_statistics import case_scores, judged_points, second_bound, stage_one, stage_two

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower

#: Trajectories of stage two, in multiples of those of stage one.
MULTIPLE = 4


@dataclass(frozen=True)
class Judged:
    """What came of one case with one engine: `pass`, or what is wrong."""

    case: str
    engine: str
    verdict: str
    z: float
    y: float


def engines() -> Iterator[tuple[Any, float]]:
    """Yield every engine, and the share of the trajectories that it is given."""
    for kernel in ("table", "lockstep", "tree"):
        yield sg.engines.Native(kernel=kernel), 1.0
    for kernel in ("table", "lockstep"):
        yield sg.engines.Native(kernel=kernel, dtype="float32"), 1.0
    yield sg.engines.TensorFlow(jit_compile=True), 0.1
    yield sg.engines.Reference(), 0.02


def judge(case: Case, model: sg.ReactionNetwork, engine: Any, count: int, bound: float) -> Judged:
    """Sample a case with an engine; what leaves its range is repeated with more trajectories."""
    found = case_scores(case, _amounts(case, model, engine, count, 1))
    outside = stage_one(case, found)
    z = max(float(np.nanmax(np.abs(s.z), initial=0.0)) for s in found)
    y = max(float(np.nanmax(np.abs(s.y), initial=0.0)) for s in found)
    if outside.count:
        again = case_scores(case, _amounts(case, model, engine, MULTIPLE * count, 2))
        both = outside & stage_two(bound, again)
        if both.count:
            return Judged(case.number, engine.name, f"FAIL in {both.count} statistics", z, y)
    return Judged(case.number, engine.name, "pass", z, y)


def _amounts(case: Case, model: sg.ReactionNetwork, engine: Any, count: int, seed: int) -> Any:
    cells = sg.simulate(
        model,
        times=np.linspace(0.0, case.end, case.steps + 1),
        trajectories=count,
        seed=1_000 * int(case.number) + seed,
        engine=engine,
    )
    return np.stack([cells.values(s, "amount") for s in case.species], axis=-1)


def table(found: Sequence[Judged], names: Sequence[str], cases: Sequence[str]) -> list[str]:
    """Return the lines of a Markdown table: cases by engines, largest |Z| and |Y|."""
    by = {(j.case, j.engine): j for j in found}
    lines = [
        "| case | " + " | ".join(f"`{n}`" for n in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for case in cases:
        cells = []
        for name in names:
            one = by[case, name]
            cells.append(
                f"{one.z:.1f} / {one.y:.1f}" if one.verdict == "pass" else f"**{one.verdict}**"
            )
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    passed = [sum(by[c, n].verdict == "pass" for c in cases) for n in names]
    lines.append("| passed | " + " | ".join(f"{p} of {len(cases)}" for p in passed) + " |")
    return lines


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True, help="folder that holds 00001, ...")
    parser.add_argument("--cases", default="all", help="such as 1-39,41; default all")
    parser.add_argument("--trajectories", type=int, default=10_000)
    parser.add_argument("--level", default="l3v1")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    given = parser.parse_args()
    plain: list[tuple[Case, sg.ReactionNetwork]] = []
    for number in select(given.suite, given.cases):
        case = read_case(given.suite / number)
        if given.level in case.documents:
            model = sg.load(case.documents[given.level])
            if not lower(model).is_timed:
                plain.append((case, model))
    chosen = list(engines())
    points = sum(judged_points(case) for case, _ in plain) * len(chosen)
    bound = second_bound(points, 0.01)
    found: list[Judged] = []
    for case, model in plain:
        for engine, share in chosen:
            count = max(100, int(share * given.trajectories))
            found.append(judge(case, model, engine, count, bound))
        verdicts = {j.verdict for j in found[-len(chosen) :]}
        print(f"{case.number}: {', '.join(sorted(verdicts))}", file=sys.stderr, flush=True)
    shares = ", ".join(
        f"`{e.name}` {max(100, int(s * given.trajectories)):,}" for e, s in chosen if s < 1.0
    )
    lines = [
        "# Stochastic test suite: every engine",
        "",
        f"{len(plain)} cases without events, rate rules, explicit time or draws, level "
        f"{given.level}, {given.trajectories:,} trajectories ({shares}). Cells: the largest |Z| of "
        "a mean and |Y| of a standard deviation over all times; what leaves the suite's range is "
        f"repeated with {MULTIPLE} times the trajectories, bound {bound:.2f}.",
        "",
        *table(found, [e.name for e, _ in chosen], [case.number for case, _ in plain]),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    return int(any(j.verdict != "pass" for j in found))


if __name__ == "__main__":
    sys.exit(main())
