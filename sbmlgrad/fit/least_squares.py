"""Fits of the rate equations: the likelihood's maximum from one or many starts, by scipy.

They warm up stochastic fits, and fit problems that are meant for ODEs. The derivatives are
differences, one simulation for each free parameter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError, SbmlGradError
from sbmlgrad.fit.penalty import penalty
from sbmlgrad.fit.rate_equations import Predictions, predict
from sbmlgrad.fit.search_space import SearchSpace, as_mapping, search_space
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Step of the differences, in coordinates.
STEP = 1e-5

#: Added to logarithms of noise scales to make squares of them; scales may be this small in e-folds.
LARGEST_LOGARITHM = 60.0

#: Added to what priors contribute, likewise.
LARGEST_PRIOR = 1e3

#: Evaluations of the derivative from one start.
MOST_STEPS = 300

_GAUSSIAN = frozenset({"normal", "log-normal"})


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
    """

    start: FloatArray
    values: FloatArray
    negative_log_likelihood: float
    objective: float
    history: FloatArray
    path: FloatArray
    reason: str


@dataclass(frozen=True, eq=False)
class Search:
    """What became of all starts.

    Attributes:
        descents: best first.
        cut: why some starts were not tried, or empty.
        is_interrupted: whether Ctrl-C was the reason.
    """

    descents: tuple[Descent, ...]
    cut: str = ""
    is_interrupted: bool = False


def fit_rate_equations(
    problem: Problem,
    starts: FloatArray,
    *,
    engine: DeterministicEngine | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    max_seconds: float | None = None,
) -> Search:
    """Maximise the likelihood under the rate equations, with priors where there are some.

    Gaussian noise is fitted as nonlinear least squares, by a trust region (Branch, Coleman & Li
    1999, SIAM J. Sci. Comput. 21, 1), scales that are estimated included; other noise by L-BFGS-B.

    Args:
        problem: what is calibrated.
        starts: values, float64 [start, free].
        engine: solver; `ODE()` by default.
        progress: called with (starts done, starts, best negative log-likelihood).
        max_seconds: wall-clock budget; starts that are not begun by then are left out.

    Returns:
        What became of the starts.

    Raises:
        FitError: parameters without finite bounds, or no start at which the likelihood is finite.
        KeyboardInterrupt: before one start was done; after that, Ctrl-C ends the search.
    """
    space = search_space(problem)
    _check_bounds(space)
    begun = time.monotonic()
    done: list[Descent] = []
    cut, is_interrupted = "", False
    try:
        for number, start in enumerate(starts):
            if max_seconds is not None and done and time.monotonic() - begun > max_seconds:
                cut = f"the budget of {max_seconds:g} s was spent after {number} starts"
                break
            done.append(_from(_Likelihood(problem, space, engine), start))
            if progress is not None:
                best = min(one.objective for one in done)
                progress(number + 1, len(starts), best)
    except KeyboardInterrupt:
        if not done:
            raise
        cut, is_interrupted = f"interrupted after {len(done)} starts", True
    done.sort(key=lambda one: one.objective)
    if not np.isfinite(done[0].objective):
        raise FitError(
            f"{problem.name or problem.network.id}: the likelihood is not finite at any of the "
            f"{len(done)} starts; the first failed because {done[0].reason}"
        )
    return Search(tuple(done), cut, is_interrupted)


def _check_bounds(space: SearchSpace) -> None:
    bounds = zip(space.ids, space.lower, space.upper, strict=True)
    open_ended = [id for id, low, high in bounds if not math.isfinite(high - low)]
    if open_ended:
        raise FitError(
            f"parameters {', '.join(open_ended)} have no finite bounds; give them some, so that "
            "the search cannot run away"
        )


