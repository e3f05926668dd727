"""Laws in counts, with falling factorials that are exactly zero where they should be."""

from __future__ import annotations

from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    substitute,
    symbols,
)
from sbmlgrad.model.laws.falling_factorials import falling_factorials
from sbmlgrad.model.laws.known_values import KnownValues
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.terms import SUMS, factors, terms
from sbmlgrad.model.units import value_without


def falling_in_counts(
    network: ReactionNetwork, law: Expression, known: KnownValues
) -> tuple[Expression, frozenset[str]]:
    """Return a law over counts, and the constants whose values its form rests on.

    In k A (A - 1/V), with A = n/V, the last factor may be off zero by rounding at n = 1, and a
    propensity of -1e-17 would stop the simulation. It is written (n - 1)/V where that is so.
    """
    above, below = factors(law)
    # Most laws hold no difference at all.
    if not any(isinstance(factor, Apply) and factor.operator in SUMS for factor in above):
        return substitute(law, network.in_counts), frozenset()
    found = falling_factorials(above, known.molecules, known.constants)
    rewritten: dict[int, Expression] = {}
    for place, (species, root) in found.roots.items():
        factor = substitute(above[place], network.in_counts)
        at_root = {**known.constants, species: float(root)}
        if symbols(factor) <= at_root.keys() and evaluate(factor, at_root) != 0.0:
            rewritten[place] = _exactly(network, above[place], species, root)
    if not rewritten:
        return substitute(law, network.in_counts), frozenset()
    factors_above = [
        rewritten[i] if i in rewritten else substitute(factor, network.in_counts)
        for i, factor in enumerate(above)
    ]
    divisor = substitute(multiply(*below), network.in_counts)
    return divide(multiply(*factors_above), divisor), found.uses


def _exactly(network: ReactionNetwork, factor: Expression, species: str, root: int) -> Expression:
    """Return coefficient · (value of the species without its last molecules)."""
    coefficients: list[Expression] = []
    for sign, term in terms(factor):
        above, below = factors(term)
        if Symbol(species) in above:
            above.remove(Symbol(species))
            coefficient = divide(multiply(*above), multiply(*below))
            coefficients.append(coefficient if sign > 0 else negate(coefficient))
    element = network.by_id[species]
    assert isinstance(element, Species)
    left = value_without(element, root, network.in_counts, is_state=True)
    return multiply(substitute(add(*coefficients), network.in_counts), left)
