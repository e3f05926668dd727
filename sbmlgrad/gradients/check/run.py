"""`check_gradient`: every estimator beside the truth, and which one to use."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sbmlgrad import gradients
from sbmlgrad.engines.base import Progress
from sbmlgrad.engines.memory_estimate import check_job
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.random import LARGEST_TRAJECTORY
from sbmlgrad.engines.readouts import Readout
from sbmlgrad.errors import RequestError
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.check.arguments import (
    estimators_of,
    free_ids,
    ids_of_species,
    temperatures_of,
)
from sbmlgrad.gradients.check.measurement import compared, measured
from sbmlgrad.gradients.check.recommendation import ranked, recommendation
from sbmlgrad.gradients.check.reference import MORE, reference_of
from sbmlgrad.gradients.check.result import GradientCheck
from sbmlgrad.gradients.check.signs import weak_spots
from sbmlgrad.gradients.check.statistic import statistic_of
from sbmlgrad.gradients.check.task import (
    Task,
    explicit_of,
    free_of,
    lowered_of,
    readout_of,
    scale_of,
    species_of,
    targets_of,
)
from sbmlgrad.gradients.check.whole_runs import BEFORE, RUNS, is_fitting, with_whole_runs
from sbmlgrad.model.arguments import check_network, check_progress
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole

#: Temperatures of `StraightThrough` that are compared.
TEMPERATURES = (0.0, 0.1, 0.3, 1.0)

#: Trajectories that each estimator gets.
TRAJECTORIES = 10_000

#: Batches that errors are told from.
BATCHES = 20

#: States of the master equation up to which the reference is exact.
LARGEST_STATE_SPACE = 20_000


def check_gradient(
    model: ReactionNetwork,
    readout: Readout | None = None,
    parameters: Any = None,
    *,
    times: Sequence[float] | None = None,
    of: Sequence[str] | str | None = None,
    statistic: Any = "mean",
    free: Sequence[str] | None = None,
    estimators: Sequence[Estimator] | None = None,
    trajectories: int = TRAJECTORIES,
    intended: int | None = None,
    seed: int | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
    engine: Native | None = None,
    largest_state_space: int = LARGEST_STATE_SPACE,
    progress: Progress | None = None,
) -> GradientCheck:
    """Compare gradient estimators on a model of yours with the truth, and recommend one.

    When to use it: before a fit or any other use of gradients, above all for networks with
    switches, several states or rare events, and for variances and probabilities. Check at the
    parameters, times and species that matter to you.

    Every estimator differentiates the statistic of each species at each point, in the logarithm of
    each free parameter (in the parameter itself where it is not positive), over `BATCHES` batches
    of trajectories. The truth is the master equation where it has few enough states, else an
    unbiased estimate from trajectories of its own, whose error is counted. For events, rate rules,
    random initial values and laws of time there is neither: the reference are finite differences
    over half the usual step, whose bias is of the order of that step squared.

    Args:
        model: the network.
        readout: what is kept of a trajectory, such as `sbmlgrad.WindowAverages([0, 1, 2])`; or
            None, with `times`.
        parameters: None for the model's own; a mapping id → value; or an array [parameter].
        times: differentiate values at these times.
        of: species; None means all that reactions change. Of more than 12 statistics, 8
            combinations with random signs are differentiated instead of each by itself.
        statistic: of counts: `"mean"`, `"variance"`, or `("probability", low, high)` of counts from
            low to high, with None for one open end.
        free: ids of parameters; None means all that a kinetic law uses.
        estimators: objects to compare; None means all of `sbmlgrad.gradients`.
        trajectories: that each estimator gets in all, a multiple of 20.
        intended: trajectories of a gradient as you will use it, for which the recommendation is;
            None means as many as `trajectories`.
        seed: of all random streams; None draws one, recorded in the result.
        temperatures: of `StraightThrough`, where `estimators` is None.
        engine: gives threads and kernel.
        largest_state_space: states up to which the master equation is solved.
        progress: called with (done, total) batches.

    Returns:
        The comparison. Print it for a table and the recommendation; `recommended` is the estimator
        to use, `to_dataframe()` the table, and `plot(path)` draws it.

    Raises:
        ParameterError: unknown ids or unusable values.
        RequestError: arguments that make no sense.
        GradientError: the model has no gradient, it is zero, or there is nothing to compare with.
        SimulationError: trajectories failed.
    """
    check_progress(progress)
    kept = readout_of(readout, times)
    task = _task(model, kept, parameters, of, statistic, free, trajectories, seed, engine)
    # Every estimator walks through all batches, so that this is what compiling would serve.
    task = task.settled(BATCHES)
    wanted = estimators_of(estimators) if estimators is not None else _all(task, temperatures)
    planned = whole("intended", trajectories if intended is None else intended, 1, 10**12)
    largest = whole("largest_state_space", largest_state_space, 1, 10**9)
    # An exact reference spares the batches of an estimated one.
    total = (len(wanted) + RUNS * sum(map(is_fitting, wanted)) + MORE) * BATCHES
    tick = _counter(progress, total)
    reference = reference_of(task, largest, BATCHES, tick)
    values = [task.sample(number) for number in range(BATCHES)]
    scatter = reference.scatter
    found = (with_whole_runs(task, measured(task, e, values, tick), BATCHES, tick) for e in wanted)
    rows = tuple(compared(row, reference.value, scatter) for row in found)
    signs = weak_spots(task)
    order = ranked(rows, planned)
    if progress is not None:
        progress(float(total), total)
    return GradientCheck(
        model=model.id,
        statistic=str(task.statistic),
        readout=task.readout,
        targets=task.targets,
        free=task.free,
        is_logarithmic=tuple(bool(value > 0.0) for value in _values(task)),
        trajectories=trajectories,
        intended=planned,
        seed=task.seed,
        reference=reference,
        rows=rows,
        ranking=order,
        weak_spots=signs,
        recommendation=recommendation(order, rows, reference, planned, signs),
    )


def plan(
    model: ReactionNetwork,
    readout: Readout | None = None,
    *,
    times: Sequence[float] | None = None,
    of: Sequence[str] | None = None,
    statistic: Any = "mean",
    free: Sequence[str] | None = None,
    trajectories: int = TRAJECTORIES,
    temperatures: Sequence[float] = TEMPERATURES,
    parameters: Any = None,
) -> dict[str, Any]:
    """Check the arguments of a check, and say what it would do; arguments as there."""
    kept = readout_of(readout, times)
    task = _task(model, kept, parameters, of, statistic, free, trajectories, 0, None)
    return {
        "model": model.id,
        "statistic": str(task.statistic),
        "targets": list(task.targets),
        "free": list(task.free),
        "estimators": [e.name for e in _all(task, temperatures)],
        "trajectories": trajectories,
    }


def _task(
    model: ReactionNetwork,
    readout: Readout,
    parameters: Any,
    of: Sequence[str] | str | None,
    statistic: Any,
    free: Sequence[str] | None,
    trajectories: int,
    seed: int | None,
    engine: Native | None,
) -> Task:
    check_network("check_gradient", model)
    if engine is not None and not isinstance(engine, Native):
        raise RequestError(
            f"engine={engine!r}: gradients replay the trajectories of sbmlgrad.engines.Native(); "
            "pass one of those, or leave it out"
        )
    # Reference, its pilot and runs of all at once take their trajectories from the same streams.
    most = LARGEST_TRAJECTORY // (BEFORE + RUNS)
    if whole("trajectories", trajectories, 2 * BATCHES, most) % BATCHES:
        raise RequestError(
            f"trajectories={trajectories}: errors are told from {BATCHES} equal batches; give a "
            f"multiple of {BATCHES}"
        )
    explicit = explicit_of(model, parameters)
    lowered = lowered_of(model, explicit)
    number = secrets.randbits(63) if seed is None else whole("seed", seed, 0, 2**63 - 1)
    names = free_of(lowered, free_ids(free, model.parameter_ids))
    species = species_of(lowered, ids_of_species(of, lowered.species_ids))
    targets, weights = targets_of(lowered, readout, species, number)
    check_job(lowered, (readout,), trajectories)
    return Task(
        model=model,
        explicit=explicit,
        lowered=lowered,
        readout=readout,
        statistic=statistic_of(statistic),
        free=names,
        scale=scale_of(initial_values(model, explicit, {}), names),
        targets=targets,
        weights=weights,
        batch=trajectories // BATCHES,
        seed=number,
        engine=Native() if engine is None else engine,
    )


def _values(task: Task) -> list[float]:
    found = initial_values(task.model, task.explicit, {})
    return [found[p] for p in task.free]


def _all(task: Task, temperatures: Sequence[float]) -> list[Estimator]:
    """Return every estimator there is, and settings of theirs that matter."""
    found: list[Estimator] = []
    for name in gradients.__all__:
        kind = getattr(gradients, name)
        if not hasattr(kind, "pull_back"):
            # A part of an estimator's settings.
            continue
        if name == "StraightThrough":
            found += [kind(temperature) for temperature in temperatures_of(temperatures)]
        elif name == "FiniteDifference":
            # Each parameter costs simulations of its own.
            coupling = "crn" if task.lowered.is_timed else "split"
            found.append(kind(parameters=task.free, coupling=coupling))
        elif name == "CoupledDifference":
            found += [kind(), kind(control_variate=False)]
        else:
            found.append(kind())
    return found


def _counter(progress: Progress | None, total: int) -> Callable[[], None]:
    """Return what counts batches and reports them."""
    done = np.zeros(1, dtype=np.int64)

    def tick() -> None:
        done[0] += 1
        if progress is not None:
            progress(float(done[0]), total)

    return tick
