"""Modes of learning the oscillator, and one run of a mode."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_records import provenance

import sbmlgrad as sg
from genetic_oscillator import segments, whole
from genetic_oscillator.model import DESCENT, EMERGENT, Run, start_of, stream, truth
from genetic_oscillator.periods import emergent
from genetic_oscillator.scoring import Course, Stage, descend

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Mode:
    """A way to learn.

    Attributes:
        name: as records call it.
        stages: of the descent.
        averaged: steps, the last ones, whose median is the answer.
        trajectories: of the model in a step; from each start, for segments.
        cells: whole trajectories behind the data, or start points.
        batch: starts of a step; 0 for whole trajectories.
        replicates: of each start behind the data; 0 for whole trajectories.
        observed: cells that periods and amplitudes are seen in.
    """

    name: str
    stages: tuple[Stage, ...]
    averaged: int
    trajectories: int
    cells: int
    batch: int = 0
    replicates: int = 0
    observed: int = 100

    @property
    def is_whole(self) -> bool:
        """Whether whole trajectories are compared."""
        return self.batch == 0

    @property
    def words(self) -> str:
        """What it is, for tables."""
        return f"{'whole trajectories' if self.is_whole else 'segments'}, TwoSidedAdjoint"

    @property
    def settings(self) -> dict[str, float]:
        """What records keep, and what tells runs of one mode and seed apart."""
        longer = [stage for stage in self.stages if stage.extra]
        return {
            "steps": sum(stage.steps for stage in self.stages),
            "averaged": self.averaged,
            "trajectories": self.trajectories,
            "cells": self.cells,
            "batch": self.batch,
            "replicates": self.replicates,
            "horizon": self.stages[-1].horizon,
            "observed": self.observed,
            **({"extra": sum(s.extra for s in longer)} if longer else {}),
            **({"until": max(s.until for s in longer)} if longer else {}),
        }


#: Into the first burst, over it, first period, the same until steps only scatter, three periods.
_WHOLE = (
    Stage(8, 5.0, 8, False, longest=0.5, is_guarded=True),
    Stage(10, 12.5, 10, False, longest=0.5, is_guarded=True),
    Stage(8, 25.0, 48, False, longest=0.5, is_guarded=True, extra=40, until=5.0),
    Stage(10, 25.0, 4, True, longest=0.05),
    Stage(24, 75.0, 4, True, longest=0.01),
)

_SEGMENTS = (
    Stage(8, segments.SEGMENT, 8, False),
    Stage(56, segments.SEGMENT, 8, True),
)

MODES = {
    mode.name: mode
    for mode in (
        Mode("whole", _WHOLE, averaged=20, trajectories=256, cells=4_000),
        Mode(
            "segments",
            _SEGMENTS,
            averaged=32,
            trajectories=4,
            cells=segments.STARTS,
            batch=segments.BATCH,
            replicates=segments.REPLICATES,
        ),
    )
}

#: Short versions, for a test and for a first look.
QUICK = {
    "whole": replace(
        MODES["whole"],
        stages=(*_WHOLE[:3], Stage(4, 25.0, 2, True, longest=0.02)),
        averaged=4,
        trajectories=128,
        cells=500,
        observed=40,
    ),
    "segments": replace(
        MODES["segments"],
        stages=(Stage(6, segments.SEGMENT, 6, False), Stage(10, segments.SEGMENT, 2, True)),
        averaged=8,
        cells=16_384,
        batch=2_048,
        observed=40,
    ),
}


def fit_one(mode: Mode, seed: int, *, threads: int = 2, checkpoint: Path | None = None) -> Run:
    """Simulate data, learn from a start off the truth, and say how it went."""
    began = time.perf_counter()
    comparison = _comparison(mode, seed, threads)
    data_seconds = time.perf_counter() - began
    start = start_of(seed)
    course = descend(comparison, start, mode.stages, checkpoint)
    learned = course.ended(mode.averaged)
    return Run(
        mode=mode.name,
        seed=seed,
        settings=mode.settings,
        start=_plain(start),
        values=_plain(np.exp(learned)),
        noise=_plain(_noise(mode, comparison, course)),
        trace=tuple(
            tuple(round(float(v), 6) for v in row) for row in np.exp(course.logarithms) / truth()
        ),
        losses=tuple(float(f"{loss:.4g}") for loss in course.losses),
        seconds=round(course.seconds, 1),
        cpu_seconds=round(course.cpu_seconds, 1),
        data_seconds=round(data_seconds, 1),
        emergent=emergent(learned, mode.observed, stream(seed, EMERGENT), threads),
        made=provenance(threads),
    )


def _comparison(mode: Mode, seed: int, threads: int) -> Any:
    key = stream(seed, DESCENT)
    if mode.is_whole:
        cells = whole.make_data(seed, mode.cells, mode.stages[-1].horizon, threads)
        return whole.WholeTrajectories(cells, mode.trajectories, key, threads)
    starts = segments.make_data(seed, mode.cells, mode.replicates, threads)
    estimator = sg.gradients.TwoSidedAdjoint()
    return segments.Segments(starts, mode.batch, mode.trajectories, estimator, key, threads)


def _noise(mode: Mode, comparison: Any, course: Course) -> FloatArray:
    """Return standard errors of the logarithms.

    The steps' scatter holds all noise of the model, also that of gradients. Of segments, every
    step sees starts of its own, so that it holds that of the data too. Steps with whole
    trajectories share their data: what those add is told by slopes.
    """
    scatter = course.scatter(mode.averaged)
    if not mode.is_whole:
        return scatter
    steps = len(course.losses)
    of_data = comparison.errors_of_data(
        course.ended(mode.averaged), steps, max(4 * mode.trajectories, 1_000)
    )
    return np.hypot(of_data, scatter)


def _plain(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
