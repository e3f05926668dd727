"""From a problem and settings to a result: what is checked, chosen and run in which order."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from sbmlgrad.codegen.lowering import lower
from sbmlgrad.codegen.refusals import jumping_words
from sbmlgrad.engines.base import Engine, is_deterministic
from sbmlgrad.engines.kernel_choice import PILOT_FIRINGS, kernel_by_size
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.choice import default_estimators, judge
from sbmlgrad.fit.descent.checkpoint import read_checkpoint, saver, seed_in
from sbmlgrad.fit.descent.loop import descend
from sbmlgrad.fit.descent.plan import Plan, State, begin
from sbmlgrad.fit.descent.schedules import Schedule, as_schedule, cosine
from sbmlgrad.fit.descent.spread_starts import spread
from sbmlgrad.fit.descent.starts import starting_values
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.base import ExactObjective, Objective, StartedObjective
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.outcome import result_of
from sbmlgrad.fit.penalty import refuse_unused_priors
from sbmlgrad.fit.problem_settings import with_problem_settings
from sbmlgrad.fit.problems.checks import check_problem, check_start, doubting_times
from sbmlgrad.fit.rate_equations.least_squares import fit_rate_equations
from sbmlgrad.fit.rate_equations.outcome import deterministic_result
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.search_space import as_mapping, search_space
from sbmlgrad.fit.settings import Settings, arguments_of, check_settings
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.model.numbers import as_number
from sbmlgrad.model.problem import Problem
from sbmlgrad.simulation_inputs import check_engine, draw_seed, seed_of

#: Epochs at the most, where the end is left to the test of progress.
MOST_EPOCHS = 1000

#: Epochs that such a fit usually takes.
USUAL_EPOCHS = 200

#: Firings that a gradient is worth, for each that is simulated, by interpreted kernels.
GRADIENT = 5.0


def solve(problem: Problem, settings: Settings, assumptions: tuple[str, ...] = ()) -> FitResult:
    """Solve a calibration problem.

    Args:
        problem: what is calibrated.
        settings: how; where they are left at their defaults, the problem's own settings decide.
        assumptions: what was assumed in making the problem, in words.

    Raises:
        SbmlGradError: as `run.fit` says.
    """
    settings, words = with_problem_settings(problem, settings)
    assumptions += words
    check_settings(settings)
    check_problem(problem)
    seed = _seed(settings)
    if is_deterministic(settings.engine):
        with doubting_times(problem):
            return _solve_rates(problem, settings, seed, assumptions)
    # Refuses, before any work is done, what cannot be simulated.
    if isinstance(settings.objective, ExactObjective):
        prepared(problem)
    else:
        check_start(problem)
    if settings.warm_start:
        problem, words = _warmed(problem, settings, seed)
        assumptions += (words,)
    objective = default_objective(problem) if settings.objective is None else settings.objective
    assumptions += objective.check(problem)
    refuse_unused_priors(objective, problem)
    with doubting_times(problem):
        plan, words = _plan(problem, settings, objective, seed)
    assumptions += words
    state = _state(plan, settings)
    if settings.checkpoint is not None:
        plan = dataclasses.replace(plan, save=saver(plan, Path(settings.checkpoint)))
    with spread(settings.executor) as evaluate, doubting_times(problem):
        descend(dataclasses.replace(plan, evaluate=evaluate), state)
    if not state.epochs:
        raise KeyboardInterrupt
    size = settings.evaluation_trajectories or max(10 * settings.trajectories, 2000)
    return result_of(
        plan, state, size, assumptions, arguments_of(settings, seed), refine=settings.refine
    )


def default_objective(problem: Problem) -> Objective:
    """Return what is made small where nobody says: means, or distributions over cells."""
    if problem.snapshots is None or len(problem.measurements):
        return MeanTrajectory()
    from sbmlgrad.fit.objectives.distribution import Distribution

    return Distribution()


def _seed(settings: Settings) -> int:
    if settings.seed is not None:
        return seed_of(settings.seed)
    if settings.resume and settings.checkpoint is not None and Path(settings.checkpoint).exists():
        return seed_in(Path(settings.checkpoint))
    return draw_seed()


def _plan(
    problem: Problem, settings: Settings, objective: Objective, seed: int
) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan of a stochastic descent, and what is assumed in it."""
    given = settings.estimator
    estimators = default_estimators(problem) if given is None else (given,)
    if isinstance(objective, ExactObjective | StartedObjective):
        # The first has its own gradient; the second is one of single trajectories, which the
        # differences that an estimator is judged by cannot take.
        estimators = estimators[:1]
    jumping = jumping_words(lower(problem.network))
    if isinstance(objective, StartedObjective) and given is None and jumping:
        raise FitError(
            f"{objective.name}: weighs single trajectories, whose gradient is that along their "
            f"paths, and {jumping}, which no path sees; take another objective, such as "
            "MeanTrajectory(), or write what is continuous with min and max"
        )
    if settings.temperature is not None and not hasattr(estimators[0], "temperature"):
        raise FitError(f"{estimators[0].name} has no temperature; leave `temperature` out")
    assumptions: tuple[str, ...] = ()
    if ValuesAt not in estimators[0].readouts:
        assumptions = (
            f"{estimators[0].name} cannot differentiate values at times, so trajectories are "
            "interpolated linearly between firings",
        )
    simulator = Simulator(
        problem=problem,
        space=search_space(problem),
        experiments=prepared(problem),
        times=objective.times(problem),
        engine=_engine(settings.engine),
        seed=seed,
    )
    epochs, temperature, budget = settings.epochs, settings.temperature, settings.max_seconds
    trajectories = (epochs or USUAL_EPOCHS) * settings.trajectories * settings.starts
    plan = Plan(
        simulator=_with_kernel(simulator, trajectories),
        objective=objective,
        estimators=estimators,
        optimizer=settings.optimizer,
        learning_rate=_learning_rate(settings),
        temperature=None if temperature is None else as_schedule(temperature, "temperature"),
        epochs=epochs,
        most_epochs=MOST_EPOCHS,
        trajectories=settings.trajectories,
        most_trajectories=settings.most,
        starts=settings.starts,
        is_common=settings.common_random_numbers,
        seconds=None if budget is None else as_number("max_seconds", budget),
        judge=judge if len(estimators) > 1 else None,
        progress=settings.progress,
    )
    return plan, assumptions


