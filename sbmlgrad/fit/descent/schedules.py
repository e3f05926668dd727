"""Schedules of learning rate and temperature over the epochs of a fit."""

from __future__ import annotations

import math
from collections.abc import Callable

from sbmlgrad.errors import FitError
from sbmlgrad.model.numbers import as_number

Schedule = Callable[[int, int], float]


def constant(value: float) -> Schedule:
    """Return a schedule that keeps one value."""
    return lambda epoch, epochs: value


def geometric(first: float, last: float) -> Schedule:
    """Return a schedule that falls by one factor an epoch, as the temperature of the paper does."""
    if not (first > 0.0 and last > 0.0):
        raise FitError(f"geometric schedule from {first} to {last}: both must be positive")

    def schedule(epoch: int, epochs: int) -> float:
        return first * (last / first) ** (epoch / max(epochs - 1, 1))

    return schedule


def cosine(first: float, last: float) -> Schedule:
    """Return a schedule that falls slowly, then fast, then slowly (Loshchilov & Hutter 2017)."""

    def schedule(epoch: int, epochs: int) -> float:
        share = epoch / max(epochs - 1, 1)
        return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * share))

    return schedule


def as_schedule(value: float | tuple[float, float] | Schedule, what: str) -> Schedule:
    """Return a schedule for a number, a (first, last) pair (geometric) or a function."""
    if callable(value):
        return value
    if isinstance(value, tuple):
        if len(value) != 2:
            raise FitError(f"{what}={value!r}: give a number, (first, last) or a function")
        return geometric(*value)
    value = as_number(what, value)
    if not value > 0.0 and what != "temperature":
        raise FitError(f"{what}={value!r}: must be positive")
    return constant(float(value))
