"""State spaces that grow where probability leaks, and shrink where hardly any goes.

Munsky & Khammash 2006 show that probabilities on a finite set of states lie below the true ones, by
no more than what leaves it. So the equation is solved step by step in time; where a step loses more
than its share of the tolerance, the states that it loses most to are added, with what they lead to,
and the step is done again. A state that probability hardly ever enters is dropped afterwards:
whoever never enters it never misses it, so the leak grows by no more than the expected number of
entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.explorer import Explorer
from sbmlgrad.cme.generator import Generator, generator_of, summed
from sbmlgrad.cme.starts import Start
from sbmlgrad.cme.state_space import OUTSIDE, StateSpace, reduced
from sbmlgrad.cme.uniformisation import MOST_JUMPS, advance

FloatArray = NDArray[np.float64]

#: Jumps that a step expects while the space grows; more where it does not.
FEWEST_JUMPS = 64.0
#: Networks that can reach no more states than this are solved on all of them, without a leak.
FEW = 2000
#: Most firings by which the space grows at once, beyond the states that are lost to.
DEEPEST = 32
#: Share of its allowance from which on a step makes the space grow for the next one.
EARLY = 0.1
#: States of larger spaces are dropped where that leaves less than this share of them.
WORTH_DROPPING = 0.8


def grow(explorer: Explorer, start: Start, until: float, tolerance: float) -> StateSpace:
    """Return a space that loses no more than the tolerance by a time; states of the start first.

    Args:
        explorer: finds the states; it may hold some already, of the same start.
        start: initial states.
        until: the time.
        tolerance: probability that may leave, > 0.

    Raises:
        StateSpaceError: too many states, or states without a meaning.
    """
    whole = explorer.closure(start.counts, FEW)
    if whole is not None:
        return _in_order(whole, len(start.counts), None)
    explorer.add(start.counts, 1)
    inflow = _march(explorer, start, until, 0.5 * tolerance, possible=0.0)
    space = explorer.space()
    if space.has_possible_transitions:
        # Gradients need the values of states that only a moved parameter leads to; visit them.
        _march(explorer, start, until, 0.5 * tolerance, possible=1.0 / (until or 1.0))
        return _in_order(explorer.space(), len(start.counts), None)
    dropped = _negligible(inflow, len(start.counts), 0.5 * tolerance)
    is_worth = space.size > FEW and (~dropped).sum() <= WORTH_DROPPING * space.size
    return _in_order(space, len(start.counts), dropped if is_worth else None)


def _march(
    explorer: Explorer, start: Start, until: float, tolerance: float, *, possible: float
) -> FloatArray:
    """Grow along time; return the expected entries of each state, float64 [state].

    Transitions that cannot fire get the rate `possible`.
    """
    space = explorer.space()
    generator = _generator(space, possible)
    probability = np.zeros(space.size)
    probability[: len(start.probability)] = start.probability
    time, leak, jumps, depth = 0.0, 0.0, FEWEST_JUMPS, 1
    entered = np.zeros(space.size)
    while time < until:
        length = min(jumps / generator.scale, until - time)
        is_last = time + length >= until
        then, occupation = advance(generator, probability, length)
        lost = float(generator.leaking @ occupation)
        allowed = tolerance * min(1.0, (time + length) / until) - leak
        is_fine = lost <= allowed
        if is_fine:
            time = until if is_last else time + length
            leak += lost
            entered += _entries(generator, occupation)
            probability = then
            jumps = min(2.0 * jumps, MOST_JUMPS)
            if lost <= EARLY * tolerance * length / until or is_last:
                continue
        else:
            depth = min(2 * depth, DEEPEST)
            jumps = max(0.5 * jumps, FEWEST_JUMPS)
        before = space.size
        _expand(explorer, space, generator, occupation, lost, depth)
        if is_fine:
            depth = max(depth // 2, 1)
        space = explorer.space()
        generator = _generator(space, possible)
        more = np.zeros(space.size - before)
        probability, entered = np.append(probability, more), np.append(entered, more)
    return entered


def _generator(space: StateSpace, possible: float) -> Generator:
    if possible == 0.0:
        return generator_of(space)
    idle = (space.rates == 0.0) & ((space.target == OUTSIDE) | (space.target >= 0))
    rates = np.where(idle, possible, space.rates)
    return generator_of(StateSpace(space.counts, rates, space.target, space.absorbing))


def _expand(
    explorer: Explorer,
    space: StateSpace,
    generator: Generator,
    occupation: FloatArray,
    lost: float,
    depth: int,
) -> None:
    """Add the states that nearly all of the loss goes to, and what they lead to."""
    outside = np.flatnonzero(generator.target < 0)
    flux = generator.rate[outside] * occupation[generator.source[outside]]
    order = np.argsort(-flux)
    covered = np.cumsum(flux[order])
    count = int(np.searchsorted(covered, (1.0 - 0.01 * EARLY) * lost)) + 1
    chosen = outside[order[:count]]
    rows = space.counts[generator.source[chosen]] + explorer.changes[generator.reaction[chosen]]
    explorer.add(rows, depth)


def _entries(generator: Generator, occupation: FloatArray) -> FloatArray:
    inside = generator.target >= 0
    flux = generator.rate[inside] * occupation[generator.source[inside]]
    return summed(generator.target[inside], flux, generator.size)


def _negligible(inflow: FloatArray, starts: int, allowed: float) -> NDArray[np.bool_]:
    """Return which states can be dropped, together entered at most so often, bool [state]."""
    inflow = inflow.copy()
    inflow[:starts] = np.inf
    order = np.argsort(inflow)
    count = int(np.searchsorted(np.cumsum(inflow[order]), allowed, side="right"))
    dropped = np.zeros(len(inflow), dtype=bool)
    dropped[order[:count]] = True
    return dropped


def _in_order(space: StateSpace, starts: int, dropped: NDArray[np.bool_] | None) -> StateSpace:
    """Return the space with neighbours close in memory, in a copy of its own."""
    kept = np.arange(starts, space.size)
    if dropped is not None:
        kept = kept[~dropped[starts:]]
    kept = kept[np.lexsort(space.counts[kept].T[::-1])] if space.counts.shape[1] else kept
    return reduced(space, np.concatenate([np.arange(starts), kept]))
