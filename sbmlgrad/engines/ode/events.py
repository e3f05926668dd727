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

from sbmlgrad.engines.codes import DELAY, MOST_AT_ONE_TIME, PRIORITY, TRIGGER, VALUE
from sbmlgrad.engines.failures import event_fault_message
from sbmlgrad.engines.ode.programs import Evaluator, EventPrograms, FloatArray, OdePrograms
from sbmlgrad.errors import SimulationError


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
        self._delay = Evaluator(programs.delay, inputs, kernel)
        self._priority = Evaluator(programs.priority, inputs, kernel)
        self._values = Evaluator(programs.values, inputs, kernel)
        self._sizes = Evaluator(programs.sizes, inputs, kernel)
        self._sized = np.array(programs.sized, dtype=np.intp)
        self._slots = np.array(programs.slots, dtype=np.intp)

    def refuse(self, part: int, found: float, time: float) -> SimulationError:
        return SimulationError(event_fault_message(self.event.id, part, found, time))

    def delay(self, time: float, state: FloatArray) -> float:
        """Return the delay, which may be infinite."""
        if self.event.delay is None:
            return 0.0
        delay = float(self._delay(time, state)[0])
        if not delay >= 0.0:
            raise self.refuse(DELAY, delay, time)
        return delay

    def priority(self, time: float, state: FloatArray) -> float | None:
        """Return the priority, or None for an event without one."""
        if self.event.priority is None:
            return None
        priority = float(self._priority(time, state)[0])
        if np.isnan(priority):
            raise self.refuse(PRIORITY, priority, time)
        return priority

    def values(self, time: float, state: FloatArray) -> FloatArray:
        return self._values(time, state)

    def assign(self, time: float, state: FloatArray, values: FloatArray) -> None:
        # A concentration is one in the volume before the event, even if the event sets that too.
        changed = values.copy()
        changed[self._sized] *= self._sizes(time, state)
        if np.isnan(changed).any():
            raise self.refuse(VALUE, float("nan"), time)
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
            SimulationError: events trigger each other without end, or a trigger, delay, priority or
                new value is unusable.
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
        is_true = values != 0.0
        for i in np.flatnonzero((is_true != self._was_true) | np.isnan(values)):
            event = self._events[i]
            if np.isnan(values[i]):
                raise event.refuse(TRIGGER, float(values[i]), time)
            if is_true[i]:
                self._trigger(int(i), time, state)
            elif not event.event.persistent:
                self._pending = [p for p in self._pending if p.event != i]
        self._was_true = is_true

    def _trigger(self, place: int, time: float, state: FloatArray) -> None:
        event = self._events[place]
        due = time + event.delay(time, state)
        # After an infinite delay an event is never executed.
        if due < np.inf:
            values = event.values(time, state) if event.event.use_trigger_values else None
            self._pending.append(_Pending(due, place, values))

    def _first(self, due: list[_Pending], time: float, state: FloatArray) -> _Pending:
        """Return what is executed next, in the order that `hybrid.queue.choose_due` describes."""
        priorities = [self._events[p.event].priority(time, state) for p in due]
        known = [priority for priority in priorities if priority is not None]
        if not known:
            return due[0]
        highest = max(known)
        best = [p for p, priority in zip(due, priorities, strict=True) if priority == highest]
        return best[int(self._ties.integers(len(best)))] if len(best) > 1 else best[0]
