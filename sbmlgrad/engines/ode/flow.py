"""The state between events: a solver stepped one step at a time, watched for changes of conditions.

Conditions are evaluated at several points of each step, on the polynomial that the solver fits to
it, and a change is located down to neighbouring floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from sbmlgrad.engines.ode.clock import differ, first_change
from sbmlgrad.engines.ode.programs import Derivatives, Evaluator, FloatArray, OdePrograms
from sbmlgrad.engines.ode.solver import ATTEMPTS, FIRST_IMPLICIT, Scales, Stepper, Tolerances
from sbmlgrad.errors import SimulationError
from sbmlgrad.model.expression import symbols

#: Points of a step at which conditions are evaluated.
SAMPLES = 8

#: Times that a simulation may start again after a rate that was not finite.
MOST_RESTARTS = 50

#: Growth of a state beyond its scale after which the scales are looked at again.
_GROWTH = 1e3

#: Gives the states [time, state] at several times of a stretch of the solution.
Interpolate = Callable[[FloatArray], FloatArray]

#: Receives (end time, interpolation) of a stretch of the solution; times up to the end are final.
Keep = Callable[[float, Interpolate], None]


class _NotFiniteError(Exception):
    """Raised within the solver's call of the right-hand side."""

    def __init__(self, place: int, time: float) -> None:
        super().__init__(place, time)
        self.place, self.time = place, time


class _Rates:
    """Rates of change with conditions held as they were when a stretch began."""

    def __init__(self, programs: Derivatives, inputs: FloatArray, kernel: ModuleType) -> None:
        self._rates = Evaluator(programs.rates, inputs, kernel)
        self._conditions = Evaluator(programs.modes, inputs, kernel)
        self._modes = np.zeros(0)

    def begin(self, time: float, state: FloatArray) -> None:
        """Hold conditions as they are now."""
        self._modes = self._conditions(time, state)

    def __call__(self, time: float, state: FloatArray) -> FloatArray:
        rates = self._rates(time, state, self._modes)
        if not np.isfinite(rates).all():
            raise _NotFiniteError(int(np.flatnonzero(~np.isfinite(rates))[0]), time)
        return rates


