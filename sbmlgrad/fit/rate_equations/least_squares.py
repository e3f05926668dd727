"""Fits of the rate equations: the likelihood's maximum from one or many starts.

They warm up stochastic fits, and fit problems that are meant for ODEs. The derivatives come from
one solve where the problem allows it (`slopes`), else from differences, one simulation for
each free parameter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError, SbmlGradError
from sbmlgrad.fit.packed import Packed, packed_for
from sbmlgrad.fit.parallel import Executor, Serial
from sbmlgrad.fit.penalty import penalty
from sbmlgrad.fit.rate_equations.bounded_scoring import minimise
from sbmlgrad.fit.rate_equations.scored_likelihood import RateLikelihood
from sbmlgrad.fit.rate_equations.slopes import SlopedProblem, sloped_problem
from sbmlgrad.fit.search_space import SearchSpace, search_space
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: How derivatives are found where one solve gives them.
FORWARD = "forward sensitivities of the rate equations"

#: Evaluations of the derivative from one start.
MOST_STEPS = 300


@dataclass(frozen=True, eq=False)
class Descent:
    """What became of one start.

    Attributes:
        start: values, float64 [free].
        values: where it ended, float64 [free].
        negative_log_likelihood: there; infinity where it failed at the start already.
        objective: the same with what priors add, which was made small.
        history: best value of each step so far, float64 [step].
        path: values of each step, float64 [step, free].
        reason: why it ended.
        evaluations: solves of all experiments that it took, those for differences included.
    """

    start: FloatArray
    values: FloatArray
    negative_log_likelihood: float
    objective: float
    history: FloatArray
    path: FloatArray
    reason: str
    evaluations: int = 0


@dataclass(frozen=True, eq=False)
class Search:
    """What became of all starts.

    Attributes:
        descents: best first.
        cut: why some starts were not tried, or empty.
        is_interrupted: whether Ctrl-C was the reason.
        is_late: whether the budget of time was.
        slopes: how the derivatives were found.
    """

    descents: tuple[Descent, ...]
    cut: str = ""
    is_interrupted: bool = False
    is_late: bool = False
    slopes: str = ""


def fit_rate_equations(
    problem: Problem,
    starts: FloatArray,
    *,
    engine: DeterministicEngine | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    max_seconds: float | None = None,
    executor: Executor | None = None,
) -> Search:
    """Maximise the likelihood under the rate equations, with priors where there are some.

    Gaussian noise is fitted by Fisher scoring (`bounded_scoring`), scales that are estimated
    included; other noise by L-BFGS-B.

    Args:
        problem: what is calibrated.
        starts: values, float64 [start, free].
        engine: solver; `ODE()` by default.
        progress: called with (starts done, starts, best negative log-likelihood).
        max_seconds: wall-clock budget; starts that are not begun by then are left out, and with a
            parallel executor those that are not done.
        executor: where starts are followed, each by itself; `Serial()` by default.

    Returns:
        What became of the starts.

    Raises:
        FitError: parameters without finite bounds, or no start at which the likelihood is finite.
        KeyboardInterrupt: before one start was done; after that, Ctrl-C ends the search.
    """
    space = search_space(problem)
    _check_bounds(space)
    begun = time.monotonic()
    chosen = Serial() if executor is None else executor
    common = _Common(problem, engine)
    # Packed as it is: workers find out themselves whether there are slopes.
    packed = packed_for(chosen, common)
    followed: dict[int, Descent] = {}

    def keep(place: int, found: Descent) -> None:
        followed[place] = found
        if progress is not None:
            best = min(one.objective for one in followed.values())
            progress(len(followed), len(starts), best)
        is_late = max_seconds is not None and time.monotonic() - begun > max_seconds
        if is_late and len(followed) < len(starts):
            raise _Late

    cut, is_interrupted, is_late = "", False, False
    try:
        chosen.map(_follow, [_Task(packed, start) for start in starts], None, keep)
    except _Late:
        is_late = True
        cut = f"the budget of {max_seconds:g} s was spent after {len(followed)} starts"
    except KeyboardInterrupt:
        if not followed:
            raise
        cut, is_interrupted = f"interrupted after {len(followed)} starts", True
    done = [followed[place] for place in sorted(followed)]
    done.sort(key=lambda one: one.objective)
    if not np.isfinite(done[0].objective):
        raise FitError(
            f"{problem.name or problem.network.id}: the likelihood is not finite at any of the "
            f"{len(done)} starts; the first failed because {done[0].reason}"
        )
    sloped, reason = common.sloped
    how = f"differences of the rate equations ({reason})" if sloped is None else FORWARD
    return Search(tuple(done), cut, is_interrupted, is_late, how)


class _Late(Exception):
    """The budget of time is spent; caught where it is raised for."""


@dataclass(frozen=True, eq=False)
class _Common:
    """What all starts share.

    Attributes:
        problem: what is calibrated.
        engine: solver.
    """

    problem: Problem
    engine: DeterministicEngine | None

    @cached_property
    def space(self) -> SearchSpace:
        """The free parameters of the problem."""
        return search_space(self.problem)

    @cached_property
    def sloped(self) -> tuple[SlopedProblem | None, str]:
        """The problem ready for slopes, or None and why there are only differences."""
        return _sloped(self.problem, self.engine)


@dataclass(frozen=True, eq=False)
class _Task:
    """One start: what all share, and values float64 [free]."""

    common: Packed
    start: FloatArray


def _follow(task: _Task) -> Descent:
    common: _Common = task.common.unpacked
    space, (sloped, _) = common.space, common.sloped
    found = _from(RateLikelihood(common.problem, space, common.engine, sloped), task.start)
    if sloped is not None and not math.isfinite(found.objective):
        # A slope may overflow where the rates do not.
        found = _from(RateLikelihood(common.problem, space, common.engine, None), task.start)
        found = replace(found, reason=f"{found.reason} (slopes by differences)")
    return found


def _sloped(
    problem: Problem, engine: DeterministicEngine | None
) -> tuple[SlopedProblem | None, str]:
    try:
        return sloped_problem(problem, engine)
    except SbmlGradError as error:
        # Every start fails for the same reason, or the nominal values alone have none.
        return None, str(error)


def _check_bounds(space: SearchSpace) -> None:
    bounds = zip(space.ids, space.lower, space.upper, strict=True)
    open_ended = [id for id, low, high in bounds if not math.isfinite(high - low)]
    if open_ended:
        raise FitError(
            f"parameters {', '.join(open_ended)} have no finite bounds; give them some, so that "
            "the search cannot run away"
        )


def _from(likelihood: RateLikelihood, start: FloatArray) -> Descent:
    space = likelihood.space
    begin = space.within(space.coordinates(start))
    value = likelihood.total(begin)
    if not math.isfinite(value):
        nothing = np.zeros((0, len(start)))
        failed = (math.inf, math.inf, np.zeros(0), nothing, likelihood.failure, likelihood.solves)
        return Descent(start, start, *failed)
    likelihood.note(begin, value)
    search = _scoring if likelihood.is_gaussian else _quasi_newton
    try:
        end, reason = search(likelihood, begin)
    except FitError as error:
        # It ends where it came to when a slope was missing.
        end, reason = space.within(space.coordinates(likelihood.path[-1])), str(error)
    value = likelihood.checked_total(end)
    if not math.isfinite(value):
        reason = f"the solver fails at the end of the search: {likelihood.failure}"
    likelihood.note(end, value)
    values = space.values(end)
    nll = value - penalty(likelihood.problem, values)
    history, path = np.array(likelihood.history), np.array(likelihood.path)
    return Descent(start, values, nll, value, history, path, reason, likelihood.solves)


def _scoring(likelihood: RateLikelihood, begin: FloatArray) -> tuple[FloatArray, str]:
    def noted(coordinates: FloatArray) -> tuple[FloatArray, FloatArray]:
        likelihood.note(coordinates, likelihood.total(coordinates))
        return likelihood.curvature(coordinates)

    low, high = likelihood.low, likelihood.high
    return minimise(likelihood.total, noted, begin, low, high, MOST_STEPS)


def _quasi_newton(likelihood: RateLikelihood, begin: FloatArray) -> tuple[FloatArray, str]:
    from scipy.optimize import minimize

    def total(coordinates: FloatArray) -> float:
        value = likelihood.total(coordinates)
        return value if math.isfinite(value) else 1e30

    def noted(coordinates: FloatArray) -> FloatArray:
        likelihood.note(coordinates, likelihood.total(coordinates))
        return likelihood.gradient(coordinates)

    def gradient(coordinates: FloatArray) -> FloatArray:
        if not math.isfinite(likelihood.total(coordinates)):
            return np.zeros(len(coordinates))
        return noted(coordinates)

    found = minimize(
        total,
        begin,
        jac=gradient,
        method="L-BFGS-B",
        bounds=list(zip(likelihood.low, likelihood.high, strict=True)),
        options={"maxiter": MOST_STEPS},
    )
    return np.asarray(found.x), str(found.message).lower().rstrip(".")
