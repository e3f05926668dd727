"""Intervals by refits of measurements drawn anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.noise import draw
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.parallel import Executor, Serial, TaskProgress
from sbmlgrad.fit.uncertainty.fitted import (
    Fitted,
    child_seed,
    parts,
    predictions,
    with_measurements,
)
from sbmlgrad.fit.uncertainty.identifiability import WIDE, is_wide, pair_flags
from sbmlgrad.fit.uncertainty.refits import RefitOutcome, RefitTask, refit_all
from sbmlgrad.fit.uncertainty.residuals import residual_factors
from sbmlgrad.fit.uncertainty.result import Uncertainty
from sbmlgrad.model.numbers import whole
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.snapshots import Snapshots

FloatArray = NDArray[np.float64]

#: Refits, and trajectories of each of their steps.
REPEATS, TRAJECTORIES = 200, 1000

#: Trajectories behind the predictions that are drawn around.
PREDICTION_TRAJECTORIES = 20_000

#: Cells or replicates below which the percentiles of resampled ones are known to be too narrow.
FEW = 10

#: Share of refits that may fail.
MOST_FAILED = 0.1


def bootstrap(
    fitted: Fitted,
    level: float = 0.9,
    repeats: int = REPEATS,
    trajectories: int = TRAJECTORIES,
    executor: Executor | None = None,
    progress: TaskProgress | None = None,
) -> Uncertainty:
    """Return standard errors and percentile intervals from refits of measurements drawn anew.

    When to choose it: objectives other than `MeanTrajectory`, parameters whose estimates are far
    from normal, and to check `fisher`. It costs a refit for each repeat.

    Measurements are drawn by their noise models around the fitted predictions (parametric
    bootstrap); where the noise was only assumed, with the standard deviation of the residuals.
    Snapshots of single cells, and replicates under other objectives than `MeanTrajectory`, are
    resampled with replacement within their time and condition instead. Every refit starts at the
    fitted values and has streams of its own, so that its Monte-Carlo error is in the intervals.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, sections 6.5 and 13.3.

    Args:
        fitted: the fit.
        level: of the intervals.
        repeats: refits; percentiles of a 90 % interval want a hundred and more.
        trajectories: of each experiment and step of a refit.
        executor: where refits run; `Serial()` by default.
        progress: called with (refits done, refits).

    Raises:
        FitError: more than a tenth of the refits fail; says why the first did.
        RequestError: fewer than ten repeats.
    """
    whole("repeats", repeats, 10, 10**6)
    whole("trajectories", trajectories, 2, 10**9)
    chosen = Serial() if executor is None else executor
    problems, words = _drawn(fitted, repeats)
    tasks = [
        RefitTask(
            replace(fitted, problem=problem, seed=child_seed(fitted.seed, 2, number)),
            fitted.coordinates,
            trajectories,
        )
        for number, problem in enumerate(problems)
    ]
    outcomes = refit_all(tasks, chosen, progress)
    samples = _successful(outcomes)
    space = fitted.space
    tail = 0.5 * (1.0 - level)
    low, high = np.quantile(samples, [tail, 1.0 - tail], axis=0)
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    lower, upper = space.values(low), space.values(high)
    return Uncertainty(
        method="bootstrap",
        level=level,
        kind="confidence",
        ids=space.ids,
        values=fitted.values,
        standard_errors=np.std(space.values(samples), axis=0, ddof=1),
        lower=lower,
        upper=upper,
        covariance=covariance,
        is_logarithmic=space.is_logarithmic,
        parameter_flags=_parameter_flags(fitted, samples, covariance, lower, upper),
        flags=_flags(outcomes, words),
        settings={
            "refits": str(repeats),
            "trajectories of a step": str(trajectories),
            "executor": chosen.name,
            "seed": str(fitted.seed),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={"samples": space.values(samples)},
    )


def _drawn(fitted: Fitted, repeats: int) -> tuple[list[Problem], str]:
    """Return problems with measurements drawn anew, and how, in words."""
    problem = fitted.problem
    rngs = [np.random.default_rng(child_seed(fitted.seed, 3, n)) for n in range(repeats)]
    if not isinstance(fitted.objective, MeanTrajectory):
        fewest = _fewest(problem)
        words = "cells or replicates were resampled"
        if fewest < FEW:
            words += f", of which there are only {fewest}: intervals from so few are too narrow"
        return [_resampled(problem, rng) for rng in rngs], words
    simulated = fitted.simulator()(fitted.values, PREDICTION_TRAJECTORIES, 0)
    predicted, scale = predictions(problem, simulated)
    factors, _ = residual_factors(problem, predicted, scale, len(fitted.space.ids))
    words = "measurements were drawn by their noise models around the fitted predictions"
    if factors:
        words += ", with the standard deviation of the residuals, since the noise was not known"
    problems = []
    for rng in rngs:
        values = np.empty(len(problem.measurements))
        for _, observable, rows in parts(problem):
            spread = scale[rows] * np.sqrt(factors.get(observable.id, 1.0))
            values[rows] = draw(observable.noise.distribution, predicted[rows], spread, rng)
        problems.append(with_measurements(problem, values))
    return problems, words


def _fewest(problem: Problem) -> int:
    """Return the least number of cells or replicates that are resampled together.

    Raises:
        FitError: there is one alone.
    """
    m, found = problem.measurements, []
    label = np.array(m.replicate, object).astype(str)
    condition = np.array(m.condition, object)
    for name in m.conditions:
        here = condition == name
        found.append((f"condition {name!r}" if name else "the record", len(set(label[here]))))
    snapshots = problem.snapshots
    if snapshots is not None:
        keys = list(zip(snapshots.time.tolist(), snapshots.condition, strict=True))
        found += [(f"time {time:g}", number) for (time, _), number in Counter(keys).items()]
    for where, number in found:
        if number < 2:
            raise FitError(
                f"{where} holds one cell or replicate alone, and drawing it again changes nothing: "
                "a bootstrap would tell the noise of simulations only, not how well the data "
                "determine the parameters; measure several"
            )
    return min((number for _, number in found), default=FEW)


def _resampled(problem: Problem, rng: np.random.Generator) -> Problem:
    """Return the problem with cells (or replicates) drawn with replacement, whole ones."""
    snapshots = problem.snapshots
    if snapshots is not None:
        problem = replace(problem, snapshots=_resampled_snapshots(snapshots, rng))
    m = problem.measurements
    if not len(m):
        if snapshots is None:
            raise FitError(
                f"{problem.name or problem.network.id}: there are no measurements or snapshots to "
                'draw from, as the objective holds the data itself; use method="fisher"'
            )
        return problem
    values = m.value.copy()
    condition, label = np.array(m.condition, object), np.array(m.replicate, object)
    for name in m.conditions:
        here = condition == name
        # A replicate is one cell or sample: all that was measured of it stays together.
        labels = np.unique(label[here].astype(str))
        chosen = dict(zip(labels.tolist(), rng.choice(labels, labels.size).tolist(), strict=True))
        rows = np.flatnonzero(here)
        index = {(int(m.observable_index[r]), float(m.time[r]), label[r]): int(r) for r in rows}
        for row in rows:
            place, time = int(m.observable_index[row]), float(m.time[row])
            source = index.get((place, time, chosen[label[row]]))
            if source is None:
                raise FitError(
                    f"{m.source_name or 'measurements'}: replicate {chosen[label[row]]!r} was not "
                    f"measured at time {time:g} of {m.observables[place]!r}, so that replicates "
                    "cannot be resampled as a whole; leave out incomplete ones, or load the data "
                    "as snapshots"
                )
            values[row] = m.value[source]
    return with_measurements(problem, values)


def _resampled_snapshots(snapshots: Snapshots, rng: np.random.Generator) -> Snapshots:
    rows = np.arange(len(snapshots))
    keys = list(zip(snapshots.time.tolist(), snapshots.condition, strict=True))
    for key in dict.fromkeys(keys):
        here = np.array([own == key for own in keys])
        rows[here] = rng.choice(np.flatnonzero(here), int(here.sum()))
    return replace(snapshots, counts=snapshots.counts[rows])


def _successful(outcomes: Sequence[RefitOutcome]) -> FloatArray:
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    if len(failures) > MOST_FAILED * len(outcomes):
        raise FitError(
            f"{len(failures)} of {len(outcomes)} refits failed, so that their percentiles would "
            f"mean nothing; the first: {failures[0]}"
        )
    return np.stack([outcome.coordinates for outcome in outcomes if not outcome.failure])


def _parameter_flags(
    fitted: Fitted,
    samples: FloatArray,
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> dict[str, tuple[str, ...]]:
    error = np.sqrt(np.diag(covariance))
    with np.errstate(all="ignore"):
        words = pair_flags(covariance / error / error[:, None], fitted.space.ids)
    space = fitted.space
    bounds = space.coordinates(space.lower), space.coordinates(space.upper)
    for place, id in enumerate(space.ids):
        own = samples[:, place]
        share = float(((own <= bounds[0][place]) | (own >= bounds[1][place])).mean())
        if share > 0.01:
            words[id].append(f"{100 * share:.0f} % of the refits ended at a bound")
        elif is_wide(lower[place], upper[place]):
            words[id].append(f"poorly determined: its interval spans a factor above {WIDE:g}")
        distance = float(own.mean() - fitted.coordinates[place])
        if error[place] > 0.0 and abs(distance) > 0.5 * error[place]:
            words[id].append(
                f"refits lie {abs(distance) / error[place]:.1f} standard errors "
                f"{'above' if distance > 0 else 'below'} the fit on average: the estimate is "
                "biased, or the fit stopped before its optimum"
            )
    return {id: tuple(w) for id, w in words.items() if w}


def _flags(outcomes: Sequence[RefitOutcome], words: str) -> tuple[str, ...]:
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    if not failures:
        return (words,)
    return words, (
        f"{len(failures)} of {len(outcomes)} refits failed and were left out; the first: "
        f"{failures[0]}"
    )
