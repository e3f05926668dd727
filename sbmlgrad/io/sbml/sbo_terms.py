"""What fitted rate constants are, in the words of the Systems Biology Ontology.

A parameter gets a term only where the structure proves it: every formula that uses it is a kinetic
law of mass action, rate constant times the quantities of all reactants, each to the power of its
stoichiometry, times or divided by sizes of compartments and by nothing else. The ontology defines
these terms (release of 28 August 2021) as the parameter that "encompasses all the contributions to
the velocity except the quantity of the reactants", so that a law with a second factor has none.

The terms are those that hold in a continuous as well as in a discrete framework; `SBO:0000035` and
its like are for one of them alone, which a document does not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.terms import SUMS, factors, terms

#: Molecules that react → forward rate constant: of order zero, uni-, bi-, trimolecular.
FORWARD = {0: "SBO:0000046", 1: "SBO:0000022", 2: "SBO:0000023", 3: "SBO:0000024"}
#: Molecules that react backwards → reverse rate constant.
REVERSE = {1: "SBO:0000032", 2: "SBO:0000033", 3: "SBO:0000034"}


def rate_constants(network: ReactionNetwork, names: Iterable[str]) -> dict[str, str]:
    """Return the terms of those parameters that are proven to be rate constants of mass action.

    Args:
        network: the network.
        names: ids of parameters to be judged.

    Returns:
        Parameter id → SBO term; parameters of which nothing is proven are left out.
    """
    asked = set(names)
    if not asked:
        return {}
    found: dict[str, set[str | None]] = {name: set() for name in asked}
    for reaction in network.reactions:
        known = _of_law(network, reaction)
        for name in symbols(reaction.rate_law) & asked:
            found[name].add(known.get(name))
    for formula in _other_formulas(network):
        for name in symbols(formula) & asked:
            found[name].add(None)
    proven: dict[str, str] = {}
    for name, judged in found.items():
        term = next(iter(judged)) if len(judged) == 1 else None
        if term is not None:
            proven[name] = term
    return proven


def _other_formulas(network: ReactionNetwork) -> Iterator[Expression]:
    yield from (f.number for reaction in network.reactions for f in reaction.formulas)
    for mapping in (network.initial_assignments, network.assignment_rules, network.rate_rules):
        yield from mapping.values()
    for event in network.events:
        yield from (event.trigger, *event.assignments.values())
        yield from (f for f in (event.delay, event.priority) if f is not None)


def _of_law(network: ReactionNetwork, reaction: Reaction) -> dict[str, str]:
    """Return the rate constants of a law of mass action, or nothing if it is none."""
    if reaction.formulas:
        return {}
    sums = terms(_without_sizes(network, reaction.rate_law))
    signs = sorted((sign for sign, _ in sums), reverse=True)
    if signs not in ([1], [1, -1]):
        return {}
    found: dict[str, str] = {}
    for sign, term in sums:
        forward = sign > 0
        side = reaction.reactants if forward else reaction.products
        constant = _rate_constant(network, term, side)
        word = (FORWARD if forward else REVERSE).get(round(sum(side.values())))
        if constant is None or word is None or constant in found:
            return {}
        found[constant] = word
    return found


def _without_sizes(network: ReactionNetwork, law: Expression) -> Expression:
    """Return the sum that a law is, with sizes of compartments around it taken off."""
    above, below = factors(law)
    inside = [f for f in above if isinstance(f, Apply) and f.operator in SUMS]
    rest = [f for f in (*above, *below) if f not in inside]
    if len(inside) == 1 and all(_is_size(network, f) for f in rest):
        return inside[0]
    return law


def _is_size(network: ReactionNetwork, factor: Expression) -> bool:
    return isinstance(factor, Symbol) and isinstance(network.by_id.get(factor.id), Compartment)


def _rate_constant(
    network: ReactionNetwork, term: Expression, side: Mapping[str, float]
) -> str | None:
    """Return the only factor of a term beside the reactants, if it is a parameter."""
    above, below = factors(term)
    if not all(_is_size(network, factor) for factor in below):
        return None
    powers: Counter[str] = Counter()
    constants: list[str] = []
    for factor in above:
        symbol, power = _power(factor)
        element = None if symbol is None else network.by_id.get(symbol)
        if symbol is None or element is None:
            return None
        if isinstance(element, Species):
            powers[symbol] += power
        elif isinstance(element, Parameter) and power == 1:
            constants.append(symbol)
        elif not (isinstance(element, Compartment) and power == 1):
            return None
    wanted = {species: number for species, number in side.items() if number}
    return constants[0] if len(constants) == 1 and dict(powers) == wanted else None


def _power(factor: Expression) -> tuple[str | None, int]:
    """Return the symbol and the whole power that a factor is, or None."""
    if isinstance(factor, Symbol):
        return factor.id, 1
    if isinstance(factor, Apply) and factor.operator == "power":
        base, exponent = factor.arguments
        value = exponent.value if isinstance(exponent, Number) else 0.0
        if isinstance(base, Symbol) and value >= 1 and value.is_integer():
            return base.id, int(value)
    return None, 0
