"""The firing channels of a network: what can fire, at which propensity, with which change.

A reaction whose law is an exact difference of non-negative parts has two channels; every other
reaction has one. This is where a network receives its stochastic meaning; a reaction that has none
is reported as an issue that blocks exact simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    ZERO,
    Expression,
    symbols,
)
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.intervals import factors
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.mass_action import combinatorial, combinatorial_form, powers_consumed
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.signs import can_turn_negative, is_nonnegative, split
from sbmlgrad.model.units import LARGEST_COUNT, law_in_counts, whole_number

#: Suffix of the id of the backward half of a split reaction.
BACKWARD = "_backward"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to fire.

    Attributes:
        id: reaction id, with `_backward` appended for the backward half of a split law.
        reaction: id of the SBML reaction.
        propensity: firings per time, as an expression of counts, parameters and constants.
        change: species id → whole number of molecules gained or lost in one firing.
    """

    id: str
    reaction: str
    propensity: Expression
    change: Mapping[str, int]


def channels(network: ReactionNetwork) -> tuple[tuple[Channel, ...], tuple[Issue, ...]]:
    """Return the firing channels of a network, and the issues that block some of its reactions."""
    at_start = initial_values(network)
    changing = set(network.species_ids)
    constants = {s: v for s, v in at_start.items() if s not in changing}
    taken = set(network.by_id)
    found: list[Channel] = []
    issues: list[Issue] = []
    for reaction in network.reactions:
        change, problems = _whole_change(network, reaction)
        issues += problems
        parts, problems = _parts(network, reaction, change, constants)
        issues += problems
        forward, backward = parts
        if forward != ZERO or backward == ZERO:
            found.append(Channel(reaction.id, reaction.id, forward, change))
        if backward != ZERO:
            reverse = {s: -n for s, n in change.items()}
            name = _unused(reaction.id + BACKWARD, taken)
            found.append(Channel(name, reaction.id, backward, reverse))
    return tuple(found), tuple(issues)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _whole_change(
    network: ReactionNetwork, reaction: Reaction
) -> tuple[dict[str, int], list[Issue]]:
    change: dict[str, int] = {}
    issues: list[Issue] = []
    for species, amount in reaction.net_change().items():
        element = _species(network, species)
        if not element.changes:
            continue
        items = element.items_per_substance / network.items_per_extent
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


def _parts(
    network: ReactionNetwork,
    reaction: Reaction,
    change: Mapping[str, int],
    constants: Mapping[str, float],
) -> tuple[tuple[Expression, Expression], list[Issue]]:
    """Return (forward, backward) propensities and what is to be said about them."""
    law = reaction.rate_law
    whole, issues = _propensity(network, reaction, law, reaction.reactants)
    # Sign is judged on the law as written: a product with a unit factor is no longer X (X - 1).
    if is_nonnegative(law, constants) or is_nonnegative(whole, constants):
        return (whole, ZERO), issues
    parts = split(law, constants)
    if parts is None:
        if can_turn_negative(law):
            return (whole, ZERO), [_not_separable(reaction, "it is no exact difference of two")]
        return (whole, ZERO), [*issues, _sign_unknown(reaction)]
    forward, issues = _propensity(network, reaction, parts[0], reaction.reactants)
    backward, more = _propensity(network, reaction, parts[1], reaction.products)
    surviving = _survives_without_product(backward, change, constants)
    if surviving is not None:
        reason = (
            f"its negative part does not vanish without '{surviving}', "
            "so it is not the rate of a backward reaction"
        )
        return (whole, ZERO), [_not_separable(reaction, reason)]
    issues += [issue for issue in more if issue not in issues]
    if not reaction.reversible:
        issues.append(_split_though_irreversible(reaction))
    return (forward, backward), issues


def _propensity(
    network: ReactionNetwork, reaction: Reaction, law: Expression, consumed: Mapping[str, float]
) -> tuple[Expression, list[Issue]]:
    """Return one direction of a law in counts, and a warning where it may be meant otherwise."""
    powers = powers_consumed(consumed, factors(law)[0])
    if network.mass_action == "combinatorial" and powers:
        return combinatorial(network, law, powers), []
    issues = [combinatorial_form(reaction, species, n) for species, n in powers]
    return law_in_counts(network, law), issues


def _survives_without_product(
    backward: Expression, change: Mapping[str, int], constants: Mapping[str, float]
) -> str | None:
    """Return a product without which the backward propensity is not zero, or None.

    Evaluated at a few states with the product absent; structural zeros are exact there.
    """
    rng = np.random.default_rng(20021)
    used = symbols(backward)
    present = {s: constants[s] for s in used if s in constants and math.isfinite(constants[s])}
    # Parameters that are zero for now can make a quotient 0 / 0; then others show the structure.
    drawn = {s: v for s, v in present.items() if v != 0.0}
    for product in (s for s, n in change.items() if n > 0):
        for _ in range(3):
            rate = evaluate(backward, _Drawn(rng, {**present, product: 0.0}))
            if math.isnan(rate):
                rate = evaluate(backward, _Drawn(rng, {**drawn, product: 0.0}))
            if rate != 0.0:
                return product
    return None


class _Drawn(dict[str, float]):
    """Values of symbols; one without a value is drawn when asked for."""

    def __init__(self, rng: np.random.Generator, values: Mapping[str, float]) -> None:
        super().__init__(values)
        self._rng = rng

    def __missing__(self, symbol: str) -> float:
        self[symbol] = float(self._rng.integers(1, 50))
        return self[symbol]


def _not_separable(reaction: Reaction, reason: str) -> Issue:
    return Issue(
        "reversible_not_separable",
        Severity.ERROR,
        reaction.id,
        reaction.line,
        "the kinetic law can become negative and cannot be split into a forward and a backward "
        f"propensity: {reason}.",
        "Write it as forward minus backward rate, or as two irreversible reactions.",
        STOCHASTIC_ONLY,
    )


def _sign_unknown(reaction: Reaction) -> Issue:
    return Issue(
        "sign_unknown",
        Severity.WARNING,
        reaction.id,
        reaction.line,
        "it cannot be shown that the kinetic law never becomes negative.",
        "A simulation that meets a negative propensity stops with an error; nothing is clamped.",
        NOTHING,
    )


def _split_though_irreversible(reaction: Reaction) -> Issue:
    return Issue(
        "reversible_split",
        Severity.WARNING,
        reaction.id,
        reaction.line,
        "the kinetic law is a difference, so the reaction fires forward and backward although it "
        "is marked as irreversible.",
        "Nothing, if that is meant; otherwise write a law that cannot become negative.",
        NOTHING,
    )
