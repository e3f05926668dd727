"""Execution of events in deterministic simulation (SBML L3V2 section 4.11).

An event is triggered where its trigger turns from false to true, and executed after its delay. Of
those due at one time the one with the largest priority comes first, and triggers are looked at
again after each execution. A trigger that turns false takes pending executions of an event that is
not persistent with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from sbmlgrad.engines.ode_programs import Evaluator, EventPrograms, FloatArray, OdePrograms
from sbmlgrad.errors import SimulationError

#: Executions at one time from which events are held to trigger each other for ever.
MOST_AT_ONE_TIME = 100_000


# Compared by identity: two executions of one event may be due at one time.
@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """An event that was triggered and is due at `time`, with its values where it kept them."""

    time: float
    event: int
    values: FloatArray | None


class _Event:
    """One event with the programs that evaluate it."""

    def __init__(self, programs: EventPrograms, inputs: FloatArray, kernel: ModuleType) -> None:
        self.event = programs.event
        self._formulas = Evaluator(programs.when_triggered, inputs, kernel)
        self._sizes = Evaluator(programs.sizes, inputs, kernel)
        self._sized = np.array(programs.sized, dtype=np.intp)
        self._slots = np.array([a.slot for a in programs.event.assignments], dtype=np.intp)

    def delay(self, time: float, state: FloatArray) -> float:
        delay = 0.0 if self.event.delay is None else float(self._formulas(time, state)[0])
        if not 0.0 <= delay < np.inf:
            raise SimulationError(
                f"event '{self.event.id}': triggered at time {time:.6g} with the delay {delay:g}, "
                "and a delay must be a finite number >= 0; correct its formula"
            )
        return delay

    def priority(self, time: float, state: FloatArray) -> float:
        """Return the priority; an event without one comes after those that have one."""
        if self.event.priority is None:
            return -np.inf
        priority = float(self._formulas(time, state)[1])
        if np.isnan(priority):
            raise SimulationError(
                f"event '{self.event.id}': its priority at time {time:.6g} is not a number, so the "
                "order of events cannot be told; correct its formula"
            )
        return priority

    def values(self, time: float, state: FloatArray) -> FloatArray:
        return self._formulas(time, state)[2:]

    def assign(self, time: float, state: FloatArray, values: FloatArray) -> None:
        # A concentration is one in the volume before the event, even if the event sets that too.
        sizes = self._sizes(time, state)
        changed = values.copy()
        changed[self._sized] *= sizes
        state[self._slots] = changed


class EventQueue:
    """The events of one simulation: values of triggers so far, and executions that are pending."""

    def __init__(
        self, programs: OdePrograms, inputs: FloatArray, kernel: ModuleType, tie_seed: int
    ) -> None:
        self._triggers = Evaluator(programs.triggers, inputs, kernel)
        self._events = [_Event(event, inputs, kernel) for event in programs.events]
        self._was_true = np.array([e.event.initial_value for e in self._events], dtype=bool)
        self._pending: list[_Pending] = []
        self._ties = np.random.default_rng(tie_seed)

    @property
    def next_time(self) -> float:
        """When the next pending event is due; infinity without one."""
        return min((p.time for p in self._pending), default=np.inf)

    def settle(self, time: float, state: FloatArray) -> None:
        """Trigger and execute all events of this time, changing the state in place.

        Raises:
            SimulationError: events trigger each other for ever, or a delay or priority is unusable.
        """
        executed = 0
        while True:
            self._look_at_triggers(time, state)
            due = [p for p in self._pending if p.time <= time]
            if not due:
                return
            chosen = self._first(due, time, state)
            self._pending.remove(chosen)
            event = self._events[chosen.event]
            values = event.values(time, state) if chosen.values is None else chosen.values
            event.assign(time, state, values)
            executed += 1
            if executed > MOST_AT_ONE_TIME:
                raise SimulationError(
                    f"event '{event.event.id}': more than {MOST_AT_ONE_TIME:,} executions of "
                    f"events at time {time:.6g}, so events trigger each other without end; "
                    "correct their triggers"
                )

    def _look_at_triggers(self, time: float, state: FloatArray) -> None:
        if not self._events:
            return
        values = self._triggers(time, state)
        is_true = (values != 0.0) & ~np.isnan(values)
        for i in np.flatnonzero(is_true != self._was_true):
            event = self._events[i]
            if is_true[i]:
                due = time + event.delay(time, state)
                keeps = event.event.use_trigger_values
                values = event.values(time, state) if keeps else None
                self._pending.append(_Pending(due, int(i), values))
            elif not event.event.persistent:
                self._pending = [p for p in self._pending if p.event != i]
        self._was_true = is_true

    def _first(self, due: list[_Pending], time: float, state: FloatArray) -> _Pending:
        if len(due) == 1:
            return due[0]
        priorities = [self._events[p.event].priority(time, state) for p in due]
        highest = max(priorities)
        best = [p for p, priority in zip(due, priorities, strict=True) if priority == highest]
        if highest == -np.inf:
            # Events without priority may be executed in any order: as they were triggered.
            return min(best, key=lambda p: p.time)
        return best[int(self._ties.integers(len(best)))]
