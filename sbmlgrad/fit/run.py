"""`fit`: calibrate free parameters of a network to measurements."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import DeterministicEngine, Engine, is_deterministic
from sbmlgrad.engines.kernel_choice import PILOT_FIRINGS, kernel_by_size
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.checkpoint import read_checkpoint, saver
from sbmlgrad.fit.choice import default_estimators, judge
from sbmlgrad.fit.descent import FitProgress, Plan, State, begin, descend
from sbmlgrad.fit.deterministic_outcome import deterministic_result
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.least_squares import fit_rate_equations
from sbmlgrad.fit.objectives.base import Objective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.optimizers import make_optimizer
from sbmlgrad.fit.outcome import result_of
from sbmlgrad.fit.plain import plain_problem
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.schedules import Schedule, as_schedule, cosine
from sbmlgrad.fit.search_space import as_mapping, search_space
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.starts import starting_values
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import as_number, whole
from sbmlgrad.model.problem import Problem
from sbmlgrad.simulation_inputs import check_engine, draw_seed, seed_of

#: Epochs at the most, where the end is left to the test of progress.
MOST_EPOCHS = 1000

#: Epochs that such a fit usually takes.
USUAL_EPOCHS = 200

#: Firings that a gradient is worth, for each that is simulated, by interpreted kernels.
GRADIENT = 5.0

#: How much the ensemble of an epoch may grow, where its noise is what is left.
GROWTH = 16


def fit(
    model: ReactionNetwork | Problem,
    data: Measurements | None = None,
    free: Sequence[str] | None = None,
    *,
    mapping: Mapping[str, str | None] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
    objective: Objective | None = None,
    starts: int = 1,
    warm_start: bool = False,
    optimizer: Any = "adam",
    learning_rate: float | tuple[float, float] | Schedule | None = None,
    temperature: float | tuple[float, float] | Schedule | None = None,
    epochs: int | None = None,
    trajectories: int = 256,
    most_trajectories: int | None = None,
    evaluation_trajectories: int | None = None,
    common_random_numbers: bool = False,
    max_seconds: float | None = None,
    estimator: Estimator | None = None,
    engine: Engine | DeterministicEngine | None = None,
    seed: int | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: FitProgress | None = None,
) -> FitResult:
    """Fit parameters of a network to measurements, by exact simulation and its gradients.

    The input is never changed: the result holds a new network.

    Args:
        model: the network; or a `Problem`, which says all about data and parameters itself.
        data: measurements; columns are matched to species ids or names.
        free: ids of the parameters to fit; None frees every one that a kinetic law uses.
        mapping: column → species id, or None to leave the column out.
        bounds: id → (lower, upper); a factor of 1000 around the start by default.
        start: id → starting value; the model's own by default.
        objective: what to make small; by default `MeanTrajectory()`.
        starts: from how many places to descend, all at once; the worse half is dropped every
            dozen epochs until one is left.
        warm_start: whether to fit the rate equations first, and to start where that ended.
        optimizer: `"adam"`, `"rmsprop"` or a Keras optimiser.
        learning_rate: number, (first, last) or function of (epoch, epochs). By default it is
            halved whenever the loss no longer falls; with `epochs` it falls from 0.1 to 0.005 along
            a cosine.
        temperature: the same for `StraightThrough`; by default the estimator's own.
        epochs: steps of the optimiser; None goes on until they gain nothing that is significant.
        trajectories: simulated per epoch, experiment and start.
        most_trajectories: to which they are doubled, as the noise of the loss becomes what is left
            of it; by default 16 times as many. Not with `epochs`.
        evaluation_trajectories: for the final loss; by default ten epochs' worth, at least 2000.
        common_random_numbers: whether every epoch takes the same ones, so that the loss is a
            function without noise, at the price of a bias that does not average out.
        max_seconds: wall-clock budget of the descent.
        estimator: gradient method; by default `TwoSidedAdjoint()`, checked against central
            differences before and after, which take its place where it is not to be trusted.
        engine: sampling algorithm; by default `Native()` with the kernel that suits the whole fit.
            With `ODE()` the rate equations are fitted by least squares, and the loss is the
            negative log-likelihood; settings of stochastic fits have no meaning there.
        seed: of the random streams; None draws one, recorded in the result.
        checkpoint: file that keeps the state of the descent, so that nothing is lost.
        resume: go on from the checkpoint if it is there; the result is that of a fit that was never
            cut.
        progress: called with (epochs done, epochs or 0 where that is open, loss).

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
    whole("trajectories", trajectories, 2, 10**9)
    whole("starts", starts, 1, 10**6)
    for name, count in (("epochs", epochs), ("evaluation_trajectories", evaluation_trajectories)):
        if count is not None:
            whole(name, count, 1 if name == "epochs" else 2, 10**9)
    most = GROWTH * trajectories if most_trajectories is None else most_trajectories
    whole("most_trajectories", most, trajectories, 10**9)
    if mapping is not None and not isinstance(mapping, Mapping):
        raise RequestError(f"mapping={mapping!r}: pass a mapping of columns to species ids")
    if resume and checkpoint is None:
        raise RequestError("resume=True: name the file to go on from with checkpoint=")
    make_optimizer(optimizer)  # refuses an unknown one before any work is done
    problem, assumptions = _problem(model, data, free, mapping, bounds, start)
    number = draw_seed() if seed is None else seed_of(seed)
    if is_deterministic(engine):
        _refuse_stochastic(objective, estimator, checkpoint)
        return _fit_rates(problem, engine, starts, number, assumptions, progress, max_seconds)
    if warm_start:
        problem, words = _warmed(problem, starts, number)
        assumptions += (words,)
    target = MeanTrajectory() if objective is None else objective
    if isinstance(target, type) or not isinstance(target, Objective):
        raise RequestError(f"objective={objective!r}: pass an objective object")
    assumptions += target.check(problem)
    estimators = default_estimators(problem) if estimator is None else (estimator,)
    if isinstance(estimators[0], type) or not isinstance(estimators[0], Estimator):
        raise RequestError(f"estimator={estimator!r}: pass an estimator object")
    if temperature is not None and not hasattr(estimators[0], "temperature"):
        raise FitError(f"{estimators[0].name} has no temperature; leave `temperature` out")
    if ValuesAt not in estimators[0].readouts:
        assumptions += (
            f"{estimators[0].name} cannot differentiate values at times, so trajectories are "
            "interpolated linearly between firings",
        )
    simulator = Simulator(
        problem=problem,
        space=search_space(problem),
        experiments=prepared(problem),
        times=target.times(problem),
        engine=_engine(engine),
        seed=number,
    )
    simulator = _with_kernel(simulator, (epochs or USUAL_EPOCHS) * trajectories * starts)
    plan = Plan(
        simulator=simulator,
        objective=target,
        estimators=estimators,
        optimizer=optimizer,
        learning_rate=_learning_rate(optimizer, learning_rate, epochs),
        temperature=None if temperature is None else as_schedule(temperature, "temperature"),
        epochs=epochs,
        most_epochs=MOST_EPOCHS,
        trajectories=trajectories,
        most_trajectories=most,
        is_common=common_random_numbers,
        seconds=None if max_seconds is None else as_number("max_seconds", max_seconds),
        judge=judge if len(estimators) > 1 else None,
        progress=progress,
    )
    state = _state(plan, starts, None if checkpoint is None else Path(checkpoint), resume=resume)
    if checkpoint is not None:
        plan = dataclasses.replace(plan, save=saver(plan, Path(checkpoint)))
    descend(plan, state)
    if not state.epochs:
        raise KeyboardInterrupt
    size = evaluation_trajectories or max(10 * trajectories, 2000)
    return result_of(plan, state, size, assumptions)