class _Likelihood:
    """The objective of one start; remembers the best values of each step."""

    def __init__(
        self, problem: Problem, space: SearchSpace, engine: DeterministicEngine | None
    ) -> None:
        self.problem, self.space, self.engine = problem, space, engine
        self.low = space.coordinates(space.lower)
        self.high = space.coordinates(space.upper)
        kinds = {
            problem.observable[id].noise.distribution for id in problem.measurements.observables
        }
        self.has_prior = any(p.prior is not None for p in problem.free)
        self.is_gaussian = kinds <= _GAUSSIAN
        self.history: list[float] = []
        self.path: list[FloatArray] = []
        self.failure = ""
        self._last: tuple[bytes, Predictions | None] = (b"", None)

    def total(self, coordinates: FloatArray) -> float:
        """Return the negative log-posterior; infinity where the simulation fails."""
        predictions = self._predict(coordinates)
        if predictions is None:
            return math.inf
        return predictions.negative_log_likelihood + self._prior(coordinates)

    def _prior(self, coordinates: FloatArray) -> float:
        return penalty(self.problem, self.space.values(coordinates))

    def _predict(self, coordinates: FloatArray) -> Predictions | None:
        # The optimiser asks for value, residuals and slopes at one place one after another.
        key = coordinates.tobytes()
        if key != self._last[0]:
            self._last = (key, self._simulated(coordinates))
        return self._last[1]

    def _simulated(self, coordinates: FloatArray) -> Predictions | None:
        values = as_mapping(self.space, self.space.values(coordinates))
        try:
            return predict(self.problem, values, self.engine)
        except SbmlGradError as error:
            self.failure = str(error)
            return None

    def residuals(self, coordinates: FloatArray) -> FloatArray:
        """Return residuals; half of their squares add up to the posterior, but for a constant."""
        predictions = self._predict(coordinates)
        if predictions is None:
            rows = 2 * len(self.problem.measurements) + self.has_prior
            return np.full(rows, math.nan)
        m = self.problem.measurements
        measured, predicted = m.value, predictions.predicted
        logs = np.array(
            [
                self.problem.observable[m.observables[i]].noise.distribution == "log-normal"
                for i in m.observable_index
            ]
        )
        gap = np.where(
            logs,
            np.log(np.where(logs, measured, 1.0)) - np.log(np.where(logs, predicted, 1.0)),
            measured - predicted,
        )
        scales = np.sqrt(2.0 * (np.log(predictions.scale) + LARGEST_LOGARITHM))
        parts = [gap / predictions.scale, scales]
        if self.has_prior:
            parts.append(np.sqrt([2.0 * (self._prior(coordinates) + LARGEST_PRIOR)]))
        return np.concatenate(parts)

    def slopes(self, function: Callable[[FloatArray], FloatArray]) -> Callable[..., FloatArray]:
        """Return one-sided differences of a function, into the bounds, [..., free]."""

        def derivative(coordinates: FloatArray, *_: object) -> FloatArray:
            middle = function(coordinates)
            columns = []
            for place in range(len(coordinates)):
                moved = coordinates.copy()
                sign = 1.0 if coordinates[place] + STEP <= self.high[place] else -1.0
                moved[place] += sign * STEP
                columns.append((function(moved) - middle) * (sign / STEP))
            slopes = np.stack(columns, axis=-1)
            # A simulation that fails beside a good one leaves that direction unknown.
            return np.where(np.isfinite(slopes), slopes, 0.0)

        return derivative

    def note(self, coordinates: FloatArray, value: float) -> None:
        """Remember a step."""
        self.history.append(min(value, self.history[-1] if self.history else math.inf))
        self.path.append(self.space.values(coordinates))


def _from(likelihood: _Likelihood, start: FloatArray) -> Descent:
    space = likelihood.space
    begin = space.within(space.coordinates(start))
    value = likelihood.total(begin)
    if not math.isfinite(value):
        nothing = np.zeros((0, len(start)))
        failed = (math.inf, math.inf, np.zeros(0), nothing, likelihood.failure)
        return Descent(start, start, *failed)
    likelihood.note(begin, value)
    search = _least_squares if likelihood.is_gaussian else _quasi_newton
    end, reason = search(likelihood, begin)
    value = likelihood.total(end)
    likelihood.note(end, value)
    values = space.values(end)
    nll = value - penalty(likelihood.problem, values)
    history, path = np.array(likelihood.history), np.array(likelihood.path)
    return Descent(start, values, nll, value, history, path, reason)


def _least_squares(likelihood: _Likelihood, begin: FloatArray) -> tuple[FloatArray, str]:
    from scipy.optimize import least_squares

    def residuals(coordinates: FloatArray) -> FloatArray:
        found = likelihood.residuals(coordinates)
        # Far off, but finite, so that the trust region shrinks away from what cannot be simulated.
        return np.where(np.isfinite(found), found, 1e10)

    slopes = likelihood.slopes(likelihood.residuals)

    def noted(coordinates: FloatArray, *rest: object) -> FloatArray:
        likelihood.note(coordinates, likelihood.total(coordinates))
        return slopes(coordinates, *rest)

    inside = _inside(begin, likelihood.low, likelihood.high)
    found = least_squares(
        residuals,
        inside,
        jac=noted,  # pyright: ignore[reportArgumentType]
        bounds=(likelihood.low, likelihood.high),
        x_scale=1.0,
        ftol=1e-13,
        xtol=1e-9,
        gtol=1e-9,
        max_nfev=MOST_STEPS,
    )
    return found.x, str(found.message).lower().rstrip(".")


def _quasi_newton(likelihood: _Likelihood, begin: FloatArray) -> tuple[FloatArray, str]:
    from scipy.optimize import minimize

    def total(coordinates: FloatArray) -> FloatArray:
        value = likelihood.total(coordinates)
        return np.array(value if math.isfinite(value) else 1e30)

    slopes = likelihood.slopes(total)

    def noted(coordinates: FloatArray) -> FloatArray:
        likelihood.note(coordinates, likelihood.total(coordinates))
        return slopes(coordinates)

    found = minimize(
        lambda z: float(total(z)),
        begin,
        jac=noted,
        method="L-BFGS-B",
        bounds=list(zip(likelihood.low, likelihood.high, strict=True)),
        options={"maxiter": MOST_STEPS},
    )
    return found.x, str(found.message).lower().rstrip(".")


def _inside(begin: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return a point strictly within the bounds, which the trust region asks for."""
    margin = 1e-9 * np.minimum(high - low, 1.0)
    return np.clip(begin, low + margin, high - margin)
