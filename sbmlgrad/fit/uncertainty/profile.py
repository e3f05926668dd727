"""Intervals from profiles of the likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.parallel import Executor, Serial, TaskProgress
from sbmlgrad.fit.uncertainty.deviance import check_likelihood
from sbmlgrad.fit.uncertainty.expected_information import gather
from sbmlgrad.fit.uncertainty.fisher import PRECISION
from sbmlgrad.fit.uncertainty.fisher import TRAJECTORIES as FISHER_TRAJECTORIES
from sbmlgrad.fit.uncertainty.fitted import Fitted
from sbmlgrad.fit.uncertainty.profile_points import Grids, Point, run_point
from sbmlgrad.fit.uncertainty.residuals import with_known_noise
from sbmlgrad.fit.uncertainty.result import Uncertainty
from sbmlgrad.fit.uncertainty.smoothing import Crossing, crossing
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]

#: Points of a profile at first.
POINTS = 9

#: How often a profile that stays below its threshold is made twice as long.
EXTENSIONS = 2

#: Trajectories of a step of a refit, and of the deviance after it.
TRAJECTORIES, DEVIANCE_TRAJECTORIES = 1000, 10_000


def profile(
    fitted: Fitted,
    level: float = 0.9,
    ids: Sequence[str] | None = None,
    points: int = POINTS,
    trajectories: int = TRAJECTORIES,
    deviance_trajectories: int = DEVIANCE_TRAJECTORIES,
    executor: Executor | None = None,
    progress: TaskProgress | None = None,
) -> Uncertainty:
    """Return intervals from profiles of the likelihood, smoothed over their Monte-Carlo noise.

    When to choose it: parameters that the data determine poorly, in one direction only, or together
    with others, where the curvature at the optimum misleads. It costs a refit of the other
    parameters for each point.

    A parameter is held at each point of a grid around the fitted value, the others are refitted
    from where the information matrix expects them, and the deviance is evaluated with the same
    random numbers at all points. Through the noisy profile a smooth curve is drawn; the interval is
    where it stays below a quantile of chi-square (of Student's t, squared, where the noise was
    estimated), raised by the Monte-Carlo error. A profile that does not reach it before the bounds,
    or within four times the reach, leaves its interval open.

    Source: Raue et al. 2009, "Structural and practical identifiability analysis of partially
    observed dynamical models by exploiting the profile likelihood", Bioinformatics 25, 1923;
    Ionides et al. 2017, J. R. Soc. Interface 14, 20170126.

    Args:
        fitted: the fit.
        level: of the intervals.
        ids: of the parameters to profile; all by default.
        points: of a grid, at least five.
        trajectories: of each experiment and step of a refit.
        deviance_trajectories: of each experiment, for the deviance of a point.
        executor: where points are computed; `Serial()` by default.
        progress: called with (points done, points), for each round of points anew.

    Raises:
        FitError: another objective than `MeanTrajectory`, or most of a profile fails.
        RequestError: numbers that make no sense.
    """
    check_likelihood(fitted, "profile")
    whole("points", points, 5, 10**4)
    whole("trajectories", trajectories, 2, 10**9)
    whole("deviance_trajectories", deviance_trajectories, 2, 10**9)
    chosen = Serial() if executor is None else executor
    names = fitted.space.ids if ids is None else tuple(ids)
    if unknown := [id for id in names if id not in fitted.space.ids]:
        raise FitError(
            f"profile of {', '.join(unknown)}: not among the fitted parameters "
            f"({', '.join(fitted.space.ids)})"
        )
    found = gather(fitted, FISHER_TRAJECTORIES, PRECISION)
    known = replace(fitted, problem=with_known_noise(fitted.problem, found.variance_factors))
    covariance = np.full((len(fitted.space.ids),) * 2, 0.0)
    covariance[np.ix_(found.free, found.free)] = found.covariance
    make = Grids(known, covariance, trajectories, deviance_trajectories)
    grids = {id: make.grid(id, points) for id in names}
    done: dict[str, list[Point]] = {id: [] for id in names}
    threshold = _threshold(level, found.freedom)
    curves: dict[str, Crossing] = {}
    for _ in range(1 + EXTENSIONS):
        tasks = [make.task(id, place) for id, grid in grids.items() for place in grid]
        if chosen.is_parallel:
            tasks = [replace(task, fitted=task.fitted.on_one_thread()) for task in tasks]
        for task, point in zip(tasks, chosen.map(run_point, tasks, progress), strict=True):
            done[task.id].append(point)
        curves = {id: _crossing(id, done[id], threshold) for id in names}
        grids = {id: make.further(id, done[id], curve) for id, curve in curves.items()}
        if not any(len(grid) for grid in grids.values()):
            break
    covariance[:, ~found.free] = covariance[~found.free] = np.nan
    return _uncertainty(fitted, level, covariance, done, curves, make, chosen.name)


def _threshold(level: float, freedom: float) -> float:
    from scipy import stats

    if np.isinf(freedom):
        return float(stats.chi2.ppf(level, 1))
    return float(stats.t.ppf(0.5 * (1.0 + level), freedom) ** 2)


def _crossing(id: str, points: list[Point], threshold: float) -> Crossing:
    good = sorted((p for p in points if not p.failure), key=lambda p: p.place)
    if len(good) < 5:
        failed = next(p for p in points if p.failure)
        raise FitError(
            f"the profile of {id!r} has only {len(good)} points: {len(points) - len(good)} refits "
            f"failed, the first at coordinate {failed.place:.4g}: {failed.failure}"
        )
    x, y, error = (
        np.array([getattr(p, name) for p in good]) for name in ("place", "deviance", "error")
    )
    return crossing(x, y, error, threshold)


def _uncertainty(
    fitted: Fitted,
    level: float,
    covariance: FloatArray,
    points: dict[str, list[Point]],
    curves: dict[str, Crossing],
    make: Grids,
    executor: str,
) -> Uncertainty:
    space = fitted.space
    low, high = np.full(len(space.ids), np.nan), np.full(len(space.ids), np.nan)
    errors = np.full(len(space.ids), np.nan)
    flags: dict[str, tuple[str, ...]] = {}
    for id, curve in curves.items():
        place = space.ids.index(id)
        low[place], high[place] = curve.lower, curve.upper
        errors[place] = (curve.upper - curve.lower) / (2.0 * math.sqrt(curve.threshold))
        if words := _words(fitted, id, curve, points[id], make.bounds(id)):
            flags[id] = words
    ends = space.values(np.stack([low, high]))
    return Uncertainty(
        method="profile",
        level=level,
        kind="confidence",
        ids=space.ids,
        values=fitted.values,
        standard_errors=errors * space.slopes(fitted.values),
        lower=ends[0],
        upper=ends[1],
        covariance=covariance,
        is_logarithmic=space.is_logarithmic,
        parameter_flags=flags,
        settings={
            "points": ", ".join(f"{id}: {len(own)}" for id, own in points.items()),
            "trajectories of a step": str(make.trajectories),
            "trajectories of a deviance": str(make.deviance_trajectories),
            "thresholds with Monte-Carlo error": ", ".join(
                f"{id}: {curve.threshold:.3g}" for id, curve in curves.items()
            ),
            "standard errors": "half the interval over the root of the threshold",
            "covariance": "from the Fisher information",
            "executor": executor,
            "seed": str(fitted.seed),
        },
        units={p.id: p.unit for p in fitted.problem.free},
        details={
            id: _details(curve, points[id], float(space.unit[space.ids.index(id)]))
            for id, curve in curves.items()
        },
    )


def _details(curve: Crossing, points: Sequence[Point], unit: float) -> dict[str, object]:
    """Return a profile as arrays: coordinates, deviance above its minimum, errors."""
    good = sorted((p for p in points if not p.failure), key=lambda p: p.place)
    values = np.array([p.deviance for p in good])
    at = np.interp([p.place for p in good], curve.places, curve.values)
    return {
        "coordinates": np.array([p.place for p in good]),
        # Level with the smooth curve, whose minimum is zero.
        "deviance": values - np.mean(values - at),
        "deviance_error": np.array([p.error for p in good]),
        "smooth_coordinates": curve.places,
        "smooth_deviance": curve.values,
        "threshold": curve.threshold,
        "unit": unit,
    }


def _words(
    fitted: Fitted,
    id: str,
    curve: Crossing,
    points: Sequence[Point],
    bounds: tuple[float, float],
) -> tuple[str, ...]:
    words = []
    place = fitted.space.ids.index(id)

    def value(coordinate: float) -> str:
        z = fitted.coordinates.copy()
        z[place] = coordinate
        return f"{fitted.space.values(z)[place]:.4g}"

    ends = (
        ("lower", curve.lower, curve.places[0], bounds[0]),
        ("upper", curve.upper, curve.places[-1], bounds[1]),
    )
    for side, end, last, bound in ends:
        if math.isinf(end):
            where = (
                "its bound"
                if math.isclose(last, bound, abs_tol=1e-9)
                else "where it was followed to"
            )
            words.append(
                f"the data set no {side} limit: the profile stays below its threshold as far as "
                f"{where}, {value(last)}"
            )
    width = curve.upper - curve.lower
    distance = abs(curve.minimum - float(fitted.coordinates[place]))
    if math.isfinite(width) and distance > 0.15 * width:
        words.append(f"the profile has its minimum at {value(curve.minimum)}: fit longer")
    if curve.noise_factor > 1.0:
        words.append(
            f"points scatter {curve.noise_factor:g} times as much as their Monte-Carlo errors say: "
            "refits are not complete; give them more trajectories"
        )
    failed = [p for p in points if p.failure]
    if failed:
        words.append(f"{len(failed)} points failed; the first: {failed[0].failure}")
    return tuple(words)
