"""The likelihood under the rate equations as optimisers see it: value, gradient and curvature.

Slopes come from one solve with `slopes` where the problem allows it, else from differences,
one simulation for each free parameter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError, SbmlGradError
from sbmlgrad.fit.noise import log_density
from sbmlgrad.fit.penalty import penalty, penalty_slopes
from sbmlgrad.fit.rate_equations.likelihood import Predictions, predict
from sbmlgrad.fit.rate_equations.slopes import SlopedPredictions, SlopedProblem
from sbmlgrad.fit.search_space import SearchSpace, as_mapping
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Step of the differences, in coordinates.
STEP = 1e-5

#: Step of the differences of densities, which are formulas, relative to prediction or scale.
DENSITY_STEP = 1e-6

_GAUSSIAN = frozenset({"normal", "log-normal"})


class RateLikelihood:
    """The objective of one start; remembers the best values of each step.

    Args:
        problem: what is calibrated.
        space: its free parameters.
        engine: solver.
        sloped: the problem ready for slopes, or None for differences.

    Attributes:
        is_gaussian: whether `curvature` is known.
        failure: why the last simulation that failed did so.
        solves: simulations of all experiments so far.
    """

    def __init__(
        self,
        problem: Problem,
        space: SearchSpace,
        engine: DeterministicEngine | None,
        sloped: SlopedProblem | None,
    ) -> None:
        self.problem, self.space, self._engine, self._sloped = problem, space, engine, sloped
        self.low = space.coordinates(space.lower)
        self.high = space.coordinates(space.upper)
        m = problem.measurements
        kinds = [problem.observable[id].noise.distribution for id in m.observables]
        self._kinds = np.array(kinds, dtype=object)[m.observable_index]
        self._is_logarithm = self._kinds == "log-normal"
        self._has_prior = any(p.prior is not None for p in problem.free)
        self.is_gaussian = set(kinds) <= _GAUSSIAN
        self.history: list[float] = []
        self.path: list[FloatArray] = []
        self.failure = ""
        self.solves = 0
        # The optimiser asks for value and slopes at one place one after another.
        self._last: tuple[bytes, Predictions | None, SlopedPredictions | None] = (b"", None, None)

    def total(self, coordinates: FloatArray) -> float:
        """Return the negative log-posterior; infinity where the simulation fails."""
        key = coordinates.tobytes()
        if key != self._last[0]:
            sloped = self._with_slopes(coordinates) if self._sloped else None
            plain = sloped.predictions if sloped else None
            self._last = (key, plain if self._sloped else self._by_engine(coordinates), sloped)
        return self._scored(self._last[1], coordinates)

    def checked_total(self, coordinates: FloatArray) -> float:
        """Return the same by the solver of the problem, whatever makes the slopes."""
        if self._sloped is None:
            return self.total(coordinates)
        return self._scored(self._by_engine(coordinates), coordinates)

    def gradient(self, coordinates: FloatArray) -> FloatArray:
        """Return the derivative of `total`, float64 [free], for any noise."""
        found, predicted, scale = self._slopes(coordinates)
        in_predicted, in_scale = self._density_slopes(found)
        return self._with_prior(-(in_predicted @ predicted + in_scale @ scale), coordinates)

    def curvature(self, coordinates: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of `total` and its expected curvature, for Gaussian noise.

        The curvature is the Fisher information: of a normal measurement 1/s**2 in the prediction
        and 2/s**2 in the scale s; a prior adds its own curvature where that is positive.

        Returns:
            float64 [free] and float64 [free, free].
        """
        found, predicted, scale = self._slopes(coordinates)
        y, s = found.predicted, found.scale
        gap = np.zeros_like(y)
        is_log, measured = self._is_logarithm, self.problem.measurements.value
        gap[is_log] = np.log(measured[is_log]) - np.log(y[is_log])
        gap[~is_log] = (measured - y)[~is_log]
        of_mean = predicted / (np.where(is_log, y, 1.0) * s)[:, None]
        of_scale = scale / s[:, None]
        share = gap / s
        gradient = of_scale.T @ (1.0 - share**2) - of_mean.T @ share
        curvature = of_mean.T @ of_mean + 2.0 * of_scale.T @ of_scale
        curvature += np.diag(self._prior_curvature(coordinates))
        return self._with_prior(gradient, coordinates), curvature

    def note(self, coordinates: FloatArray, value: float) -> None:
        """Remember a step."""
        self.history.append(min(value, self.history[-1] if self.history else math.inf))
        self.path.append(self.space.values(coordinates))

    def _scored(self, predictions: Predictions | None, coordinates: FloatArray) -> float:
        if predictions is None:
            return math.inf
        prior = penalty(self.problem, self.space.values(coordinates))
        return predictions.negative_log_likelihood + prior

    def _slopes(self, coordinates: FloatArray) -> tuple[Predictions, FloatArray, FloatArray]:
        """Return predictions, and slopes of values and scales in coordinates."""
        if not math.isfinite(self.total(coordinates)):
            raise ValueError("slopes are asked for where there is no value")
        _, plain, sloped = self._last
        if sloped is not None:
            inner = self.space.slopes(self.space.values(coordinates))
            return sloped.predictions, sloped.predicted * inner, sloped.scale * inner
        assert plain is not None
        columns = [self._difference(plain, coordinates, i) for i in range(len(coordinates))]
        both = np.stack(columns, axis=-1)
        return plain, both[0], both[1]

    def _difference(self, plain: Predictions, coordinates: FloatArray, place: int) -> FloatArray:
        """Return one-sided differences within the bounds, float64 [2, measurement].

        Raises:
            FitError: the simulation fails on either side, so that the slope is unknown.
        """
        for sign in (1.0, -1.0):
            moved = coordinates.copy()
            moved[place] += sign * STEP
            if not self.low[place] <= moved[place] <= self.high[place]:
                continue
            beside = self._by_engine(moved)
            if beside is not None:
                moves = (beside.predicted - plain.predicted, beside.scale - plain.scale)
                return np.stack(moves) * (sign / STEP)
        raise FitError(
            f"the slope in '{self.problem.free[place].id}' is unknown, as the simulation fails "
            f"beside {self.space.values(coordinates)[place]:g}: {self.failure}"
        )

    def _density_slopes(self, predictions: Predictions) -> tuple[FloatArray, FloatArray]:
        """Return slopes of the log-densities in prediction and scale, float64 [measurement]."""
        measured = self.problem.measurements.value
        result = np.zeros((2, len(measured)))
        for kind in set(self._kinds):
            rows = np.flatnonzero(self._kinds == kind)
            both = np.stack([predictions.predicted[rows], predictions.scale[rows]])
            for place in range(2):
                step = np.zeros_like(both)
                step[place] = DENSITY_STEP * np.abs(both[place])
                high = log_density(kind, measured[rows], *(both + step))
                low = log_density(kind, measured[rows], *(both - step))
                with np.errstate(all="ignore"):
                    result[place, rows] = (high - low) / (2.0 * step[place])
        # Where a density has no slope on one side, it is left out, as by an optimiser that fails.
        result = np.where(np.isfinite(result), result, 0.0)
        return result[0], result[1]

    def _with_prior(self, gradient: FloatArray, coordinates: FloatArray) -> FloatArray:
        return gradient + self._prior_slopes(coordinates) if self._has_prior else gradient

    def _prior_slopes(self, coordinates: FloatArray) -> FloatArray:
        values = self.space.values(coordinates)
        return penalty_slopes(self.problem, values) * self.space.slopes(values)

    def _prior_curvature(self, coordinates: FloatArray) -> FloatArray:
        """Return the second derivatives of the penalty, those that are negative as 0."""
        if not self._has_prior:
            return np.zeros(len(coordinates))
        low = np.maximum(coordinates - STEP, self.low)
        high = np.minimum(coordinates + STEP, self.high)
        rise = self._prior_slopes(high) - self._prior_slopes(low)
        return np.maximum(rise / (high - low), 0.0)

    def _with_slopes(self, coordinates: FloatArray) -> SlopedPredictions | None:
        assert self._sloped is not None
        self.solves += 1
        try:
            return self._sloped.predict(self.space.values(coordinates))
        except SbmlGradError as error:
            self.failure = str(error)
            return None

    def _by_engine(self, coordinates: FloatArray) -> Predictions | None:
        self.solves += 1
        values = as_mapping(self.space, self.space.values(coordinates))
        try:
            return predict(self.problem, values, self._engine)
        except SbmlGradError as error:
            self.failure = str(error)
            return None
