"""How far descents from segments of the oscillator come, by estimator and number of segments.

Run `python validation/benchmarks/paper/paper_oscillator_budgets.py [--seeds 1-3] [--contests A,B]
[--threads N] [--records FILE] [--out DIR]`. Data, starts and the way to make steps are those of the
mode `segments`; only the estimator of the gradient and the segments behind it differ. Every descent
is a line of the records, so that a campaign can be cut and continued; `--contests ""` only writes
the page and the figure again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from genetic_oscillator.model import DESCENT, FREE, PUBLISHED, start_of, stream, truth
from genetic_oscillator.scoring import Stage, descend
from genetic_oscillator.segments import (
    BATCH,
    REPLICATES,
    SEGMENT,
    STARTS,
    Data,
    Segments,
    make_data,
)
from numpy.typing import NDArray
from paper_records import (
    BLUE,
    GREEN,
    ORANGE,
    ROOT,
    chosen,
    keep,
    kept,
    numbers,
    paragraph,
    percent,
    provenance,
    table,
    told_provenance,
)

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

RESULTS = ROOT / "validation" / "results" / "paper"

#: Steps whose bounds fall, so that a noisy gradient gets no further than a walk of such steps.
STAGES = (
    Stage(8, SEGMENT, 8, False, longest=0.25),
    Stage(24, SEGMENT, 8, True, longest=0.1),
    Stage(32, SEGMENT, 0, True, longest=0.02),
)

#: Steps, the last ones, whose median is the answer.
AVERAGED = 32

#: Replicates of the model in most descents.
FEW = 4


@dataclass(frozen=True)
class Contest:
    """An estimator and what it is given.

    Attributes:
        temperature: of `StraightThrough`; 0 for `TwoSidedAdjoint`.
        starts: of a step.
        replicates: of each start.
    """

    temperature: float
    starts: int
    replicates: int = FEW

    @property
    def name(self) -> str:
        """What the command and records call it."""
        kind = f"straight_through_{self.temperature:g}" if self.temperature else "two_sided"
        return f"{kind}_{self.starts}x{self.replicates}"

    @property
    def estimator(self) -> Any:
        """The estimator."""
        if self.temperature:
            return sg.gradients.StraightThrough(self.temperature)
        return sg.gradients.TwoSidedAdjoint()

    @property
    def words(self) -> str:
        """The estimator, for tables."""
        return (
            f"StraightThrough, T = {self.temperature:g}" if self.temperature else "TwoSidedAdjoint"
        )


#: Temperatures: the published one, and one whose gradients have less noise and more bias.
TEMPERATURES = (0.1, 3e-6)

CONTESTS = {
    contest.name: contest
    for contest in (
        *(Contest(0.0, starts) for starts in (128, 512, 2_048, BATCH)),
        *(Contest(t, starts) for t in TEMPERATURES for starts in (512, BATCH)),
        Contest(TEMPERATURES[-1], BATCH, REPLICATES),
    )
}


@dataclass(frozen=True)
class Descent:
    """One descent, as records keep it.

    Attributes:
        contest: its name.
        seed: of data, start and trajectories.
        trace: parameters over their truth, before every step and at the end [step, free].
        errors: of the answer, relative [free].
        seconds, cpu_seconds: of the descent.
        made: when and with what.
    """

    contest: str
    seed: int
    trace: list[list[float]]
    errors: list[float]
    seconds: float
    cpu_seconds: float
    made: dict[str, Any]

    @property
    def mape(self) -> float:
        """Mean absolute relative error."""
        return float(np.abs(self.errors).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run descents that are not kept yet, and write the page and the figure."""
    parser = argparse.ArgumentParser(description=" ".join((__doc__ or "").split("\n\n")[0].split()))
    parser.add_argument("--contests", default=",".join(CONTESTS), help="default: all")
    parser.add_argument("--seeds", type=numbers, default=(1, 2, 3))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--records", type=Path, default=RESULTS / "oscillator_budgets.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        names = chosen(options.contests, CONTESTS)
    except argparse.ArgumentTypeError as error:
        parser.error(f"--contests: {error}")
    for seed in options.seeds:
        done = {d.contest for d in descents(options.records) if d.seed == seed}
        if waiting := [CONTESTS[name] for name in names if name not in done]:
            data = make_data(seed, STARTS, REPLICATES, options.threads)
            for contest in waiting:
                made = descent(contest, data, seed, options.threads)
                keep(options.records, asdict(made))
                told = f"MAPE {percent(made.mape)}, {made.cpu_seconds:.0f} s of processor"
                print(f"{contest.name} seed {seed}: {told}", flush=True)
    found = descents(options.records)
    if not found:
        parser.error(f"{options.records} holds no descent")
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(found)
    print(text)
    (options.out / "oscillator_budgets.md").write_text(text)
    plot(found, options.out / "oscillator_budgets.png")


def descents(records: Path) -> list[Descent]:
    """Return the descents that are kept."""
    return [Descent(**record) for record in kept(records)]


