"""Assignment rules written out: what every symbol means, as a function of the state alone.

The state of a simulation is the species that reactions, events or rate rules change, and the other
symbols that events or rate rules change. Everything else with a value either never changes or is
given by an assignment rule, which holds at all times and can therefore be written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Expression, Symbol, substitute, symbols
from sbmlgrad.model.formula_extent import Extent, extent
from sbmlgrad.model.graphs import in_order
from sbmlgrad.model.issues import EVERY_MODE, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.units import symbol_in_state


def written_out(
    network: ReactionNetwork, *, keeping: frozenset[str] = frozenset()
) -> Mapping[str, Expression]:
    """Return assignment rule target → formula over symbols that have no assignment rule.

    Symbols of species keep their own meaning (amount or concentration). Formulas beyond the
    limits of `formula_extent` are left out; `formula_issues` reports them.

    Args:
        network: the network.
        keeping: targets whose symbols stay as they are.
    """
    rules, too_large = network.assignment_rules, _too_large(network)
    result: dict[str, Expression] = {}
    for target in in_order({t: symbols(e) for t, e in rules.items()}):
        if target not in too_large and target not in keeping:
            result[target] = substitute(rules[target], result)
    return MappingProxyType(result)


def formula_issues(network: ReactionNetwork) -> tuple[Issue, ...]:
    """Return an issue for every rule or kinetic law that is too large when written out."""
    return tuple(
        Issue(
            "formula_too_large",
            Severity.ERROR,
            target,
            None,
            f"with all rules that it uses written out, its formula {found.excess}.",
            "Nest the rules less.",
            EVERY_MODE,
        )
        for target, found in _too_large(network).items()
    )


def _too_large(network: ReactionNetwork) -> dict[str, Extent]:
    extents: dict[str, Extent] = {}
    rules = network.assignment_rules
    formulas = [(t, rules[t]) for t in in_order({t: symbols(e) for t, e in rules.items()})]
    formulas += [(reaction.id, reaction.rate_law) for reaction in network.reactions]
    for name, formula in formulas:
        extents[name] = extent(formula, extents)
    return {target: found for target, found in extents.items() if found.excess}


def meanings(network: ReactionNetwork, *, counts: bool) -> Mapping[str, Expression]:
    """Return what every symbol means in the model's mathematics, as a function of the state.

    Args:
        network: the network.
        counts: whether the symbol of a species of the state stands for its count of molecules, as
            in stochastic simulation, or for its amount in substance units.

    Returns:
        Symbol id → expression over state symbols, constants and `TIME`, for compartments, species,
        parameters, species references and reactions (rate in extent per time).
    """
    state = network.state_species
    needs = {t: symbols(e) for t, e in network.assignment_rules.items()}
    for species in network.species:
        if species.id in state and not species.only_substance_units:
            needs[species.id] = frozenset({species.compartment})
    result: dict[str, Expression] = {
        e.id: Symbol(e.id)
        for e in (*network.compartments, *network.parameters, *network.references, *network.species)
        if e.id not in needs
    }
    for species in network.species:
        if species.id in state and species.only_substance_units:
            result[species.id] = symbol_in_state(species, result, counts=counts)
    too_large = _too_large(network)
    for symbol in in_order(needs):
        if symbol in too_large:
            continue
        element = network.by_id[symbol]
        if isinstance(element, Species) and symbol in state:
            result[symbol] = symbol_in_state(element, result, counts=counts)
        else:
            result[symbol] = substitute(network.assignment_rules[symbol], result)
    for reaction in network.reactions:
        if reaction.id not in too_large:
            result[reaction.id] = substitute(reaction.rate_law, result)
    return MappingProxyType(result)
