"""Descents from segments by estimator and number of segments behind a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import (
    BLUE,
    GREEN,
    ORANGE,
    kept,
    paragraph,
    percent,
    provenance,
    table,
    told_provenance,
)

import sbmlgrad as sg
from genetic_oscillator.model import DESCENT, FREE, PUBLISHED, start_of, stream, truth
from genetic_oscillator.scoring import Stage, descend
from genetic_oscillator.segments import BATCH, REPLICATES, SEGMENT, Data, Segments

FloatArray = NDArray[np.float64]

#: Steps whose bounds fall, so that a noisy gradient gets no further than a walk of such steps.
STAGES = (
    Stage(8, SEGMENT, 8, False, longest=0.25),
    Stage(24, SEGMENT, 8, True, longest=0.1),
    Stage(32, SEGMENT, 0, True, longest=0.02),
)

#: Steps, the last ones, whose median is the answer.
AVERAGED = 32

#: Replicates of the model in most budgets.
FEW = 4

#: Temperatures: 0 for `TwoSidedAdjoint`, else of `StraightThrough`: one whose gradients have less
#: noise and more bias than those of the last, which is the published one.
TEMPERATURES = (0.0, 0.1, 3e-6)

#: A colour for each.
COLOURS = dict(zip(TEMPERATURES, (BLUE, GREEN, ORANGE), strict=True))


@dataclass(frozen=True)
class Budget:
    """An estimator and the segments behind one of its gradients.

    Attributes:
        temperature: one of `TEMPERATURES`.
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

    @property
    def segments(self) -> int:
        """Behind one gradient."""
        return self.starts * self.replicates


BUDGETS = {
    budget.name: budget
    for budget in (
        *(Budget(0.0, starts) for starts in (128, 512, 2_048, BATCH)),
        *(Budget(t, starts) for t in TEMPERATURES[1:] for starts in (512, BATCH)),
        Budget(TEMPERATURES[-1], BATCH, REPLICATES),
    )
}


@dataclass(frozen=True)
class Descent:
    """One descent, as records keep it.

    Attributes:
        budget: its name.
        seed: of data, start and trajectories.
        settings: what else describes it; see `settings_of`.
        trace: parameters over their truth, before every step and at the end [step, free].
        errors: of the answer, relative [free].
        seconds, cpu_seconds: of the descent.
        made: when and with what.
    """

    budget: str
    seed: int
    settings: Mapping[str, Any]
    trace: Sequence[Sequence[float]]
    errors: Sequence[float]
    seconds: float
    cpu_seconds: float
    made: Mapping[str, Any]

    @property
    def mape(self) -> float:
        """Mean absolute relative error."""
        return float(np.abs(self.errors).mean())


def settings_of(data: Data, stages: Sequence[Stage] = STAGES, averaged: int = AVERAGED) -> Any:
    """Return what tells descents of one budget and seed apart, as plain data."""
    return {
        "cells": len(data.states),
        "steps": [stage.steps for stage in stages],
        "longest": [stage.longest for stage in stages],
        "averaged": averaged,
    }


def descents(records: Path) -> list[Descent]:
    """Return the descents that are kept."""
    return [Descent(**record) for record in kept(records)]


def descent(
    budget: Budget,
    data: Data,
    seed: int,
    threads: int,
    stages: tuple[Stage, ...] = STAGES,
    averaged: int = AVERAGED,
) -> Descent:
    """Learn from segments by the estimator of a budget.

    Args:
        budget: estimator and segments.
        data: to come to.
        seed: of start and trajectories.
        threads: of the engine.
        stages: of the descent.
        averaged: steps, the last ones, whose median is the answer.
    """
    key = stream(seed, DESCENT)
    compared = Segments(data, budget.starts, budget.replicates, budget.estimator, key, threads)
    course = descend(compared, start_of(seed), stages)
    trace = np.exp(course.logarithms) / truth()
    return Descent(
        budget=budget.name,
        seed=seed,
        settings=settings_of(data, stages, averaged),
        trace=[[float(f"{value:.6g}") for value in row] for row in trace],
        errors=(np.exp(course.ended(averaged)) / truth() - 1.0).tolist(),
        seconds=round(course.seconds, 1),
        cpu_seconds=round(course.cpu_seconds, 1),
        made=provenance(threads),
    )


def of_budget(found: Sequence[Descent], budget: Budget) -> list[Descent]:
    """Return the descents of a budget by seed."""
    own = (descent for descent in found if descent.budget == budget.name)
    return sorted(own, key=lambda descent: descent.seed)


