"""A deterministic network as programs of the table machine: derivatives, conditions, events.

Conditions are what a solver must not step over unseen: triggers of events, and what makes the
right-hand side jump. Those that only the clock can change between events are told apart, because
the times of their changes can be found ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.conditions import hold
from sbmlgrad.codegen.deterministic import DeterministicNetwork
from sbmlgrad.codegen.jumps_and_flows import LoweredEvent
from sbmlgrad.codegen.kernel_modules import kernel_module
from sbmlgrad.codegen.programs import Programs, Shared, programs
from sbmlgrad.engines.ode.kernels import ODE_KERNEL
from sbmlgrad.model.expression import TIME, ZERO, Apply, Expression, symbols
from sbmlgrad.model.jumps import as_condition, is_logical, jumps

#: How often a stretch of time can be halved before its ends are neighbours.
_MOST_HALVINGS = 2200

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EventPrograms:
    """Programs of one event, each with one result a formula.

    Attributes:
        event: what they are of.
        delay: none or one.
        priority: none or one.
        values: one an assignment.
        slots: places in the state that the assignments set.
        sizes: what turns assigned concentrations into amounts.
        sized: places of those in the assignments.
    """

    event: LoweredEvent
    delay: Programs
    priority: Programs
    values: Programs
    slots: tuple[int, ...]
    sizes: Programs
    sized: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives over the state, `TIME` and modes: conditions held as they are at some time."""

    rates: Programs
    modes: Programs


@dataclass(frozen=True, eq=False)
class OdePrograms:
    """Everything that the deterministic engine evaluates for one network.

    Attributes:
        network: where it comes from.
        smooth: derivatives of the moving part of the state, all conditions held.
        live: the same with only those conditions held that the clock alone changes.
        triggers: one value per event, which is true unless it is 0.
        tracked: conditions that the moving state can change.
        timed: conditions that change with the clock alone between events.
        events: in document order.
    """

    network: DeterministicNetwork
    smooth: Derivatives
    live: Derivatives
    triggers: Programs
    tracked: Programs
    timed: Programs
    events: tuple[EventPrograms, ...]


# Keyed by identity of the frozen network object.
@lru_cache(maxsize=64)
def ode_programs(network: DeterministicNetwork) -> OdePrograms:
    """Return the programs of a network; nothing is compiled for it."""
    variables = (*network.state_ids, TIME.id)

    def build(expressions: Sequence[Expression], more: Sequence[str] = ()) -> Programs:
        return programs(expressions, (*variables, *more), network.input_ids)

    rates = [network.derivatives[i] for i in network.moving]
    moving = {network.state_ids[i] for i in network.moving}
    triggers = [event.trigger for event in network.events]
    watched = [condition for trigger in triggers for condition in _conditions_of(trigger)]
    tracked, timed = _conditions([*watched, *jumps(rates)], moving)
    return OdePrograms(
        network=network,
        smooth=_held(rates, moving, build, by_clock_alone=False),
        live=_held(rates, moving, build, by_clock_alone=True),
        triggers=build(triggers),
        tracked=build(tracked),
        timed=build(timed),
        events=tuple(_event_programs(event, network.state_ids, build) for event in network.events),
    )


def _held(
    rates: Sequence[Expression],
    moving: set[str],
    build: Callable[..., Programs],
    *,
    by_clock_alone: bool,
) -> Derivatives:
    rest, modes = hold(rates, moving, by_clock_alone=by_clock_alone)
    return Derivatives(build(rest, tuple(modes)), build(list(modes.values())))


def _event_programs(
    event: LoweredEvent,
    state_ids: tuple[str, ...],
    build: Callable[[Sequence[Expression]], Programs],
) -> EventPrograms:
    place = {symbol: i for i, symbol in enumerate(state_ids)}
    return EventPrograms(
        event=event,
        delay=build([] if event.delay is None else [event.delay]),
        priority=build([] if event.priority is None else [event.priority]),
        values=build([a.value for a in event.assignments]),
        slots=tuple(place[a.symbol] for a in event.assignments),
        sizes=build([a.size for a in event.assignments if a.size is not None]),
        sized=tuple(i for i, a in enumerate(event.assignments) if a.size is not None),
    )


def _conditions_of(trigger: Expression) -> list[Expression]:
    """Return conditions at whose changes a trigger may turn true, false, or no number at all.

    A trigger that is a number can do all three; NaN alone is not >= 0 without its sign.
    """
    if is_logical(trigger):
        return [trigger]
    return [as_condition(trigger), Apply("geq", (Apply("abs", (trigger,)), ZERO))]


def _conditions(
    found: Sequence[Expression], moving: set[str]
) -> tuple[list[Expression], list[Expression]]:
    """Return the conditions that the moving state can change, and those of the clock alone."""
    shared = Shared()
    tracked: dict[int, Expression] = {}
    timed: dict[int, Expression] = {}
    for condition in found:
        used = symbols(condition)
        if used & moving:
            tracked[shared.add(condition)] = condition
            # `S < 1 and time > 3`: the clock's share is found ahead all the same.
            parts = hold([condition], moving, by_clock_alone=True)[1]
            timed.update((shared.add(part), part) for part in parts.values())
        elif TIME.id in used:
            timed[shared.add(condition)] = condition
    return list(tracked.values()), list(timed.values())


def ode_kernel() -> ModuleType:
    """Return the compiled functions that evaluate programs, the same for every network."""
    return kernel_module(ODE_KERNEL)


class Evaluator:
    """Evaluates programs for one set of inputs; holds work space, so one thread at a time."""

    def __init__(self, tables: Programs, inputs: FloatArray, kernel: ModuleType) -> None:
        self._tables = tables
        self._inputs = inputs
        self._kernel = kernel
        self._slots = np.empty(tables.first + len(tables.code_start) - 1)
        self._stacks = np.empty((2, tables.stack_size))
        self._first_result = len(self._slots) - tables.results

    def __len__(self) -> int:
        return self._tables.results

    def __call__(
        self, time: float, state: FloatArray, modes: FloatArray | None = None
    ) -> FloatArray:
        """Return the values, float64 [result], in an array of their own."""
        width = len(state)
        self._slots[:width] = state
        self._slots[width] = time
        if modes is not None:
            self._slots[width + 1 : width + 1 + len(modes)] = modes
        self._kernel.fill_slots(self._tables, self._slots, self._inputs, self._stacks[0])
        return self._slots[self._first_result :].copy()

    def rows(self, times: FloatArray, states: FloatArray) -> FloatArray:
        """Return values for several times and states [row, state], float64 [row, result]."""
        slots = np.empty((len(times), len(self._slots)))
        width = states.shape[1]
        slots[:, :width] = states
        slots[:, width] = times
        self._kernel.fill_rows(self._tables, slots, self._inputs, self._stacks[0])
        return slots[:, self._first_result :]

    def change_within(
        self, before: FloatArray, state: FloatArray, start: float, end: float, budget: int
    ) -> tuple[int, float]:
        """Return whether and when a value first differs; see `kernels.change_within`."""
        low = np.empty(len(self._slots))
        low[: len(state)] = state
        outcome, time = self._kernel.change_within(
            self._tables,
            low,
            low.copy(),
            len(state),
            before,
            start,
            end,
            budget,
            np.empty(_MOST_HALVINGS),
            self._inputs,
            self._stacks,
        )
        return int(outcome), float(time)
