"""Where the reverse lockstep kernel of `StraightThrough` keeps what belongs to a lane."""

from __future__ import annotations

from dataclasses import dataclass

from sbmlgrad.codegen.adjoint_form import Slope, adjoint_form
from sbmlgrad.codegen.kernel_laws import KernelLaws
from sbmlgrad.codegen.lowering import LoweredNetwork

#: First rows of `room`: the last point (of windows the lower edge) that is not taken up, or a
#: negative number; derivative of the loss in the time of the firing to undo; what points between it
#: and the firing before give the derivative in the time of the latter; firings of the trajectory.
#: Others follow in the order of `StraightRows`.
MARK, CLOCK, CLOCK_BEFORE, FIRINGS = range(4)
#: Row of the first species' count.
COUNTS = 4

#: Lanes that are walked back together: what they work in should stay in the nearest cache.
MANY_LANES, FEW_LANES = 32, 16

#: Most rows for many lanes.
ROWS_OF_MANY_LANES = 96


@dataclass(frozen=True)
class StraightRows:
    """Where the rows of `room` begin; row r of lane l is `room[r * lanes + l]`.

    Attributes:
        counts: the state, one row a species.
        adjoint: λ, likewise.
        pending: what points between two firings give λ before the first of them, likewise.
        source: derivative of the loss in the state by the time for which it is held, likewise.
        gradient: derivative in the kernel inputs that laws use, one row each (`used_inputs`).
        rates: propensities before the firing, one row a reaction.
        shares: in the relaxed choice, relative to that of the one that fired, likewise.
        in_state: ∂a_i/∂x, one row each that is not zero.
        in_input: ∂a_i/∂θ, likewise.
        count: of all rows.
    """

    counts: int
    adjoint: int
    pending: int
    source: int
    gradient: int
    rates: int
    shares: int
    in_state: int
    in_input: int
    count: int


@dataclass(frozen=True)
class StraightForm:
    """What is printed for a network.

    Attributes:
        rows: layout of `room`.
        lanes: trajectories that are walked back together.
        used_inputs: places of the kernel inputs that laws use, in the order of the gradient rows.
        in_state: derivatives of propensities in counts.
        in_input: derivatives of propensities in kernel inputs.
        blocks: of two random numbers for a race: one for the winner's time and one a reaction.
    """

    rows: StraightRows
    lanes: int
    used_inputs: tuple[int, ...]
    in_state: tuple[Slope, ...]
    in_input: tuple[Slope, ...]
    blocks: int


def straight_form(lowered: LoweredNetwork, laws: KernelLaws) -> StraightForm:
    """Return layout and derivatives of a network's reverse kernel.

    Args:
        lowered: the network.
        laws: its propensities, and the inputs that they use.
    """
    form = adjoint_form(lowered, laws)
    species, reactions = len(lowered.species_ids), len(laws.laws)
    slopes = len(form.in_state), len(form.in_input)
    sizes = (
        species,
        species,
        species,
        species,
        len(form.used_inputs),
        reactions,
        reactions,
        *slopes,
    )
    starts = [COUNTS]
    for size in sizes:
        starts.append(starts[-1] + size)
    rows = StraightRows(*starts)
    lanes = MANY_LANES if rows.count <= ROWS_OF_MANY_LANES else FEW_LANES
    blocks = (reactions + 2) // 2
    return StraightForm(rows, lanes, form.used_inputs, form.in_state, form.in_input, blocks)
