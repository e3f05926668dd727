"""What leaked states could contribute: bounds on counts, and on the mean after leaving."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.state_space import OUTSIDE, StateSpace
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.laws.intervals import Bounds
from sbmlgrad.model.structure import conservation_laws

FloatArray = NDArray[np.float64]

#: Room for rounding when linear programmes are solved in floating point; counts are whole.
ROUNDING = 1e-6


def count_bounds(lowered: LoweredNetwork, starts: NDArray[np.int64]) -> FloatArray:
    """Return what counts can never exceed, by conservation, float64 [species]; infinity elsewhere.

    The largest count that totals conserved by all reactions allow, with no count negative: a linear
    programme for each species and each set of totals.

    Args:
        lowered: the network.
        starts: initial counts, int64 [state, species].
    """
    from scipy.optimize import linprog

    laws = conservation_laws(lowered.stoichiometry)
    species = starts.shape[1]
    result = np.full(species, -math.inf)
    if not len(laws):
        return np.full(species, math.inf)
    for totals in np.unique(starts @ laws.T, axis=0):
        for s in range(species):
            # Minimised, so with the sign turned; counts are not negative by default.
            found = linprog(-np.eye(species)[s], A_eq=laws, b_eq=totals, method="highs")
            most = math.floor(-found.fun + ROUNDING) if found.status == 0 else math.inf
            result[s] = max(result[s], most)
    return result


def mean_bound(
    lowered: LoweredNetwork,
    inputs: FloatArray,
    space: StateSpace,
    starts: NDArray[np.int64],
    species: int,
    until: float,
) -> float:
    """Return what the mean count can be given that a trajectory has leaked; infinity if unknown.

    It is no more than conservation allows; and no more than the largest count just outside, and
    what reactions that raise it add at bounded propensities until the end.
    """
    limits = count_bounds(lowered, starts)
    constants = dict(zip(lowered.input_ids, inputs.tolist(), strict=True))
    ranges = {s: (0.0, float(limits[i])) for i, s in enumerate(lowered.species_ids)}
    bounds = Bounds(constants, ranges)
    growth = 0.0
    for j, channel in enumerate(lowered.channels):
        raised = int(lowered.stoichiometry[species, j])
        if raised > 0:
            growth += raised * max(bounds.of(channel.propensity)[1], 0.0)
    state, reaction = np.nonzero((space.target == OUTSIDE) & (space.rates > 0.0))
    entered = space.counts[state, species] + lowered.stoichiometry[species, reaction]
    edge = float(entered.max(initial=0))
    return min(float(limits[species]), edge + growth * until)
