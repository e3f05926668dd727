"""Temperatures that change during training: frozen functions of the step.

A schedule is asked at every step of an optimiser, and what it answers goes into the estimator:

    schedule = Exponential(start=1.0, end=0.1, steps=500)
    for step in range(1000):
        estimator = StraightThrough(schedule(step))

An estimator stays an object without memory, so that results say which temperature gave them. High
temperatures first and low ones later is what Jang, Gu & Poole 2017, "Categorical reparameterization
with Gumbel-softmax" (ICLR), section 2.1, advise.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

from sbmlgrad.errors import RequestError
from sbmlgrad.model.numbers import as_number, whole

#: Steps that a schedule can count.
MOST_STEPS = 2**53


@runtime_checkable
class Schedule(Protocol):
    """A temperature at every step."""

    def __call__(self, step: int) -> float:
        """Return the temperature at a step.

        Args:
            step: whole number >= 0.

        Raises:
            RequestError: the step is no whole number >= 0.
        """
        ...


@dataclass(frozen=True)
class Constant:
    """The same temperature at every step: for comparisons.

    Args:
        temperature: finite, >= 0.
    """

    temperature: float

    def __post_init__(self) -> None:
        _check(self, "temperature", self.temperature, is_zero_allowed=True)

    def __call__(self, step: int) -> float:
        """Return the temperature at a step; see `Schedule`."""
        _step(step)
        return float(self.temperature)


@dataclass(frozen=True)
class Exponential:
    """Falls (or rises) by the same factor at every step, from `start` to `end`; then stays there.

    Choose it for temperatures over orders of magnitude. At step s <= steps it is
    start · (end / start)^(s / steps).

    Args:
        start: temperature at step 0, > 0.
        end: temperature at step `steps` and after, > 0.
        steps: how long it takes, >= 1.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check(self, "start", self.start, is_zero_allowed=False)
        _check(self, "end", self.end, is_zero_allowed=False)
        whole("steps", self.steps, 1, MOST_STEPS)

    def __call__(self, step: int) -> float:
        """Return the temperature at a step; see `Schedule`."""
        done = _step(step)
        if done >= self.steps:
            return float(self.end)
        return float(self.start) * math.exp(math.log(self.end / self.start) * (done / self.steps))


@dataclass(frozen=True)
class Linear:
    """Goes in a straight line from `start` to `end`, and then stays there.

    Choose it where the end may be 0, the limit of `StraightThrough`.

    Args:
        start: temperature at step 0, >= 0.
        end: temperature at step `steps` and after, >= 0.
        steps: how long it takes, >= 1.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check(self, "start", self.start, is_zero_allowed=True)
        _check(self, "end", self.end, is_zero_allowed=True)
        whole("steps", self.steps, 1, MOST_STEPS)

    def __call__(self, step: int) -> float:
        """Return the temperature at a step; see `Schedule`."""
        done = _step(step)
        if done >= self.steps:
            return float(self.end)
        share = done / self.steps
        return (1.0 - share) * float(self.start) + share * float(self.end)


@dataclass(frozen=True)
class Piecewise:
    """Other schedules one after another, each counting its own steps from 0.

    Choose it for a warm-up that is followed by something else:
    `Piecewise((Constant(1.0), Exponential(1.0, 0.1, 500)), (200,))` stays at 1 for 200 steps.

    Args:
        parts: schedules, or temperatures for `Constant`, at least one.
        starts: step at which each part but the first begins, increasing, >= 1.
    """

    parts: tuple[Schedule, ...]
    starts: tuple[int, ...]

    def __init__(self, parts: Any, starts: Any) -> None:
        made = tuple(p if isinstance(p, Schedule) else Constant(p) for p in parts)
        numbers = tuple(whole("starts", s, 1, MOST_STEPS) for s in starts)
        if not made or len(made) != len(numbers) + 1:
            raise RequestError(
                f"Piecewise: {len(made)} parts need {max(len(made) - 1, 0)} starts, one for each "
                f"but the first, got {len(numbers)}; give at least one part"
            )
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            raise RequestError(f"Piecewise: starts must increase, got {numbers}")
        object.__setattr__(self, "parts", made)
        object.__setattr__(self, "starts", numbers)

    def __call__(self, step: int) -> float:
        """Return the temperature at a step; see `Schedule`."""
        done = _step(step)
        place = bisect_right(self.starts, done)
        return self.parts[place](done - (self.starts[place - 1] if place else 0))


def _step(step: int) -> int:
    return whole("step", step, 0, MOST_STEPS)


def _check(schedule: object, what: str, value: float, *, is_zero_allowed: bool) -> None:
    name = type(schedule).__name__
    number = as_number(f"{name}: {what}", value)
    if not math.isfinite(number) or number < 0.0 or (number == 0.0 and not is_zero_allowed):
        least = ">= 0" if is_zero_allowed else "> 0 (Linear can end at 0)"
        raise RequestError(f"{name}: {what} is {value!r}; a temperature is finite and {least}")