def _problem(
    model: Any, data: Any, free: Any, mapping: Any, bounds: Any, start: Any
) -> tuple[Problem, tuple[str, ...]]:
    if isinstance(model, Problem):
        given = {"data": data, "free": free, "mapping": mapping, "bounds": bounds, "start": start}
        stray = [name for name, value in given.items() if value is not None]
        if stray:
            raise RequestError(
                f"fit(problem, {', '.join(stray)}): a problem says this itself; leave it out, or "
                "change the problem with dataclasses.replace"
            )
        if not model.free:
            raise FitError(f"problem '{model.name}' has no parameter to fit")
        return model, ()
    if not isinstance(model, ReactionNetwork) or not isinstance(data, Measurements):
        raise RequestError("fit(model, data): pass a loaded network and loaded measurements")
    return plain_problem(model, data, free, mapping=mapping, bounds=bounds, start=start)


def _engine(engine: Any) -> Engine:
    if engine is None:
        return Native()
    check_engine(engine)
    return engine


def _refuse_stochastic(objective: Any, estimator: Any, checkpoint: Any) -> None:
    given = {"objective": objective, "estimator": estimator, "checkpoint": checkpoint}
    stray = [name for name, value in given.items() if value is not None]
    if stray:
        raise RequestError(
            f"fit(engine=ODE()): {', '.join(stray)} belong to stochastic fits; leave them out, or "
            "use a stochastic engine"
        )


