"""What the reverse lockstep kernel of a network works with: its derivatives, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.model.count_slopes import mean_slope, sides
from sbmlgrad.model.expression import ZERO, Expression, symbols

#: First rows of `room`: the time reached, the time to reach, the reaction to undo (negative: none).
#: Others follow in the order of `Rows`.
NOW, TARGET, FIRED, LENGTH, REACH = range(5)
#: Row of the first species' count.
COUNTS = 5

#: Lanes that one loop takes care of: what it works in should stay in the nearest cache, and a
#: small network needs more lanes for an instruction not to wait for the one before it.
LARGE_GROUP, SMALL_GROUP = 16, 8

#: Most rows for a large group.
ROWS_OF_LARGE_GROUP = 64


@dataclass(frozen=True)
class Rows:
    """Where the rows of `room` begin.

    Attributes:
        counts: the state, one row a species.
        adjoint: λ, likewise.
        source: what the readout adds to -dλ/dt, likewise.
        gradient: derivative in the kernel inputs that laws use, one row each (`used_inputs`).
        integral: ∫ λ dt over the stretch.
        term: of the series.
        in_state: c_i ∂a_i/∂x, one row each that is not zero.
        in_input: c_i ∂a_i/∂θ, likewise.
        count: of all rows.
    """

    counts: int
    adjoint: int
    source: int
    gradient: int
    integral: int
    term: int
    in_state: int
    in_input: int
    count: int


@dataclass(frozen=True)
class Slope:
    """A derivative of a propensity that is not zero."""

    reaction: int
    variable: int
    expression: Expression


@dataclass(frozen=True)
class AdjointForm:
    """What is printed for a network.

    Attributes:
        rows: layout of `room`: lanes come in groups, and row r of lane l of group g is
            `room[(g * rows.count + r) * group + l]`.
        group: lanes of a group.
        used_inputs: places of the kernel inputs that laws use, in the order of the gradient rows.
        in_state: derivatives of propensities in counts.
        in_input: derivatives of propensities in kernel inputs.
    """

    rows: Rows
    group: int
    used_inputs: tuple[int, ...]
    in_state: tuple[Slope, ...]
    in_input: tuple[Slope, ...]


def adjoint_form(lowered: LoweredNetwork, laws: KernelLaws) -> AdjointForm:
    """Return layout and derivatives of a network's reverse kernel.

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.
    """
    state = frozenset(lowered.species_ids)
    written = [sides(law, state) for law in laws.laws]
    in_state = tuple(_slopes(written, lowered.species_ids))
    in_input = tuple(_slopes(written, laws.input_ids))
    used = tuple(sorted({slope.variable for slope in in_input}))
    species = len(lowered.species_ids)
    sizes = (species, species, species, len(used), species, species, len(in_state), len(in_input))
    starts = [COUNTS]
    for size in sizes:
        starts.append(starts[-1] + size)
    rows = Rows(*starts)
    group = LARGE_GROUP if rows.count <= ROWS_OF_LARGE_GROUP else SMALL_GROUP
    return AdjointForm(rows, group, used, in_state, in_input)


def _slopes(laws: Sequence[Sequence[Expression]], ids: Sequence[str]) -> Iterator[Slope]:
    place = {symbol: i for i, symbol in enumerate(ids)}
    for j, both in enumerate(laws):
        for i in sorted(place[s] for s in symbols(both[0]) if s in place):
            slope = mean_slope(both, ids[i])
            if slope != ZERO:
                yield Slope(j, i, slope)
