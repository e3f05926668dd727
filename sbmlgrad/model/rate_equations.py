"""The reaction rate equations of a network: how its state moves between events.

With extent rates v_j, stoichiometries n_sj and conversion factors f_s (SBML L3V2 sections 4.6.8 and
4.11.7),

    d(amount_s)/dt = f_s * sum over j of n_sj v_j;

rate rules give the rates of what they change, a concentration c in a volume V as an amount that
changes at V c' + c V'.
"""

from __future__ import annotations

from collections.abc import Mapping

from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    ONE,
    RATE_OF,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    substitute,
    subtract,
    uses_rate_of,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rates_of_change import (
    resolved_rates,
    with_rates_written_out,
)


def rate_equations(network: ReactionNetwork) -> Mapping[str, Expression]:
    """Return d(state)/dt for the species, as amounts, and other symbols of the state.

    Returns:
        State symbol → expression over the state (species as amounts in substance units), symbols
        that never change and `TIME`; every rateOf is written out.

    Raises:
        UnsupportedModelError: rates of change are defined through each other.
    """
    return resolved_rates(_derivatives(network), network.id)


def without_rate_of(network: ReactionNetwork, formula: Expression, element: str) -> Expression:
    """Return a formula of the model with every rateOf written out, in the model's own symbols.

    Use it where a formula is evaluated on values of symbols as the model means them, as at the
    start: there the symbol of a species is a concentration or an amount, whichever it means.

    Args:
        network: the network.
        formula: over symbols in their own meaning.
        element: what the formula belongs to, for messages.

    Raises:
        UnsupportedModelError: rates of change are defined through each other.
    """
    if not uses_rate_of(formula):
        return formula
    rates = rate_equations(network)
    whole = with_rates_written_out(
        substitute(formula, network.in_amounts), rates, element, network.id
    )
    amounts = {
        species.id: multiply(Symbol(species.id), Symbol(species.compartment))
        for species in network.species
        if species.id in network.state_species and not species.only_substance_units
    }
    return substitute(whole, amounts)


def _derivatives(network: ReactionNetwork) -> dict[str, Expression]:
    """Return d(state)/dt, in which rateOf may still stand."""
    meanings = network.in_amounts
    state_ids = (*network.species_ids, *network.variable_ids)
    terms: dict[str, list[Expression]] = {s: [] for s in state_ids}
    for reaction in network.reactions:
        for species, number in _net_numbers(reaction, meanings).items():
            if _is_changed_by_reactions(network, species):
                terms[species].append(multiply(number, meanings[reaction.id]))
    result: dict[str, Expression] = {}
    for symbol in state_ids:
        element = network.by_id[symbol]
        if symbol in network.rate_rules:
            rate = substitute(network.rate_rules[symbol], meanings)
            result[symbol] = (
                _amount_rate(element, rate, meanings) if isinstance(element, Species) else rate
            )
        elif terms[symbol]:
            assert isinstance(element, Species)
            factor = meanings[element.conversion_factor] if element.conversion_factor else ONE
            result[symbol] = multiply(factor, add(*terms[symbol]))
        else:
            result[symbol] = ZERO
    return result


def _is_changed_by_reactions(network: ReactionNetwork, species: str) -> bool:
    element = network.by_id[species]
    assert isinstance(element, Species)
    return element.changes and species in network.state_species


def _net_numbers(reaction: Reaction, meanings: Mapping[str, Expression]) -> dict[str, Expression]:
    """Return species id → products minus reactants per extent, formulas included."""
    net: dict[str, Expression] = {s: Number(n) for s, n in reaction.net_change().items()}
    for formula in reaction.formulas:
        number = substitute(formula.number, meanings)
        before = net.get(formula.species, ZERO)
        join = add if formula.is_product else subtract
        net[formula.species] = join(before, number)
    return net


def _amount_rate(
    species: Species, rate: Expression, meanings: Mapping[str, Expression]
) -> Expression:
    """Return the rate of an amount from that of what the species means: V c' + c V'."""
    if species.only_substance_units:
        return rate
    size = meanings[species.compartment]
    growth = divide(multiply(Symbol(species.id), Apply(RATE_OF, (size,))), size)
    return add(multiply(size, rate), growth)