def _fit_rates(
    problem: Problem,
    engine: Any,
    starts: int,
    seed: int,
    assumptions: tuple[str, ...],
    progress: FitProgress | None,
    max_seconds: float | None,
) -> FitResult:
    values = starting_values(problem, starts, seed)
    descents = fit_rate_equations(
        problem, values, engine=engine, progress=progress, max_seconds=max_seconds
    )
    return deterministic_result(problem, descents, engine, seed, assumptions)


def _warmed(problem: Problem, starts: int, seed: int) -> tuple[Problem, str]:
    """Return the problem starting from where a fit of its rate equations ended."""
    descents = fit_rate_equations(problem, starting_values(problem, starts, seed))
    found = as_mapping(search_space(problem), descents[0].values)
    parameters = tuple(
        dataclasses.replace(p, nominal=found[p.id]) if p.id in found else p
        for p in problem.parameters
    )
    likelihood = descents[0].negative_log_likelihood
    return dataclasses.replace(problem, parameters=parameters), (
        f"started where a fit of the rate equations from {starts} places ended (negative "
        f"log-likelihood {likelihood:.6g})"
    )


def _learning_rate(optimizer: Any, given: Any, epochs: int | None) -> Schedule | None:
    """Return the schedule; None adapts the rate, or leaves an optimiser object its own."""
    if given is not None:
        return as_schedule(given, "learning_rate")
    return cosine(0.1, 0.005) if isinstance(optimizer, str) and epochs is not None else None


def _with_kernel(simulator: Simulator, trajectories: int) -> Simulator:
    """Return the simulator with the kernel that pays over the whole fit, judged by a pilot."""
    engine = simulator.engine
    network = simulator.problem.network
    if not isinstance(engine, Native) or engine.kernel != "auto" or lower(network).is_timed:
        return simulator
    pilot = dataclasses.replace(
        simulator, engine=Native(kernel="table", firing_limit=PILOT_FIRINGS)
    ).pilot(simulator.space.start, 4)
    firings = sum(float(one.ensemble.firings.mean()) for one in pilot.values())
    expected = firings * trajectories * GRADIENT
    kernel = kernel_by_size(len(lower(network).channels), expected)
    return dataclasses.replace(simulator, engine=dataclasses.replace(engine, kernel=kernel))


def _state(plan: Plan, starts: int, checkpoint: Path | None, *, resume: bool) -> State:
    if resume and checkpoint is not None and checkpoint.exists():
        return read_checkpoint(plan, checkpoint)
    values = starting_values(plan.simulator.problem, starts, plan.simulator.seed)
    return begin(plan, values)
