"""The firing channels of a network: what can fire, at which propensity, with which change.

A reaction whose law is an exact difference of non-negative parts has two channels; every other
reaction has one. This is where a network receives its stochastic meaning; a reaction that has none
is reported as an issue that blocks exact simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sbmlgrad.model.elements import Reaction
from sbmlgrad.model.expression import (
    ZERO,
    Expression,
    substitute,
    symbols,
    uses_rate_of,
)
from sbmlgrad.model.initial import initial_values, random_at_start
from sbmlgrad.model.issues import STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.laws.directions import Directions, Law, directions
from sbmlgrad.model.laws.known_values import KnownValues, known_values
from sbmlgrad.model.laws.upper_bounds import UpperBound, candidate_bounds
from sbmlgrad.model.laws.whole_change import whole_change
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rules import formula_issues, written_out

#: Suffix of the id of the backward half of a split reaction.
BACKWARD = "_backward"

#: Bounds are not looked for where one firing makes more molecules of a species than this.
LARGEST_STEP = 100


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to fire.

    Attributes:
        id: reaction id, with `_backward` appended for the backward half of a split law.
        reaction: id of the SBML reaction.
        propensity: firings per time, as an expression of counts, parameters and constants.
        change: species id → whole number of molecules gained or lost in one firing.
        may_be_negative: whether the propensity is not shown to be >= 0 at all times.
    """

    id: str
    reaction: str
    propensity: Expression
    change: Mapping[str, int]
    may_be_negative: bool = True


@dataclass(frozen=True)
class Judgement:
    """The channels of a network under some values, and what has to hold for them to stay.

    Attributes:
        channels: what can fire.
        issues: what blocks some reactions, and warnings.
        by_value: symbol → value at time 0 that the channels rest on.
        by_sign: symbol → sign (-1, 0, 1 or NaN) that they rest on.
        is_own: whether the values are those of the network itself.
    """

    channels: tuple[Channel, ...]
    issues: tuple[Issue, ...]
    by_value: Mapping[str, float] = field(default_factory=dict)
    by_sign: Mapping[str, float] = field(default_factory=dict)
    is_own: bool = True

    def holds_for(self, values: Mapping[str, float]) -> bool:
        """Tell whether other values at time 0 cannot lead to other channels."""
        return all(_same(values[s], v) for s, v in self.by_value.items()) and all(
            _same(_sign(values[s]), v) for s, v in self.by_sign.items()
        )


def _sign(value: float) -> float:
    return value if value != value else float((value > 0.0) - (value < 0.0))


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


def channels(network: ReactionNetwork) -> tuple[tuple[Channel, ...], tuple[Issue, ...]]:
    """Return the firing channels of a network, and the issues that block some of its reactions."""
    judgement = judge(network)
    return judgement.channels, judgement.issues


def judge(network: ReactionNetwork, values: Mapping[str, float] | None = None) -> Judgement:
    """Return the firing channels of a network under some values.

    Args:
        network: the network.
        values: symbol → value at time 0 (`initial_values`); by default the network's own.
    """
    issues: list[Issue] = list(formula_issues(network))
    if not issues:
        issues += _rates_of_change(network)
    if issues:
        return Judgement((), tuple(issues))
    is_own = values is None
    values = initial_values(network) if values is None else values
    known = known_values(network, values)
    laws = _laws(network)
    changes: dict[str, dict[str, int]] = {}
    for reaction in network.reactions:
        changes[reaction.id], problems = whole_change(network, reaction, known.constants)
        issues += problems
    known, ways = _judge_laws(network, laws, changes, known, values)
    taken = set(network.by_id)
    found: list[Channel] = []
    uses: set[str] = set()
    for reaction in network.reactions:
        way, change = ways[reaction.id], changes[reaction.id]
        issues += way.issues
        uses |= way.uses
        # A volume that may be negative is taken for positive in the proofs.
        used = symbols(way.forward) | symbols(way.backward)
        is_open = way.may_be_negative or bool(used & known.unsigned)
        if way.forward != ZERO or way.backward == ZERO:
            found.append(Channel(reaction.id, reaction.id, way.forward, change, is_open))
        if way.backward != ZERO:
            reverse = {s: -n for s, n in change.items()}
            name = _unused(reaction.id + BACKWARD, taken)
            found.append(Channel(name, reaction.id, way.backward, reverse, is_open))
    uses |= _structural(network)
    if known.upper:
        # Bounds hold for the start and the constants that they were shown for.
        uses |= known.upper.keys() | known.constants.keys()
    return Judgement(
        tuple(found),
        tuple(issues),
        {s: values[s] for s in uses if s in known.constants or s in known.upper},
        {s: _sign(value) for s, value in values.items() if s not in network.counted},
        is_own,
    )


