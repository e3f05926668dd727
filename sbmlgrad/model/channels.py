"""The firing channels of a network: what can fire, at which propensity, with which change.

A reaction whose law is an exact difference of non-negative parts has two channels; every other
reaction has one. This is where a network receives its stochastic meaning; a reaction that has none
is reported as an issue that blocks exact simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sbmlgrad.model.directions import directions
from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    ZERO,
    Expression,
    substitute,
    symbols,
    uses_rate_of,
)
from sbmlgrad.model.initial import initial_values
from sbmlgrad.model.issues import NOTHING, STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.known_values import known_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.rules import formula_issues, written_out
from sbmlgrad.model.units import LARGEST_COUNT, whole_number

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
    rules = written_out(network)
    taken = set(network.by_id)
    found: list[Channel] = []
    uses: set[str] = set()
    for reaction in network.reactions:
        change, problems = _whole_change(network, reaction, known.constants)
        issues += problems
        law = substitute(reaction.rate_law, rules)
        ways = directions(network, reaction, law, change, known)
        issues += ways.issues
        uses |= ways.uses
        if ways.forward != ZERO or ways.backward == ZERO:
            found.append(Channel(reaction.id, reaction.id, ways.forward, change))
        if ways.backward != ZERO:
            reverse = {s: -n for s, n in change.items()}
            name = _unused(reaction.id + BACKWARD, taken)
            found.append(Channel(name, reaction.id, ways.backward, reverse))
    uses |= _structural(network)
    return Judgement(
        tuple(found),
        tuple(issues),
        {s: values[s] for s in uses if s in known.constants},
        {s: _sign(value) for s, value in values.items() if s not in network.counted},
        is_own,
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


def _whole_change(
    network: ReactionNetwork, reaction: Reaction, constants: Mapping[str, float]
) -> tuple[dict[str, int], list[Issue]]:
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
