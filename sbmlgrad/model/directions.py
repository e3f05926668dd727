"""The directions of a reaction: its propensity forward and, where its law says so, backward.

This is where a kinetic law receives its stochastic meaning. A law that can become negative is split
into two non-negative propensities or refused; nothing ever fires on a net rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sbmlgrad.model.elements import Reaction
from sbmlgrad.model.expression import (
    ZERO,
    Apply,
    Expression,
    Number,
    add,
    multiply,
    substitute,
    symbols,
)
from sbmlgrad.model.intervals import factors
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.mass_action import combinatorial, combinatorial_form, powers_consumed
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.signs import can_turn_negative, is_nonnegative, split


def directions(
    network: ReactionNetwork,
    reaction: Reaction,
    law: Expression,
    change: Mapping[str, int],
    constants: Mapping[str, float],
) -> tuple[tuple[Expression, Expression], list[Issue]]:
    """Return (forward, backward) propensities and what is to be said about them.

    Args:
        network: the network.
        reaction: one of its reactions.
        law: its kinetic law with assignment rules written out.
        change: species id → molecules gained or lost in one forward firing.
        constants: symbol → value of everything that never changes.
    """
    whole, issues = _propensity(network, reaction, law, reaction.reactants)
    # Sign is judged on the law as written: a product with a unit factor is no longer X (X - 1).
    if is_nonnegative(law, constants) or is_nonnegative(whole, constants):
        return (whole, ZERO), issues
    parts = split(law, constants)
    if _has_unsigned_coefficient(reaction, parts, change, constants):
        return (whole, ZERO), [*issues, _sign_unknown(reaction)]
    if parts is None:
        if can_turn_negative(law):
            return (whole, ZERO), [_not_separable(reaction, "it is no exact difference of two")]
        return (whole, ZERO), [*issues, _sign_unknown(reaction)]
    forward, issues = _propensity(network, reaction, parts[0], reaction.reactants)
    backward, more = _propensity(network, reaction, parts[1], reaction.products)
    surviving = _survives_without(backward, change, constants)
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


def _has_unsigned_coefficient(
    reaction: Reaction,
    parts: tuple[Expression, Expression] | None,
    change: Mapping[str, int],
    constants: Mapping[str, float],
) -> bool:
    """Tell whether only the sign of a symbol with an assignment rule is unknown.

    In a law such as k25 X, with k25 given by a rule, the rule is a coefficient: the law vanishes
    with its reactants, and no part of it is the rate of a backward reaction. Firing stops with an
    error should the coefficient become negative.
    """
    used_up = {s: -n for s, n in change.items() if n < 0}
    law = reaction.rate_law
    if not used_up or not is_nonnegative(law, constants):
        return False
    if _survives_without(law, used_up, constants) is not None:
        return False
    return parts is None or _survives_without(parts[1], change, constants) is not None


def _propensity(
    network: ReactionNetwork, reaction: Reaction, law: Expression, consumed: Mapping[str, float]
) -> tuple[Expression, list[Issue]]:
    """Return one direction of a law in counts, and a warning where it may be meant otherwise."""
    powers = powers_consumed(consumed, factors(law)[0])
    if network.mass_action == "combinatorial" and powers:
        return combinatorial(network, law, powers), []
    issues = [combinatorial_form(reaction, species, n) for species, n in powers]
    return multiply(Number(network.items_per_extent), substitute(law, network.in_counts)), issues


def _survives_without(
    rate: Expression, change: Mapping[str, int], constants: Mapping[str, float]
) -> str | None:
    """Return a species that `change` makes without which a rate is not zero, or None.

    Evaluated at a few states with the species absent; structural zeros are exact there.
    """
    rng = np.random.default_rng(20021)
    rate = _with_all_branches(rate)
    used = symbols(rate)
    present = {s: constants[s] for s in used if s in constants and math.isfinite(constants[s])}
    # Parameters that are zero for now can make a quotient 0 / 0; then others show the structure.
    drawn = {s: v for s, v in present.items() if v != 0.0}
    for product in (s for s, n in change.items() if n > 0):
        for _ in range(3):
            value = evaluate(rate, _Drawn(rng, {**present, product: 0.0}))
            if math.isnan(value):
                value = evaluate(rate, _Drawn(rng, {**drawn, product: 0.0}))
            if value != 0.0:
                return product
    return None


def _with_all_branches(rate: Expression) -> Expression:
    """Return a rate with every piecewise function replaced by the sum of its values.

    A rate >= 0 vanishes wherever the conditions lead only if all of its branches do.
    """
    if not isinstance(rate, Apply):
        return rate
    arguments = tuple(_with_all_branches(argument) for argument in rate.arguments)
    if rate.operator == "piecewise":
        return add(*arguments[::2])
    return Apply(rate.operator, arguments)


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
