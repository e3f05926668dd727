"""The direct method with three ways to select a reaction, compiled for a processor.

One plain loop, the same but for the selection, so that the ratio of two of them is the price of
the selection. The networks are those of `engine_timing.models`: mass action up to order two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Ways to select the reaction that fires.
INVERSE, GUMBEL_MAX, GUMBEL_SOFTMAX = "inverse CDF", "Gumbel-max", "Gumbel-softmax"
SELECTIONS = (INVERSE, GUMBEL_MAX, GUMBEL_SOFTMAX)


def arrays(model: Any) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return constants [reaction], reactants [reaction, 2] and changes [reaction, species].

    A place that no reactant takes is that of an extra species, of which there is always one.

    Args:
        model: a `engine_timing.models.Model` whose reactants all have stoichiometry one.

    Raises:
        ValueError: a law is of another kind.
    """
    places = {name: i for i, name in enumerate(model.species)}
    constants, reactants, changes = [], [], []
    for reaction in model.reactions:
        if len(reaction.reactants) > 2 or set(reaction.reactants.values()) - {1}:
            raise ValueError(
                f"{model.name}: reactants {dict(reaction.reactants)} are not up to two"
            )
        taken = [places[s] for s in reaction.reactants]
        reactants.append([*taken, *[len(places)] * (2 - len(taken))])
        change = np.zeros(len(places) + 1)
        for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
            for species, number in side.items():
                change[places[species]] += sign * number
        constants.append(reaction.constant)
        changes.append(change)
    return np.array(constants), np.array(reactants, dtype=np.int64), np.array(changes)


@lru_cache(maxsize=8)
def compiled(selection: str) -> Callable[..., Any]:
    """Return the loop with one selection, compiled.

    It takes constants, reactants, changes, start [species + 1], firings, trajectories, seed, the
    place of the watched species and a temperature, and returns the last counts of that species
    [trajectory], and firings in all.
    """
    import numba

    is_inverse, is_soft = selection == INVERSE, selection == GUMBEL_SOFTMAX

    @numba.njit
    def run(k, pairs, changes, start, firings, trajectories, seed, watched, temperature):
        np.random.seed(seed)
        reactions, species = changes.shape
        a, score = np.empty(reactions), np.empty(reactions)
        x, last = np.empty(species), np.empty(trajectories)
        made, clock, share = 0, 0.0, 0.0
        for number in range(trajectories):
            x[:] = start
            for _ in range(firings):
                total = 0.0
                for r in range(reactions):
                    a[r] = k[r] * x[pairs[r, 0]] * x[pairs[r, 1]]
                    total += a[r]
                if total == 0.0:
                    break
                # A number in (0, 1], so that its logarithm is finite.
                clock -= np.log(1.0 - np.random.random()) / total
                fired = 0
                if is_inverse:
                    target, reached = np.random.random() * total, 0.0
                    for r in range(reactions):
                        if a[r] > 0.0 and reached <= target:
                            fired = r
                        reached += a[r]
                else:
                    best = -np.inf
                    for r in range(reactions):
                        score[r] = -np.inf
                        if a[r] > 0.0:
                            noise = -np.log(-np.log(1.0 - np.random.random()) + 1e-300)
                            score[r] = np.log(a[r]) + noise
                            if score[r] > best:
                                best, fired = score[r], r
                    if is_soft:
                        # The weights that a gradient would use; what fires is the largest.
                        norm = 0.0
                        for r in range(reactions):
                            score[r] = np.exp((score[r] - best) / temperature)
                            norm += score[r]
                        share += score[fired] / norm
                for s in range(species):
                    x[s] += changes[fired, s]
                made += 1
            last[number] = x[watched]
        return last, made, clock, share

    return run
