"""`fit`: calibrate free parameters of a network to measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sbmlgrad.engines.base import DeterministicEngine, Engine
from sbmlgrad.errors import FitError, RequestError
from sbmlgrad.fit.descent.plan import FitProgress
from sbmlgrad.fit.descent.schedules import Schedule
from sbmlgrad.fit.objectives.base import ExactObjective, Objective
from sbmlgrad.fit.parallel import Executor
from sbmlgrad.fit.problem_settings import overruled
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.result import FitResult
from sbmlgrad.fit.solve import Settings, solve
from sbmlgrad.fit.spelled import spelled_estimator, spelled_objective
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.snapshots import Snapshots
from sbmlgrad.simulation_inputs import seed_of


def fit(
    model: ReactionNetwork | Problem,
    data: Measurements | Snapshots | Dwells | None = None,
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
    trajectories: int | None = None,
    most_trajectories: int | None = None,
    evaluation_trajectories: int | None = None,
    common_random_numbers: bool = False,
    max_seconds: float | None = None,
    estimator: Estimator | None = None,
    engine: Engine | DeterministicEngine | None = None,
    seed: int | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    refine: bool = True,
    progress: FitProgress | None = None,
    executor: Executor | None = None,
) -> FitResult:
    """Fit parameters of a network to measurements, by exact simulation and its gradients.

    The input is never changed: the result holds a new network.

    Args:
        model: the network; or a `Problem`, which says all about data and parameters itself.
        data: measurements, or snapshots of single cells, whose columns are matched to species ids
            or names; or a record of dwells, for the objective `DwellTimes`.
        free: ids of the parameters to fit; None frees every one that a kinetic law uses.
        mapping: column → species id, or None to leave the column out.
        bounds: id → (lower, upper); a factor of 1000 around the start by default.
        start: id → starting value; the model's own by default.
        objective: what to make small, of `sbmlgrad.fit.objectives`; by default `MeanTrajectory()`,
            for snapshots `Distribution()`.
        starts: from how many places to descend, all at once; the worse half is dropped every
            dozen epochs until one is left.
        warm_start: whether to fit the rate equations first, and to start where that ended.
        optimizer: `"adam"`, `"rmsprop"` or a Keras optimiser.
        learning_rate: number, (first, last) or function of (epoch, epochs). By default it is
            halved whenever the loss no longer falls; with `epochs` it falls from 0.1 to 0.005 along
            a cosine.
        temperature: the same for `StraightThrough`; by default the estimator's own.
        epochs: steps of the optimiser; None goes on until they gain nothing that is significant.
        trajectories: simulated per epoch, experiment and start; by default what the problem says,
            or 256.
        most_trajectories: to which they are doubled, as the noise of the loss becomes what is left
            of it; by default 16 times as many. Not with `epochs`.
        evaluation_trajectories: for the final loss; by default ten epochs' worth, at least 2000.
        common_random_numbers: whether every epoch takes the same ones, so that the loss is a
            function without noise, at the price of a bias that does not average out.
        max_seconds: wall-clock budget of the descent, which ends after the epoch under way, the
            first one at the earliest. Compiling kernels and checking the estimator before are part
            of it. The check takes a quarter of it at the most, or one batch of trajectories; where
            that does not suffice, the result says that it was not checked. A warm start before the
            descent, the evaluation of the values after it, and uncertainty take their own time.
        estimator: gradient method; by default `TwoSidedAdjoint()`, checked against central
            differences before and after, which take its place where it is not to be trusted.
        engine: sampling algorithm; by default `Native()` with the kernel that suits the whole fit.
            With `ODE()` the rate equations are fitted by least squares, and the loss is the
            negative log-likelihood; settings of stochastic fits have no meaning there.
        seed: of the random streams; None draws one, recorded in the result.
        checkpoint: file that keeps the state of the descent, so that nothing is lost.
        resume: go on from the checkpoint if it is there; the result is that of a fit that was never
            cut.
        refine: end a fit of means by steps of Fisher scoring from where the descent ended, which
            are kept if the loss is lower there; False leaves the end to optimiser and estimator
            alone.
        progress: called with (epochs done, epochs or 0 where that is open, loss).
        executor: where several starts are evaluated, such as `Dask(address=...)`, each by itself;
            the same numbers on any number of workers. By default all are simulated together on all
            cores of this machine; workers are faster only where they are on several machines.

    Returns:
        The result. After Ctrl-C it holds the best values so far.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning.
        ParameterError, FitError: free parameters that cannot be fitted, or a loss that diverges.
        DataError: measurements that match no species, or in other units than the model's.
        RequestError: epochs, trajectories or a seed that make no sense.
        GradientError: the estimator cannot differentiate what the data need.
        SimulationError: trajectories failed.
        KeyboardInterrupt: interrupted before the first epoch was complete.
    """
    settings = Settings(
        objective=objective,
        starts=starts,
        warm_start=warm_start,
        optimizer=optimizer,
        learning_rate=learning_rate,
        temperature=temperature,
        epochs=epochs,
        trajectories=Settings.trajectories if trajectories is None else trajectories,
        most_trajectories=most_trajectories,
        evaluation_trajectories=evaluation_trajectories,
        common_random_numbers=common_random_numbers,
        max_seconds=max_seconds,
        estimator=estimator,
        engine=engine,
        seed=seed,
        checkpoint=checkpoint,
        resume=resume,
        refine=refine,
        progress=progress,
        executor=executor,
    )
    if mapping is not None and not isinstance(mapping, Mapping):
        raise RequestError(f"mapping={mapping!r}: pass a mapping of columns to species ids")
    problem, assumptions = _problem(model, data, free, mapping, bounds, start, objective)
    return solve(_overruled(problem, settings, trajectories), settings, assumptions)


def _overruled(problem: Problem, settings: Settings, trajectories: int | None) -> Problem:
    """Return a problem that says nothing else of the fit than the caller."""
    seed = settings.seed
    given: dict[str, object] = {
        "trajectories": None if trajectories is None else _count(trajectories),
        "seed": None if seed is None else seed_of(seed),
    }
    kinds = (
        ("objective", Objective, spelled_objective),
        ("estimator", Estimator, spelled_estimator),
    )
    for name, kind, spelled in kinds:
        value = getattr(settings, name)
        if not isinstance(value, kind) or isinstance(value, type):
            continue  # nothing, or what is refused later
        given[name] = value.name
        if not _is_spelled(value, spelled):
            # A text that cannot be read back is no setting; none is better than another's.
            kept = {k: v for k, v in problem.settings.items() if k != name}
            problem = replace(problem, settings=MappingProxyType(kept))
    return overruled(problem, given)


def _count(trajectories: int) -> int:
    return whole("trajectories", trajectories, 2, 10**9)


def _is_spelled(value: Objective | Estimator, spelled: Callable[..., Any]) -> bool:
    """Return whether a name is enough to make the same again."""
    try:
        return spelled(value.name, "", "").name == value.name
    except RequestError:
        return False


def _problem(
    model: Any, data: Any, free: Any, mapping: Any, bounds: Any, start: Any, objective: Any
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
    kinds = Measurements | Snapshots | Dwells
    if not isinstance(model, ReactionNetwork) or not isinstance(data, kinds):
        raise RequestError(
            "fit(model, data): pass a loaded network and loaded measurements, snapshots or dwells"
        )
    if isinstance(data, Dwells) and not isinstance(objective, ExactObjective):
        raise RequestError(
            "fit(model, dwells): nothing says which species look like which state of the record; "
            "pass objective=DwellTimes(dwells, classes), of sbmlgrad.fit.objectives"
        )
    return plain_problem(model, data, free, mapping=mapping, bounds=bounds, start=start)
