"""Stoichiometry in whole molecules: what one firing of a reaction changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import substitute, symbols
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.rules import written_out
from sbmlgrad.model.units import LARGEST_COUNT, whole_number


def whole_change(
    network: ReactionNetwork, reaction: Reaction, constants: Mapping[str, float]
) -> tuple[dict[str, int], list[Issue]]:
    """Return species id → molecules gained or lost in one firing, and what stands against it.

    Args:
        network: the network.
        reaction: one of its reactions.
        constants: symbol → value of what never changes.
    """
    change: dict[str, int] = {}
    sums, issues = _with_formulas(network, reaction, constants)
    for species, amount in sums.items():
        element = _species(network, species)
        if not element.changes:
            continue
        items = element.items_per_substance / network.items_per_extent
        if element.conversion_factor:
            # A factor that is no constant was refused on reading; the rest is judged all the same.
            items *= constants.get(element.conversion_factor, 1.0)
        count = whole_number(amount * items)
        # A tiny change is no change of zero: it is a mistake in the units.
        if count is None or count == 0.0:
            issues.append(
                Issue(
                    "non_integer_stoichiometry",
                    Severity.ERROR,
                    f"{reaction.id}/{species}",
                    reaction.line,
                    f"one firing would change '{species}' by {amount * items:g} molecules, "
                    "and only whole molecules can react.",
                    "Write the reaction with whole stoichiometric coefficients.",
                    STOCHASTIC_ONLY,
                )
            )
        elif abs(count) > LARGEST_COUNT:
            issues.append(_change_too_large(reaction, species, count))
        else:
            change[species] = int(count)
    return change, issues


def _with_formulas(
    network: ReactionNetwork, reaction: Reaction, constants: Mapping[str, float]
) -> tuple[dict[str, float], list[Issue]]:
    """Return the net change of a reaction, its stoichiometries that are formulas evaluated."""
    if not reaction.formulas:
        return reaction.net_change(), []
    reactants, products = dict(reaction.reactants), dict(reaction.products)
    issues: list[Issue] = []
    rules = written_out(network)
    for part in reaction.formulas:
        number = substitute(part.number, rules)
        if not symbols(number) <= constants.keys():
            issues.append(_variable_stoichiometry(network, reaction, part.species))
            continue
        side = products if part.is_product else reactants
        side[part.species] = side.get(part.species, 0.0) + float(evaluate(number, constants))
    summed = replace(reaction, reactants=reactants, products=products)
    return summed.net_change(), issues


def _variable_stoichiometry(network: ReactionNetwork, reaction: Reaction, species: str) -> Issue:
    is_changed = _species(network, species).changes
    return Issue(
        "variable_stoichiometry",
        Severity.ERROR if is_changed else Severity.INFO,
        f"{reaction.id}/{species}",
        reaction.line,
        f"the number of '{species}' that one firing changes varies during the simulation"
        + (", and a firing channel has one change." if is_changed else ", which has no effect."),
        "Write one reaction for every stoichiometry.",
        STOCHASTIC_ONLY if is_changed else NOTHING,
    )


def _change_too_large(reaction: Reaction, species: str, count: float) -> Issue:
    return Issue(
        "count_too_large",
        Severity.ERROR,
        f"{reaction.id}/{species}",
        reaction.line,
        f"one firing would change '{species}' by {count:.3g} molecules, more than can be counted "
        "exactly in double precision.",
        "Give species and extent the same unit of substance.",
        STOCHASTIC_ONLY,
    )


def _species(network: ReactionNetwork, name: str) -> Species:
    element = network.by_id[name]
    assert isinstance(element, Species)
    return element
