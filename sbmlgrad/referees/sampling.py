"""Our side of a comparison, and how many trajectories fit into a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.ensemble import Ensemble
from sbmlgrad.engines.kernel_choice import LOCKSTEP
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings
from sbmlgrad.errors import SimulationError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.referees.base import RefusedError
from sbmlgrad.referees.deadline import TimeUpError, Watch
from sbmlgrad.referees.moments import Moments, moments
from sbmlgrad.simulation import simulate

FloatArray = NDArray[np.float64]

#: Counts held in memory at a time where only moments are gathered.
BATCH_VALUES = 2**22

#: Counts kept of one side, so that distributions can be compared; 128 MiB.
KEPT_VALUES = 2**24

#: Trajectories of the first run of a referee, which is timed, and of the fewest that are compared.
PILOT = 20

#: Firings of one trajectory by which a message tells how fast a network fires.
GLIMPSE = 100_000

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
        limit_s: wall-clock limit of `sample`, in seconds; compiling before it does not count.
        told: told how many trajectories of a sample are done, those under way in part.
        limit: counts from here on the other side cannot hold.
    """

    model: ReactionNetwork
    species: tuple[str, ...]
    times: FloatArray
    limit_s: float = math.inf
    told: Callable[[float], None] = lambda _: None
    limit: float = math.inf

    @property
    def batch(self) -> int:
        """Trajectories that are held in memory at a time."""
        return max(1, BATCH_VALUES // (len(self.times) * len(self.model.species_ids)))

    def sample(
        self, trajectories: int, seed: int, *, keep: bool
    ) -> tuple[Moments, FloatArray | None]:
        """Return moments, and counts [trajectory, time, species] if they are to be kept.

        Raises:
            RefusedError: a count is beyond the limit.
            SimulationError: trajectories failed, or the time is up.
        """
        batches = self._batches(trajectories, seed)
        if not keep:
            return moments(batches), None
        counts = np.concatenate(list(batches))
        return moments([counts]), counts

    def _batches(self, trajectories: int, seed: int) -> Iterator[FloatArray]:
        watch = Watch(self.limit_s)
        for first in range(0, trajectories, self.batch):
            part = min(self.batch, trajectories - first)
            ensemble = self.run(part, seed, watch, first=first, of=trajectories)
            columns = [ensemble.values(name, "counts") for name in self.species]
            counts = np.stack(columns, axis=2)
            if counts.max() >= self.limit:
                s = int(np.argmax(counts.max(axis=(0, 1))))
                raise RefusedError(
                    f"our own counts of '{self.species[s]}' reach {counts.max():.10g}, and it "
                    f"cannot hold {self.limit:.10g} or more"
                )
            yield counts
            self.told(first + part)

    def run(
        self, trajectories: int, seed: int, watch: Watch, *, first: int = 0, of: int | None = None
    ) -> Ensemble:
        """Simulate a batch of trajectories.

        Args:
            trajectories: how many.
            seed: of the streams.
            watch: of the whole sample.
            first: number of the first one.
            of: how many the whole sample has; None is this batch alone.

        Raises:
            SimulationError: trajectories failed, or the time is up.
        """

        def progress(done: float, _total: int) -> None:
            watch.told(first + done)
            self.told(first + done)

        try:
            return simulate(
                self.model,
                times=self.times,
                trajectories=trajectories,
                seed=seed,
                first_trajectory=first,
                progress=progress,
            )
        except TimeUpError:
            raise SimulationError(self._late(of or trajectories, watch, seed)) from None

    def _late(self, trajectories: int, watch: Watch, seed: int) -> str:
        how_many = "one trajectory" if trajectories == 1 else f"{trajectories} trajectories"
        return (
            f"model '{self.model.id}': {how_many} on our own side up to time "
            f"{float(self.times[-1]):g} did not end within {watch.limit_s:g} s; "
            f"{watch.done:.3g} done. {self._glimpse(seed)} Ask for a shorter time "
            "(times, --times on the command line) or fewer trajectories, or allow more time "
            "(timeout_s, --timeout; where the number of trajectories is left to us, within_s, "
            "--within, too)."
        )

    def _glimpse(self, seed: int) -> str:
        """Say how many firings one trajectory has."""
        engine = Native(firing_limit=GLIMPSE, threads=1)
        last, name = float(self.times[-1]), f"trajectory 0 of seed {seed}"
        found = simulate(self.model, times=[last], seed=seed, engine=engine, on_failure="mark")
        if found.outcomes[0] != Outcome.FIRING_LIMIT:
            return f"One ({name}) makes {int(found.firings[0]):,} firings."
        after = AfterFirings([GLIMPSE])
        found = simulate(self.model, readouts=[after], seed=seed, engine=engine, on_failure="mark")
        then = float(found.states[0][0, 0, -1])
        return f"One ({name}) makes {GLIMPSE:,} firings by time {then:.3g} already."


def seconds_each(own: Ensembles, seed: int, wanted: int, limit_s: float) -> float:
    """Return the time of one trajectory of ours, from runs of one and then more trajectories.

    It is processor time, so that what else the machine does has no say in how many are sampled.

    Args:
        own: what is timed.
        seed: of the first run.
        wanted: no more than so many are sampled.
        limit_s: wall-clock limit of the run of one, in seconds.

    Raises:
        SimulationError: trajectories failed, or the time of one run is up.
    """
    number, is_compiled = 1, False
    while True:
        start = time.process_time()
        found = own.run(number, seed + number, Watch(limit_s if number == 1 else own.limit_s))
        seconds = time.process_time() - start
        if LOCKSTEP in found.engine.partition(":")[0] and not is_compiled:
            # That run has compiled code for the model, which the next one need not.
            is_compiled = True
            continue
        # What every call costs must not be taken for a cost of trajectories, and large jobs get a
        # faster kernel.
        if seconds > TIMED_S or number * 4 > min(wanted, own.batch):
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
