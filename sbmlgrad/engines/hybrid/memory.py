"""What the kernel with a clock works on: what is asked of it, and its own room to work in."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.hybrid_tables import HybridTables
from sbmlgrad.codegen.tables import Tables
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.codes import MOST_PENDING, RANDOMISED, ROUNDED, STRICT, VALUES, WINDOWS

FloatArray = NDArray[np.float64]

#: Model option `initial` → what becomes of assigned counts that are not whole.
_ROUNDING = {"strict": STRICT, "round": ROUNDED, "randomised": RANDOMISED}

#: Coefficients of a polynomial of dense output, besides the start, and stages of a step.
COEFFICIENTS = 4
STAGES = 7

#: Places in `Memory.pace`: the step of rate rules and the window of bounds to try next.
STEP = 0
WINDOW = 1

#: Longest of either: they double while nothing happens, and infinity would halve to itself.
LONGEST_PACE = 1e300

#: Places in `Agenda.stream`: key, trajectory, purpose, next draw.
SEED = 0
TRAJECTORY = 1
PURPOSE = 2
NEXT_DRAW = 3


class Job(NamedTuple):
    """What is asked for.

    Attributes:
        kind: of the readout.
        points: of the readout, float64 [point].
        start: float64 [1 or trajectory, state].
        seed: key of the random streams.
        first: number of the first trajectory.
        limit: firings of one trajectory before it counts as a runaway.
        rounding: what becomes of assigned counts that are not whole (`engines.codes`).
        search_end: time beyond which nothing is looked for: values and averages do not depend on
            what happens after the last point.
        cancel: uint8 [1], not 0 where the user interrupts.
    """

    kind: int
    points: FloatArray
    start: FloatArray
    seed: int
    first: int
    limit: int
    rounding: int
    search_end: float
    cancel: NDArray[np.uint8]


class Motion(NamedTuple):
    """Where the state is from now on while nothing happens, and room to look at it.

    Attributes:
        slot: places that rate rules move, int64 [flow].
        path: polynomials of the time since now that they follow, float64 [flow, power].
        state: now, float64 [slot]: the state, places for random draws of events, last the clock.
        inputs: float64 [input].
        trial: room for a state at another time; like the next two equal to `state` in what does not
            move.
        low: room for the lower ends of a box of states.
        high: room for the upper ends.
        stack: of the table machine.
        stack_low: of the same on intervals.
        stack_high: likewise.
    """

    slot: NDArray[np.int64]
    path: FloatArray
    state: FloatArray
    inputs: FloatArray
    trial: FloatArray
    low: FloatArray
    high: FloatArray
    stack: FloatArray
    stack_low: FloatArray
    stack_high: FloatArray


class Queue(NamedTuple):
    """Executions of events that are pending, in the order in which they were triggered.

    Attributes:
        times: when each is due, float64 [pending].
        events: int64 [pending].
        values: new values that were computed at the trigger, float64 [pending, assignment].
        length: how many there are, int64 [1].
    """

    times: FloatArray
    events: NDArray[np.int64]
    values: FloatArray
    length: NDArray[np.int64]


class Agenda(NamedTuple):
    """Where the events of a trajectory stand.

    Attributes:
        truth: value of every trigger so far, int64 [event].
        queue: executions that are pending.
        new: room for the values that an event is about to assign, float64 [assignment].
        stream: random numbers of events, uint64 [4] (`engines.draws`).
        found: the value of an event's part at fault, float64 [1].
    """

    truth: NDArray[np.int64]
    queue: Queue
    new: FloatArray
    stream: NDArray[np.uint64]
    found: FloatArray


class Memory(NamedTuple):
    """Room for one trajectory after another.

    Attributes:
        motion: where the state is, and goes while nothing happens.
        agenda: where the events stand.
        after: the state after what happens next, float64 [slot].
        rates: float64 [reaction].
        stages: room for the steps of rate rules, float64 [stage + 1, slot].
        pace: step and window to try next, float64 [2].
        quiet_until: until when a trigger on the clock alone is known to stay, float64 [event].
    """

    motion: Motion
    agenda: Agenda
    after: FloatArray
    rates: FloatArray
    stages: FloatArray
    pace: FloatArray
    quiet_until: FloatArray


def job_of(request: Request, firing_limit: int, cancel: NDArray[np.uint8]) -> Job:
    """Return what a request asks of the kernel."""
    kind, points = request.readout.kind, request.readout.points
    return Job(
        kind=kind,
        points=points,
        start=np.ascontiguousarray(request.start, dtype=np.float64),
        seed=request.seed,
        first=request.first_trajectory,
        limit=firing_limit,
        rounding=_ROUNDING[request.lowered.network.initial],
        search_end=float(points[-1]) if kind in (VALUES, WINDOWS) else math.inf,
        cancel=cancel,
    )


def memory_of(tables: Tables, hybrid: HybridTables, inputs: FloatArray) -> Memory:
    """Return room for the trajectories of one network, for one thread."""
    slots, events, flows = hybrid.slots, len(hybrid.triggers.program), len(hybrid.flows.slot)
    pending = MOST_PENDING if events else 0

    def floats(*shape: int) -> Any:
        return np.zeros(shape)

    motion = Motion(
        slot=hybrid.flows.slot,
        path=floats(flows, COEFFICIENTS),
        state=floats(slots),
        inputs=np.ascontiguousarray(inputs, dtype=np.float64),
        trial=floats(slots),
        low=floats(slots),
        high=floats(slots),
        stack=floats(tables.stack_size),
        stack_low=floats(tables.stack_size),
        stack_high=floats(tables.stack_size),
    )
    queue = Queue(
        floats(pending),
        np.zeros(pending, dtype=np.int64),
        floats(pending, hybrid.most_assignments),
        np.zeros(1, dtype=np.int64),
    )
    agenda = Agenda(
        truth=np.zeros(events, dtype=np.int64),
        queue=queue,
        new=floats(hybrid.most_assignments),
        stream=np.zeros(4, dtype=np.uint64),
        found=floats(1),
    )
    return Memory(
        motion=motion,
        agenda=agenda,
        after=floats(slots),
        rates=floats(len(tables.change_start) - 1),
        stages=floats(STAGES + 1, slots),
        pace=floats(2),
        quiet_until=floats(events),
    )
