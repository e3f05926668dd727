"""Amount, concentration and counts: rate law → propensity, in one place.

A species symbol in a rate law means an amount or a concentration; the state of a stochastic
simulation is a count of molecules. With f molecules per substance unit and compartment size V,

    amount = counts / f,      concentration = counts / (f V),

and a rate law in extent per time becomes a propensity in firings per time after multiplication by
the molecules per unit of extent (SBML L3V2 section 4.11.7; Gillespie 1977).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.model.elements import WHOLE_NUMBER_TOLERANCE, Species
from sbmlgrad.model.expression import (
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    substitute,
    subtract,
)

#: Molecules per mole, exact since the 2019 revision of the SI.
AVOGADRO = 6.02214076e23

#: Largest count that double precision holds exactly.
LARGEST_COUNT = 2.0**53

_AS_THEY_ARE: Mapping[str, Expression] = MappingProxyType({})


def symbol_in_state(
    species: Species, sizes: Mapping[str, Expression] = _AS_THEY_ARE, *, counts: bool = True
) -> Expression:
    """Return what a species symbol means where the symbol itself stands for its state.

    Args:
        species: the species.
        sizes: compartment id → its size as a function of the state; by default its symbol.
        counts: whether the state is a count of molecules, else an amount in substance units.
    """
    state, per_amount = Symbol(species.id), species.items_per_substance if counts else 1.0
    if species.only_substance_units:
        return divide(state, Number(per_amount))
    size = sizes.get(species.compartment, Symbol(species.compartment))
    if per_amount == 1.0:
        return divide(state, size)
    return divide(state, multiply(Number(per_amount), size))


def value_without(
    species: Species,
    molecules: int,
    sizes: Mapping[str, Expression] = _AS_THEY_ARE,
    *,
    is_state: bool,
) -> Expression:
    """Return a species' value with so many molecules taken away, in counts.

    This is what the falling factorial of a concentration is made of: (X - i) / V, not X / V - i.

    Args:
        species: the species.
        molecules: how many are gone.
        sizes: as in `symbol_in_state`.
        is_state: whether the symbol stands for a count, else for the species' own value.
    """
    if is_state:
        left = add(Symbol(species.id), Number(-float(molecules)))
        return substitute(symbol_in_state(species, sizes), {species.id: left})
    if molecules == 0:
        return Symbol(species.id)
    gone = {species.id: Number(float(molecules))}
    return subtract(Symbol(species.id), substitute(symbol_in_state(species, sizes), gone))


def whole_number(value: float) -> float | None:
    """Return the whole number that a computed value stands for, or None if it is not one."""
    if not math.isfinite(value):
        return None
    nearest = float(round(value))
    if nearest == 0.0 and value != 0.0:
        # A tiny amount is no amount of zero: it says that the unit is another one.
        return None
    if abs(value - nearest) <= WHOLE_NUMBER_TOLERANCE * max(1.0, abs(value)):
        return nearest
    return None
