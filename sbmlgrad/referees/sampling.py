"""Our side of a comparison, and how many trajectories fit into a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import RefusedError
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.simulation import simulate

FloatArray = NDArray[np.float64]

#: Counts held in memory at a time where only moments are gathered.
BATCH_VALUES = 2**22

#: Counts kept of one side, so that distributions can be compared; 128 MiB.
KEPT_VALUES = 2**24

#: Trajectories of the first run that is timed, and of the fewest that are compared.
PILOT = 20

#: Seconds from which on a timed run is long enough.
TIMED_S = 1.0


def is_kept(trajectories: int, times: int, columns: int) -> bool:
    """Tell whether an ensemble is small enough to be kept whole."""
    return trajectories * times * columns <= KEPT_VALUES


@dataclass(frozen=True, eq=False)
class Ensembles:
    """Samples a network on our side.

    Attributes:
        model: the network.
        species: ids to report.
        times: float64 [time].
        done: told how many trajectories were finished.
        limit: counts from here on the other side cannot hold.
    """

    model: ReactionNetwork
    species: tuple[str, ...]
    times: FloatArray
    done: Callable[[int], None]
    limit: float = math.inf

    def sample(
        self, trajectories: int, seed: int, *, keep: bool
    ) -> tuple[Moments, FloatArray | None]:
        """Return moments, and counts [trajectory, time, species] if they are to be kept.

        Raises:
            RefusedError: a count is beyond the limit.
        """
        batches = self._batches(trajectories, seed)
        if not keep:
            return moments(batches), None
        counts = np.concatenate(list(batches))
        return moments([counts]), counts

    def _batches(self, trajectories: int, seed: int) -> Iterator[FloatArray]:
        values = len(self.times) * len(self.model.species_ids)
        size = max(1, BATCH_VALUES // values)
        for first in range(0, trajectories, size):
            part = min(size, trajectories - first)
            ensemble = simulate(
                self.model,
                times=self.times,
                trajectories=part,
                seed=seed,
                first_trajectory=first,
            )
            columns = [ensemble.values(name, "counts") for name in self.species]
            counts = np.stack(columns, axis=2)
            if counts.max() >= self.limit:
                s = int(np.argmax(counts.max(axis=(0, 1))))
                raise RefusedError(
                    f"our own counts of '{self.species[s]}' reach {counts.max():.10g}, and it "
                    f"cannot hold {self.limit:.10g} or more"
                )
            yield counts
            self.done(part)


def seconds_each(run: Callable[[int, int], object], seed: int, wanted: int) -> float:
    """Return the time of one trajectory of ours; the first call compiles and is not timed.

    It is processor time, so that what else the machine does has no say in how many are sampled.

    Args:
        run: samples so many with a seed.
        seed: of the first call.
        wanted: no more than so many are sampled.
    """
    run(PILOT, seed)
    number = PILOT
    while True:
        start = time.process_time()
        run(number, seed + number)
        seconds = time.process_time() - start
        # What every call costs must not be taken for a cost of trajectories, and large jobs get a
        # faster kernel.
        if seconds > TIMED_S or number * 4 > wanted:
            return seconds / number
        number *= 4


def fitting(wanted: int, seconds: Sequence[float], limit_s: float) -> int:
    """Return how many trajectories fit, at least `PILOT` and at most as many as are wanted.

    Args:
        wanted: at most.
        seconds: of a trajectory, of each side.
        limit_s: for all of them.
    """
    each = sum(seconds)
    if each * wanted <= limit_s:
        return wanted
    return max(PILOT, int(limit_s / each))
