"""What a descent is told, where it stands, and what its epochs left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.descent.evaluation import Evaluate, loss_and_gradient
from sbmlgrad.fit.descent.schedules import Schedule
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.gradients.base import Estimator

FloatArray = NDArray[np.float64]

#: Called with (epochs done, epochs or 0 where that is open, loss of the best start).
FitProgress = Callable[[int, int, float], None]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that a descent needs to know and that does not change in it.

    Attributes:
        simulator: simulates the problem.
        objective: what is made small.
        estimators: gradient methods; the second takes over where `judge` finds the first wanting.
        optimizer: name or Keras optimiser.
        learning_rate: schedule over `epochs`; None adapts it, or leaves an optimiser its own.
        temperature: schedule for `StraightThrough`, or None.
        epochs: how many; None goes on until nothing is gained.
        most_epochs: where None ends at the latest.
        trajectories: of an epoch, at first.
        most_trajectories: to which they may grow.
        starts: how many the descent began with.
        is_common: whether every epoch takes the same random numbers.
        seconds: wall-clock budget, judging the estimator included, or None.
        judge: tells whether the first estimator misleads, and why, or None.
        progress: called after every epoch.
        save: called with the state from time to time.
        evaluate: simulates and differentiates the starts of an epoch.
    """

    simulator: Simulator
    objective: Objective
    estimators: tuple[Estimator, ...]
    optimizer: Any
    learning_rate: Schedule | None
    temperature: Schedule | None
    epochs: int | None
    most_epochs: int
    trajectories: int
    most_trajectories: int
    starts: int = 1
    is_common: bool = False
    seconds: float | None = None
    judge: Judge | None = None
    progress: FitProgress | None = None
    save: Callable[[State], None] | None = None
    evaluate: Evaluate = loss_and_gradient


#: (plan, values float64 [free], number of the first trajectory) → (misled, or None where time did
#: not suffice to tell; words; trajectories).
Judge = Callable[[Plan, FloatArray, int], tuple[bool | None, str, int]]


@dataclass(frozen=True, eq=False)
class Epoch:
    """What one epoch left.

    Attributes:
        sets: starts that were under way, int64 [set].
        values: parameters that it simulated, float64 [set, free].
        losses: float64 [set].
        errors: their Monte-Carlo standard errors, float64 [set].
        trajectories: of each experiment and set.
    """

    sets: NDArray[np.int64]
    values: FloatArray
    losses: FloatArray
    errors: FloatArray
    trajectories: int


@dataclass
class State:
    """Where a descent stands.

    Attributes:
        coordinates: of the starts under way, float64 [set, free].
        sets: which starts they are, int64 [set].
        memory: of the optimiser.
        epochs: what was done.
        trajectories: of the next epoch.
        next_trajectory: number of the first trajectory that was not used yet.
        stage: how often the learning rate was lowered.
        stage_start: epoch at which the stage began.
        turn: which of the estimators is in use.
        turn_start: epoch at which it took over.
        is_judged: whether the estimator was judged at the start; where a budget did not suffice
            for it, that is done when the descent goes on.
        is_due: whether what follows the last epoch is still to be decided.
        words: what was found out on the way.
        failed: start → why it was given up.
        reason: why the descent ended; empty while it goes on.
        spent: wall-clock seconds of earlier runs.
        is_interrupted: whether Ctrl-C ended it.
        is_late: whether the budget of time ended it.
    """

    coordinates: FloatArray
    sets: NDArray[np.int64]
    memory: list[NDArray[Any]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    trajectories: int = 0
    next_trajectory: int = 0
    stage: int = 0
    stage_start: int = 0
    turn: int = 0
    turn_start: int = 0
    is_judged: bool = False
    is_due: bool = False
    words: list[str] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    reason: str = ""
    spent: float = 0.0
    is_interrupted: bool = False
    is_late: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether Ctrl-C or the budget of time ended it, so that it can go on."""
        return self.is_interrupted or self.is_late

    @property
    def losses(self) -> list[float]:
        """Loss of the best start in every epoch."""
        return [float(epoch.losses.min()) for epoch in self.epochs]


def begin(plan: Plan, starts: FloatArray) -> State:
    """Return the state before the first epoch, for starting values float64 [start, free]."""
    space = plan.simulator.space
    coordinates = space.within(space.coordinates(starts))
    return State(coordinates, np.arange(len(starts)), trajectories=plan.trajectories)
