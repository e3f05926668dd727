"""Every firing of every trajectory: when, and which reaction.

Trajectories are simulated twice from the same random streams: once to count firings, and once to
write them down into arrays of just that size. The kernel functions are those of sampling with
`Native(kernel="table")`, so the firings are the ones that it makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request, Sample
from sbmlgrad.engines.kernel_choice import LARGEST_LOCKSTEP
from sbmlgrad.engines.memory_estimate import VARIABLE, check_bytes
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.table.kernel import FiringLists
from sbmlgrad.engines.table.sampling import sample_table
from sbmlgrad.errors import RequestError, SbmlGradError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.numbers import whole

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class FiringList:
    """Every firing of some trajectories, in the order in which they happened.

    Firings of trajectory i (the number in this list, from 0) are at
    `trajectory_start[i]:trajectory_start[i + 1]` of `times` and `reactions`.

    Attributes:
        network: what was simulated.
        reaction_ids: what `reactions` count in; the backward half of a reversible reaction has an
            id of its own.
        stoichiometry: net change by a firing, int64 [species, reaction].
        trajectory_start: int64 [trajectory + 1].
        times: when, float64 [firing].
        reactions: which, an index into `reaction_ids`: uint8, uint16 or int32 [firing].
        start: counts at time 0, int64 [1 or trajectory, species].
        outcomes: int8 [trajectory], values of `engines.Outcome`.
        until: trajectories were followed up to this time.
        seed: key of the random streams.
        first_trajectory: number of the first trajectory.
        engine: how they were simulated.
        versions: software name → version.
    """

    network: ReactionNetwork
    reaction_ids: tuple[str, ...]
    stoichiometry: NDArray[np.int64]
    trajectory_start: NDArray[np.int64]
    times: NDArray[np.float64]
    reactions: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int32]
    start: NDArray[np.int64]
    outcomes: NDArray[np.int8]
    until: float
    seed: int
    first_trajectory: int
    engine: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def states(self, trajectory: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the states of one trajectory.

        Args:
            trajectory: its number in this list, from 0.

        Returns:
            Times 0 and those of the firings, float64 [firing + 1], and counts from then on, int64
            [firing + 1, species], with species as `network.species_ids`.
        """
        row = whole("trajectory", trajectory, 0, len(self.outcomes) - 1)
        part = slice(self.trajectory_start[row], self.trajectory_start[row + 1])
        start = self.start[row if len(self.start) > 1 else 0]
        changes = self.stoichiometry.T[self.reactions[part]]
        counts = np.concatenate([start[None, :], start + np.cumsum(changes, axis=0)])
        return np.concatenate([[0.0], self.times[part]]), counts

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a pandas table of one row a firing: trajectory, time, reaction (as a category)."""
        import pandas

        numbers = np.arange(len(self.outcomes)) + self.first_trajectory
        frame = pandas.DataFrame(
            {
                "trajectory": np.repeat(numbers, np.diff(self.trajectory_start)),
                "time": self.times,
                "reaction": pandas.Categorical.from_codes(
                    self.reactions.astype(np.int32), categories=list(self.reaction_ids)
                ),
            }
        )
        frame.attrs = {"model": self.network.id, "seed": self.seed, "engine": self.engine}
        return frame


@dataclass(frozen=True, eq=False)
class Lister:
    """Counts and lists the firings of a request whose readout is the last time alone.

    Args:
        request: the network must have nothing that happens between firings.
        native: settings: threads, the firing limit, and what decides whether code is compiled.
    """

    request: Request
    native: Native

    def __post_init__(self) -> None:
        lowered = self.request.lowered
        if lowered.is_timed:
            raise RequestError(
                f"firings: model '{lowered.network.id}' has {lowered.clock_words}, and "
                "what happens between firings is not part of a list of firings; use simulate"
            )

    def count(self) -> Sample:
        """Return how trajectories end and how many firings they have."""
        native = self.native
        is_large = len(self.request.lowered.channels) > LARGEST_LOCKSTEP
        if is_large or native.kernel == "tree" or native.dtype != "float64":
            # Times are rounded otherwise there than by the tables, which list.
            native = replace(native, kernel="table")
        return native.sample(self.request)

    def list(self, sample: Sample) -> tuple[NDArray[np.int64], NDArray, NDArray]:
        """Return where trajectories start in the list, firing times and reactions.

        Args:
            sample: what `count` returned.

        Raises:
            RequestError: the list does not fit into memory.
        """
        start = np.concatenate([[0], np.cumsum(sample.firings)]).astype(np.int64)
        size = int(start[-1])
        check_bytes(
            size * (8 + self._dtype.itemsize),
            f"a list of {size:,} firings",
            "List fewer trajectories in several calls (`first_trajectory` goes on where the last "
            "one stopped), or a shorter time. The environment variable "
            f"{VARIABLE} sets another limit.",
        )
        times, reactions = np.empty(size), np.empty(size, dtype=self._dtype)
        request = replace(self.request, progress=None)
        again = sample_table(
            request,
            threads=self.native.threads,
            firing_limit=self.native.firing_limit,
            is_single=self.native.is_single,
            lists=FiringLists(start, times, reactions),
        )
        if not np.array_equal(again.firings, sample.firings):
            raise SbmlGradError(
                "firings: a trajectory had another number of firings when it was simulated again; "
                "this is a fault of sbmlgrad itself, please report it"
            )
        return start, times, reactions

    @property
    def _dtype(self) -> np.dtype:
        count = len(self.request.lowered.channels)
        return np.dtype(np.uint8 if count <= 2**8 else np.uint16 if count <= 2**16 else np.int32)
