"""Where conditions change: by the clock alone, found ahead of the solver, or within a step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.ode.programs import Evaluator, FloatArray

#: Stretches of time looked at before giving up the proof that nothing changes.
_BUDGET = 20_000

#: Points at which the stretch ahead is looked at where nothing can be proven.
_SAMPLES = 4096

#: Parts that a stretch with a change is divided into; evaluating several points at once is cheap.
_PARTS = 32

#: Tells for every one of several times whether conditions differ from those at the start.
Differs = Callable[[FloatArray], NDArray[np.bool_]]


def next_change(conditions: Evaluator, state: FloatArray, start: float, end: float) -> float | None:
    """Return the first time after `start`, up to `end`, at which the clock changes a condition.

    The time is the first floating-point number at which a condition differs, proven by interval
    arithmetic. Where that cannot decide (time minus itself, say), samples are looked at instead.

    Args:
        conditions: whose values depend on nothing that moves but the clock.
        state: float64 [state].
        start: time from which on to look.
        end: last time of interest.
    """
    if not len(conditions) or not end > start:
        return None
    before = conditions(start, state)
    outcome, time = conditions.change_within(before, state, start, end, _BUDGET)
    if outcome >= 0:
        return time if outcome else None

    def differs(times: FloatArray) -> NDArray[np.bool_]:
        return differ(conditions.rows(times, np.tile(state, (len(times), 1))), before)

    return first_change(differs, time, end, _SAMPLES)


def differ(values: FloatArray, before: FloatArray) -> NDArray[np.bool_]:
    """Tell for every row of values whether it differs; NaN equals NaN."""
    unequal = values != before
    if unequal.any():
        unequal &= ~(np.isnan(values) & np.isnan(before))
    return unequal.any(axis=1)


def first_change(differs: Differs, start: float, end: float, samples: int) -> float | None:
    """Return the first time in (start, end] at which something differs, or None.

    It is looked for at equidistant samples and located by repeated division, so that the
    floating-point number before it does not differ.
    """
    times = start + (end - start) * np.arange(1, samples + 1) / samples
    times[-1] = end
    changed = differs(times)
    if not changed.any():
        return None
    place = int(changed.argmax())
    low, high = float(times[place - 1]) if place else start, float(times[place])
    while True:
        inside = low + (high - low) * np.arange(1, _PARTS) / _PARTS
        inside = inside[(inside > low) & (inside < high)]
        if not inside.size:
            return high
        found = np.flatnonzero(differs(inside))
        place = int(found[0]) if found.size else len(inside)
        if place:
            low = float(inside[place - 1])
        if found.size:
            high = float(inside[place])
