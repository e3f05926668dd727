"""The result of a fit of the rate equations."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.fit.outcome import CURVE_POINTS, calibrated, with_residual_noise
from sbmlgrad.fit.rate_equations.course import Course, followed
from sbmlgrad.fit.rate_equations.least_squares import Search
from sbmlgrad.fit.rate_equations.likelihood import predict
from sbmlgrad.fit.result import Curve, FitResult, Predictions, Start
from sbmlgrad.fit.search_space import as_mapping, search_space
from sbmlgrad.model.expression import TIME, symbols
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.provenance import Provenance
from sbmlgrad.simulation import software_versions

#: How it is recorded in results.
NAME = "negative log-likelihood of the rate equations"
POSTERIOR = "negative log-posterior of the rate equations"


def deterministic_result(
    problem: Problem,
    search: Search,
    engine: DeterministicEngine,
    seed: int,
    assumptions: tuple[str, ...],
    arguments: Mapping[str, str],
) -> FitResult:
    """Return what `least_squares.fit_rate_equations` found as a `FitResult`.

    The loss is the negative log-likelihood with all constants, as PEtab has it, and with what
    priors add to it where there are some; no ensemble stands behind it.

    Args:
        problem: what was calibrated.
        search: its outcome.
        engine: solver.
        seed: of the starts.
        assumptions: in words.
        arguments: that would repeat it, name → Python text.
    """
    space = search_space(problem)
    descents = search.descents
    best = descents[0]
    reason = search.cut or best.reason
    has_prior = any(p.prior is not None for p in problem.free)
    name = POSTERIOR if has_prior else NAME
    values = as_mapping(space, best.values)
    steps = len(best.history)
    model = calibrated(problem, values)
    own = {id: value for id, value in values.items() if id in problem.network.parameter_ids}
    provenance = Provenance(
        fitted=own,
        data_name=problem.measurements.source_name,
        data_sha256=problem.measurements.sha256,
        seed=seed,
        estimator=search.slopes,
        loss=best.objective,
        loss_standard_error=0.0,
        software=software_versions(),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={
            "objective": name,
            "engine": engine.name,
            "starts": str(len(descents)),
            "end": reason,
            "assumptions": "; ".join(assumptions),
        },
    )
    curves, predictions = with_residual_noise(
        problem,
        len(space.ids),
        _curves(problem, values, engine),
        _predictions(problem, values, engine),
    )
    return FitResult(
        model=replace(model, provenance=provenance),
        problem=problem,
        values=values,
        free=space,
        objective=name,
        loss=best.objective,
        loss_standard_error=0.0,
        start_loss=float(best.history[0]),
        loss_history=best.history,
        error_history=np.zeros(steps),
        parameter_history=best.path,
        trajectories_history=np.zeros(steps, dtype=np.int64),
        curves=curves,
        starts=tuple(
            Start(
                one.start,
                one.objective,
                len(one.history),
                "best" if one is best else one.reason,
            )
            for one in descents
        ),
        seed=seed,
        estimator=search.slopes,
        optimizer="Fisher scoring or L-BFGS-B (scipy)",
        engine=engine.name,
        evaluation_trajectories=0,
        assumptions=assumptions,
        reason=reason,
        interrupted=search.is_interrupted,
        is_late=search.is_late,
        predictions=predictions,
        arguments=arguments,
    )


def _predictions(
    problem: Problem, values: Mapping[str, float], engine: DeterministicEngine
) -> Predictions:
    found = predict(problem, values, engine)
    return Predictions(found.predicted, np.zeros_like(found.predicted), found.scale)


def _curves(
    problem: Problem, values: Mapping[str, float], engine: DeterministicEngine
) -> dict[tuple[str, str], Curve]:
    own = {p.id: p.nominal for p in problem.parameters} | dict(values)
    course = Course(problem, own, engine)
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    found = {}
    for experiment in problem.experiments:
        rows = np.flatnonzero(conditions == experiment.id)
        if not rows.size:
            continue
        ids = [m.observables[i] for i in np.unique(m.observable_index[rows])]
        times = _grid(float(m.time[rows].max()))
        formulas = {
            id: (problem.observable[id].formula, problem.observable[id].noise.scale) for id in ids
        }
        needed = frozenset().union(*(symbols(f) for pair in formulas.values() for f in pair))
        along = {**own, **followed(course, experiment, times, needed), TIME.id: times}
        for id, pair in formulas.items():
            mean, scale = (
                np.broadcast_to(evaluate(formula, along), times.shape).astype(np.float64)
                for formula in pair
            )
            found[experiment.id, id] = Curve(times, mean, np.zeros_like(mean), scale)
    return found


def _grid(last: float) -> NDArray[np.float64]:
    return np.linspace(0.0, last, CURVE_POINTS) if last > 0.0 else np.zeros(1)
