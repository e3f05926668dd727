"""The combinatorial reading of mass-action laws: k X^n as a rate per distinct set of molecules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    substitute,
)
from sbmlgrad.model.issues import NOTHING, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.terms import factors
from sbmlgrad.model.units import value_without


def combinatorial(
    network: ReactionNetwork, law: Expression, powers: Sequence[tuple[str, int]]
) -> Expression:
    """Return a law as a propensity with X^n read as the number of distinct sets of n molecules.

    X^n becomes X (X-1) ... (X-n+1) / n! in molecules, so that the rate constant of the law is the
    stochastic one per distinct set (Gillespie 1977, eq. 2).

    Args:
        network: the network.
        law: one direction of a rate law, which holds the powers as factors.
        powers: species id, n.
    """
    above, below = factors(law)
    sets: list[Expression] = []
    for species, n in powers:
        above = [f for f in above if not _is_power_of(f, species)]
        element = network.by_id[species]
        assert isinstance(element, Species)
        is_state = species in network.state_species
        sets += [value_without(element, i, network.in_counts, is_state=is_state) for i in range(n)]
        sets.append(Number(1.0 / math.factorial(n)))
    rest = substitute(divide(multiply(*above), multiply(*below)), network.in_counts)
    return multiply(Number(network.items_per_extent), rest, *sets)


def _is_power_of(factor: Expression, species: str) -> bool:
    return factor == Symbol(species) or (
        isinstance(factor, Apply)
        and factor.operator == "power"
        and factor.arguments[0] == Symbol(species)
        and isinstance(factor.arguments[1], Number)
    )


def _exponent(factor: Expression) -> float:
    if isinstance(factor, Apply) and isinstance(factor.arguments[1], Number):
        return factor.arguments[1].value
    return 1.0


def powers_consumed(
    consumed: Mapping[str, float], above: list[Expression]
) -> list[tuple[str, int]]:
    """Return (species, n) for n >= 2 consumed molecules that a law holds to the power n.

    Args:
        consumed: species id → stoichiometry of the side that reacts.
        above: factors of the law above its fraction bar.
    """
    found = []
    for species, n in consumed.items():
        # No law holds a power above 170: its factorial is beyond a double.
        if not 2 <= n <= 170 or n != int(n):
            continue
        if sum(_exponent(f) for f in above if _is_power_of(f, species)) == n:
            found.append((species, int(n)))
    return found


def combinatorial_form(reaction: Reaction, species: str, n: int) -> Issue:
    """Return the warning that a law is taken as written and may be meant combinatorially."""
    return Issue(
        "combinatorial_form",
        Severity.WARNING,
        reaction.id,
        reaction.line,
        f"the law holds '{species}' to the power {n} for {n} reacting molecules and is taken as "
        "written; the number of distinct sets of molecules is smaller, and a single molecule of "
        f"'{species}' could still react.",
        'Load with mass_action="combinatorial" if the rate constant counts distinct sets, or write '
        "the falling factorial.",
        NOTHING,
    )