class Flow:
    """Moves the state of one simulation through time while nothing jumps."""

    def __init__(
        self,
        programs: OdePrograms,
        inputs: FloatArray,
        kernel: ModuleType,
        tolerances: Tolerances,
    ) -> None:
        self._network = programs.network
        self._inputs = inputs
        self._moving = np.array(programs.network.moving, dtype=np.intp)
        self._smooth = _Rates(programs.smooth, inputs, kernel)
        self._live = _Rates(programs.live, inputs, kernel)
        self._tracked = Evaluator(programs.tracked, inputs, kernel)
        self._tolerances = tolerances
        is_species = self._moving < len(programs.network.network.species_ids)
        self._kinds = [
            (kind, Scales(int(kind.sum()), tolerances.max_step))
            for kind in (is_species, ~is_species)
        ]
        self._is_careful = False
        self._attempt = 0
        self._restarts = 0

    def advance(self, time: float, state: FloatArray, stop: float, keep: Keep) -> float:
        """Move on to `stop`, or to the first change of a condition; return the time reached.

        Args:
            time: where the state is.
            state: the state, changed in place.
            stop: time beyond which the solver must not look.
            keep: given every stretch that is final, the end of the last one left out.

        Raises:
            SimulationError: the solver fails, or a rate of change is not finite.
        """
        if not self._moving.size:
            frozen = state.copy()
            keep(stop, lambda times: np.tile(frozen, (len(times), 1)))
            return stop
        try:
            if stop - time <= 16.0 * np.spacing(max(abs(time), abs(stop))):
                return self._shortest(time, state, stop, keep)
            try:
                return self._steps(time, state, stop, keep)
            except _NotFiniteError:
                if self._is_careful:
                    raise
                self._is_careful = True
                return self._steps(time, state, stop, keep)
        except _NotFiniteError as error:
            raise SimulationError(self._not_finite(error, state)) from None

    def _shortest(self, time: float, state: FloatArray, stop: float, keep: Keep) -> float:
        """Cross a stretch too short for a solver: the first term of the series is exact there."""
        start = state.copy()
        self._smooth.begin(time, start)
        state[self._moving] += (stop - time) * self._smooth(time, start)
        keep(stop, lambda times: np.tile(start, (len(times), 1)))
        return stop

    def _steps(self, time: float, state: FloatArray, stop: float, keep: Keep) -> float:
        # A solver that sees a smooth function steps over the place where a condition changes, which
        # is then located. A formula need not have a value beyond that place: after one that had
        # none, conditions of the state are evaluated as they are, at the price of many small steps.
        rates = self._live if self._is_careful else self._smooth
        rates.begin(time, state)
        reached = time
        before = self._tracked(time, state)
        frozen = state.copy()
        scales = self._scales(state[self._moving], rates(time, state))
        stepper = self._stepper(rates, scales, time, state, stop)
        while stepper.is_running:
            if stepper.creeps():
                self._attempt = FIRST_IMPLICIT
                break
            try:
                problem = stepper.step()
            except _NotFiniteError:
                if stepper.time == time or self._restarts == MOST_RESTARTS:
                    raise
                self._restarts += self._is_careful
                self._is_careful = True
                break
            if problem:
                if self._attempt == len(ATTEMPTS) - 1:
                    raise SimulationError(self._failed(stepper.time, frozen, problem))
                self._attempt += 1
                # The last step may have been taken all the same; it is not used.
                state[:] = frozen
                return reached
            interpolate = self._interpolation(stepper.polynomial(), frozen)
            change = self._first_change(stepper.last_time, stepper.time, before, interpolate)
            if change is not None:
                keep(change, interpolate)
                state[:] = interpolate(np.array([change]))[0]
                self._is_careful, self._attempt = False, 0
                return change
            keep(stepper.time, interpolate)
            frozen[self._moving] = stepper.state
            reached = stepper.time
            if (np.abs(stepper.state) > _GROWTH * scales).any():
                break
        else:
            self._is_careful, self._attempt = False, 0
        state[:] = frozen
        return reached

    def _interpolation(self, dense: Any, frozen: FloatArray) -> Interpolate:
        """Return the states along the solver's last step, from its polynomial."""

        def interpolate(times: FloatArray) -> FloatArray:
            rows = np.empty((len(times), len(frozen)))
            rows[:] = frozen
            rows[:, self._moving] = dense(times).T
            return rows

        return interpolate

    def _first_change(
        self,
        low: float,
        high: float,
        before: FloatArray,
        interpolate: Interpolate,
    ) -> float | None:
        """Return the first time in a step at which a condition differs, or None."""
        if not len(self._tracked):
            return None
        return first_change(
            lambda times: differ(self._tracked.rows(times, interpolate(times)), before),
            low,
            high,
            SAMPLES,
        )

    def _stepper(
        self, rates: _Rates, scales: FloatArray, time: float, state: FloatArray, stop: float
    ) -> Stepper:
        full = state.copy()

        def right_hand_side(t: float, moving: FloatArray) -> FloatArray:
            full[self._moving] = moving
            return rates(t, full)

        start = state[self._moving]
        return Stepper(right_hand_side, time, start, stop, scales, self._tolerances, self._attempt)

    def _scales(self, start: FloatArray, rates: FloatArray) -> FloatArray:
        """Return the magnitude of each state, of species and of other symbols apart."""
        result = np.empty(len(start))
        for kind, scales in self._kinds:
            result[kind] = scales.update(start[kind], rates[kind])
        return result

    def _failed(self, time: float, state: FloatArray, message: str) -> str:
        return (
            f"the solver gave up at time {time:.6g} ({message}) in state {self._words(state)}; "
            "the solution may end here (a quantity that grows without bound), or the tolerances "
            "rtol and atol cannot be met: check the rates near this state"
        )

    def _not_finite(self, error: _NotFiniteError, state: FloatArray) -> str:
        slot = int(self._moving[error.place])
        network = self._network
        values = dict(zip(network.input_ids, self._inputs, strict=True))
        values |= dict(zip(network.state_ids, state, strict=True))
        used = symbols(network.derivatives[slot])
        missing = sorted(s for s, value in values.items() if s in used and np.isnan(value))
        cause = (
            f"{', '.join(map(repr, missing))} has no value there; give it one"
            if missing
            else "check for a division by zero, an overflow or a root of a negative number"
        )
        return (
            f"the rate of change of '{network.state_ids[slot]}' is not a finite number near time "
            f"{error.time:.6g}, after state {self._words(state)}: {cause}"
        )

    def _words(self, state: FloatArray) -> str:
        pairs = zip(self._network.state_ids, state, strict=True)
        return ", ".join(f"{name}={value:.6g}" for name, value in pairs)
