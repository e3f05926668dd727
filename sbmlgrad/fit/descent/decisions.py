"""What follows an epoch of a descent: fewer starts, smaller steps, larger ensembles, the end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.memory_estimate import VARIABLE
from sbmlgrad.fit.choice import NOT_CHECKED
from sbmlgrad.fit.descent.optimizers import without_sets
from sbmlgrad.fit.descent.plan import Plan, State
from sbmlgrad.fit.descent.plateau import WINDOW, is_plateau

#: Learning rate of the first stage of an open-ended descent, and what each stage takes of it.
FIRST_RATE, RATE_FACTOR, STAGES = 0.1, 0.5, 6

#: Share of the loss that its Monte-Carlo error may have before the ensemble grows.
NOISY = 0.1


def decide(plan: Plan, state: State) -> None:
    """Decide what follows an epoch: fewer starts, smaller steps, more trajectories, or the end."""
    done = len(state.epochs)
    if len(state.sets) > 1 and (done - state.stage_start) % WINDOW == 0:
        keep_starts(state, _better_half(state))
        state.stage_start = done
    if plan.epochs is not None:
        if done - state.turn_start >= plan.epochs:
            _finish(plan, state, f"{plan.epochs} epochs were asked for")
        return
    if done - state.turn_start >= plan.most_epochs:
        _finish(plan, state, f"the most epochs, {plan.most_epochs}, were reached")
    elif len(state.sets) == 1 and is_plateau(state.losses[state.stage_start :]):
        _next_stage(plan, state)


def _next_stage(plan: Plan, state: State) -> None:
    """Take smaller steps and, where noise is what is left, more trajectories; or end."""
    recent = state.epochs[-WINDOW:]
    noise = np.mean([epoch.errors[0] for epoch in recent])
    is_noisy = noise > NOISY * np.mean([epoch.losses[0] for epoch in recent])
    larger = min(2 * state.trajectories, plan.most_trajectories)
    can_grow = is_noisy and larger > state.trajectories and _fits(plan, state, larger)
    if state.stage + 1 >= STAGES and not can_grow:
        _finish(plan, state, "the loss no longer falls by more than its noise")
        return
    if can_grow:
        state.trajectories = larger
    state.stage = min(state.stage + 1, STAGES - 1)
    state.stage_start = len(state.epochs)


def _fits(plan: Plan, state: State, trajectories: int) -> bool:
    """Tell whether an epoch of so many trajectories fits into memory; say once where it does not.

    A descent cannot be taken apart, and one that has come far should not end for its size.
    """
    if plan.simulator.gradient_fits(trajectories, plan.estimators[state.turn]):
        return True
    words = (
        f"the noise of the loss called for {trajectories:,} trajectories, whose gradient may not "
        f"fit into memory: it went on with {state.trajectories:,} ({VARIABLE} sets another limit)"
    )
    if words not in state.words:
        state.words.append(words)
    return False


def _finish(plan: Plan, state: State, reason: str) -> None:
    """End, unless the estimator turns out to mislead at the values reached."""
    if state.turn == 0 and len(plan.estimators) > 1 and plan.judge is not None:
        before = state.turn
        judge_estimator(plan, state, is_start=False)
        if state.turn != before:
            state.turn_start = state.stage_start = len(state.epochs)
            state.stage = 0
            return
    state.reason = reason


def judge_estimator(plan: Plan, state: State, *, is_start: bool) -> None:
    """Ask whether the first estimator misleads: at the start, and where the descent would end."""
    if plan.judge is None or state.turn > 0 or (is_start and state.is_judged):
        return
    if is_start and state.epochs:
        _judge_afterwards(plan, state)
        return
    values = plan.simulator.space.values(state.coordinates[0])
    is_misled, words, used = plan.judge(plan, values, state.next_trajectory)
    state.next_trajectory += used
    if is_misled:
        state.turn = 1
    if is_start:
        state.is_judged = is_misled is not None
        state.words.append(words)
    elif is_misled:
        state.words.append(f"then {words} at the values reached")
    elif is_misled is None:
        state.words.append(f"at the values reached {words}")


def _judge_afterwards(plan: Plan, state: State) -> None:
    """Judge where the descent began, as a budget did not suffice for it then.

    So a descent in which nothing misleads goes on as if it had been judged at once.
    """
    assert plan.judge is not None
    is_misled, words, _ = plan.judge(plan, state.epochs[0].values[0], 0)
    state.words = [words, *(told for told in state.words if NOT_CHECKED not in told)]
    state.is_judged = is_misled is not None
    if is_misled:
        state.turn = 1
        state.turn_start = state.stage_start = len(state.epochs)
        state.stage = 0


def keep_starts(state: State, kept: NDArray[np.intp]) -> None:
    """Go on with the starts at some places only."""
    state.memory = without_sets(state.memory, len(state.sets), kept)
    state.coordinates, state.sets = state.coordinates[kept], state.sets[kept]


def _better_half(state: State) -> NDArray[np.intp]:
    """Return the places of the better half of the starts, by the losses of the last epochs."""
    recent = [epoch.losses for epoch in state.epochs[-(WINDOW // 2) :]]
    # Only epochs in which the same starts were under way can be compared.
    same = [losses for losses in recent if len(losses) == len(state.sets)]
    order = np.argsort(np.mean(same, axis=0), kind="stable")
    return np.sort(order[: -(-len(order) // 2)])


def learning_rate(plan: Plan, state: State, number: int) -> float | None:
    """Return the learning rate of an epoch; None leaves an optimiser its own."""
    if plan.learning_rate is not None:
        return plan.learning_rate(number - state.turn_start, plan.epochs or plan.most_epochs)
    if isinstance(plan.optimizer, str):
        return FIRST_RATE * RATE_FACTOR**state.stage
    return None
