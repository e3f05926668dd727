"""The generator of the master equation on finitely many states, as lists of edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from sbmlgrad.cme.kernels import compiled
from sbmlgrad.cme.state_space import (
    NOWHERE,
    OUTSIDE,
    UNDEFINED,
    StateSpace,
    input_partials,
    values_at,
)
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import GradientError
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def summed(places: IntArray, numbers: FloatArray, size: int) -> FloatArray:
    """Return the sums of the numbers that have the same place, float64 [size]."""
    return np.bincount(places, numbers, minlength=size).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class Generator:
    """dp/dt = A p, with one edge a transition, in the order of the states that they leave.

    Attributes:
        size: number of states.
        source: state that an edge leaves, int64 [edge].
        target: state that it enters, or -1 outside, int64 [edge].
        reaction: its reaction, int64 [edge].
        rate: its propensity, float64 [edge]; zero where only a derivative is not.
    """

    size: int
    source: IntArray
    target: IntArray
    reaction: IntArray
    rate: FloatArray

    @cached_property
    def exit(self) -> FloatArray:
        """Total propensity, float64 [state]."""
        return summed(self.source, self.rate, self.size)

    @cached_property
    def leaking(self) -> FloatArray:
        """Total propensity of leaving the space, float64 [state]."""
        outside = self.target < 0
        return summed(self.source[outside], self.rate[outside], self.size)

    @cached_property
    def scale(self) -> float:
        """Rate of the uniformised chain: the largest total propensity, 1 where nothing happens."""
        return float(self.exit.max(initial=0.0)) or 1.0

    @cached_property
    def stay(self) -> FloatArray:
        """Diagonal of the uniformised chain, float64 [state]."""
        return 1.0 - self.exit / self.scale

    @cached_property
    def incoming(self) -> tuple[IntArray, IntArray]:
        """Where the incoming edges of each state start [state + 1], and their order [edge]."""
        return compiled().group_by_target(self.target, self.size)

    @cached_property
    def gathered(self) -> tuple[IntArray, NDArray[np.int32], FloatArray]:
        """Off-diagonal of the uniformised chain by target: starts, sources and probabilities."""
        start, order = self.incoming
        return start, self.source[order].astype(np.int32), self.rate[order] / self.scale

    @cached_property
    def scattered(self) -> tuple[IntArray, NDArray[np.int32], FloatArray]:
        """Transitions of the uniformised chain by source: starts, targets, probabilities."""
        counts = np.bincount(self.source, minlength=self.size)
        start = np.concatenate([[0], np.cumsum(counts)])
        return start, self.target.astype(np.int32), self.rate / self.scale

    def matrix(self, rates: FloatArray) -> sparse.csr_array:
        """Return the operator of edges with other rates, float64 [edge]; columns lose the leak."""
        inside = self.target >= 0
        rows = np.concatenate([self.target[inside], self.source])
        columns = np.concatenate([self.source[inside], self.source])
        entries = np.concatenate([rates[inside], -rates])
        return sparse.csr_array((entries, (rows, columns)), shape=(self.size, self.size))


def generator_of(space: StateSpace) -> Generator:
    """Return the generator on a state space."""
    source, reaction = np.nonzero((space.target != NOWHERE) & (space.target != UNDEFINED))
    target = np.maximum(space.target[source, reaction], OUTSIDE)
    return Generator(space.size, source, target, reaction, space.rates[source, reaction])


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the propensities of edges in the inputs, each only where it is not zero.

    Attributes:
        variable: input, one of each part.
        edges: the edges of a part, int64 [edge of part].
        slope: their derivatives, float64 [edge of part].
    """

    variable: tuple[int, ...]
    edges: tuple[IntArray, ...]
    slope: tuple[FloatArray, ...]

    def along(self, directions: FloatArray, edges: int) -> FloatArray:
        """Return derivatives along directions [input, direction], float64 [edge, direction]."""
        result = np.zeros((edges, directions.shape[1]))
        for i, chosen, slope in zip(self.variable, self.edges, self.slope, strict=True):
            for k in np.flatnonzero(directions[i]):
                result[chosen, k] += slope * directions[i, k]
        return result

    def in_inputs(self, flow: FloatArray, inputs: int) -> FloatArray:
        """Return Σ_edges flow · derivative for every input, float64 [input], for flow [edge]."""
        result = np.zeros(inputs)
        for i, chosen, slope in zip(self.variable, self.edges, self.slope, strict=True):
            result[i] += flow[chosen] @ slope
        return result


def slopes_of(
    lowered: LoweredNetwork,
    inputs: FloatArray,
    space: StateSpace,
    generator: Generator,
    wanted: NDArray[np.bool_],
) -> Slopes:
    """Return the derivatives of the propensities on a state space.

    Args:
        lowered: the network.
        inputs: parameters and constants, float64 [input].
        space: the states.
        generator: its edges.
        wanted: which inputs are differentiated in, bool [input].

    Raises:
        GradientError: a derivative is not finite, or a moved parameter would let a reaction fire
            whose reactants have run out.
    """
    of_reaction = [np.flatnonzero(generator.reaction == j) for j in range(len(lowered.channels))]
    undefined = (space.target == UNDEFINED).any(axis=0)
    values = values_at(lowered, space.states, inputs)
    variable, edges, slopes = [], [], []
    for partial in input_partials(lowered):
        if not wanted[partial.variable]:
            continue
        j, name = partial.reaction, lowered.input_ids[partial.variable]
        slope = np.broadcast_to(evaluate(partial.expression, values), space.size)
        if undefined[j]:
            _refuse_undefined(lowered, space, j, name, slope)
        chosen = of_reaction[j]
        slope = slope[generator.source[chosen]]
        if not np.isfinite(slope).all():
            where = generator.source[chosen[np.flatnonzero(~np.isfinite(slope))[0]]]
            raise GradientError(
                f"reaction '{lowered.channels[j].id}': the derivative of its propensity in "
                f"'{name}' is not finite in state "
                f"{dict(zip(lowered.species_ids, space.counts[where].tolist(), strict=True))}, so "
                "no expectation has a derivative in it; leave it out, or write the law otherwise"
            )
        moves = slope != 0.0
        variable.append(partial.variable)
        edges.append(chosen[moves])
        slopes.append(slope[moves])
    return Slopes(tuple(variable), tuple(edges), tuple(slopes))


def _refuse_undefined(
    lowered: LoweredNetwork, space: StateSpace, reaction: int, name: str, slope: FloatArray
) -> None:
    bad = np.flatnonzero((space.target[:, reaction] == UNDEFINED) & (slope != 0.0))
    if bad.size:
        state = dict(zip(lowered.species_ids, space.counts[bad[0]].tolist(), strict=True))
        raise GradientError(
            f"reaction '{lowered.channels[reaction].id}' cannot fire in state {state}, but with "
            f"another '{name}' it could, and would lead to negative counts; the expectation has "
            "no derivative there. Give the law a factor that vanishes when a reactant runs out"
        )
