"""Amount, concentration and counts: rate law → propensity, in one place.

A species symbol in a rate law means an amount or a concentration; the state of a stochastic
simulation is a count of molecules. With f molecules per substance unit and compartment size V,

    amount = counts / f,      concentration = counts / (f V),

and a rate law in extent per time becomes a propensity in firings per time after multiplication by
the molecules per unit of extent (SBML L3V2 section 4.11.7; Gillespie 1977).
"""

from __future__ import annotations

import math

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
    symbols,
)
from sbmlgrad.model.network import ReactionNetwork

#: Molecules per mole, exact since the 2019 revision of the SI.
AVOGADRO = 6.02214076e23

#: Largest count that double precision holds exactly.
LARGEST_COUNT = 2.0**53


def symbol_in_counts(species: Species) -> Expression:
    """Return what a species symbol means, as an expression where the symbol itself is its count."""
    amount = divide(Symbol(species.id), Number(species.items_per_substance))
    if species.only_substance_units:
        return amount
    volume = Symbol(species.compartment)
    if isinstance(amount, Symbol):
        return divide(amount, volume)
    return divide(Symbol(species.id), multiply(Number(species.items_per_substance), volume))


def law_in_counts(network: ReactionNetwork, law: Expression) -> Expression:
    """Return a rate law as a propensity: counts for the species that change, firings per time."""
    # Only those that occur: a network has thousands of species, a law a few.
    elements = (network.by_id.get(symbol) for symbol in symbols(law))
    meanings = {s.id: symbol_in_counts(s) for s in elements if isinstance(s, Species) and s.changes}
    return multiply(Number(network.items_per_extent), substitute(law, meanings))


def value_without(species: Species, molecules: int) -> Expression:
    """Return a species' value with so many molecules taken away, as `law_in_counts` would write it.

    This is what the falling factorial of a concentration is made of: (X - i) / V, not X / V - i.
    """
    if species.changes:
        left = add(Symbol(species.id), Number(-float(molecules)))
        return substitute(symbol_in_counts(species), {species.id: left})
    if molecules == 0:
        return Symbol(species.id)
    taken = substitute(symbol_in_counts(species), {species.id: Number(float(molecules))})
    return subtract(Symbol(species.id), taken)


def whole_number(value: float) -> float | None:
    """Return the whole number that a computed value stands for, or None if it is not one."""
    if not math.isfinite(value):
        return None
    nearest = float(round(value))
    if abs(value - nearest) <= WHOLE_NUMBER_TOLERANCE * max(1.0, abs(value)):
        return nearest
    return None
