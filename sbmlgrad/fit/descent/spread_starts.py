"""The starts of one fit as tasks of an executor: each epoch, each start by itself.

All that a start needs travels with its task: coordinates and the numbers of its trajectories. So
the numbers are the same wherever and in whatever order tasks run, and what follows an epoch
(dropping starts, checkpoints, budget, interruption) is decided in one place, as without workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.native import Native
from sbmlgrad.fit.descent.evaluation import Evaluate, loss_and_gradient
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.packed import Packed, packed_for
from sbmlgrad.fit.parallel import Executor, opened
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.gradients.base import Estimator

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StartTask:
    """One start in one epoch.

    Attributes:
        common: what all tasks share, packed: objective and simulator.
        coordinates: of the start, float64 [1, free].
        place: of the start among those under way.
        starts: how many are under way.
        trajectories: of each experiment.
        first_trajectory: number of the first one of the epoch.
        estimator: gradient method.
    """

    common: Packed
    coordinates: FloatArray
    place: int
    starts: int
    trajectories: int
    first_trajectory: int
    estimator: Estimator


def evaluate_start(task: StartTask) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Return loss, gradient, standard error and trajectories used, of one start."""
    objective, simulator = task.common.unpacked
    one = replace(simulator, part=(task.place, task.starts))
    return loss_and_gradient(
        objective,
        one,
        task.coordinates,
        task.trajectories,
        task.first_trajectory,
        task.estimator,
    )


@contextmanager
def spread(executor: Executor | None) -> Iterator[Evaluate]:
    """Return a context with the function that evaluates the starts of an epoch.

    Without an executor all starts are simulated in one call of the kernel, on all threads. With
    one, each is a task, as long as there are several; workers are started for the first epoch and
    dismissed when one start is left.

    Args:
        executor: where starts are evaluated, or None.
    """
    if executor is None:
        yield loss_and_gradient
        return
    with ExitStack() as stack:
        yield _Spread(executor, stack)


class _Spread:
    """Evaluates starts as tasks; holds the workers between epochs.

    Args:
        executor: where starts are evaluated.
        stack: closes the workers.
    """

    def __init__(self, executor: Executor, stack: ExitStack) -> None:
        self._executor, self._stack = executor, stack
        self._open: Executor | None = None
        self._common: Packed | None = None

    def __call__(
        self,
        objective: Objective,
        simulator: Simulator,
        coordinates: FloatArray,
        trajectories: int,
        first_trajectory: int,
        estimator: Estimator,
    ) -> tuple[FloatArray, FloatArray, FloatArray, int]:
        """Return what `loss_and_gradient` does, each start by itself."""
        starts = len(coordinates)
        if starts == 1:
            self._stack.close()
            self._open = None
            return loss_and_gradient(
                objective, simulator, coordinates, trajectories, first_trajectory, estimator
            )
        if self._common is None:
            shared = (objective, _on_one_thread(simulator, self._executor))
            self._common = packed_for(self._executor, shared)
        if self._open is None:
            self._open = self._stack.enter_context(opened(self._executor))
        tasks = [
            StartTask(
                self._common,
                coordinates[place : place + 1],
                place,
                starts,
                trajectories,
                first_trajectory,
                estimator,
            )
            for place in range(starts)
        ]
        return _joined(self._open.map(evaluate_start, tasks))


def _joined(
    found: Sequence[tuple[FloatArray, FloatArray, FloatArray, int]],
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    losses, gradients, errors, used = zip(*found, strict=True)
    return (
        np.concatenate(losses),
        np.concatenate(gradients),
        np.concatenate([np.atleast_1d(error) for error in errors]),
        sum(used),
    )


def _on_one_thread(simulator: Simulator, executor: Executor) -> Simulator:
    """Return the same for a worker among several, which must not start threads of its own."""
    if executor.is_parallel and isinstance(simulator.engine, Native):
        return replace(simulator, engine=replace(simulator.engine, threads=1))
    return simulator