def _engine(engine: Any) -> Engine:
    if engine is None:
        return Native()
    check_engine(engine)
    return engine


def _learning_rate(settings: Settings) -> Schedule | None:
    """Return the schedule; None adapts the rate, or leaves an optimiser object its own."""
    if settings.learning_rate is not None:
        return as_schedule(settings.learning_rate, "learning_rate")
    is_named = isinstance(settings.optimizer, str)
    return cosine(0.1, 0.005) if is_named and settings.epochs is not None else None


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


def _state(plan: Plan, settings: Settings) -> State:
    if settings.resume and settings.checkpoint is not None:
        path = Path(settings.checkpoint)
        if path.exists():
            return read_checkpoint(plan, path)
    values = starting_values(plan.simulator.problem, settings.starts, plan.simulator.seed)
    return begin(plan, values)


def _solve_rates(
    problem: Problem, settings: Settings, seed: int, assumptions: tuple[str, ...]
) -> FitResult:
    meant = ("starts", "max_seconds", "engine", "seed", "progress", "executor")
    stray = [
        field.name
        for field in dataclasses.fields(settings)
        if field.name not in meant and getattr(settings, field.name) != field.default
    ]
    if stray:
        raise RequestError(
            f"fit(engine=ODE()): {', '.join(stray)} belong to stochastic fits; leave them out, or "
            "use a stochastic engine"
        )
    engine = settings.engine
    assert engine is not None
    assert is_deterministic(engine)
    search = fit_rate_equations(
        problem,
        starting_values(problem, settings.starts, seed),
        engine=engine,
        progress=settings.progress,
        max_seconds=settings.max_seconds,
        executor=settings.executor,
    )
    told = arguments_of(settings, seed)
    return deterministic_result(problem, search, engine, seed, assumptions, told)


def _warmed(problem: Problem, settings: Settings, seed: int) -> tuple[Problem, str]:
    """Return the problem starting from where a fit of its rate equations ended."""
    starts = settings.starts
    values = starting_values(problem, starts, seed)
    descents = fit_rate_equations(problem, values, executor=settings.executor).descents
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
