"""The index arrays and bytecode of what happens besides firings, for `engines.hybrid`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tables import Changes, Code, Tables, changes_of, code_of, tables
from sbmlgrad.model.distributions import DISTRIBUTIONS
from sbmlgrad.model.expression import TIME, Expression, symbols

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
FlagArray = NDArray[np.uint8]

#: Relative error of the motion of rate rules in one step.
FLOW_TOLERANCE = 1e-10

#: A slot below this counts as zero where the error of its motion is judged.
_SMALLEST_SCALE = 1e-280


class FlowTables(NamedTuple):
    """What rate rules move, and the Runge-Kutta pair that follows them.

    Attributes:
        slot: places in the state, int64 [flow].
        program: of each rate of change, int64 [flow].
        are_steady: whether all rates of change are constant between jumps.
        stages: float64 [stage, earlier stage].
        nodes: float64 [stage].
        error_weights: float64 [stage].
        dense: float64 [stage, power].
        tolerance: relative error of a step.
        smallest_scale: error of a state that counts as zero.
    """

    slot: IntArray
    program: IntArray
    are_steady: bool
    stages: FloatArray
    nodes: FloatArray
    error_weights: FloatArray
    dense: FloatArray
    tolerance: float
    smallest_scale: float


class TriggerTables(NamedTuple):
    """Conditions of events; arrays [event].

    Attributes:
        program: of each condition.
        moves: whether it can change between jumps.
        any_moves: whether any does.
        is_clock: whether it depends on the clock and on nothing else that changes.
        initial_truth: its value before time 0.
        is_persistent: whether what it triggered is executed even if it turns false before.
        delay_program: of the delay, -1 for none.
    """

    program: IntArray
    moves: FlagArray
    any_moves: bool
    is_clock: FlagArray
    initial_truth: FlagArray
    is_persistent: FlagArray
    delay_program: IntArray


class ExecutionTables(NamedTuple):
    """What events do when they are executed.

    `*_start` arrays hold one offset more than rows: assignments and draws of each event, arguments
    of each draw. Programs are -1 for none.
    """

    is_count: FlagArray
    priority_program: IntArray
    uses_trigger_values: FlagArray
    assignment_start: IntArray
    assignment_slot: IntArray
    assignment_program: IntArray
    size_program: IntArray
    draw_start: IntArray
    draw_slot: IntArray
    draw_code: IntArray
    argument_start: IntArray
    argument_program: IntArray


class HybridTables(NamedTuple):
    """What happens besides firings.

    Programs are numbers of programs in `code`. A slot is a place in the kernels' state array: the
    state, then random draws, last the clock.

    Attributes:
        slots: how many slots there are.
        most_assignments: of one event.
        code: all programs; propensities are the first.
        changes: what firings change.
        rate_moves: whether a propensity changes between jumps, [reaction].
        may_turn_negative: whether it may become negative meanwhile, [reaction].
        any_rate_moves: whether any does.
        flows: rate rules.
        triggers: conditions of events.
        executions: the rest of events.
    """

    slots: int
    most_assignments: int
    code: Code
    changes: Changes
    rate_moves: FlagArray
    may_turn_negative: FlagArray
    any_rate_moves: bool
    flows: FlowTables
    triggers: TriggerTables
    executions: ExecutionTables


class _Programs:
    """Collects formulas and gives each the number that its program will have."""

    def __init__(self, first: int) -> None:
        self.formulas: list[Expression] = []
        self._first = first

    def add(self, formula: Expression | None) -> int:
        if formula is None:
            return -1
        self.formulas.append(formula)
        return self._first + len(self.formulas) - 1


def hybrid_tables(lowered: LoweredNetwork) -> tuple[Tables, HybridTables]:
    """Return the tables of a network with a clock."""
    events = lowered.events
    network = lowered.network
    most_draws = max((len(event.draws) for event in events), default=0)
    slot_ids = (*lowered.state_ids, *(f"draw({d})" for d in range(most_draws)), TIME.id)
    place = {symbol: i for i, symbol in enumerate(slot_ids)}
    moving = {TIME.id, *(symbol for symbol, _ in lowered.flows)}
    rate_moves = [bool(symbols(c.propensity) & moving) for c in lowered.channels]
    trigger_moves = [bool(symbols(event.trigger) & moving) for event in events]
    draws = [draw for event in events for draw in event.draws]
    assignments = [assignment for event in events for assignment in event.assignments]
    programs = _Programs(len(lowered.channels))
    stages, nodes, error_weights, dense = _dormand_prince()
    flows = FlowTables(
        slot=_ints(place[symbol] for symbol, _ in lowered.flows),
        program=_ints(programs.add(rate) for _, rate in lowered.flows),
        are_steady=not any(symbols(rate) & moving for _, rate in lowered.flows),
        stages=stages,
        nodes=nodes,
        error_weights=error_weights,
        dense=dense,
        tolerance=FLOW_TOLERANCE,
        smallest_scale=_SMALLEST_SCALE,
    )
    triggers = TriggerTables(
        program=_ints(programs.add(event.trigger) for event in events),
        moves=_flags(trigger_moves),
        any_moves=any(trigger_moves),
        is_clock=_flags(
            moves and not symbols(event.trigger) & (place.keys() - {TIME.id})
            for event, moves in zip(events, trigger_moves, strict=True)
        ),
        initial_truth=_flags(event.initial_value for event in events),
        is_persistent=_flags(event.persistent for event in events),
        delay_program=_ints(programs.add(event.delay) for event in events),
    )
    executions = ExecutionTables(
        is_count=_flags(s in network.counted for s in slot_ids),
        priority_program=_ints(programs.add(event.priority) for event in events),
        uses_trigger_values=_flags(event.use_trigger_values for event in events),
        assignment_start=_starts(len(event.assignments) for event in events),
        assignment_slot=_ints(place[a.symbol] for a in assignments),
        assignment_program=_ints(programs.add(a.value) for a in assignments),
        size_program=_ints(programs.add(a.size) for a in assignments),
        draw_start=_starts(len(event.draws) for event in events),
        draw_slot=_ints(place[draw.symbol] for draw in draws),
        draw_code=_ints(DISTRIBUTIONS[draw.distribution].opcode for draw in draws),
        argument_start=_starts(len(draw.arguments) for draw in draws),
        argument_program=_ints(programs.add(a) for draw in draws for a in draw.arguments),
    )
    base = tables(lowered, derivatives=False, slot_ids=slot_ids, more=programs.formulas)
    hybrid = HybridTables(
        slots=len(slot_ids),
        most_assignments=max((len(event.assignments) for event in events), default=0),
        code=code_of(base),
        changes=changes_of(base),
        rate_moves=_flags(rate_moves),
        may_turn_negative=_flags(
            moves and channel.may_be_negative
            for moves, channel in zip(rate_moves, lowered.channels, strict=True)
        ),
        any_rate_moves=any(rate_moves),
        flows=flows,
        triggers=triggers,
        executions=executions,
    )
    return base, hybrid


def _dormand_prince() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return stages [stage, earlier stage], nodes, error weights and dense output [stage, power].

    Dormand & Prince 1980, table 2; dense output of order 4 (Shampine 1986), as SciPy has them.
    """
    from scipy.integrate import RK45

    stages = np.zeros((7, 6))
    stages[:6, :5] = RK45.A
    stages[6] = RK45.B
    return stages, np.append(RK45.C, 1.0), np.array(RK45.E), np.array(RK45.P)


def _ints(values: Iterable[int]) -> IntArray:
    return np.array(list(values), dtype=np.int64)


def _flags(values: Iterable[bool]) -> FlagArray:
    return np.array(list(values), dtype=np.uint8)


def _starts(lengths: Iterable[int]) -> IntArray:
    counts: Sequence[int] = list(lengths)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
