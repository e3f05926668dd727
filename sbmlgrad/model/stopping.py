"""Networks that stop: nothing fires any more once a condition on the state holds.

Being there in the stopped network then means having been there in the original one, so that the
distribution of a first-passage time is that of a state: P(T <= t) = P(X(t) is in the set).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sbmlgrad.errors import RequestError
from sbmlgrad.model.channels import Channel
from sbmlgrad.model.conditions import described, ends_of, is_truth_value, refuse_number
from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    TIME,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    piecewise,
    substitute,
    symbols,
)
from sbmlgrad.model.in_molecules import in_molecules
from sbmlgrad.model.jumps import as_condition
from sbmlgrad.model.network import ReactionNetwork

#: A formula that is true or false, or (id, lower, upper) for lower <= value <= upper, None for an
#: open end.
Condition = Expression | tuple[str, float | None, float | None]


def stopped(network: ReactionNetwork, condition: Condition) -> ReactionNetwork:
    """Return a network in which nothing fires any more once a condition holds.

    Every kinetic law becomes a piecewise one: zero where the condition holds. Choose it to look
    at trajectories that stop; `sbmlgrad.first_passage` has what follows from them.

    Args:
        network: the network, without events and rate rules.
        condition: on species, parameters and compartments in what their symbols mean.

    Returns:
        The network, without the document that it came from.

    Raises:
        RequestError: the condition makes no sense, or the state goes on to move by other means
            than firings.
    """
    holds = condition_of(network, condition)
    reactions = tuple(
        replace(r, rate_law=piecewise(ZERO, holds, r.rate_law)) for r in network.reactions
    )
    return replace(network, reactions=reactions, source=None)


@dataclass(frozen=True)
class Marked:
    """A network that stops, and a species that tells whether it has.

    Attributes:
        network: with all species in molecules, ids and parameters as in the original.
        flag: id of a species that is 0, and 1 from the moment at which the condition comes to hold.
            It stays 0 where the condition holds at the start.
        holds: the condition, over molecules.
    """

    network: ReactionNetwork
    flag: str
    holds: Expression


def marked(network: ReactionNetwork, channels: Sequence[Channel], condition: Condition) -> Marked:
    """Return a network that stops once a condition holds, and marks that moment.

    Each way to fire that may make the condition true is split in two by the state after it: one
    that stays outside, and one that enters and makes one molecule of the flag. Both together have
    the propensity of the original, so that the law of the trajectories is the same, and the time
    until the flag is there, exact, is linear in the state.

    Args:
        network: the network, without events and rate rules.
        channels: what can fire.
        condition: as in `stopped`.

    Raises:
        RequestError: as in `stopped`.
    """
    holds = substitute(condition_of(network, condition), network.in_counts)
    plain = in_molecules(network, channels)
    flag = _unused("reached", {*plain.by_id})
    taken = {*plain.by_id, flag}
    reactions: list[Reaction] = []
    for reaction in plain.reactions:
        change = reaction.net_change()
        outside = Apply("not", (holds,))
        if not change.keys() & symbols(holds):
            law = piecewise(ZERO, holds, reaction.rate_law)
            reactions.append(replace(reaction, rate_law=law))
            continue
        after = substitute(holds, {s: add(Symbol(s), Number(n)) for s, n in change.items()})
        stays = piecewise(reaction.rate_law, _and(outside, Apply("not", (after,))), ZERO)
        enters = piecewise(reaction.rate_law, _and(outside, after), ZERO)
        entering = _unused(f"{reaction.id}_enters", taken)
        taken.add(entering)
        reactions.append(replace(reaction, rate_law=stays))
        products = MappingProxyType({**reaction.products, flag: 1.0})
        reactions.append(replace(reaction, id=entering, rate_law=enters, products=products))
    mark = Species(flag, plain.compartments[0].id, initial_amount=0.0, only_substance_units=True)
    found = replace(plain, species=(*plain.species, mark), reactions=tuple(reactions))
    return Marked(found, flag, holds)


def condition_of(network: ReactionNetwork, condition: Condition) -> Expression:
    """Return a condition as a formula that is true or false.

    Raises:
        RequestError: it makes no sense, or something other than firings moves the state.
    """
    _refuse_motion(network)
    if isinstance(condition, tuple):
        found = _between(condition)
    elif isinstance(condition, Number | Symbol | Apply):
        if not is_truth_value(condition, network.assignment_rules):
            refuse_number(
                f"condition: {described(condition)}", "a number", "compare it, for instance X > 3"
            )
        found = as_condition(condition)
    else:
        raise RequestError(
            f"condition {condition!r}: pass (id, lower, upper), with None for an open end, or an "
            "expression that is true or false"
        )
    used = symbols(found)
    unknown = sorted(used - network.by_id.keys() - {TIME.id})
    if unknown:
        raise RequestError(
            f"the condition uses {', '.join(map(repr, unknown))}, which model '{network.id}' has "
            "not; use ids of its species, parameters and compartments"
        )
    rates = sorted(used & {r.id for r in network.reactions})
    if rates:
        raise RequestError(
            f"the condition uses the rate of {', '.join(map(repr, rates))}, which is zero once it "
            "holds and would let it cease; use the species that the rate depends on"
        )
    full = symbols(substitute(found, network.in_counts))
    if TIME.id in full:
        raise RequestError(
            "the condition depends on the time, so that it may cease to hold although nothing "
            "fires; use the state alone"
        )
    if not full & network.state_species:
        raise RequestError(
            "the condition depends on no species that reactions change, so that it holds always or "
            "never; use one that does"
        )
    return found


def _between(condition: tuple[object, ...]) -> Expression:
    if len(condition) != 3 or not isinstance(condition[0], str):
        raise RequestError(f"condition {condition!r}: pass (id, lower, upper)")
    symbol, parts = Symbol(condition[0]), []
    ends = ends_of(f"condition {condition!r}", *condition[1:])
    for operator, end in zip(("geq", "leq"), ends, strict=True):
        if math.isfinite(end):
            parts.append(Apply(operator, (symbol, Number(end))))
    if not parts:
        raise RequestError(f"condition {condition!r}: both ends are open, so that it always holds")
    return parts[0] if len(parts) == 1 else Apply("and", tuple(parts))


def _refuse_motion(network: ReactionNetwork) -> None:
    movers = [f"event '{event.id}'" for event in network.events]
    movers += [f"rate rule of '{symbol}'" for symbol in network.rate_rules]
    if movers:
        raise RequestError(
            f"model '{network.id}' cannot be stopped: {', '.join(movers)} would go on to move the "
            "state once the condition holds, since only firings stop; remove them, or simulate "
            "and look for the first time yourself"
        )


def _and(*parts: Expression) -> Expression:
    return Apply("and", parts)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
