"""What every engine takes and gives: the request, the sample and the outcome of a trajectory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    TypeGuard,
    runtime_checkable,
)

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines import codes
from sbmlgrad.engines.readouts import Readout, columns, point_count

if TYPE_CHECKING:
    from sbmlgrad.codegen.deterministic import DeterministicNetwork

#: Told (done, total) trajectories from time to time; those under way count in part.
Progress = Callable[[float, int], None]

#: Firings that one trajectory may have before it counts as a runaway.
DEFAULT_FIRING_LIMIT = 10**9


class Outcome(IntEnum):
    """How a trajectory ended; the first two are normal."""

    COMPLETED = codes.COMPLETED
    ABSORBED = codes.ABSORBED
    FIRING_LIMIT = codes.FIRING_LIMIT
    NEGATIVE_PROPENSITY = codes.NEGATIVE_PROPENSITY
    NEGATIVE_COUNT = codes.NEGATIVE_COUNT
    NON_FINITE = codes.NON_FINITE
    CANCELLED = codes.CANCELLED
    NON_INTEGER_COUNT = codes.NON_INTEGER_COUNT
    EVENT_LIMIT = codes.EVENT_LIMIT
    STEP_TOO_SMALL = codes.STEP_TOO_SMALL
    TRIGGER_UNRESOLVED = codes.TRIGGER_UNRESOLVED
    BOUND_EXCEEDED = codes.BOUND_EXCEEDED
    EVENT_UNDEFINED = codes.EVENT_UNDEFINED
    NOTHING_HAPPENS = codes.NOTHING_HAPPENS

    @property
    def is_normal(self) -> bool:
        """Whether the trajectory may enter statistics."""
        return self <= Outcome.ABSORBED


@dataclass(frozen=True)
class Request:
    """What an engine is asked to sample.

    Attributes:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        start: initial state, float64 [1 or trajectory, state]: counts, then other symbols that
            events or rate rules change.
        readout: what to keep of each trajectory.
        trajectories: how many.
        seed: key of the random streams, 0 <= seed < 2^63.
        first_trajectory: number of the first one, so that a batch can be split.
        progress: called with (done, total) from time to time, or None.
    """

    lowered: LoweredNetwork
    inputs: NDArray[np.float64]
    start: NDArray[np.float64]
    readout: Readout
    trajectories: int
    seed: int
    first_trajectory: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class Sample:
    """What an engine gives back.

    Attributes:
        values: float64 [trajectory, point, column]; columns are the state, then `time` after
            firings.
        outcomes: int8 [trajectory], values of `Outcome`.
        firings: int64 [trajectory], firings simulated.
        failed_reaction: int64 [trajectory], the reaction at fault, -1 for none, or a part of an
            event (`codes.part_at_fault`).
        end_times: float64 [trajectory], time of the last firing.
        end_states: float64 [trajectory, state], the state then.
        engine: the engine, and why it was chosen if it was not named.
        found: float64 [trajectory], the value of an event's part at fault; None where no event can
            be.
    """

    values: NDArray[np.float64]
    outcomes: NDArray[np.int8]
    firings: NDArray[np.int64]
    failed_reaction: NDArray[np.int64]
    end_times: NDArray[np.float64]
    end_states: NDArray[np.float64]
    engine: str
    found: NDArray[np.float64] | None = None


@runtime_checkable
class Engine(Protocol):
    """A sampling algorithm: a frozen object with its settings.

    Attributes:
        is_deterministic: False; what it gives is one draw from a law.
    """

    is_deterministic: ClassVar[Literal[False]]

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    def sample(self, request: Request) -> Sample:
        """Sample trajectories from the law of the network; never raises for what they do."""
        ...


@runtime_checkable
class DeterministicEngine(Protocol):
    """An algorithm that follows the rate equations: a frozen object with its settings.

    Attributes:
        is_deterministic: True; there is one solution and no seed.
    """

    is_deterministic: ClassVar[Literal[True]]

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        ...

    def integrate(
        self,
        system: DeterministicNetwork,
        inputs: NDArray[np.float64],
        start: NDArray[np.float64],
        times: NDArray[np.float64],
        *,
        progress: Progress | None = None,
    ) -> NDArray[np.float64]:
        """Return the state at given times, float64 [time, state]; see `ODE.integrate`."""
        ...


def is_deterministic(engine: object) -> TypeGuard[DeterministicEngine]:
    """Tell whether an engine object says that it follows the rate equations.

    Loads no solver: ask before the engine is used.
    """
    if isinstance(engine, type) or not isinstance(engine, DeterministicEngine):
        return False
    return engine.is_deterministic


class Results(NamedTuple):
    """The arrays of a `Sample` as kernels fill them; the same fields in the same order."""

    values: NDArray[np.float64]
    outcomes: NDArray[np.int8]
    firings: NDArray[np.int64]
    failed_reaction: NDArray[np.int64]
    end_times: NDArray[np.float64]
    end_states: NDArray[np.float64]


def result_arrays(request: Request) -> Results:
    """Return the arrays of a `Sample` for kernels to fill."""
    n, states = request.trajectories, len(request.lowered.state_ids)
    return Results(
        values=np.zeros((n, point_count(request.readout), columns(request.readout, states))),
        outcomes=np.zeros(n, dtype=np.int8),
        firings=np.zeros(n, dtype=np.int64),
        failed_reaction=np.full(n, codes.NO_FAULT, dtype=np.int64),
        end_times=np.zeros(n),
        end_states=np.zeros((n, states)),
    )
