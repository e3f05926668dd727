"""A right simulator in plain NumPy and wrong ones, each as a referee that `validate` can ask.

The right one is the direct method over all trajectories at once. What happens at known times
(events, steps of a law) is told to it as `breaks`, where it draws anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.expression import TIME
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.operators import evaluate
from sbmlgrad.referees import RefereeResult
from sbmlgrad.referees.counted import with_counters
from sbmlgrad.referees.moments import moments

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Planted:
    """The direct method (Gillespie 1977); subclasses have a fault.

    Attributes:
        breaks: times at which a law steps or an event happens.
        jump: what the event adds: species → molecules.
    """

    breaks: tuple[float, ...] = ()
    jump: dict[str, float] = field(default_factory=dict)
    name: str = "planted"
    install_with: str = "nothing"

    def is_available(self) -> bool:
        return True

    def sample(
        self,
        document: bytes,
        species: Sequence[str],
        times: Array,
        trajectories: int,
        seed: int,
        timeout_s: float,
    ) -> RefereeResult:
        network = Network(self.network(document))
        counts = self.ensemble(network, times, trajectories, np.random.default_rng(seed))
        counts = counts[:, :, [network.lowered.species_ids.index(s) for s in species]]
        of = moments([counts])
        return RefereeResult(
            self.name, type(self).__name__, {"seed": str(seed)}, of.mean, of.variance,
            of.fourth_moment, trajectories, 0.0, counts=counts,
        )  # fmt: skip

    def network(self, document: bytes) -> sg.ReactionNetwork:
        return sg.load(document.decode())

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        x = np.tile(network.start, (n, 1))
        t, due, result = np.zeros(n), np.zeros(n, dtype=int), np.zeros((n, len(times), x.shape[1]))
        stops = np.array([*self.breaks, math.inf])
        passed, before = np.zeros(n, dtype=int), network.propensities(x, t)
        while (on := np.flatnonzero(due < len(times))).size:
            a = self.propensities(network.propensities(x, t), x, before)
            before, total = network.propensities(x, t), a.sum(axis=1)
            u, v = self.uniforms(rng, n)
            with np.errstate(divide="ignore"):
                then = t + self.waiting(u) / total
            stop = stops[passed] if self.heeds_breaks else np.full(n, math.inf)
            is_break = (then >= stop) & np.isfinite(stop)
            then = np.minimum(then, stop)
            fires = on[~is_break[on] & np.isfinite(then[on])]
            new = x.copy()
            parts = np.cumsum(a[fires], axis=1)
            chosen = (v[fires, None] * total[fires, None] >= parts).sum(axis=1)
            new[fires] += network.change[np.minimum(chosen, a.shape[1] - 1)]
            # A simulator that heeds no breaks does what is due at its next firing.
            late = ~is_break & (then >= stops[passed]) & np.isfinite(then)
            for s, number in self.jump.items():
                new[is_break | late, network.lowered.species_ids.index(s)] += number
            passed += is_break | late
            while (now := on[(due[on] < len(times))]).size:
                now = now[times[due[now]] < then[now]]
                if not now.size:
                    break
                result[now, due[now]] = (new if self.reports_late else x)[now]
                due[now] += 1
            x, t = new, then
        return result

    @property
    def heeds_breaks(self) -> bool:
        return True

    @property
    def reports_late(self) -> bool:
        return False

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        """Return what to use, of right propensities, counts, and those before the last firing."""
        return a

    def uniforms(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        return 1.0 - rng.random(n), rng.random(n)

    def waiting(self, u: Array) -> Array:
        return -np.log(u)


@dataclass(frozen=True)
class Network:
    """A document ready to be simulated; counters have columns as any species."""

    model: sg.ReactionNetwork

    @cached_property
    def lowered(self) -> LoweredNetwork:
        return lower(self.model)

    @cached_property
    def values(self) -> dict[str, float]:
        return dict(initial_values(self.model))

    @property
    def start(self) -> Array:
        return np.array([self.values[s] for s in self.lowered.species_ids])

    @property
    def change(self) -> Array:
        return self.lowered.stoichiometry.T.astype(float)

    def propensities(self, x: Array, t: Array) -> Array:
        known = {**self.values, TIME.id: t}
        known |= dict(zip(self.lowered.species_ids, x.T, strict=True))
        laws = [evaluate(c.propensity, known) for c in self.lowered.channels]
        return np.stack([np.broadcast_to(law, len(x)) for law in laws], axis=1).astype(float)


# --- faults ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RateOffByOnePercent(Planted):
    """The first reaction is one per cent too fast."""

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        return a * np.where(np.arange(a.shape[1]) == 0, 1.01, 1.0)


@dataclass(frozen=True)
class WrongCombinatorics(Planted):
    """Of A molecules it counts A² / 2 pairs, not A (A - 1) / 2, in the first reaction."""

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        pairs = np.divide(x[:, 0], x[:, 0] - 1.0, out=np.ones(len(x)), where=x[:, 0] > 1.0)
        return np.column_stack([a[:, 0] * pairs, a[:, 1:]])


@dataclass(frozen=True)
class NetRate(Planted):
    """The first two reactions, one forwards and one backwards, fire on their difference."""

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        net = a[:, 0] - a[:, 1]
        return np.column_stack([np.maximum(net, 0.0), np.maximum(-net, 0.0), a[:, 2:]])


@dataclass(frozen=True)
class LateEvents(Planted):
    """An event at a time happens at the next firing."""

    @property
    def heeds_breaks(self) -> bool:
        return False


@dataclass(frozen=True)
class MissedEvents(Planted):
    """An event long after everything else is left out."""


@dataclass(frozen=True)
class FrozenTime(LateEvents):
    """A law that depends on time is not looked at between firings."""


@dataclass(frozen=True)
class OffByOneOutput(Planted):
    """An output is the state after the firing that passes the output time."""

    @property
    def reports_late(self) -> bool:
        return True


@dataclass(frozen=True)
class StalePropensity(Planted):
    """The propensity of the second reaction is that before the last firing."""

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        return np.column_stack([a[:, :1], before[:, 1:2], a[:, 2:]])


@dataclass(frozen=True)
class Float32Uniforms(Planted):
    """Reactions are chosen by uniforms of 23 bits, the mantissa of single precision.

    Made for three reactions, two at constant rates and the last one rare and once; when they fire
    between outputs is of no interest, as nothing depends on it.

    Attributes:
        bits: of a uniform; with 53 it is right.
    """

    bits: int = 23

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        rates = network.propensities(network.start[None], np.zeros(1))[0]
        bounds, steps = np.cumsum(rates), np.diff(times, prepend=0.0)
        fired = np.zeros((n, len(times), 3))
        firings = rng.poisson(bounds[-1] * steps, (n, len(times)))
        for i, t in np.ndindex(n, len(times)):
            number = int(firings[i, t])
            words = rng.integers(0, 2**64, number, dtype=np.uint64) >> np.uint64(64 - self.bits)
            chosen = words * (bounds[-1] * 2.0**-self.bits)
            others = np.count_nonzero(chosen >= bounds[0])
            fired[i, t, 2] = np.count_nonzero(chosen >= bounds[1]) if others else 0
            fired[i, t, 1] = others - fired[i, t, 2]
            fired[i, t, 0] = number - others
        fired = np.cumsum(fired, axis=1)
        fired[:, :, 2] = np.minimum(fired[:, :, 2], 1.0)
        return network.start + fired @ network.change


@dataclass(frozen=True)
class SharedStream(Planted):
    """Four workers started from one seed: every trajectory is there four times."""

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        part = super().ensemble(network, times, -(-n // 4), rng)
        return np.concatenate([part] * 4)[:n]


@dataclass(frozen=True)
class DroppedBoundary(Planted):
    """A boundary species is used up.

    It is given the text of the network without the flag.
    """

    text: str = ""

    def network(self, document: bytes) -> sg.ReactionNetwork:
        return sg.load(with_counters(normalised_sbml(lower(sg.load(self.text))))[0].decode())


@dataclass(frozen=True)
class MirroredNeighbours(Planted):
    """Each second trajectory uses one minus the uniforms of the one before it."""

    def uniforms(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        u, v = super().uniforms(rng, n)
        for x in (u, v):
            x[1::2] = 1.0 - x[0 : n - 1 : 2]
        return np.maximum(u, 1e-300), v


@dataclass(frozen=True)
class FixedWaits(Planted):
    """The waiting time is its mean."""

    def waiting(self, u: Array) -> Array:
        return np.ones_like(u)


@dataclass(frozen=True)
class SlowExchange(Planted):
    """Both directions of an exchange in equilibrium are two per cent too slow."""

    def propensities(self, a: Array, x: Array, before: Array) -> Array:
        return a * 0.98


@dataclass(frozen=True)
class TauLeaping(Planted):
    """Propensities stay what they are for a tenth of a unit of time."""

    def ensemble(self, network: Network, times: Array, n: int, rng: np.random.Generator) -> Array:
        x, result = np.tile(network.start, (n, 1)), []
        for step in range(round(times[-1] * 10.0) + 1):
            if np.any(np.isclose(times, step / 10.0)):
                result.append(x.copy())
            number = rng.poisson(0.1 * np.maximum(network.propensities(x, np.zeros(n)), 0.0))
            x = x + number @ network.change
        return np.stack(result, axis=1)
