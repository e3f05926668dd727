"""`fit`: calibrate free parameters of a network to measurements."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Engine
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.kernel_choice import PILOT_FIRINGS, kernel_by_size
from sbmlgrad.engines.native import Native
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.binding import Binding, bind_measurements
from sbmlgrad.fit.choice import Choice, choose_estimator
from sbmlgrad.fit.objective import loss_standard_error, mean_trajectory_loss
from sbmlgrad.fit.optimise import FitProgress, Plan, Trace, descend, make_optimizer
from sbmlgrad.fit.parameters import FreeParameters, free_parameters
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.schedules import Schedule, as_schedule, cosine
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.two_sided_adjoint import TwoSidedAdjoint
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole
from sbmlgrad.model.provenance import Provenance
from sbmlgrad.simulation import simulate, software_versions
from sbmlgrad.simulation_inputs import check_engine, draw_seed

#: Points of the curve that is drawn through the data.
CURVE_POINTS = 101


def fit(
    model: ReactionNetwork,
    data: Measurements,
    free: Sequence[str] | None = None,
    *,
    mapping: Mapping[str, str | None] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
    optimizer: Any = "adam",
    learning_rate: float | tuple[float, float] | Schedule | None = None,
    temperature: float | tuple[float, float] | Schedule | None = None,
    epochs: int = 150,
    trajectories: int = 256,
    evaluation_trajectories: int | None = None,
    estimator: Estimator | None = None,
    engine: Engine | None = None,
    seed: int | None = None,
    progress: FitProgress | None = None,
) -> FitResult:
    """Fit parameters so that ensemble means follow the data.

    The input is never changed: the result holds a new network. Values are optimised as logarithms.

    Args:
        model: the network.
        data: measurements; columns are matched to species ids or names.
        free: ids of the parameters to fit; None frees every one that a kinetic law uses.
        mapping: column → species id, or None to leave the column out.
        bounds: id → (lower, upper); a factor of 1000 around the start by default.
        start: id → starting value; the model's own by default.
        optimizer: `"adam"`, `"rmsprop"` or a Keras optimiser.
        learning_rate: number, (first, last) or function of (epoch, epochs); by default it falls
            from 0.1 to 0.005 along a cosine.
        temperature: the same for `StraightThrough`; by default the estimator's own.
        epochs: steps of the optimiser; as many again follow if the check after them fails.
        trajectories: simulated per epoch.
        evaluation_trajectories: for the final loss; by default ten epochs' worth, at least 2000.
        estimator: gradient method; by default `TwoSidedAdjoint()`, checked against central
            differences before and after, which take its place where it is not to be trusted.
        engine: sampling algorithm; by default `Native()` with the kernel that suits the whole fit.
        seed: of the random streams; None draws one, recorded in the result.
        progress: called with (epochs done, epochs, loss).

    Returns:
        The result. After Ctrl-C it holds the best values so far.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning.
        ParameterError, FitError: free parameters that cannot be fitted, or a loss that diverges.
        DataError: measurements that match no species.
        RequestError: epochs, trajectories or a seed that make no sense.
        GradientError: the estimator cannot differentiate what the data need.
        SimulationError: trajectories failed.
        KeyboardInterrupt: interrupted before the first epoch was complete.
    """
    if not isinstance(model, ReactionNetwork) or not isinstance(data, Measurements):
        raise RequestError("fit(model, data): pass a loaded network and loaded measurements")
    whole("epochs", epochs, 1, 10**9)
    whole("trajectories", trajectories, 2, 10**9)
    if evaluation_trajectories is not None:
        whole("evaluation_trajectories", evaluation_trajectories, 2, 10**9)
    method = estimator if estimator is not None else TwoSidedAdjoint()
    if not isinstance(method, Estimator):
        raise RequestError(f"estimator={method!r}: pass an estimator object")
    if mapping is not None and not isinstance(mapping, Mapping):
        raise RequestError(f"mapping={mapping!r}: pass a mapping of columns to species ids")
    if temperature is not None and not hasattr(method, "temperature"):
        raise FitError(f"{method.name} has no temperature; leave `temperature` out")
    make_optimizer(optimizer)  # refuses an unknown one before any work is done
    parameters = free_parameters(model, free, bounds, start)
    binding = bind_measurements(model, data, method, mapping)
    number = draw_seed() if seed is None else seed
    engine = engine if engine is not None else Native()
    check_engine(engine)
    if isinstance(engine, Native) and engine.kernel == "auto":
        engine = _with_kernel(engine, model, binding, parameters, number, epochs * trajectories)
    plan = Plan(
        model=model,
        binding=binding,
        free=parameters,
        estimator=method,
        engine=engine,
        optimizer=optimizer,
        learning_rate=_learning_rate(optimizer, learning_rate),
        temperature=None if temperature is None else as_schedule(temperature, "temperature"),
        epochs=epochs,
        trajectories=trajectories,
        seed=number,
        progress=progress,
        evaluation_trajectories=evaluation_trajectories or max(10 * trajectories, 2000),
    )
    trace = _descend_checked(plan) if estimator is None else descend(plan)
    if not trace.losses:
        raise KeyboardInterrupt
    return _result(plan, trace)


def _learning_rate(optimizer: Any, given: Any) -> Schedule | None:
    """Return the schedule; None leaves an optimiser object the rate it was made with."""
    if given is not None:
        return as_schedule(given, "learning_rate")
    return cosine(0.1, 0.005) if isinstance(optimizer, str) else None


def _optimizer_name(optimizer: Any) -> str:
    return type(make_optimizer(optimizer)).__name__


def _with_kernel(
    engine: Native,
    model: ReactionNetwork,
    binding: Binding,
    free: FreeParameters,
    seed: int,
    trajectories: int,
) -> Native:
    """Return the engine with the kernel that pays over the whole fit, judged by a pilot."""
    pilot = simulate(
        model,
        dict(zip(free.ids, free.start.tolist(), strict=True)),
        readouts=(binding.readout,),
        trajectories=4,
        seed=seed,
        engine=Native(kernel="table", firing_limit=PILOT_FIRINGS),
        on_failure="mark",
    )
    expected = float(pilot.firings.mean()) * trajectories
    return replace(engine, kernel=kernel_by_size(len(lower(model).channels), expected))


def _descend_checked(plan: Plan) -> Trace:
    """Descend with the default estimator, checked at both ends against central differences.

    A second descent, from where the first one ended, follows if the check fails only there.
    """
    first = plan.epochs * plan.trajectories
    choice = _choose(plan, plan.free.start, first)
    trace = descend(replace(plan, estimator=choice.estimator))
    trace.estimator, trace.assumptions = choice.estimator, (choice.reason,)
    if trace.interrupted or not isinstance(choice.estimator, TwoSidedAdjoint):
        return trace
    try:
        again = _choose(plan, trace.values[-1], first)
    except KeyboardInterrupt:
        trace.interrupted = True
        return trace
    if isinstance(again.estimator, TwoSidedAdjoint):
        return trace
    longer = replace(plan, estimator=again.estimator, progress=_continued(plan))
    second = descend(longer, start=trace.values[-1])
    trace.interrupted = second.interrupted
    if second.losses:
        trace.values = trace.values[:-1] + second.values
        trace.losses += second.losses
        trace.estimator = again.estimator
        trace.assumptions += (f"then {again.reason} at the values reached",)
    return trace


def _continued(plan: Plan) -> FitProgress | None:
    """Return a progress report that goes on counting where the first descent ended."""
    report = plan.progress
    if report is None:
        return None
    return lambda done, epochs, loss: report(epochs + done, 2 * epochs, loss)


def _choose(plan: Plan, values: NDArray[np.float64], first_trajectory: int) -> Choice:
    return choose_estimator(
        plan.model, plan.binding, plan.free, values, plan.engine, plan.seed, first_trajectory
    )


def _evaluate(plan: Plan, values: NDArray[np.float64], trajectories: int) -> Ensemble:
    """Simulate on trajectories that no epoch used; the same ones for every candidate."""
    given = dict(zip(plan.free.ids, values.tolist(), strict=True))
    return simulate(
        plan.model,
        given,
        readouts=(plan.binding.readout,),
        trajectories=trajectories,
        first_trajectory=plan.epochs * plan.trajectories,
        seed=plan.seed,
        engine=plan.engine,
    )


def _candidates(trace: Trace) -> list[NDArray[np.float64]]:
    """Return values worth evaluating: the average over the last quarter, and the best epoch's.

    The average of the iterates is less noisy than any of them (Polyak & Juditsky 1992); after an
    interruption the best epoch may still be ahead of it.
    """
    logarithms = np.log(np.array(trace.values))
    tail = logarithms[-max(len(logarithms) // 4, 1) :]
    best = trace.values[int(np.argmin(trace.losses))]
    return [np.exp(tail.mean(axis=0)), best]


def _result(plan: Plan, trace: Trace) -> FitResult:
    size = plan.evaluation_trajectories
    scored = []
    for values in _candidates(trace):
        ensemble = _evaluate(plan, values, size)
        scored.append((float(mean_trajectory_loss(ensemble, plan.binding)), values, ensemble))
    loss, values, ensemble = min(scored, key=lambda entry: entry[0])
    start_loss = mean_trajectory_loss(_evaluate(plan, plan.free.start, size), plan.binding)
    error = loss_standard_error(ensemble, plan.binding)
    fitted = dict(zip(plan.free.ids, values.tolist(), strict=True))
    model = replace(
        plan.model.with_parameters(fitted), provenance=_provenance(plan, trace, fitted, loss, error)
    )
    times, prediction = _prediction(plan, model, size)
    return FitResult(
        model=model,
        values=fitted,
        free=plan.free,
        loss=loss,
        loss_standard_error=error,
        start_loss=float(start_loss),
        loss_history=np.array(trace.losses),
        parameter_history=np.array(trace.values[: len(trace.losses)]),
        prediction=prediction,
        prediction_times=times,
        binding=plan.binding,
        seed=plan.seed,
        estimator=(trace.estimator or plan.estimator).name,
        optimizer=_optimizer_name(plan.optimizer),
        engine=str(ensemble.engine),
        trajectories=plan.trajectories,
        assumptions=(*plan.binding.assumptions, *trace.assumptions),
        interrupted=trace.interrupted,
    )


def _provenance(
    plan: Plan, trace: Trace, fitted: dict[str, float], loss: float, error: float
) -> Provenance:
    measurements = plan.binding.measurements
    return Provenance(
        fitted=fitted,
        data_name=measurements.source_name,
        data_sha256=measurements.sha256,
        seed=plan.seed,
        estimator=(trace.estimator or plan.estimator).name,
        loss=loss,
        loss_standard_error=error,
        software=software_versions(),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=_settings(plan, trace),
    )


def _settings(plan: Plan, trace: Trace) -> dict[str, str]:
    """Return, as text, whatever else has to be known to repeat the fit."""
    free = plan.free
    limits = zip(free.ids, free.start, free.lower, free.upper, strict=True)
    rate = plan.learning_rate
    return {
        "epochs": str(len(trace.losses)),
        "trajectories": str(plan.trajectories),
        "evaluationTrajectories": str(plan.evaluation_trajectories),
        "optimizer": _optimizer_name(plan.optimizer),
        "learningRate": "the optimiser's own" if rate is None else _ends(rate, plan.epochs),
        "temperature": "" if plan.temperature is None else _ends(plan.temperature, plan.epochs),
        "engine": plan.engine.name,
        "observables": ", ".join(t.observable for t in plan.binding.targets),
        "startAndBounds": "; ".join(
            f"{i}: {s:.17g} in [{low:.17g}, {up:.17g}]" for i, s, low, up in limits
        ),
        "assumptions": "; ".join((*plan.binding.assumptions, *trace.assumptions)),
    }


def _ends(schedule: Schedule, epochs: int) -> str:
    return f"{schedule(0, epochs)!r} to {schedule(epochs - 1, epochs)!r}"


def _prediction(plan: Plan, model: ReactionNetwork, size: int) -> tuple[Any, Any]:
    end = float(plan.binding.measurements.times[-1])
    times = np.linspace(0.0, end, CURVE_POINTS) if end > 0.0 else np.array([0.0])
    ensemble = simulate(
        model,
        times=times,
        trajectories=size,
        first_trajectory=plan.epochs * plan.trajectories,
        seed=plan.seed,
        engine=plan.engine,
    )
    curves = {
        t.observable: (
            ensemble.mean(t.observable),
            np.sqrt(ensemble.variance(t.observable)),
        )
        for t in plan.binding.targets
    }
    return times, curves
