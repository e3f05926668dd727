"""Points of a profile: where they lie, and what is computed at each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.fit.uncertainty.deviance import deviance
from sbmlgrad.fit.uncertainty.fitted import Fitted, child_seed
from sbmlgrad.fit.uncertainty.refits import holding
from sbmlgrad.fit.uncertainty.scoring import refit
from sbmlgrad.fit.uncertainty.smoothing import Crossing

FloatArray = NDArray[np.float64]

#: How far a profile reaches at first, in standard errors.
REACH = 2.5

#: Reach, in units of the search scale, where no standard error is known, and at the most.
WIDE_REACH = math.log(10.0)


@dataclass(frozen=True, eq=False)
class ProfileTask:
    """One point of a profile.

    Attributes:
        fitted: the fit with known noise.
        id: of the parameter held.
        place: where, as a coordinate.
        start: coordinates of the others to begin at, float64 [free - 1].
        trajectories: of each experiment and step of the refit.
        deviance_trajectories: of the deviance.
        seed: of the refit; all deviances share the streams of `fitted.seed`.
    """

    fitted: Fitted
    id: str
    place: float
    start: FloatArray
    trajectories: int
    deviance_trajectories: int
    seed: int


@dataclass(frozen=True, eq=False)
class Point:
    """A profile at one place; NaN where the refit failed.

    Attributes:
        place: coordinate of the parameter held.
        deviance: minus twice the log-likelihood, the others refitted.
        error: its Monte-Carlo standard error.
        others: their coordinates, float64 [free - 1].
        failure: why it failed, or empty.
    """

    place: float
    deviance: float
    error: float
    others: FloatArray
    failure: str = ""


def run_point(task: ProfileTask) -> Point:
    """Hold one parameter, refit the others, and return the deviance."""
    fitted = task.fitted
    full = fitted.coordinates.copy()
    held = np.array(fitted.space.ids) == task.id
    full[held] = task.place
    others = task.start
    try:
        if others.size:
            value = float(fitted.space.values(full)[held][0])
            rest = holding(fitted, task.id, value, task.seed)
            others = refit(rest.simulator(), others, task.trajectories).coordinates
            full[~held] = others
        found = deviance(fitted.simulator(), full, task.deviance_trajectories)
    except SbmlGradError as error:
        return Point(task.place, math.nan, math.nan, others, str(error))
    return Point(task.place, found.value, found.error, others)


@dataclass(frozen=True, eq=False)
class Grids:
    """Makes places and tasks around a fit.

    Attributes:
        fitted: the fit, with known noise.
        covariance: of the coordinates, as far as it is known, float64 [free, free].
        trajectories: of each experiment and step of a refit.
        deviance_trajectories: of a deviance.
    """

    fitted: Fitted
    covariance: FloatArray
    trajectories: int
    deviance_trajectories: int

    def bounds(self, id: str) -> tuple[float, float]:
        """Return the bounds of a coordinate."""
        space = self.fitted.space
        place = space.ids.index(id)
        return (
            float(space.coordinates(space.lower)[place]),
            float(space.coordinates(space.upper)[place]),
        )

    def reach(self, id: str) -> float:
        """Return how far to look at first on either side."""
        place = self.fitted.space.ids.index(id)
        variance = float(self.covariance[place, place])
        if math.isfinite(variance) and variance > 0.0:
            return min(REACH * math.sqrt(variance), WIDE_REACH)
        return WIDE_REACH

    def grid(self, id: str, points: int) -> FloatArray:
        """Return places around the fitted value, of which those at a bound only once."""
        centre = float(self.fitted.coordinates[self.fitted.space.ids.index(id)])
        reach, (low, high) = self.reach(id), self.bounds(id)
        return np.linspace(max(centre - reach, low), min(centre + reach, high), points)

    def further(self, id: str, points: Sequence[Point], curve: Crossing) -> FloatArray:
        """Return places beyond the ends at which a profile is still below its threshold."""
        places = sorted(point.place for point in points)
        low, high = self.bounds(id)
        reach = places[-1] - places[0]
        more: list[float] = []
        if math.isinf(curve.lower) and places[0] > low:
            more += np.linspace(max(places[0] - 0.5 * reach, low), places[0], 4)[:-1].tolist()
        if math.isinf(curve.upper) and places[-1] < high:
            more += np.linspace(places[-1], min(places[-1] + 0.5 * reach, high), 4)[1:].tolist()
        return np.array(more)

    def task(self, id: str, place: float) -> ProfileTask:
        """Return the task at a place, the others where the information expects them."""
        fitted, index = self.fitted, self.fitted.space.ids.index(id)
        others = np.arange(len(fitted.space.ids)) != index
        z = fitted.coordinates
        variance = float(self.covariance[index, index])
        start = z[others]
        if math.isfinite(variance) and variance > 0.0:
            slope = self.covariance[others, index] / variance
            start = start + np.where(np.isfinite(slope), slope, 0.0) * (place - z[index])
        start = fitted.space.within(np.insert(start, index, place))[others]
        # The same place has the same streams, in whatever order places are looked at.
        seed = child_seed(fitted.seed, 4, index, int(np.float64(place).view(np.uint64)))
        return ProfileTask(
            fitted, id, place, start, self.trajectories, self.deviance_trajectories, seed
        )
