"""Species that can never exceed a number of molecules, because all that makes them ends there.

In k (T - X) / (J + T - X), with X made one at a time and at most T of it at the start, X stops at
T: the law is never negative, although it is no forward minus backward rate. Laws that are such a
difference are split all the same (`signs.split`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sbmlgrad.model.expression import Apply, Expression
from sbmlgrad.model.laws.falling_factorials import Molecules, largest_molecules
from sbmlgrad.model.terms import SUMS


@dataclass(frozen=True, slots=True)
class UpperBound:
    """The most there can be of a species: in molecules, and in what its symbol means."""

    molecules: int
    value: float


def candidate_bounds(
    laws: Iterable[Expression],
    molecules: Mapping[str, Molecules],
    constants: Mapping[str, float],
    start: Mapping[str, float],
) -> dict[str, UpperBound]:
    """Return the bounds that laws suggest by factors such as T - X; they are yet to be shown.

    Args:
        laws: kinetic laws with all rules written out.
        molecules: species that are whole numbers of molecules.
        constants: symbol → value of what never changes.
        start: symbol → value at time 0.
    """
    found: dict[str, UpperBound] = {}
    for law in laws:
        for node in _sums(law):
            most = largest_molecules(node, molecules, constants)
            if most is None:
                continue
            species, bound = most[0], UpperBound(most[1], most[2])
            known = found.get(species)
            begins_within = start.get(species, math.inf) <= bound.value
            if begins_within and (known is None or bound.molecules < known.molecules):
                found[species] = bound
    return found


def _sums(law: Expression) -> Iterable[Expression]:
    """Yield every sum and difference in a law that is no part of a larger one."""
    stack: list[Expression] = [law]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply):
            if node.operator in SUMS:
                yield node
            stack.extend(node.arguments)
