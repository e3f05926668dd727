"""Steps of Fisher scoring whose gradients are those of simulations, and that can be continued.

A step is -F⁻¹ g: g is the derivative of half a weighted sum of squares in the logarithms of the
parameters, from a tape through the simulation; F = Jᵀ W J tells how much statistics move, from
simulations at both sides of every parameter (Osborne 1992, Int. Stat. Rev. 60, 99). F only sets
lengths and directions of steps: where they end is where the expected g is zero. There, steps
scatter, and the median of the last ones is the answer.

Far from the optimum the loss is no parabola, and whole steps may lead into another valley. Guarded
stages take a step only if the loss of the same trajectories falls, and shorten it until it does
(Marquardt 1963, SIAM J. Appl. Math. 11, 431).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Steps after which the state is written down.
SAVED_EVERY = 5

#: Half the distance of the two sides of a difference, in logarithms.
SIDE = 0.1

#: Damping of guarded steps, as a share of the diagonal of F: the first, what it is divided by after
#: a step and multiplied by after a refusal, the least, and the most that a step begins with.
FIRST_DAMPING, EASE, STIFFEN, LEAST_DAMPING, MOST_DAMPING = 1.0, 4.0, 8.0, 1e-4, 1.0

#: Lengths that are tried in a guarded step.
TRIES = 5

#: Losses, the last ones, that tell whether a stage needs its extra steps.
SEEN = 3

#: Share of its largest entry below which the diagonal of F is not believed in guarded steps.
FLAT = 1e-3


@dataclass(frozen=True)
class Stage:
    """Some steps of a descent.

    Attributes:
        steps: how many.
        horizon: time that is compared.
        curvatures: steps, the first ones, at which F is simulated.
        is_averaged: whether F is the mean over these; else the newest, which far from the end
            tells more.
        longest: no logarithm moves further in one step. Near the end a small bound keeps
            heavy-tailed gradients from throwing a descent far off.
        is_guarded: whether only steps are made that lower the loss of the same trajectories.
        extra: how many may follow while the loss, the median of the last `SEEN`, is above `until`.
        until: a loss that is near enough to what a right model has for the stages that follow.
    """

    steps: int
    horizon: float
    curvatures: int
    is_averaged: bool
    longest: float = 0.25
    is_guarded: bool = False
    extra: int = 0
    until: float = np.inf


class Comparison(Protocol):
    """A weighted sum of squares between simulated statistics and data."""

    def gradient(
        self, logarithms: FloatArray, step: int, horizon: float
    ) -> tuple[float, FloatArray]:
        """Return an unbiased loss and its derivative, float64 [free]."""
        ...

    def curvature(self, logarithms: FloatArray, step: int, horizon: float) -> FloatArray:
        """Return F, float64 [free, free]."""
        ...

    def loss(self, logarithms: FloatArray, step: int, horizon: float) -> float:
        """Return the loss, of the trajectories of `gradient` at the same step."""
        ...


@dataclass(frozen=True, eq=False)
class Course:
    """Steps that were made.

    Attributes:
        logarithms: before every step and after the last, float64 [step + 1, free].
        losses: float64 [step].
        seconds: wall time, without that of descents that were interrupted.
        cpu_seconds: time of the processor, all threads.
    """

    logarithms: FloatArray
    losses: FloatArray
    seconds: float
    cpu_seconds: float

    def ended(self, steps: int) -> FloatArray:
        """Return the median of the last steps, float64 [free]."""
        return np.median(self.logarithms[-steps:], axis=0)

    def scatter(self, steps: int) -> FloatArray:
        """Return the standard error of `ended` from the scatter of the steps, float64 [free].

        A median of n normal numbers has the standard deviation 1.25/√n of one.
        """
        return 1.25 * self.logarithms[-steps:].std(axis=0, ddof=1) / np.sqrt(steps)


def descend(
    comparison: Comparison,
    start: FloatArray,
    stages: tuple[Stage, ...],
    checkpoint: Path | None = None,
) -> Course:
    """Return the course from `start`, continuing a checkpoint if it is there.

    Args:
        comparison: what is made small.
        start: values of the parameters, float64 [free].
        stages: one after the other.
        checkpoint: file for the state, written every few steps and at Ctrl-C.
    """
    course, losses, spent = [np.log(start)], [], np.zeros(2)
    known, damping = np.zeros((len(start), len(start))), FIRST_DAMPING
    if checkpoint is not None and checkpoint.exists():
        with np.load(checkpoint) as stored:
            course, losses = [*stored["course"]], [*stored["losses"]]
            known, spent = stored["known"], stored["spent"]
            # States of before steps were guarded have none, and begin anew.
            damping = float(stored["damping"]) if "damping" in stored else FIRST_DAMPING
    began = _clock()

    def save() -> None:
        if checkpoint is None:
            return
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        written = checkpoint.with_suffix(".part.npz")
        passed = spent + _clock() - began
        state = {"course": course, "losses": losses, "known": known, "damping": damping}
        np.savez(written, **state, spent=passed)
        written.replace(checkpoint)

    try:
        while (now := _at(stages, losses)) is not None:
            step, (stage, place) = len(losses), now
            if place < stage.curvatures:
                new = comparison.curvature(course[-1], step, stage.horizon)
                share = 1.0 / (place + 1) if stage.is_averaged else 1.0
                fresh = (1.0 - share) * known + share * new
            else:
                fresh = known
            loss, slope = comparison.gradient(course[-1], step, stage.horizon)
            if stage.is_guarded:
                there, next_damping = _guarded(
                    comparison, course[-1], step, stage, fresh, slope, damping
                )
            else:
                # Each by itself: what is hardly determined must not hold up the others.
                move = np.clip(-np.linalg.solve(fresh, slope), -stage.longest, stage.longest)
                there, next_damping = course[-1] + move, damping
            # All at once, so that Ctrl-C finds a state in which they belong together.
            known, damping, course, losses = (
                fresh,
                next_damping,
                [*course, there],
                [*losses, loss],
            )
            if (step + 1) % SAVED_EVERY == 0:
                save()
    except KeyboardInterrupt:
        if len(course) == len(losses) + 1:
            save()
        raise
    seconds, cpu_seconds = (spent + _clock() - began).tolist()
    return Course(np.array(course), np.array(losses), seconds, cpu_seconds)


def _guarded(
    comparison: Comparison,
    here: FloatArray,
    step: int,
    stage: Stage,
    matrix: FloatArray,
    slope: FloatArray,
    damping: float,
) -> tuple[FloatArray, float]:
    """Return where a guarded step ends, which may be where it began, and the next damping."""
    loss = comparison.loss(here, step, stage.horizon)
    diagonal = matrix.diagonal()
    held = np.diag(np.maximum(diagonal, FLAT * diagonal.max()))
    for _ in range(TRIES):
        move = -np.linalg.solve(matrix + damping * held, slope)
        move *= stage.longest / max(np.abs(move).max(), stage.longest)
        if comparison.loss(here + move, step, stage.horizon) < loss:
            return here + move, max(damping / EASE, LEAST_DAMPING)
        damping *= STIFFEN
    # Fresh trajectories may see it otherwise.
    return here, min(damping, MOST_DAMPING)


def _clock() -> FloatArray:
    return np.array([time.perf_counter(), time.process_time()])


def _at(stages: Sequence[Stage], losses: Sequence[float]) -> tuple[Stage, int] | None:
    """Return the stage of the next step and the number of the step within it; None at the end."""
    began = 0
    for stage in stages:
        made = losses[began:]
        steps = _steps_of(stage, made)
        if len(made) < steps:
            return stage, len(made)
        began += steps
    return None


def _steps_of(stage: Stage, made: Sequence[float]) -> int:
    """Return how many steps a stage has, as far as the losses since its beginning tell."""
    for steps in range(stage.steps, stage.steps + stage.extra):
        if len(made) < steps or np.median(made[:steps][-SEEN:]) <= stage.until:
            return steps
    return stage.steps + stage.extra
