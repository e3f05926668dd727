"""Concentrations in compartments whose size is zero for good: they have no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sbmlgrad.io.sbml.support import refused
from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import Expression, symbols
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.issues import Issue
from sbmlgrad.model.network import ReactionNetwork


def volume_issues(network: ReactionNetwork) -> Iterator[Issue]:
    """Refuse species whose concentration is needed where there is no volume.

    Amounts in such a compartment are harmless, and so is a size that a formula gives or something
    changes: whether it is zero when the concentration is needed shows when it runs.

    Args:
        network: the network, its formulas without cycles.
    """
    free = {*network.variable_ids, *network.assignment_rules, *network.initial_assignments}
    empty = {c.id for c in network.compartments if c.size == 0.0} - free
    if not empty:
        return
    values, users = initial_values(network), _users(network)
    for species in network.species:
        if species.compartment not in empty or species.only_substance_units:
            continue
        reason = _reason(network, species, values, users)
        if reason:
            yield refused(
                "volume_undefined",
                species.id,
                None,
                f"{reason}, and the size of its compartment '{species.compartment}' is 0, so that "
                "it has none.",
                f"Give '{species.compartment}' a size, or write hasOnlySubstanceUnits=\"true\" for "
                f"'{species.id}' if an amount is meant.",
            )


def _reason(
    network: ReactionNetwork,
    species: Species,
    values: Mapping[str, float],
    users: Mapping[str, str],
) -> str:
    """Return what needs the concentration of a species as a quotient, or nothing."""
    name = species.id
    is_state = name in network.state_species
    is_given = species.initial_concentration is not None or name in network.initial_assignments
    if is_state and is_given and values[name] != 0.0:
        return "its initial value is a concentration"
    setting = [event.id for event in network.events if name in event.assignments]
    if setting:
        return f"the event '{setting[0]}' sets its concentration"
    if is_state and name in network.rate_rules:
        return "a rate rule sets its concentration"
    if name in users and (is_state or not (is_given or name in network.assignment_rules)):
        return f"'{users[name]}' uses its concentration"
    return ""


def _users(network: ReactionNetwork) -> dict[str, str]:
    """Return symbol → the first element whose formula uses it."""
    found: dict[str, str] = {}
    for element, formula in _formulas(network):
        for symbol in symbols(formula):
            found.setdefault(symbol, element)
    return found


def _formulas(network: ReactionNetwork) -> Iterator[tuple[str, Expression]]:
    for reaction in network.reactions:
        yield f"{reaction.id}/kineticLaw", reaction.rate_law
        yield from ((f"{reaction.id}/{f.species}", f.number) for f in reaction.formulas)
    for table in (network.initial_assignments, network.assignment_rules, network.rate_rules):
        yield from table.items()
    for event in network.events:
        parts = (event.trigger, event.delay, event.priority, *event.assignments.values())
        yield from ((event.id, part) for part in parts if part is not None)