def descent(
    contest: Contest,
    data: Data,
    seed: int,
    threads: int,
    stages: tuple[Stage, ...] = STAGES,
    averaged: int = AVERAGED,
) -> Descent:
    """Learn from segments by the estimator of a contest."""
    compared = Segments(
        data,
        contest.starts,
        contest.replicates,
        contest.estimator,
        stream(seed, DESCENT),
        threads,
    )
    course = descend(compared, start_of(seed), stages)
    trace = np.exp(course.logarithms) / truth()
    return Descent(
        contest=contest.name,
        seed=seed,
        trace=[[float(f"{value:.6g}") for value in row] for row in trace],
        errors=(np.exp(course.ended(averaged)) / truth() - 1.0).tolist(),
        seconds=round(course.seconds, 1),
        cpu_seconds=round(course.cpu_seconds, 1),
        made=provenance(threads),
    )


def page(found: Sequence[Descent]) -> str:
    """Return the results as a page."""
    head = (
        *("estimator", "segments a step", "seeds", "MAPE", "range"),
        *(f"`{id}`" for id in FREE),
        "processor, min a run",
    )
    rows = []
    for contest in CONTESTS.values():
        own = of_contest(found, contest)
        if not own:
            continue
        errors = np.array([d.errors for d in own])
        mapes = [d.mape for d in own]
        rows.append(
            (
                contest.words,
                f"{contest.starts:,} × {contest.replicates}",
                ", ".join(str(d.seed) for d in own),
                percent(float(np.mean(mapes)), 2),
                f"{percent(min(mapes), 2)} to {percent(max(mapes), 2)}",
                *(percent(float(error), 2) for error in np.abs(errors).mean(axis=0)),
                f"{np.mean([d.cpu_seconds for d in own]) / 60.0:.1f}",
            )
        )
    mean, low, high = (percent(error, 2) for error in PUBLISHED)
    starts = [np.abs(start_of(seed) / truth() - 1.0).mean() for seed in {d.seed for d in found}]
    lines = [
        "# Descents from segments of the oscillator, by estimator and number of segments",
        "",
        *paragraph(
            "Mean absolute relative errors after "
            f"{sum(stage.steps for stage in STAGES)} steps, of the median of the last {AVERAGED}; "
            "means over seeds. Data, starts and losses are those of the mode `segments` of "
            "`validation/benchmarks/paper/paper_oscillator.py`: averages over 0.0275 hours, about "
            "150 firings. Steps are F⁻¹ times a gradient, F from simulations and the same for all, "
            "and none moves a parameter by more than "
            + ", then ".join(f"{100.0 * stage.longest:g} %" for stage in STAGES)
            + f". Descents start with a MAPE of {percent(float(np.mean(starts)), 0)}. Written by "
            "`validation/benchmarks/paper/paper_oscillator_budgets.py`."
        ),
        *paragraph(told_provenance([d.made for d in found])),
        *table(head, rows),
        "",
        *paragraph(
            f"Published: {mean} ({low} to {high}) by straight-through gradients at T = 0.000003 "
            f"with {BATCH:,} × {REPLICATES} segments a step, another loss (segments end after 150 "
            "firings), another optimiser, and about 19 minutes on a graphics card: by its "
            "throughput, many thousand steps. Rows of that estimator tell what it does with the "
            f"{sum(stage.steps for stage in STAGES)} steps that suffice here, not what it does at "
            "its end."
        ),
    ]
    return "\n".join(lines)


def of_contest(found: Sequence[Descent], contest: Contest) -> list[Descent]:
    """Return the descents of a contest by seed."""
    own = (descent for descent in found if descent.contest == contest.name)
    return sorted(own, key=lambda descent: descent.seed)


def plot(found: Sequence[Descent], path: Path) -> None:
    """Draw errors against segments a step, and courses of the largest budget of each estimator."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    colours = {0.0: BLUE, 0.1: GREEN, 3e-6: ORANGE}
    for temperature, colour in colours.items():
        own = [c for c in CONTESTS.values() if c.temperature == temperature]
        own = sorted((c for c in own if of_contest(found, c)), key=_segments)
        if not own:
            continue
        means = [100.0 * np.mean([d.mape for d in of_contest(found, c)]) for c in own]
        sizes = [_segments(c) for c in own]
        left.plot(sizes, means, "o-", color=colour, label=own[0].words)
        for size, contest in zip(sizes, own, strict=True):
            errors = [100.0 * d.mape for d in of_contest(found, contest)]
            left.plot([size] * len(errors), errors, ".", color=colour, alpha=0.5)
        for one in of_contest(found, own[-1]):
            away = 100.0 * np.abs(np.array(one.trace) - 1.0).mean(axis=1)
            label = f"{own[-1].words}, {_segments(own[-1]):,}" if one.seed == 1 else None
            right.plot(away, color=colour, lw=1.2, alpha=0.8, label=label)
    for axes in (left, right):
        axes.axhline(100.0 * PUBLISHED[0], color="0.4", lw=0.9, ls="--", label="published end")
        axes.set_yscale("log")
        axes.set_ylabel("mean absolute error of five parameters, %")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    left.set_xscale("log")
    left.set_xlabel("segments behind a gradient")
    left.set_title("After 64 steps; dots: seeds", fontsize=10)
    right.set_xlabel("step")
    right.set_title("Courses with the most segments", fontsize=10)
    figure.savefig(path, dpi=130)


def _segments(contest: Contest) -> int:
    return contest.starts * contest.replicates


if __name__ == "__main__":
    sys.exit(main())
