"""The deterministic engine: reaction rate equations with events and rate rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import DeterministicNetwork
from sbmlgrad.engines.base import Progress
from sbmlgrad.engines.ode.clock import next_change
from sbmlgrad.engines.ode.events import EventQueue
from sbmlgrad.engines.ode.flow import Flow, Interpolate
from sbmlgrad.engines.ode.programs import (
    Evaluator,
    FloatArray,
    OdePrograms,
    ode_kernel,
    ode_programs,
)
from sbmlgrad.engines.ode.solver import Tolerances
from sbmlgrad.errors import RequestError, SimulationError
from sbmlgrad.model.numbers import as_number, whole

#: Stops in a row that may not advance the clock by less than this share of the whole simulation.
_MOST_STOPS, _LEAST_PROGRESS = 1_000, 1e-5

#: Steps that a simulation takes at least, so that no pulse longer than that is stepped over.
_LEAST_STEPS = 100


@dataclass(frozen=True)
class ODE:
    """Deterministic simulation: amounts follow the reaction rate equations.

    The limit of the stochastic process for many molecules. Choose it to check a model without
    noise, for models that have no stochastic meaning, and as the start of the linear noise
    approximation. Events, rate rules, changing volumes and variable stoichiometries included;
    trigger times are located to the last bit of the clock.

    Args:
        rtol: largest relative error of a step.
        atol: largest absolute error of a step, relative to the scale of each state: its largest
            value so far, but at least 1e-6 of what is typical of species (or of other symbols).
        tie_seed: events of equal priority at one time are executed in random order, as SBML asks;
            the same number gives the same order.
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    tie_seed: int = 0
    is_deterministic: ClassVar[Literal[True]] = True

    def __post_init__(self) -> None:
        for name in ("rtol", "atol"):
            value = as_number(name, getattr(self, name))
            if not 0.0 < value < 1.0:
                raise RequestError(f"ODE({name}={value!r}): give a number between 0 and 1")
        whole("tie_seed", self.tie_seed, 0, 2**63 - 1)

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return f"ODE(rtol={self.rtol!r}, atol={self.atol!r})"

    def integrate(
        self,
        system: DeterministicNetwork,
        inputs: NDArray[np.float64],
        start: NDArray[np.float64],
        times: NDArray[np.float64],
        *,
        progress: Progress | None = None,
    ) -> NDArray[np.float64]:
        """Return the state at given times, just after everything that happens then.

        Args:
            system: what to simulate (`codegen.deterministic.lower_deterministic`).
            inputs: float64 [input], values of `system.input_ids`.
            start: float64 [state], values of `system.state_ids` at time 0 before any event, species
                as amounts.
            times: float64 [time], increasing, from 0 on.
            progress: called with (times done, times in all) from time to time, or None.

        Returns:
            float64 [time, state].

        Raises:
            SimulationError: the solver fails, a rate of change is not finite, or events never end.
        """
        run = _Run(self, ode_programs(system), inputs, start, times, progress)
        return run.result()


class _Run:
    """One simulation under way."""

    def __init__(
        self,
        engine: ODE,
        programs: OdePrograms,
        inputs: FloatArray,
        start: FloatArray,
        times: FloatArray,
        progress: Progress | None,
    ) -> None:
        fixed = np.ascontiguousarray(inputs, dtype=np.float64)
        kernel = ode_kernel()
        self._times = times
        self._kept = np.empty((len(times), len(start)))
        self._done = 0
        self._stops = 0
        self._last_check = 0.0
        self._progress = progress
        self._state = np.array(start, dtype=np.float64)
        self._end = float(times[-1])
        longest = self._end / _LEAST_STEPS if self._end > 0.0 else np.inf
        self._flow = Flow(programs, fixed, kernel, Tolerances(engine.rtol, engine.atol, longest))
        self._queue = EventQueue(programs, fixed, kernel, engine.tie_seed)
        self._timed = Evaluator(programs.timed, fixed, kernel)

    def result(self) -> FloatArray:
        import warnings

        time = 0.0
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # The solver warns of a failure that it also reports, and that is raised as an error.
            warnings.simplefilter("ignore", UserWarning)
            self._settle(time)
            while time < self._end:
                stop = self._next_stop(time)
                time = self._flow.advance(time, self._state, stop, self._keep)
                self._settle(time)
                self._refuse_standstill(time)
        return self._kept

    def _settle(self, time: float) -> None:
        """Let everything happen that happens at this time, and keep the state after it."""
        self._queue.settle(time, self._state)
        state = self._state
        self._keep(np.nextafter(time, np.inf), lambda times: np.tile(state, (len(times), 1)))

    def _next_stop(self, time: float) -> float:
        """Return the next time at which something is known to happen, at most the end."""
        stop = min(self._end, self._queue.next_time)
        change = next_change(self._timed, self._state, time, stop)
        return stop if change is None else change

    def _refuse_standstill(self, time: float) -> None:
        """Raise where events or jumps follow each other ever faster, so that time stands still."""
        self._stops += 1
        if self._stops % _MOST_STOPS:
            return
        if time - self._last_check < _LEAST_PROGRESS * self._end:
            raise SimulationError(
                f"{_MOST_STOPS:,} events or jumps of the rates between time {self._last_check:.9g} "
                f"and {time:.9g}: the simulation does not advance. A rate that pushes a quantity "
                "back to the threshold at which it changes its sign has no solution in the usual "
                "sense; give the threshold some width, or use an event"
            )
        self._last_check = time

    def _keep(self, end: float, interpolate: Interpolate) -> None:
        """Keep the state at output times before `end`."""
        upto = int(np.searchsorted(self._times, end, side="left"))
        if upto > self._done:
            self._kept[self._done : upto] = interpolate(self._times[self._done : upto])
            self._done = upto
            if self._progress is not None:
                self._progress(upto, len(self._times))