def _laws(network: ReactionNetwork) -> dict[str, Law]:
    """Return the kinetic laws of a network in every reading, by reaction."""
    rules = written_out(network)
    ruled_species = frozenset(s.id for s in network.species if s.id in rules)
    others = written_out(network, keeping=ruled_species) if ruled_species else rules
    return {
        reaction.id: Law(
            reaction.rate_law,
            substitute(reaction.rate_law, others),
            substitute(reaction.rate_law, rules),
        )
        for reaction in network.reactions
    }


def _judge_laws(
    network: ReactionNetwork,
    laws: Mapping[str, Law],
    changes: Mapping[str, Mapping[str, int]],
    known: KnownValues,
    values: Mapping[str, float],
) -> tuple[KnownValues, dict[str, Directions]]:
    """Return what every law comes to, and what had to be known for that.

    Laws that would be refused are judged once more under bounds on species. These are assumed, and
    given up until those that are left follow from the laws that they lead to.
    """

    def judged(reaction: Reaction, known: KnownValues) -> Directions:
        return directions(network, reaction, laws[reaction.id], changes[reaction.id], known)

    ways = {reaction.id: judged(reaction, known) for reaction in network.reactions}
    refused = [laws[name].in_full for name, way in ways.items() if way.is_refused]
    moved = network.set_by_events | network.rate_rules.keys() | random_at_start(network)
    free = {s: m for s, m in known.molecules.items() if s not in moved}
    bounds = candidate_bounds(refused, free, known.constants, values) if refused else {}
    while bounds:
        bounded = replace(known, upper={s: bound.value for s, bound in bounds.items()})
        again = {
            r.id: judged(r, bounded) if ways[r.id].is_refused else ways[r.id]
            for r in network.reactions
        }
        broken = {
            species
            for name, way in again.items()
            for rate, sign in ((way.forward, 1), (way.backward, -1))
            for species in bounds.keys() & changes[name].keys()
            if not _stops_at(rate, species, sign * changes[name][species], bounds, known)
        }
        if not broken:
            return bounded, again
        bounds = {s: bound for s, bound in bounds.items() if s not in broken}
    return known, ways


def _stops_at(
    rate: Expression,
    species: str,
    change: int,
    bounds: Mapping[str, UpperBound],
    known: KnownValues,
) -> bool:
    """Tell whether a channel certainly cannot fire where it would take a species over its bound."""
    if change <= 0:
        return True
    most = bounds[species].molecules
    return change <= LARGEST_STEP and all(
        known.with_limits({species: (float(count), float(count))}).of(rate) == (0.0, 0.0)
        for count in range(max(most - change + 1, 0), most + 1)
    )


def _rates_of_change(network: ReactionNetwork) -> list[Issue]:
    """Refuse the rateOf csymbol: a number of molecules that jumps has no rate of change."""
    formulas: list[tuple[str, Expression | None]] = []
    formulas += [(reaction.id, reaction.rate_law) for reaction in network.reactions]
    for table in (network.initial_assignments, network.assignment_rules, network.rate_rules):
        formulas += table.items()
    for event in network.events:
        parts = (event.trigger, event.delay, event.priority, *event.assignments.values())
        formulas += [(event.id, part) for part in parts]
    using = dict.fromkeys(name for name, e in formulas if e is not None and uses_rate_of(e))
    return [
        Issue(
            "rate_of",
            Severity.ERROR,
            name,
            None,
            "it uses a rate of change (rateOf), which a number of molecules that jumps does not "
            "have.",
            "Write the rate out as a formula, or simulate with ODE().",
            STOCHASTIC_ONLY,
        )
        for name in using
    ]


def _structural(network: ReactionNetwork) -> frozenset[str]:
    """Return the symbols that stoichiometries and conversion factors are made of."""
    found = {s.conversion_factor for s in network.species if s.conversion_factor}
    rules = written_out(network)
    for reaction in network.reactions:
        for part in reaction.formulas:
            found |= symbols(substitute(part.number, rules))
    return frozenset(found)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
