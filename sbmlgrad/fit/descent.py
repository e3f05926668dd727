"""The descent: epochs of simulation, gradient and step, for one or many starts at once.

All that changes is in a `State`, which a checkpoint keeps whole; random streams are numbers of
trajectories in it. So a descent that is cut anywhere goes on as if it had not been.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, GradientError, SimulationError
from sbmlgrad.fit.evaluation import Evaluate, loss_and_gradient
from sbmlgrad.fit.interruption import noticed
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.optimizers import Steps, without_sets
from sbmlgrad.fit.plateau import WINDOW, is_plateau
from sbmlgrad.fit.schedules import Schedule
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.gradients.base import Estimator

FloatArray = NDArray[np.float64]

#: Called with (epochs done, epochs or 0 where that is open, loss of the best start).
FitProgress = Callable[[int, int, float], None]

#: Learning rate of the first stage of an open-ended descent, and what each stage takes of it.
FIRST_RATE, RATE_FACTOR, STAGES = 0.1, 0.5, 6

#: Share of the loss that its Monte-Carlo error may have before the ensemble grows.
NOISY = 0.1


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
        seconds: wall-clock budget, or None.
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


#: (plan, values float64 [free], number of the first trajectory) → (misled, words, trajectories).
Judge = Callable[[Plan, FloatArray, int], tuple[bool, str, int]]


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
        is_judged: whether the estimator was judged at the start.
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


def descend(plan: Plan, state: State) -> State:
    """Go on from a state until the end; Ctrl-C ends it and keeps what was reached.

    After each step coordinates are projected on the bounds; `SearchSpace.at_bounds` says so.
    """
    begun = time.monotonic() - state.spent
    try:
        with noticed() as is_pressed:
            _go_on(plan, state, begun, is_pressed)
    except KeyboardInterrupt:
        state.is_interrupted = True
        state.reason = "interrupted"
        if plan.save is not None:
            plan.save(state)
    return state


def _go_on(plan: Plan, state: State, begun: float, is_pressed: Callable[[], bool]) -> None:
    _judge(plan, state, is_start=True)
    steps = _steps(plan, state)
    if state.is_due:
        steps = _after(plan, state, steps)
    while not state.reason:
        if is_pressed():
            raise KeyboardInterrupt
        is_late = plan.seconds is not None and time.monotonic() - begun > plan.seconds
        if is_late and state.epochs:
            state.is_late = True
            state.reason = f"the budget of {plan.seconds:g} s was spent"
            if plan.save is not None:
                plan.save(state)
            break
        done = len(state.epochs)
        steps = _epoch(plan, state, steps)
        state.spent = time.monotonic() - begun
        if len(state.epochs) == done:
            continue  # starts were given up; the others take this epoch again
        if plan.progress is not None:
            plan.progress(len(state.epochs), plan.epochs or 0, state.losses[-1])
        steps = _after(plan, state, steps)
        if plan.save is not None:
            plan.save(state)


def _steps(plan: Plan, state: State) -> Steps:
    steps = Steps(plan.optimizer, state.coordinates)
    if state.memory:
        steps.memory = state.memory
    else:
        state.memory = steps.memory
    return steps


def _epoch(plan: Plan, state: State, steps: Steps) -> Steps:
    """Simulate, differentiate, step; drop starts at which trajectories fail."""
    number = len(state.epochs)
    try:
        losses, gradient, error, used = plan.evaluate(
            plan.objective,
            plan.simulator,
            state.coordinates,
            state.trajectories,
            state.next_trajectory,
            _estimator(plan, state, number),
        )
    except (SimulationError, GradientError, FitError) as failure:
        if len(state.sets) == 1:
            raise
        kept = _able(plan, state, failure)
        return _keep(plan, state, kept)
    bad = ~np.isfinite(losses) | ~np.isfinite(gradient).all(axis=-1)
    if bad.any() and not bad.all():
        for place in np.flatnonzero(bad):
            state.failed[int(state.sets[place])] = "its loss or gradient was not finite"
        return _keep(plan, state, np.flatnonzero(~bad))
    space = plan.simulator.space
    values = space.values(state.coordinates)
    _refuse_bad(plan, number, losses, gradient)
    reached = space.within(steps.step(gradient, _rate(plan, state, number)))
    steps.move(reached)
    done = Epoch(state.sets.copy(), values, losses, error, state.trajectories)
    used = 0 if plan.is_common else used
    # Together, so that Ctrl-C finds the state before the epoch or after it.
    state.coordinates, state.memory = reached, steps.memory
    state.next_trajectory += used
    state.is_due = True
    state.epochs.append(done)
    return steps


def _estimator(plan: Plan, state: State, number: int) -> Estimator:
    estimator = plan.estimators[state.turn]
    if plan.temperature is None:
        return estimator
    temperature = plan.temperature(number - state.turn_start, plan.epochs or plan.most_epochs)
    return dataclasses.replace(estimator, temperature=temperature)  # type: ignore[type-var]


def _rate(plan: Plan, state: State, number: int) -> float | None:
    if plan.learning_rate is not None:
        return plan.learning_rate(number - state.turn_start, plan.epochs or plan.most_epochs)
    if isinstance(plan.optimizer, str):
        return FIRST_RATE * RATE_FACTOR**state.stage
    return None


def _after(plan: Plan, state: State, steps: Steps) -> Steps:
    """Decide what follows an epoch: fewer starts, smaller steps, more trajectories, or the end."""
    steps = _decide(plan, state, steps)
    state.is_due = False
    return steps


def _decide(plan: Plan, state: State, steps: Steps) -> Steps:
    done = len(state.epochs)
    if len(state.sets) > 1 and (done - state.stage_start) % WINDOW == 0:
        steps = _keep(plan, state, _better_half(state))
        state.stage_start = done
    if plan.epochs is not None:
        if done - state.turn_start >= plan.epochs:
            _finish(plan, state, f"{plan.epochs} epochs were asked for")
        return steps
    if done - state.turn_start >= plan.most_epochs:
        _finish(plan, state, f"the most epochs, {plan.most_epochs}, were reached")
    elif len(state.sets) == 1 and is_plateau(state.losses[state.stage_start :]):
        _next_stage(plan, state)
    return steps


def _next_stage(plan: Plan, state: State) -> None:
    """Take smaller steps and, where noise is what is left, more trajectories; or end."""
    recent = state.epochs[-WINDOW:]
    noise = np.mean([epoch.errors[0] for epoch in recent])
    is_noisy = noise > NOISY * np.mean([epoch.losses[0] for epoch in recent])
    can_grow = is_noisy and state.trajectories < plan.most_trajectories
    if state.stage + 1 >= STAGES and not can_grow:
        _finish(plan, state, "the loss no longer falls by more than its noise")
        return
    if can_grow:
        state.trajectories = min(2 * state.trajectories, plan.most_trajectories)
    state.stage = min(state.stage + 1, STAGES - 1)
    state.stage_start = len(state.epochs)


def _finish(plan: Plan, state: State, reason: str) -> None:
    """End, unless the estimator turns out to mislead at the values reached."""
    if state.turn == 0 and len(plan.estimators) > 1 and plan.judge is not None:
        before = state.turn
        _judge(plan, state, is_start=False)
        if state.turn != before:
            state.turn_start = state.stage_start = len(state.epochs)
            state.stage = 0
            return
    state.reason = reason


def _judge(plan: Plan, state: State, *, is_start: bool) -> None:
    if plan.judge is None or state.turn > 0 or (is_start and state.is_judged):
        return
    values = plan.simulator.space.values(state.coordinates[0])
    is_misled, words, used = plan.judge(plan, values, state.next_trajectory)
    state.next_trajectory += used
    state.is_judged = True
    if is_misled:
        state.turn = 1
    if is_start or is_misled:
        state.words.append(words if is_start else f"then {words} at the values reached")


def _better_half(state: State) -> NDArray[np.intp]:
    """Return the places of the better half of the starts, by the losses of the last epochs."""
    recent = [epoch.losses for epoch in state.epochs[-(WINDOW // 2) :]]
    # Only epochs in which the same starts were under way can be compared.
    same = [losses for losses in recent if len(losses) == len(state.sets)]
    order = np.argsort(np.mean(same, axis=0), kind="stable")
    return np.sort(order[: -(-len(order) // 2)])


def _able(plan: Plan, state: State, failure: Exception) -> NDArray[np.intp]:
    """Return the places of starts that can be simulated and differentiated; name the others."""
    able, number = [], len(state.epochs)
    for place, start in enumerate(state.sets.tolist()):
        try:
            # The trajectories that it had in the epoch: a rare failure comes again.
            losses, gradient, _, _ = loss_and_gradient(
                plan.objective,
                dataclasses.replace(plan.simulator, part=(place, len(state.sets))),
                state.coordinates[place : place + 1],
                state.trajectories,
                state.next_trajectory,
                _estimator(plan, state, number),
            )
        except (SimulationError, GradientError, FitError) as error:
            state.failed[start] = str(error)
            continue
        if np.isfinite(losses).all() and np.isfinite(gradient).all():
            able.append(place)
        else:
            state.failed[start] = "its loss or gradient was not finite"
    if not able or len(able) == len(state.sets):
        raise failure
    return np.array(able, dtype=np.intp)


def _keep(plan: Plan, state: State, kept: NDArray[np.intp]) -> Steps:
    state.memory = without_sets(state.memory, len(state.sets), kept)
    state.coordinates, state.sets = state.coordinates[kept], state.sets[kept]
    return _steps(plan, state)


def _refuse_bad(plan: Plan, epoch: int, losses: FloatArray, slopes: FloatArray) -> None:
    bad = ~np.isfinite(losses) | ~np.isfinite(slopes).all(axis=-1)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        named = dict(zip(plan.simulator.space.ids, slopes[place].tolist(), strict=True))
        raise FitError(
            f"epoch {epoch + 1}: the loss is {losses[place]} with gradient {named}, which is not "
            "finite; narrow the bounds or lower the learning rate"
        )
