"""The directions of a reaction: its propensity forward and, where its law says so, backward.

This is where a kinetic law receives its stochastic meaning. A law that can become negative is split
into two non-negative propensities or refused; nothing ever fires on a net rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sbmlgrad.model.elements import Reaction
from sbmlgrad.model.expression import (
    ZERO,
    Expression,
    Number,
    multiply,
    substitute,
)
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.laws.collected import collected
from sbmlgrad.model.laws.falling_in_counts import falling_in_counts
from sbmlgrad.model.laws.falling_products import with_falling_products
from sbmlgrad.model.laws.known_values import KnownValues
from sbmlgrad.model.laws.mass_action import combinatorial, combinatorial_form, powers_consumed
from sbmlgrad.model.laws.one_signed import one_signed
from sbmlgrad.model.laws.signs import is_nonnegative
from sbmlgrad.model.laws.vanishing import survives_without
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.terms import factors


@dataclass(frozen=True)
class Directions:
    """What a reaction's law comes to.

    Attributes:
        forward, backward: propensities in counts.
        issues: what is to be said about them.
        uses: constants whose values they rest on.
        is_plain: whether the law is >= 0 as it stands.
        is_refused: whether it is no propensity and no difference of two.
    """

    forward: Expression
    backward: Expression
    issues: tuple[Issue, ...]
    uses: frozenset[str]
    is_plain: bool = False
    is_refused: bool = False

    @property
    def may_be_negative(self) -> bool:
        """Whether the propensities are not shown to be >= 0 at all times."""
        return any(issue.code == "sign_unknown" for issue in self.issues)


@dataclass(frozen=True)
class Law:
    """A kinetic law in three readings.

    Attributes:
        as_written: with the symbols of assignment rules.
        of_species: with the rules written out but for those of species, which are >= 0 in meaning.
        in_full: with all rules written out.
    """

    as_written: Expression
    of_species: Expression
    in_full: Expression


def directions(
    network: ReactionNetwork,
    reaction: Reaction,
    law: Law,
    change: Mapping[str, int],
    known: KnownValues,
) -> Directions:
    """Return the propensities of a reaction in counts.

    Args:
        network: the network.
        reaction: one of its reactions.
        law: its kinetic law.
        change: species id → molecules gained or lost in one forward firing.
        known: what is known of the symbols of the law.
    """
    found = _as_it_stands(network, reaction, law, known)
    if found is not None:
        return found
    law, sizes = _with_falling_products(_collected(law), known)
    found = _as_it_stands(network, reaction, law, known)
    if found is None:
        found = _split(network, reaction, law, change, known)
    return replace(found, uses=found.uses | sizes)


def _as_it_stands(
    network: ReactionNetwork, reaction: Reaction, law: Law, known: KnownValues
) -> Directions | None:
    """Return a law that is shown to be >= 0 as the propensity, None for any other."""
    uses = known.is_nonnegative(law.in_full)
    if uses is None:
        return None
    whole = _propensity(network, reaction, law.in_full, reaction.reactants, known)
    return Directions(whole.rate, ZERO, whole.issues, whole.uses | uses, is_plain=True)


def _collected(law: Law) -> Law:
    return Law(*(collected(reading) for reading in (law.as_written, law.of_species, law.in_full)))


def _split(
    network: ReactionNetwork,
    reaction: Reaction,
    law: Law,
    change: Mapping[str, int],
    known: KnownValues,
) -> Directions:
    """Return a law that may become negative in two directions, or refused."""
    whole = _propensity(network, reaction, law.in_full, reaction.reactants, known)
    uses = known.uses | whole.uses
    if reaction.is_propensity:
        return Directions(whole.rate, ZERO, (_sign_unknown(reaction),), uses)
    reason = None
    possible: list[tuple[Expression, Expression]] = []
    # First what species mean: a total minus B, given to a species A by a rule, is no difference.
    for reading in dict.fromkeys((law.of_species, law.in_full)):
        judged = known.judge(reading)
        uses |= judged.uses
        parts = judged.parts or (reading, ZERO)
        reason = _why_not(*parts, change, known)
        if reason is None and _consume_what_they_need(parts, change, known):
            return _in_parts(network, reaction, parts, known, uses)
        if reason is None:
            possible.append(parts)
    judged = known.judge(law.as_written)
    uses |= judged.uses
    if judged.parts is not None and _vanish_with_reactants(judged.parts, change, known):
        return _in_parts(network, reaction, judged.parts, known, uses)
    if possible:
        return _in_parts(network, reaction, possible[0], known, uses)
    if known.is_nonnegative_now(law.in_full):
        # With a parameter that is zero for now, as the z of k (1 - z) A.
        uses |= known.constants_of(law.in_full)
        return Directions(whole.rate, ZERO, whole.issues, uses)
    issue = _not_separable(reaction, str(reason))
    return Directions(whole.rate, ZERO, (issue,), uses, is_refused=True)


def _in_parts(
    network: ReactionNetwork,
    reaction: Reaction,
    parts: tuple[Expression, Expression],
    known: KnownValues,
    uses: frozenset[str],
) -> Directions:
    forward = _propensity(network, reaction, parts[0], reaction.reactants, known)
    backward = _propensity(network, reaction, parts[1], reaction.products, known)
    issues = dict.fromkeys((*forward.issues, *backward.issues))
    in_full = (substitute(part, known.rules) for part in parts)
    if not all(is_nonnegative(part, known.everything()) for part in in_full):
        issues[_sign_unknown(reaction)] = None
    if parts[1] != ZERO and not reaction.reversible:
        issues[_split_though_irreversible(reaction)] = None
    uses = uses | forward.uses | backward.uses
    return Directions(forward.rate, backward.rate, tuple(issues), uses)


def _with_falling_products(law: Law, known: KnownValues) -> tuple[Law, frozenset[str]]:
    """Return a law with pairs, triples, ... that were multiplied out, and the sizes it rests on."""
    readings = (law.as_written, law.of_species, law.in_full)
    found = [with_falling_products(r, known.molecules, known.sizes) for r in readings]
    return Law(*(reading for reading, _ in found)), frozenset().union(*(s for _, s in found))


def _consume_what_they_need(
    parts: tuple[Expression, Expression], change: Mapping[str, int], known: KnownValues
) -> bool:
    """Tell whether each part of a law vanishes without what it consumes.

    A split that fails this may have torn a coefficient open: kf A - kb B with kb := k (1 - I/T) is
    no difference of kf A + k I/T B and k B.
    """
    for part, direction in zip(parts, (-1, 1), strict=True):
        used_up = {s: 1 for s, n in change.items() if direction * n > 0}
        # A part without a value there, as 0 / 0, has not been torn from anything.
        left = survives_without(part, used_up, known.constants, where_undefined=False)
        if part != ZERO and left is not None:
            return False
    return True


def _vanish_with_reactants(
    parts: tuple[Expression, Expression], change: Mapping[str, int], known: KnownValues
) -> bool:
    """Tell whether each part of a law is a coefficient times what it consumes.

    In a law such as k25 X, with k25 given by a rule or set by events, k25 is a coefficient whatever
    it is made of: the law vanishes with its reactants. Firing stops with an error should the
    coefficient become negative.
    """
    for part, direction in zip(parts, (-1, 1), strict=True):
        used_up = {s: direction * n for s, n in change.items() if direction * n > 0}
        if part == ZERO:
            continue
        if not used_up or survives_without(part, used_up, known.constants) is not None:
            return False
    return True


def _why_not(
    forward: Expression, backward: Expression, change: Mapping[str, int], known: KnownValues
) -> str | None:
    """Return why two parts of a law are no propensities of opposed firings, or None if they are."""
    for part in (forward, backward):
        if not one_signed(part, known):
            return "it is no exact difference of two parts of known signs"
    surviving = survives_without(backward, change, known.constants)
    if surviving is not None:
        return (
            f"its negative part does not vanish without '{surviving}', "
            "so it is not the rate of a backward reaction"
        )
    makes_something = any(n > 0 for n in change.values())
    if forward == ZERO and not makes_something:
        return "it is never positive, and backwards it would make molecules out of nothing"
    if backward != ZERO and not makes_something:
        for species, n in change.items():
            # Births of one at a time stand on their own; pairs do not come back from one molecule.
            if n <= -2 and survives_without(backward, {species: 1}, known.constants) is None:
                return (
                    f"its negative part would make {-n} '{species}' at a time out of '{species}' "
                    "itself, so it is not the rate of a backward reaction"
                )
    return None


@dataclass(frozen=True)
class _Direction:
    rate: Expression
    issues: tuple[Issue, ...]
    uses: frozenset[str] = frozenset()


def _propensity(
    network: ReactionNetwork,
    reaction: Reaction,
    law: Expression,
    consumed: Mapping[str, float],
    known: KnownValues,
) -> _Direction:
    """Return one direction of a law in counts, and a warning where it may be meant otherwise."""
    # What the document calls a propensity is in molecules, and meant as it stands.
    powers = [] if reaction.is_propensity else powers_consumed(consumed, factors(law)[0])
    if network.mass_action == "combinatorial" and powers:
        return _Direction(combinatorial(network, law, powers), ())
    issues = tuple(combinatorial_form(reaction, species, n) for species, n in powers)
    rate, uses = falling_in_counts(network, law, known)
    return _Direction(multiply(Number(network.items_per_extent), rate), issues, uses)


def _not_separable(reaction: Reaction, reason: str) -> Issue:
    return Issue(
        "reversible_not_separable",
        Severity.ERROR,
        reaction.id,
        reaction.line,
        "the kinetic law can become negative and cannot be split into a forward and a backward "
        f"propensity: {reason}.",
        "Write it as forward minus backward rate, or as two irreversible reactions; where the "
        "difference is a quantity, as a total minus some species, make it a species with that "
        "assignment rule.",
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
        "Nothing, if that is meant; otherwise write a law that cannot become negative. Where the "
        "difference is a quantity, as a total minus this species, make it a species with that "
        "assignment rule.",
        NOTHING,
    )
