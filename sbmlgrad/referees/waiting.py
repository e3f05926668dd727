"""Waiting times: how long a trajectory waits for some of its firings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.readouts import AfterFirings
from sbmlgrad.errors import SimulationError
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.simulation import simulate

FloatArray = NDArray[np.float64]

#: The firings that are waited for, of whatever reaction, counted from 1.
WAITED_FOR = (1, 2, 4, 8, 16, 32, 64, 128)

#: Values held in memory at a time.
BATCH_VALUES = 2**22


def waits_until(times: FloatArray, end: float) -> FloatArray:
    """Return the waits of one trajectory for the firings of `WAITED_FOR`.

    Args:
        times: of its firings, in order, float64 [firing].
        end: the last time that counts.

    Returns:
        Time since the firing before, or since time 0, float64 [waited for]; infinite where the
        firing does not come by the end.
    """
    known = times[times <= end]
    gaps = np.diff(known, prepend=0.0)
    found = np.full(len(WAITED_FOR), np.inf)
    for place, firing in enumerate(WAITED_FOR):
        if firing <= len(gaps):
            found[place] = gaps[firing - 1]
    return found


def sampled_waits(network: ReactionNetwork, end: float, trajectories: int, seed: int) -> FloatArray:
    """Simulate a network and return waits as `waits_until` does, one row a trajectory.

    It is firings that end these trajectories, not the last time, so that they come from other code
    of the engine than counts at times do.

    Args:
        network: in which every reaction changes something, since others fire unseen elsewhere.
        end: the last time that counts.
        trajectories: how many.
        seed: of the streams.

    Returns:
        float64 [trajectory, waited for].

    Raises:
        SimulationError: a trajectory failed before the end.
    """
    needed = sorted({k for firing in WAITED_FOR for k in (firing - 1, firing) if k})
    readout = AfterFirings(needed)
    batch = max(1, BATCH_VALUES // (len(needed) * (len(network.species_ids) + 1)))
    parts = []
    for first in range(0, trajectories, batch):
        found = simulate(
            network,
            readouts=[readout],
            trajectories=min(batch, trajectories - first),
            first_trajectory=first,
            seed=seed,
            engine=Native(),
            on_failure="mark",
        )
        # Where there are fewer firings, the last time is repeated. What a trajectory does after the
        # end is of no interest, failures included.
        last = np.asarray(found.states[0])[:, -1, -1]
        failed = np.flatnonzero((found.outcomes > Outcome.ABSORBED) & (last <= end))
        if failed.size:
            i = int(failed[0])
            raise SimulationError(
                f"model '{network.id}': {len(failed)} of {len(last)} trajectories failed; "
                f"trajectory {first + i} of seed {seed} at time {last[i]:g} by "
                f"{Outcome(found.outcomes[i]).name}"
            )
        fired = np.asarray(found.firings)[:, None] >= np.array(needed)
        times = np.where(fired, np.asarray(found.states[0])[:, :, -1], np.inf)
        at = {0: np.zeros(len(times)), **dict(zip(needed, times.T, strict=True))}
        columns = [
            np.where(at[k] <= end, at[k] - np.minimum(at[k - 1], end), np.inf) for k in WAITED_FOR
        ]
        parts.append(np.stack(columns, axis=1))
    return np.concatenate(parts)
