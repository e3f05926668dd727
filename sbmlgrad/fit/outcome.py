"""From the end of a descent to a result: which values, how good, what curves, what provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.descent.evaluation import loss_of, simulate_for
from sbmlgrad.fit.descent.optimizers import optimizer_name
from sbmlgrad.fit.descent.plan import Epoch, Plan, State
from sbmlgrad.fit.fit_provenance import provenance_of
from sbmlgrad.fit.objectives.base import (
    ExactObjective,
    StartedObjective,
    measured_times,
    snapshot_times,
    standard_error,
)
from sbmlgrad.fit.predictions import curve_of, predictions_of
from sbmlgrad.fit.refinement import refined
from sbmlgrad.fit.result import Curve, FitResult, Predictions, Start
from sbmlgrad.fit.search_space import as_mapping
from sbmlgrad.fit.uncertainty.residuals import residual_factors
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Points of the curve that is drawn through the data.
CURVE_POINTS = 101

#: Numbers of trajectories that are left to a descent with common random numbers.
COMMON = 2**30

#: Share of the epochs, at the end, whose values are averaged.
TAIL = 4


def result_of(
    plan: Plan,
    state: State,
    trajectories: int,
    assumptions: tuple[str, ...],
    arguments: Mapping[str, str],
    *,
    refine: bool,
) -> FitResult:
    """Evaluate where a descent ended.

    Args:
        plan: of the descent.
        state: its end.
        trajectories: for the loss and the curves.
        assumptions: what was assumed before it.
        arguments: that would repeat it, name → Python text.
        refine: whether steps of scoring may follow.
    """
    simulator, objective = plan.simulator, plan.objective
    problem, space = simulator.problem, simulator.space
    best = _best_start(state)
    epochs = [epoch for epoch in state.epochs if best in epoch.sets]
    history = np.array([_row(epoch, best, epoch.values) for epoch in epochs])
    losses = np.array([_row(epoch, best, epoch.losses) for epoch in epochs])
    reached = space.values(state.coordinates[state.sets.tolist().index(best)])
    # Common random numbers are those from there on: the evaluation takes others.
    first = state.next_trajectory + (COMMON if plan.is_common else 0)
    sizes = np.array([epoch.trajectories for epoch in epochs])
    candidates = _candidates(space.coordinates(np.vstack([history, reached])), losses)
    steps = ""
    if refine:
        after, used, steps = refined(plan, state, candidates[0], first)
        candidates += [] if after is None else [after]
        first += used
    scored = []
    for candidate in candidates:
        values = space.values(candidate)
        simulated = simulate_for(objective, simulator, values, trajectories, first)
        loss = loss_of(objective, problem, simulated, values)
        scored.append((loss, values, simulated))
    loss, values, simulated = min(scored, key=lambda entry: entry[0])
    error = float(standard_error(objective, problem, simulated))
    before = simulate_for(objective, simulator, space.start, trajectories, first)
    start_loss = loss_of(objective, problem, before, space.start)
    fitted = as_mapping(space, values)
    model = calibrated(problem, fitted)
    is_exact = isinstance(objective, ExactObjective)
    estimator = objective.name if is_exact else plan.estimators[state.turn].name
    told = (*assumptions, *state.words, *([steps] if steps else []))
    provenance = provenance_of(plan, state, fitted, loss, error, estimator, told)
    model = replace(model, provenance=provenance)
    curves, predictions = with_residual_noise(
        problem,
        len(space.ids),
        _curves(plan, values, trajectories, first),
        _predictions(plan, values, trajectories, first),
    )
    return FitResult(
        model=model,
        problem=problem,
        values=fitted,
        free=space,
        objective=objective.name,
        loss=loss,
        loss_standard_error=error,
        start_loss=start_loss,
        loss_history=losses,
        error_history=np.array([_row(epoch, best, epoch.errors) for epoch in epochs]),
        parameter_history=history,
        trajectories_history=sizes,
        curves=curves,
        starts=_starts(state, best),
        seed=simulator.seed,
        estimator=estimator,
        optimizer=optimizer_name(plan.optimizer),
        engine=str(next(iter(simulated.values())).ensemble.engine),
        evaluation_trajectories=trajectories,
        assumptions=told,
        reason=state.reason,
        interrupted=state.is_interrupted,
        is_late=state.is_late,
        predictions=predictions,
        arguments=arguments,
    )


def _best_start(state: State) -> int:
    """Return the start under way at the end with the least recent loss."""
    recent = [epoch for epoch in state.epochs if set(state.sets) <= set(epoch.sets)][-12:]
    means = {
        start: float(np.mean([_row(epoch, start, epoch.losses) for epoch in recent]))
        for start in state.sets.tolist()
    }
    return min(means, key=means.__getitem__)


def _row(epoch: Epoch, start: int, values: NDArray[Any]) -> Any:
    return values[epoch.sets.tolist().index(start)]


def _candidates(coordinates: FloatArray, losses: FloatArray) -> list[FloatArray]:
    """Return coordinates of the descent that may be the best, each float64 [free].

    Polyak's average over the last quarter of the epochs has less noise than any single one
    (Polyak & Juditsky 1992, SIAM J. Control Optim. 30, 838); after an interruption the best epoch
    may still be ahead of it.
    """
    tail = coordinates[-max(len(coordinates) // TAIL, 1) :]
    # Written so that the average of equal numbers, at a bound, is that number.
    return [tail[0] + (tail - tail[0]).mean(axis=0), coordinates[int(np.argmin(losses))]]


def _starts(state: State, best: int) -> tuple[Start, ...]:
    count = max(max(epoch.sets) for epoch in state.epochs) + 1
    count = max(count, *(start + 1 for start in state.failed), 1)
    found = []
    for start in range(count):
        mine = [epoch for epoch in state.epochs if start in epoch.sets]
        last = [float(_row(epoch, start, epoch.losses)) for epoch in mine[-6:]]
        fate = "best" if start == best else state.failed.get(start, "dropped")
        values = _row(mine[0], start, mine[0].values) if mine else np.array([])
        found.append(Start(values, float(np.mean(last)) if last else np.nan, len(mine), fate))
    return tuple(found)


def calibrated(problem: Problem, fitted: Mapping[str, float]) -> ReactionNetwork:
    """Return the network of a problem with fitted and fixed values, parameter id → value."""
    network = problem.network
    fixed = {p.id: p.nominal for p in problem.parameters if not p.is_estimated}
    own = {id: value for id, value in {**fixed, **fitted}.items() if id in network.parameter_ids}
    return network.with_parameters(own)


def _curves(
    plan: Plan, values: FloatArray, trajectories: int, first: int
) -> dict[tuple[str, str], Curve]:
    problem = plan.simulator.problem
    ends: dict[str, float] = {}
    seen = [measured_times(problem)]
    if problem.snapshots is not None:
        seen.append(snapshot_times(problem))
    for own in seen:
        for id, moments in own.items():
            ends[id] = max(moments[-1], ends.get(id, 0.0))
    times = {
        id: tuple(np.linspace(0.0, end, CURVE_POINTS).tolist()) if end > 0.0 else (0.0,)
        for id, end in ends.items()
    }
    simulated = plan.simulator(values, trajectories, first, times=times)
    pairs = observed_pairs(problem)
    return {
        (experiment, id): curve_of(simulated[experiment], problem.observable[id])
        for experiment, id in pairs
    }


def observed_pairs(problem: Problem) -> list[tuple[str, str]]:
    """Return (experiment, observable) of everything that was measured or counted, sorted."""
    m, cells = problem.measurements, problem.snapshots
    pairs = {(c, m.observables[i]) for c, i in zip(m.condition, m.observable_index, strict=True)}
    if cells is not None:
        pairs |= {(c, id) for c in cells.condition for id in cells.species}
    return sorted(pairs)


def _predictions(
    plan: Plan, values: FloatArray, trajectories: int, first: int
) -> Predictions | None:
    """Return the fitted model at the measurements, where these are states along trajectories."""
    problem = plan.simulator.problem
    if isinstance(plan.objective, StartedObjective) or not len(problem.measurements):
        return None
    times = measured_times(problem)
    return predictions_of(problem, plan.simulator(values, trajectories, first, times=times))


def with_residual_noise(
    problem: Problem,
    parameters: int,
    curves: Mapping[tuple[str, str], Curve],
    predictions: Predictions | None,
) -> tuple[dict[tuple[str, str], Curve], Predictions | None]:
    """Return curves and predictions with what residuals say of noise that was a mere weight.

    Where a plain sheet has no replicates, its noise model holds the spread of the measurements,
    which tells nothing about how far they should lie from the curve.
    """
    if predictions is None:
        return dict(curves), None
    try:
        factors, _ = residual_factors(problem, predictions.mean, predictions.scale, parameters)
    except FitError:
        # Nothing is left over to estimate it from; `uncertainty` says so when asked.
        return dict(curves), predictions
    roots = {id: float(np.sqrt(factor)) for id, factor in factors.items()}
    m = problem.measurements
    each = np.array([roots.get(m.observables[i], 1.0) for i in m.observable_index])
    scaled = {
        (experiment, id): curve
        if curve.scale is None
        else replace(curve, scale=curve.scale * roots.get(id, 1.0))
        for (experiment, id), curve in curves.items()
    }
    return scaled, replace(predictions, scale=predictions.scale * each)
