"""How far fitted values are from the optimum of the likelihood, by guarded steps of scoring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.fit.noise import log_density
from sbmlgrad.fit.parallel import TaskProgress
from sbmlgrad.fit.penalty import penalty
from sbmlgrad.fit.uncertainty.expected_information import Gathered, gather
from sbmlgrad.fit.uncertainty.fitted import Fitted, parts

FloatArray = NDArray[np.float64]

#: Standard errors up to which one step of scoring is trusted to find the optimum, and how often the
#: information is gathered at most, each time where the last step led.
ONE_STEP_REACHES, ROUNDS = 2.0, 8

#: No coordinate moves further in one step, and by how much a step that led down is shortened.
LONGEST_STEP, SHORTER = 0.5, 0.25

#: Share of the way to a bound that is gone where the optimum lies before it.
BEFORE_BOUND = 0.5


@dataclass(frozen=True, eq=False)
class NearestOptimum:
    """The information near the optimum of the likelihood.

    Attributes:
        found: what was gathered at the last place.
        distance: from the fitted values to the optimum in coordinates, float64 [free]; NaN for
            parameters at a bound.
        held: ids of parameters at a bound, those among them that a step led there.
        doubt: why `distance` is rough, in words; empty where the last step led to an optimum.
    """

    found: Gathered
    distance: FloatArray
    held: tuple[str, ...]
    doubt: str


def nearest_optimum(
    fitted: Fitted, trajectories: int, precision: float, progress: TaskProgress | None = None
) -> NearestOptimum:
    """Return the information near the optimum, and how far that is from the fitted values.

    One step of scoring does where it is short. Else information is gathered again where it leads,
    but no step is longer than `LONGEST_STEP`, and one that lowers the likelihood is taken back and
    tried shorter. A parameter that would leave its bounds is held there if the likelihood rises
    towards the bound. Where trajectories fail, as they may at values that nobody asked for, the
    last place counts.

    Args:
        fitted: the fit, with objects.
        trajectories: of a batch, for each experiment and side of a difference.
        precision: relative Monte-Carlo error of the standard errors to aim at.
        progress: called with (batches done, batches wanted so far), for each place anew.

    Raises:
        FitError: nothing can be gathered at the fitted values themselves.
    """
    space, here = fitted.space, fitted
    found = gather(here, trajectories, precision, progress)
    height, longest, doubt = _height(here, found), LONGEST_STEP, ""
    share = np.ones(len(space.ids))
    for _ in range(ROUNDS - 1):
        if not is_off(found, found.shift, ONE_STEP_REACHES).any():
            break
        move = np.where(found.free, _at_free(found, found.shift), 0.0)
        move *= min(1.0, longest / np.abs(move).max())
        move = share * (space.within(here.coordinates + move) - here.coordinates)
        there = replace(here, values=space.values(here.coordinates + move))
        ends = np.isin(space.ids, space.at_bounds(there.values)) & found.free
        if len(space.at_bounds(there.values)) == len(space.ids):
            # There is no information at all.
            share = np.where(ends, BEFORE_BOUND * share, share)
            continue
        try:
            reached = gather(there, trajectories, precision, progress)
        except SbmlGradError as error:
            values = ", ".join(f"{i} {v:.3g}" for i, v in zip(space.ids, there.values, strict=True))
            doubt = f"the way there was not followed beyond {values}: {error}"
            break
        before = ends & (np.sign(reached.slope) != np.sign(move))
        new = _height(there, reached)
        if before.any():
            share = np.where(before, BEFORE_BOUND * share, share)
        elif new >= height:
            here, found, height = there, reached, new
            longest, share = min(LONGEST_STEP, longest / SHORTER), np.ones(len(space.ids))
        else:
            longest = SHORTER * float(np.abs(move).max())
    is_settled = not is_off(found, found.shift, ONE_STEP_REACHES).any()
    if not is_settled and not doubt:
        doubt = f"none was found in {ROUNDS} looks from the fitted values on"
    return NearestOptimum(
        found=found,
        distance=here.coordinates - fitted.coordinates + _at_free(found, found.shift),
        held=space.at_bounds(here.values),
        doubt="" if is_settled else doubt,
    )


def is_off(found: Gathered, distance: FloatArray, errors: float) -> NDArray[np.bool_]:
    """Tell which distances are longer than so many standard errors, and than their noise.

    Args:
        found: the information.
        distance: of its parameters, float64 [part].
        errors: how many.
    """
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.diag(found.covariance))
    return (np.abs(distance) > errors * error) & (np.abs(distance) > 2.0 * found.shift_error)


def _at_free(found: Gathered, part: FloatArray) -> FloatArray:
    """Return values of all free parameters, float64 [free]; NaN for those at a bound."""
    full = np.full(len(found.free), np.nan)
    full[found.free] = part
    return full


def _height(at: Fitted, found: Gathered) -> float:
    """Return the log-likelihood of the measurements, and the log-density of priors."""
    problem, value = at.problem, at.problem.measurements.value
    predicted, scale = found.at.predicted, found.at.scale
    terms = [
        log_density(o.noise.distribution, value[rows], predicted[rows], scale[rows]).sum()
        for _, o, rows in parts(problem)
    ]
    return float(sum(terms)) - penalty(problem, at.values)
