"""What is not compared: species that nothing changes, and networks in which nothing happened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.referees.horizon import start_propensity
from sbmlgrad.referees.statistics.sampled import Side

#: Firings to be expected, from the propensities at the start, by the last time that is suggested.
EXPECTED = 10.0


def moved(ours: Side, theirs: Side | None, start: NDArray[np.float64]) -> bool:
    """Tell whether anything differed from the start, in any trajectory of either side.

    An exact answer has no trajectories. Where it moves and none of ours does, tests tell whether
    that is a disagreement.

    Args:
        ours: our side.
        theirs: the other side, or None where it is exact.
        start: counts at time 0, float64 [species].
    """
    for side in (ours,) if theirs is None else (ours, theirs):
        if (side.moments.mean != start).any() or (side.moments.variance > 0.0).any():
            return True
        if side.firings is not None and (side.firings.mean > 0.0).any():
            return True
    return False


def not_compared(lowered: LoweredNetwork, compared: Sequence[str]) -> dict[str, str]:
    """Return species → why it is not compared.

    Args:
        lowered: the network.
        compared: ids of the species that are.
    """
    network = lowered.network
    taking_part = frozenset().union(*(reaction.species for reaction in network.reactions))
    found: dict[str, str] = {}
    for species in network.species:
        if species.id in compared:
            continue
        if species.id in network.assignment_rules:
            why = "set by an assignment rule"
        elif species.id in network.rate_rules:
            why = "moved by a rate rule, not in whole molecules"
        elif species.id in network.set_by_events:
            why = "set by events alone, to amounts that need not be whole"
        elif species.id in taking_part and not species.changes:
            why = "constant or at the boundary, so that reactions do not change it"
        elif species.id in taking_part:
            why = "what reactions take of it they give back"
        else:
            why = "changed by no reaction or event"
        found[species.id] = why
    return found


def nothing_happened(lowered: LoweredNetwork, last: float) -> str:
    """Say that nothing happened by the last time, why that is no agreement, and what to do."""
    unit = lowered.network.time_unit
    by = f"time {last:g}{f' {unit}' if unit else ''}"
    said = (
        f"nothing happened by {by}: in no trajectory did any count ever differ from its start, so "
        "that there is nothing to compare, and a simulator that does nothing would be found right"
    )
    total = start_propensity(lowered)
    if total > 0.0:
        later = f"{float(f'{EXPECTED / total:.1g}'):g}"
        return (
            f"{said}. At the start the propensities sum to {total:.3g}, which is {total * last:.2g}"
            f" firings by then; compare at later times, for instance up to {later} (--times "
            f"0:{later}:10)"
        )
    return (
        f"{said}. At the start every propensity is 0, so that no reaction can fire; start with "
        "other molecules or parameters or, if an event changes them, compare at later times"
    )
