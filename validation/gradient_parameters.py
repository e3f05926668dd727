"""What does a gradient in a thousand parameters cost, against one in ten?

Run `python validation/gradient_parameters.py [--write FILE]`. Molecules walk around a ring of
states, each step a first-order reaction with a constant of its own, so that the number of firings
does not depend on how many states there are. Compared are a ring of a thousand reactions in which
all constants are parameters with the same ring in which ten are and the others are numbers, and
with a ring of ten reactions; each for the same firings, in CPU time, with the default estimator.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sbmlgrad as sg
from sbmlgrad.model.network import ReactionNetwork

HEAD = "unit substance = item; unit extent = item; compartment cell = 1;\n"

#: Molecules on the ring, and until when they walk at rates between 0.5 and 1.5.
MOLECULES, END = 200, 20.0

#: Trajectories of a ring of a thousand; smaller ones get more, so that the time of a call that does
#: not depend on firings counts as little there.
TRAJECTORIES, ROUNDS = 8, 5


@dataclass(frozen=True)
class Ring:
    """A ring of first-order reactions.

    Attributes:
        reactions: how many, and as many states.
        free: how many of the constants are parameters; the others are numbers.
    """

    reactions: int
    free: int

    def network(self) -> ReactionNetwork:
        """Return the network; constants are drawn once for all."""
        n = self.reactions
        constants = np.random.default_rng(1).uniform(0.5, 1.5, n).tolist()
        # Spread evenly over the ring, parameters and molecules alike.
        parameters = {i * n // self.free for i in range(self.free)}
        counts = np.bincount(np.arange(MOLECULES) * n // MOLECULES, minlength=n)
        lines = [HEAD, f"substanceOnly species {', '.join(f'X{i} in cell' for i in range(n))};"]
        lines += [f"X{i} = {counts[i]};" for i in range(n)]
        lines += [f"k{i} = {constants[i]!r};" for i in sorted(parameters)]
        for i in range(n):
            constant = f"k{i}" if i in parameters else repr(constants[i])
            lines.append(f"J{i}: X{i} => X{(i + 1) % n}; {constant}*X{i};")
        return sg.load("\n".join(lines))


RINGS = (Ring(10, 10), Ring(1000, 10), Ring(1000, 1000))


@dataclass(frozen=True)
class Cost:
    """CPU nanoseconds of a firing, medians of the rounds.

    Attributes:
        ring: the network.
        firings: of all trajectories.
        forward: simulating only.
        both: simulating and differentiating.
    """

    ring: Ring
    firings: int
    forward: float
    both: float


def measure(rings: tuple[Ring, ...], trajectories: int, rounds: int) -> list[Cost]:
    """Return the cost of each ring; they take turns, after a round that compiles.

    Args:
        rings: the networks.
        trajectories: of the largest ring.
        rounds: that count.
    """
    largest = max(ring.reactions for ring in rings)
    jobs = [_jobs(ring, trajectories * largest // ring.reactions) for ring in rings]
    times: list[list[tuple[float, float]]] = [[] for _ in rings]
    firings = [0] * len(rings)
    for number in range(rounds + 1):
        for place, (forward, both) in enumerate(jobs):
            begin = time.process_time()
            firings[place] = forward()
            middle = time.process_time()
            both()
            if number > 0:
                times[place].append((middle - begin, time.process_time() - middle))
    found = []
    for ring, count, taken in zip(rings, firings, times, strict=True):
        first, second = (1e9 * statistics.median(t[i] for t in taken) / count for i in (0, 1))
        found.append(Cost(ring, count, first, second))
    return found


def _jobs(ring: Ring, trajectories: int) -> tuple[Callable[[], int], Callable[[], None]]:
    """Return what simulates, giving the firings, and what simulates and differentiates."""
    import tensorflow as tf

    model, engine = ring.network(), sg.engines.Native(threads=1)
    readout = sg.WindowAverages([END / 2, END])
    theta = tf.Variable(tf.constant(model.parameter_values))

    def forward() -> int:
        cells = sg.simulate(
            model, readouts=(readout,), trajectories=trajectories, seed=1, engine=engine
        )
        cells.mean("X0")
        return int(np.sum(cells.firings))

    def both() -> None:
        with tf.GradientTape() as tape:
            cells = sg.simulate(
                model, theta, readouts=(readout,), trajectories=trajectories, seed=1, engine=engine
            )
            loss = cells.mean("X0")[0]
        slope = np.asarray(tape.gradient(loss, theta))
        if slope.shape != (ring.free,) or not slope.any():
            raise AssertionError("no gradient")

    return forward, both


def report(costs: list[Cost], rounds: int) -> str:
    """Return the table and the two ratios as Markdown."""
    small, few, many = costs
    lines = [
        f"{MOLECULES} molecules on a ring of states until t = {END:g}, one thread, "
        f"medians of {rounds} rounds of CPU time; gradient of the mean "
        "of one window with the default estimator, by `GradientTape`.",
        "",
        "| reactions | free parameters | firings | forward [ns / firing] | forward and gradient "
        "[ns / firing] | forward and gradient [CPU s / million firings] |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {c.ring.reactions:,} | {c.ring.free:,} | {c.firings:,} | {c.forward:.3g} | "
        f"{c.both:.3g} | {1e-3 * c.both:.3g} |"
        for c in costs
    ]
    lines += [
        "",
        f"A gradient in {many.ring.free:,} parameters costs {many.both / few.both:.2f} times that "
        f"in {few.ring.free} of the same network of {many.ring.reactions:,} reactions (target: at "
        f"most 2), and {many.both / small.both:.2f} times that in {small.ring.free} of a network "
        f"of {small.ring.reactions} reactions, for the same number of firings; simulating alone "
        f"costs {many.forward / small.forward:.2f} times as much there.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=TRAJECTORIES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", type=Path, help="also write the table into this file")
    given = parser.parse_args()
    costs = measure(RINGS, given.trajectories, given.rounds)
    text = report(costs, given.rounds)
    print(text)
    if given.write:
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
