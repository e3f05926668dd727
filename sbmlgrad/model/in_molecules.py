"""A network rewritten in molecules: every species a count, every way to fire a reaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from sbmlgrad.errors import RequestError
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.elements import NO_VALUE, Compartment, Reaction, Species
from sbmlgrad.model.expression import Expression, Number, Symbol, multiply, substitute
from sbmlgrad.model.network import ReactionNetwork

#: Compartment of a network that has none.
CONTAINER = "container"


def in_molecules(network: ReactionNetwork, channels: Sequence[Channel]) -> ReactionNetwork:
    """Return a network whose state symbols mean molecules, and whose laws are propensities.

    Ids of species, parameters and compartments stay, and so do the propensities, to the bit. Choose
    it to change single ways to fire, which kinetic laws of reversible reactions do not show.

    Args:
        network: the network, without events and rate rules.
        channels: what can fire, one reaction each; what changes nothing is left out.

    Raises:
        RequestError: a stoichiometry follows from a formula or a parameter.
    """
    for reaction in network.reactions:
        factors = [
            s.conversion_factor
            for s in network.species
            if s.id in reaction.species and s.conversion_factor
        ]
        if reaction.formulas or factors:
            raise RequestError(
                f"model '{network.id}': how many molecules '{reaction.id}' changes follows from "
                f"{', '.join(map(repr, factors)) or 'a formula'}, and rewritten in molecules it "
                "would not; write numbers into the model"
            )
    meanings = network.in_counts
    starts = {t: substitute(e, meanings) for t, e in network.initial_assignments.items()}
    species = tuple(_as_count(network, s, starts) for s in network.species)
    return replace(
        network,
        compartments=network.compartments or (Compartment(CONTAINER, 1.0),),
        species=species,
        reactions=tuple(_reaction(c) for c in channels if c.change),
        initial_assignments=MappingProxyType(starts),
        assignment_rules=MappingProxyType({t: meanings[t] for t in network.assignment_rules}),
        items_per_extent=1.0,
        extent_unit="item",
        mass_action="as_written",
        issues=tuple(i for i in network.issues if i not in network.judged_issues),
        judged_issues=(),
        source=None,
    )


def _as_count(network: ReactionNetwork, species: Species, starts: dict[str, Expression]) -> Species:
    """Return a species in molecules; a start that follows from formulas goes into `starts`."""
    if species.id not in network.state_species:
        return species
    items = species.items_per_substance
    plain = replace(
        species,
        initial_amount=None,
        initial_concentration=None,
        only_substance_units=True,
        items_per_substance=1.0,
        conversion_factor="",
    )
    if species.id in starts:
        starts[species.id] = _molecules(network.in_counts, species, starts[species.id])
        return plain
    if species.initial_amount is not None:
        return replace(plain, initial_amount=species.initial_amount * items)
    concentration = species.initial_concentration
    if concentration is None:
        return replace(plain, initial_amount=NO_VALUE)
    size = network.in_counts.get(species.compartment, Symbol(species.compartment))
    starts[species.id] = multiply(Number(concentration * items), size)
    return plain


def _molecules(
    meanings: Mapping[str, Expression], species: Species, value: Expression
) -> Expression:
    amount = multiply(Number(species.items_per_substance), value)
    if species.only_substance_units:
        return amount
    return multiply(amount, meanings.get(species.compartment, Symbol(species.compartment)))


def _reaction(channel: Channel) -> Reaction:
    lost = {s: float(-n) for s, n in channel.change.items() if n < 0}
    gained = {s: float(n) for s, n in channel.change.items() if n > 0}
    return Reaction(
        id=channel.id,
        reactants=MappingProxyType(lost),
        products=MappingProxyType(gained),
        rate_law=channel.propensity,
        is_propensity=True,
    )
