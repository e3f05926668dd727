"""The steady state that the rate equations reach, for pre-equilibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import DeterministicNetwork
from sbmlgrad.engines.base import DeterministicEngine
from sbmlgrad.errors import FitError

FloatArray = NDArray[np.float64]

#: Largest change in the last nine tenths, as a share of a state's magnitude. Far above the error of
#: a solver at its default tolerances, far below any noise of measurements.
TOLERANCE = 1e-6

#: How much longer than the longest measurement the first look takes, and how often it is tenfold.
_FIRST, _LOOKS = 10.0, 9

#: States are looked at this often, to know how large they have been and whether they go round.
_EARLY, _LATE = 40, 400

#: A state that turns at least so often in the last nine tenths, and whose swing in the second half
#: of them is at least this share of that in the first, oscillates.
_TURNS, _SWING = 20, 0.9


def steady_state(
    engine: DeterministicEngine,
    system: DeterministicNetwork,
    inputs: FloatArray,
    start: FloatArray,
    longest: float,
    what: str,
) -> FloatArray:
    """Return the state at which nothing changes any more.

    The equations are followed over ten times the longest time of a measurement, a hundred times and
    so on, until no state moves by more than `TOLERANCE` of its largest magnitude in the last nine
    tenths: what is slower than that, measurements cannot see either.

    Args:
        engine: solver.
        system: the equations.
        inputs: float64 [input].
        start: float64 [state].
        longest: longest time of a measurement.
        what: of which experiment, for messages.

    Returns:
        float64 [state].

    Raises:
        FitError: it is not reached: the system oscillates, grows without bound, or is too slow.
        SimulationError: the solver fails.
    """
    drift, end = np.zeros(len(start)), longest
    for look in range(_LOOKS):
        end = longest * _FIRST ** (look + 1)
        early = np.geomspace(end * 1e-6, 0.1 * end, _EARLY)
        times = np.concatenate([[0.0], early, np.linspace(0.1 * end, end, _LATE)[1:]])
        states = engine.integrate(system, inputs, start, times)
        magnitude = np.abs(states).max(axis=0)
        late = states[-_LATE:]
        # What never was anything but rounding of the others does not count.
        least = np.finfo(np.float64).eps * magnitude.max(initial=0.0)
        size = np.maximum(magnitude, max(least, np.finfo(np.float64).tiny))
        drift = np.abs(late[-1] - late[0]) / size
        swing = np.ptp(late, axis=0) / size
        if not drift.size or swing.max() <= TOLERANCE:
            return states[-1]
        # The first look is too short to tell an oscillation from the way to a steady state.
        if look and _oscillates(late[:, int(np.argmax(swing))]):
            drift = swing
            break
    worst = int(np.argmax(drift))
    raise FitError(
        f"{what}: no steady state up to time {end:.6g}: {system.state_ids[worst]!r} still "
        f"changed by {drift[worst]:.3g} of its size in the last nine tenths; a system that "
        "oscillates or grows has none, so start the experiment from given values instead"
    )


def _oscillates(values: FloatArray) -> bool:
    """Tell whether a state goes up and down without becoming calmer."""
    steps = np.diff(values)
    turns = int((steps[1:] * steps[:-1] < 0.0).sum())
    first, second = values[: len(values) // 2], values[len(values) // 2 :]
    return turns >= _TURNS and bool(np.ptp(second) >= _SWING * np.ptp(first))