def page(found: Sequence[Descent]) -> str:
    """Return the results as a page."""
    head = (
        *("estimator", "segments a step", "seeds", "MAPE", "range"),
        *(f"`{id}`" for id in FREE),
        "processor, min a run",
    )
    rows = [_row(b, of_budget(found, b)) for b in BUDGETS.values() if of_budget(found, b)]
    steps = sum(stage.steps for stage in STAGES)
    mean, low, high = (percent(error, 2) for error in PUBLISHED)
    starts = [np.abs(start_of(seed) / truth() - 1.0).mean() for seed in {d.seed for d in found}]
    lines = [
        "# Descents from segments of the oscillator, by estimator and number of segments",
        "",
        *paragraph(
            f"Mean absolute relative errors after {steps} steps, of the median of the last "
            f"{AVERAGED}, and errors of each parameter; means over seeds. Data, starts and "
            "losses are those of the mode `segments` of `paper_oscillator.py`: averages over "
            "0.0275 hours, about 150 firings. Steps are those of scoring, too, F⁻¹ times the "
            "gradient of the estimator, F from simulations of as many segments; none moves a "
            "parameter by more than "
            + ", then ".join(f"{100.0 * s.longest:g} % ({s.steps} steps)" for s in STAGES)
            + f". Descents start with a MAPE of {percent(float(np.mean(starts)), 0)}. Written by "
            "`validation/benchmarks/paper/paper_oscillator_budgets.py`."
        ),
        *paragraph(told_provenance([d.made for d in found])),
        *table(head, rows),
        "",
        *paragraph(
            f"Published: {mean} ({low} to {high}; of medians over ten runs) by straight-through "
            f"gradients at T = 0.000003 with {BATCH:,} × {REPLICATES} segments a step. There, "
            "segments end after 150 firings, optimiser and number of steps are others, and a run "
            "takes about 19 minutes on a graphics card. Rows of that temperature tell what it does "
            f"with the {steps} steps that suffice for the others, not where it ends."
        ),
    ]
    return "\n".join(lines)


def _row(budget: Budget, own: Sequence[Descent]) -> tuple[str, ...]:
    errors = np.abs([d.errors for d in own]).mean(axis=0)
    mapes = [d.mape for d in own]
    return (
        budget.words,
        f"{budget.starts:,} × {budget.replicates}",
        ", ".join(str(d.seed) for d in own),
        percent(float(np.mean(mapes)), 2),
        f"{percent(min(mapes), 2)} to {percent(max(mapes), 2)}",
        *(percent(float(error), 2) for error in errors),
        f"{np.mean([d.cpu_seconds for d in own]) / 60.0:.1f}",
    )


def plot(found: Sequence[Descent], path: Path) -> None:
    """Draw errors against segments a step, and courses of the largest budget of each estimator."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for temperature, colour in COLOURS.items():
        own = [b for b in BUDGETS.values() if b.temperature == temperature]
        own = sorted((b for b in own if of_budget(found, b)), key=lambda b: b.segments)
        if not own:
            continue
        sizes = [b.segments for b in own]
        means = [100.0 * np.mean([d.mape for d in of_budget(found, b)]) for b in own]
        left.plot(sizes, means, "o-", color=colour, label=own[0].words)
        for budget in own:
            errors = [100.0 * d.mape for d in of_budget(found, budget)]
            left.plot([budget.segments] * len(errors), errors, ".", color=colour, alpha=0.5)
        for place, one in enumerate(of_budget(found, own[-1])):
            away = 100.0 * np.abs(np.array(one.trace) - 1.0).mean(axis=1)
            label = None if place else f"{own[-1].words}, {own[-1].segments:,} segments"
            right.plot(away, color=colour, lw=1.2, alpha=0.8, label=label)
    for axes in (left, right):
        axes.axhline(
            100.0 * PUBLISHED[0],
            color="0.4",
            lw=0.9,
            ls="--",
            label="published, medians of ten runs",
        )
        axes.set_yscale("log")
        axes.set_ylabel("mean absolute error of five parameters, %")
        axes.grid(alpha=0.3)
    # Room for the legend.
    right.set_ylim(top=5.0 * right.get_ylim()[1])
    left.legend(fontsize=8, loc="lower left")
    right.legend(fontsize=8, loc="upper right")
    left.set_xscale("log")
    left.set_xlabel("segments behind a gradient")
    left.set_title(
        f"Median of the last {AVERAGED} steps: mean over seeds; small dots, each", fontsize=10
    )
    right.set_xlabel("step")
    right.set_title("Single steps, with the most segments of each estimator", fontsize=10)
    figure.savefig(path, dpi=130)
