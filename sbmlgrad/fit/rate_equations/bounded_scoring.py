"""Minimisation within bounds by Fisher scoring with a trust region.

For likelihoods whose expected curvature is known from first derivatives: Newton's method with that
curvature, in steps no longer than a radius within which its parabola has proved right (Conn, Gould
& Toint 2000, Trust-Region Methods, chapters 6 and 7), on the parameters that no bound holds
(Bertsekas 1982, SIAM J. Control Optim. 20, 221). What the true curvature has beyond the expected
one is learned from the gradients along the way, and used while it predicts better (Dennis, Gay &
Welsch 1981, ACM Trans. Math. Softw. 7, 348).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Value at coordinates; infinity where there is none.
Value = Callable[[FloatArray], float]

#: Gradient and expected curvature at coordinates.
Slopes = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

#: First radius and the largest; coordinates are logarithms or tenths of a range.
FIRST_RADIUS, LARGEST_RADIUS = 1.0, 8.0

#: The search ends when so many steps in a row gain less than this, as a share of 1 + |value|.
LEAST_GAIN, IDLE = 1e-10, 3

#: It also ends when the radius is beneath this.
LEAST_RADIUS = 1e-13


def minimise(
    value: Value,
    slopes: Slopes,
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    most_steps: int,
) -> tuple[FloatArray, str]:
    """Return where a function has a local minimum within bounds, and why the search ended.

    Args:
        value: the function.
        slopes: its gradient, float64 [free], and curvature, float64 [free, free]; asked for
            where the value is finite only.
        start: within the bounds, where the value is finite, float64 [free].
        low: float64 [free].
        high: float64 [free].
        most_steps: most often that `slopes` is called.
    """
    here, best = start.copy(), value(start)
    radius, idle = FIRST_RADIUS, 0
    gradient, expected = slopes(here)
    beyond, is_used = np.zeros_like(expected), False
    for _ in range(most_steps):
        is_free = ~(((here <= low) & (gradient > 0.0)) | ((here >= high) & (gradient < 0.0)))
        while True:
            curvature = expected + beyond if is_used else expected
            step = _step(gradient, curvature, radius, is_free, low - here, high - here)
            if radius < LEAST_RADIUS or not np.abs(step).max(initial=0.0) > LEAST_RADIUS:
                return here, "no step makes it smaller"
            there = np.clip(here + step, low, high)
            found = value(there)
            gain = best - found if math.isfinite(found) else -math.inf
            without = -float(gradient @ step + 0.5 * step @ expected @ step)
            promised = {False: without, True: without - 0.5 * float(step @ beyond @ step)}
            radius = _next_radius(radius, gain, promised[is_used], float(np.linalg.norm(step)))
            if math.isfinite(gain):
                is_used = abs(promised[True] - gain) < abs(promised[False] - gain)
            if gain > 0.0:
                break
        before = gradient
        here, best = there, found
        idle = idle + 1 if gain < LEAST_GAIN * (1.0 + abs(best)) else 0
        if idle == IDLE:
            return here, "it has become as small as it gets here"
        gradient, expected = slopes(here)
        beyond = _learned(beyond, step, gradient - before, expected)
    return here, f"{most_steps} steps were taken"


def _next_radius(radius: float, gain: float, promised: float, length: float) -> float:
    ratio = gain / promised if promised > 0.0 else math.copysign(1.0, gain)
    if ratio < 0.25:
        return 0.25 * min(radius, length)
    if ratio > 0.75 and length > 0.8 * radius:
        return min(2.0 * radius, LARGEST_RADIUS)
    return radius


def _learned(
    beyond: FloatArray, step: FloatArray, turn: FloatArray, expected: FloatArray
) -> FloatArray:
    """Return curvature beyond the expected one, with which the gradient turns as it did."""
    along = float(turn @ step)
    if not along > 1e-12 * float(np.linalg.norm(turn) * np.linalg.norm(step)):
        return beyond
    wanted = turn - expected @ step
    known = abs(float(step @ beyond @ step))
    # An estimate that has become too large is scaled down first, or it would stay so for long.
    beyond = beyond * min(1.0, abs(float(step @ wanted)) / known) if known > 0.0 else beyond
    missing = wanted - beyond @ step
    cross = np.outer(missing, turn)
    own = float(missing @ step) / along**2
    return beyond + (cross + cross.T) / along - own * np.outer(turn, turn)


def _step(
    gradient: FloatArray,
    curvature: FloatArray,
    radius: float,
    is_free: NDArray[np.bool_],
    down: FloatArray,
    up: FloatArray,
) -> FloatArray:
    """Return a step of the free coordinates between `down` and `up`, no longer than the radius."""
    moves = is_free.copy()
    step = np.zeros(len(gradient))
    for _ in range(len(gradient)):
        places = np.flatnonzero(moves)
        if not places.size:
            break
        # A coordinate that has met its bound shifts what the others see.
        slope = gradient[places] + curvature[places][:, ~moves] @ step[~moves]
        left = math.sqrt(max(radius**2 - float(step[~moves] @ step[~moves]), 0.0))
        step[places] = _within_radius(slope, curvature[np.ix_(places, places)], left)
        beyond = moves & ((step < down) | (step > up))
        if not beyond.any():
            break
        step[beyond] = np.clip(step, down, up)[beyond]
        moves &= ~beyond
    return np.clip(step, down, up)


def _within_radius(gradient: FloatArray, curvature: FloatArray, radius: float) -> FloatArray:
    """Return where a parabola is least within a radius; its curvature may be negative."""
    powers, directions = np.linalg.eigh(curvature)
    along = directions.T @ gradient
    if not radius > 0.0 or not along.any():
        return np.zeros(len(gradient))

    def length(damping: float) -> float:
        return float(np.linalg.norm(along / (powers + damping)))

    # Beneath this, curvature is rounding; a negative one is outweighed.
    least = float(np.abs(powers).max()) * 1e-14 + 1e-300
    base = max(0.0, -float(powers.min())) + least
    if length(base) <= radius:
        return -directions @ (along / (powers + base))
    low, high = least, float(np.linalg.norm(along)) / radius + least
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if length(base + middle) > radius else (low, middle)
        if high <= 1.001 * low:
            break
    return -directions @ (along / (powers + base + high))
