"""Trial of a function of trajectories: does it use the values of one point at a time?

What a function gives at a point may depend on another point through an event that hardly any
trajectory shows, and that carries the gradient all the same. So it is tried on values at which rare
events are common: levels that were seen anywhere, drawn at every point by themselves, whatever
their frequency, and with those at the ends of the range drawn more often.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.gradients.functional import JOINS

FloatArray = NDArray[np.float64]

#: Values [trajectory, point, column] → f [trajectory, ...].
Function = Callable[[FloatArray], FloatArray]

#: Trials: at most, at least, and numbers in all of them where these limits allow.
MOST_TRIALS, FEWEST_TRIALS, TRIED_NUMBERS = 8192, 512, 1 << 20
#: States of the ensemble that levels are taken from, and numbers in them at most.
MOST_STATES, STATE_NUMBERS = 1 << 15, 1 << 19
#: States looked through at a time.
BLOCK = 4096
#: Levels laid between the least and the greatest value.
BETWEEN = 4097
#: Levels laid next to the greatest value, above it.
BEYOND = 8
#: Key of the random numbers: the decision is the same at every call.
TRIAL_KEY = 20_130_917


def agree(first: FloatArray, second: FloatArray, scale: float | None = None) -> bool:
    """Tell whether two results of a function are the same but for rounding; NaN equals NaN.

    Args:
        first: float [...].
        second: float [...], which rounding is measured by.
        scale: size of results that rounding may be a share of, where numbers cancel; the greatest
            in `second` unless given.
    """
    # Vector instructions may round elements differently by where they stand. No absolute number
    # serves for it: amounts in moles are of the order of 1e-23.
    rtol, atol = (1e-4, 1e-6) if first.dtype == np.float32 else (1e-9, 1e-12)
    scale = size_of(second) if scale is None else scale
    with np.errstate(all="ignore"):
        return bool(np.allclose(first, second, rtol=rtol, atol=atol * scale, equal_nan=True))


def size_of(found: FloatArray) -> float:
    """Return the greatest finite absolute value, 0 where there is none."""
    sizes = np.abs(np.asarray(found, dtype=np.float64))
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))


def said_of(error: Exception) -> str:
    """Return what kind of error it is, and the beginning of what it says."""
    said = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__} ({said})"


def why_joined(function: Function, values: FloatArray) -> str:
    """Return why f at a point cannot be taken for a function of the values there; "" if it can.

    Trials are rows of values: with levels drawn for every point, with the same ones at all points,
    in rising order, and trajectories as they are. In each, values at other points are replaced by
    those of another trial, and what f gives at the points kept must not change. Any two points
    differ in some binary digit of their numbers, so that half of the points are replaced at a time,
    and then the other half, for each digit. Which trials there are follows from the values, not
    from a seed; from the number of trajectories only through how far values reach, and, where that
    is more than `BETWEEN` levels or they are no whole numbers, through which were seen.
    It remains to be missed what joins points at one level of thousands only, or where it shows only
    far beyond what was seen.

    A function that raises on levels beyond those seen is tried within their range; one that raises
    there too is not decided, which is a reason as well.

    Args:
        function: f, float64 [trial, point, column] → float [trial, point, ...].
        values: those of the ensemble, float64 [trajectory, point, column].
    """
    if values.shape[1] < 2:
        return ""
    errors: list[Exception] = []

    def tried(trial: FloatArray) -> FloatArray:
        try:
            return function(trial)
        except Exception as error:  # whatever a function of the user's raises
            errors.append(error)
            raise

    for beyond in (True, False):
        errors.clear()
        try:
            return JOINS if _is_joined(tried, values, beyond=beyond) else ""
        except Exception:
            if not errors:
                raise
    return (
        "it could not be tried out whether this statistic joins values at several points, since "
        f"its function raises {said_of(errors[0])} on combinations of values within the "
        "range of the ensemble (where it gives NaN instead, it can be tried)"
    )


def _is_joined(function: Function, values: FloatArray, *, beyond: bool) -> bool:
    rng = np.random.default_rng(TRIAL_KEY)
    own, other = _trials(rng, values, beyond=beyond)
    numbers = np.arange(values.shape[1])
    with np.errstate(all="ignore"):
        # Rounding is measured by what trajectories give: trials may reach much further.
        scale = size_of(function(values[_spread(len(values), len(own))]))
        found = function(own)
        for digit in range((len(numbers) - 1).bit_length()):
            for half in (0, 1):
                kept = (numbers >> digit) & 1 == half
                mixed = np.where(kept[:, None], own, other)
                if not agree(function(mixed)[:, kept], found[:, kept], scale):
                    return True
    return False


def _trials(
    rng: np.random.Generator, values: FloatArray, *, beyond: bool
) -> tuple[FloatArray, FloatArray]:
    """Return two lists of trials, float64 [trial, point, column]; one row is to replace another."""
    points, columns = values.shape[1:]
    rows = int(np.clip(TRIED_NUMBERS // (points * columns), FEWEST_TRIALS, MOST_TRIALS))
    part = rows // 6
    states = _states_of(values)
    levels = [_levels(states[:, column], beyond=beyond) for column in range(columns)]
    rising = np.sort(_free(rng, levels, part, points), axis=1)
    rising[::2] = rising[::2, ::-1]
    trials = np.concatenate(
        [
            _free(rng, levels, part, points),
            np.repeat(_free(rng, levels, part, 1), points, axis=1),
            rising,
            _visited(rng, states, part, points),
            np.repeat(_visited(rng, states, part, 1), points, axis=1),
            values[_spread(len(values), part)],
        ]
    )
    return trials, trials[rng.permutation(len(trials))]


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Return numbers of at most so many of `count`, evenly spread, int64 [chosen]."""
    chosen = min(count, most)
    return np.arange(chosen) * count // chosen


