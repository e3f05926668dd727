"""Wrong simulators whose single counts are right: what is wrong is what they have together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from planted import Network, Planted

from sbmlgrad.referees import RefereeResult
from sbmlgrad.referees.counted import PREFIX
from sbmlgrad.referees.waiting import waits_until

Array = NDArray[np.float64]


def counters(network: Network) -> list[int]:
    """Places of the species that count firings."""
    ids = network.lowered.species_ids
    return [i for i, name in enumerate(ids) if name.startswith(PREFIX)]


@dataclass(frozen=True)
class OneStreamEach(Planted):
    """Every reaction has a stream of its own, and all are started from one seed.

    Made for two reactions of one rate that nothing else depends on: both fire at the same times.
    """

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        rate = network.propensities(network.start[None], np.zeros(1))[0, 0]
        steps = np.diff(np.concatenate([[0.0], times]))
        fired = np.cumsum(rng.poisson(rate * steps, (n, len(times))), axis=1)
        return network.start + fired[:, :, None] * network.change.sum(axis=0)


@dataclass(frozen=True)
class Mirrored(Planted):
    """A part of the trajectories uses one minus the uniforms of others.

    They are two apart.
    """

    def others(self, n: int) -> tuple[Array, Array]:
        """Places of those that are mirrored, and of their images."""
        first = np.arange(n)[np.arange(n) % 4 < 2]
        first = first[first + 2 < n]
        return first, first + 2

    def uniforms(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        u, v = super().uniforms(rng, n)
        first, second = self.others(n)
        for x in (u, v):
            x[second] = 1.0 - x[first]
        return np.maximum(u, 1e-300), v


@dataclass(frozen=True)
class MirroredTwoApart(Mirrored):
    """Trajectories use one minus the uniforms of those two before them."""


@dataclass(frozen=True)
class MirroredHalves(Mirrored):
    """The second of two workers uses one minus the uniforms of the first."""

    def others(self, n: int) -> tuple[Array, Array]:
        half = n // 2
        return np.arange(half), half + np.arange(half)


@dataclass(frozen=True)
class ForeignCounters(Planted):
    """Firings are counted in another trajectory than that whose state is reported."""

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        result = super().ensemble(network, times, n, rng)
        places = counters(network)
        result[:, :, places] = np.roll(result[:, :, places], 1, axis=0)
        return result


@dataclass(frozen=True)
class OneNegativeCount(Planted):
    """One count of one trajectory is below zero."""

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        result = super().ensemble(network, times, n, rng)
        result[n // 3, 0, 0] = -1.0
        return result


@dataclass(frozen=True)
class LateFirstFiring(Planted):
    """Until something has fired, reactions are a third too slow.

    Made for a network that starts empty and loses nothing.
    """

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        has_fired = (x > 0.0).any(axis=1)
        return a * np.where(has_fired, 1.0, 2.0 / 3.0)[:, None]


@dataclass(frozen=True)
class Timed(Planted):
    """Tells when it fired; made for one reaction at a constant rate."""

    def fired(
        self, network: Network, times: Array, n: int, rng: np.random.Generator
    ) -> list[Array]:
        """Return the times of all firings of each trajectory, beyond the last time too."""
        rate = network.propensities(network.start[None], np.zeros(1))[0, 0]
        most = int(2.0 * rate * times[-1]) + 100
        return list(np.cumsum(rng.exponential(1.0 / rate, (n, most)), axis=1))

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        fired = self.fired(network, times, n, rng)
        reached = np.array([np.searchsorted(one, times, side="right") for one in fired])
        return network.start + reached[:, :, None] * network.change[0]

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: Array,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        found = super().sample(document, species, times, trajectories, seed, timeout_s)
        # The same numbers once more.
        rng = np.random.default_rng(seed)
        fired = self.fired(Network(self.network(document)), times, trajectories, rng)
        return replace(found, waits=np.array([waits_until(one, times[-1]) for one in fired]))


@dataclass(frozen=True)
class EvenFirings(Timed):
    """Firings between two outputs are spread evenly over the time between them."""

    def fired(
        self, network: Network, times: Array, n: int, rng: np.random.Generator
    ) -> list[Array]:
        starts = np.concatenate([[0.0], times[:-1]])
        found = []
        for one in super().fired(network, times, n, rng):
            steps = np.diff(np.searchsorted(one, times, side="right"), prepend=0)
            of_steps = zip(starts, times, steps, strict=True)
            evenly = [a + (b - a) * (np.arange(m) + 0.5) / m for a, b, m in of_steps]
            found.append(np.concatenate([*evenly, one[one > times[-1]]]))
        return found
