"""The descent: epochs of simulation, gradient and step, for one or many starts at once.

All that changes is in a `State`, which a checkpoint keeps whole; random streams are numbers of
trajectories in it. So a descent that is cut anywhere goes on as if it had not been.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError, GradientError, SimulationError
from sbmlgrad.fit.descent.decisions import decide, judge_estimator, keep_starts, learning_rate
from sbmlgrad.fit.descent.evaluation import loss_and_gradient
from sbmlgrad.fit.descent.interruption import noticed
from sbmlgrad.fit.descent.optimizers import Steps
from sbmlgrad.fit.descent.plan import Epoch, FloatArray, Plan, State
from sbmlgrad.gradients.base import Estimator


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
    judge_estimator(plan, state, is_start=True)
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
    if is_pressed():
        raise KeyboardInterrupt


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
        keep_starts(state, _able(plan, state, failure))
        return _steps(plan, state)
    bad = ~np.isfinite(losses) | ~np.isfinite(gradient).all(axis=-1)
    if bad.any() and not bad.all():
        for place in np.flatnonzero(bad):
            state.failed[int(state.sets[place])] = "its loss or gradient was not finite"
        keep_starts(state, np.flatnonzero(~bad))
        return _steps(plan, state)
    space = plan.simulator.space
    values = space.values(state.coordinates)
    _refuse_bad(plan, number, losses, gradient)
    reached = space.within(steps.step(gradient, learning_rate(plan, state, number)))
    steps.move(reached)
    done = Epoch(state.sets.copy(), values, losses, error, state.trajectories)
    used = 0 if plan.is_common else used
    # Together, so that Ctrl-C finds the state before the epoch or after it.
    state.coordinates, state.memory = reached, steps.memory
    state.next_trajectory += used
    state.is_due = True
    state.epochs.append(done)
    return steps


def _after(plan: Plan, state: State, steps: Steps) -> Steps:
    before = len(state.sets)
    decide(plan, state)
    state.is_due = False
    return steps if len(state.sets) == before else _steps(plan, state)


def _estimator(plan: Plan, state: State, number: int) -> Estimator:
    estimator = plan.estimators[state.turn]
    if plan.temperature is None:
        return estimator
    temperature = plan.temperature(number - state.turn_start, plan.epochs or plan.most_epochs)
    return dataclasses.replace(estimator, temperature=temperature)  # type: ignore[type-var]


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


def _refuse_bad(plan: Plan, epoch: int, losses: FloatArray, slopes: FloatArray) -> None:
    bad = ~np.isfinite(losses) | ~np.isfinite(slopes).all(axis=-1)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        named = dict(zip(plan.simulator.space.ids, slopes[place].tolist(), strict=True))
        raise FitError(
            f"epoch {epoch + 1}: the loss is {losses[place]} with gradient {named}, which is not "
            "finite; narrow the bounds or lower the learning rate"
        )