def _states_of(values: FloatArray) -> FloatArray:
    """Return states that were seen at any point, and the extremes, float64 [state, column]."""
    flat = values.reshape(-1, values.shape[2])
    most = min(MOST_STATES, STATE_NUMBERS // flat.shape[1])
    return np.concatenate([flat[_spread(len(flat), most)], _extremes(flat)])


def _extremes(states: FloatArray) -> FloatArray:
    """Return states with the least and the greatest value of each column, [state, column]."""
    found = states[:0]
    # In blocks, which a cache holds: the extremes of whole columns would cost a copy of each.
    for begin in range(0, len(states), BLOCK):
        some = np.concatenate([found, states[begin : begin + BLOCK]])
        found = some[np.concatenate([some.argmin(axis=0), some.argmax(axis=0)])]
    return found


def _levels(column: FloatArray, *, beyond: bool) -> FloatArray:
    """Return values to try in a column, increasing: those seen, between them, and beyond."""
    seen = np.unique(column[np.isfinite(column)])
    if not seen.size:
        return np.unique(column)
    low, high = seen[0], seen[-1]
    between = np.linspace(low, high, BETWEEN)
    step = (high - low) / 16.0
    if np.array_equal(seen, np.round(seen)):
        between, step = np.round(between), 1.0
    found = np.concatenate([seen, between])
    if beyond:
        far = 2.0 * high - low + step
        outside = np.array([low - step, *(high + step * np.arange(1, BEYOND + 1)), far])
        # Where nothing is negative, nothing negative can be reached.
        found = np.concatenate([found, outside[(outside >= 0.0) | (low < 0.0)]])
    return np.unique(found)


def _places(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Draw places in a list, int64 [trial, point]: half evenly, half crowded at its ends.

    All evenly where there is one point, whose place serves for all points: what is joined there is
    seen in few trials, so that none of the list may be left out.
    """
    # One in each of as many strata as there are trials, at every point in an order of its own.
    strata = rng.permuted(np.broadcast_to(np.arange(shape[0])[:, None], shape), axis=0)
    even = ((strata + rng.random(shape)) * (count / max(1, shape[0]))).astype(np.int64)
    even = np.minimum(even, count - 1)
    if shape[1] == 1:
        return even
    near = np.floor(count ** rng.random(shape)).astype(np.int64) - 1
    at_end = np.where(rng.random(shape) < 0.5, near, count - 1 - near)
    return np.where(rng.random(shape) < 0.5, even, at_end)


def _free(rng: np.random.Generator, levels: list[FloatArray], rows: int, points: int) -> FloatArray:
    """Draw every column by itself, float64 [trial, point, column]."""
    drawn = [known[_places(rng, len(known), (rows, points))] for known in levels]
    return np.stack(drawn, axis=-1)


def _visited(rng: np.random.Generator, states: FloatArray, rows: int, points: int) -> FloatArray:
    """Draw states that were seen, float64 [trial, point, column].

    In each trial it is the levels of one column that are drawn, and then states that have them:
    rare levels are common, and what columns have to do with one another is kept.
    """
    trials = np.empty((rows, points, states.shape[1]))
    varying = np.flatnonzero((states != states[:1]).any(axis=0))
    for number, column in enumerate(varying if varying.size else [0]):
        place = np.arange(number, rows, max(1, varying.size))
        order = np.argsort(states[:, column], kind="stable")
        known, first, counts = np.unique(
            states[order, column], return_index=True, return_counts=True
        )
        level = _places(rng, len(known), (len(place), points))
        among = (rng.random(level.shape) * counts[level]).astype(np.int64)
        trials[place] = states[order[first[level] + among]]
    return trials
