"""What moves the state besides firings: events (jumps) and rate rules (flows).

Both are written over the slots of a simulation's state: counts of molecules in stochastic
simulation, amounts in the deterministic one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sbmlgrad.errors import UnsupportedModelError
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Event, Species
from sbmlgrad.model.expression import (
    ONE,
    TIME,
    ZERO,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    substitute,
    symbols,
)
from sbmlgrad.model.graphs import in_order
from sbmlgrad.model.issues import STOCHASTIC_ONLY, Issue, Severity
from sbmlgrad.model.lines import located
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.random_draws import Draw, without_draws
from sbmlgrad.model.rates_of_change import with_rates_written_out


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an event sets.

    Attributes:
        symbol: of the state.
        value: its new value in what the state holds of a species (molecules, or substance units),
            for a concentration per unit of volume.
        size: what `value` is multiplied by when the event is executed: the volume just before, for
            a concentration; None otherwise.
    """

    symbol: str
    value: Expression
    size: Expression | None


@dataclass(frozen=True, slots=True)
class LoweredEvent:
    """An event over the state.

    Attributes:
        id: SBML id.
        trigger: its condition.
        draws: random draws of its assignments, in the order in which they are made; arguments may
            use the draws before.
        assignments: what it sets.
        delay, priority, initial_value, persistent, use_trigger_values: as in `Event`.
    """

    id: str
    trigger: Expression
    draws: tuple[Draw, ...]
    assignments: tuple[Assignment, ...]
    delay: Expression | None
    priority: Expression | None
    initial_value: bool
    persistent: bool
    use_trigger_values: bool

    @property
    def formulas(self) -> tuple[Expression, ...]:
        """Every formula of the event."""
        found = [self.trigger, self.delay, self.priority]
        found += [e for a in self.assignments for e in (a.value, a.size)]
        found += [argument for draw in self.draws for argument in draw.arguments]
        return tuple(e for e in found if e is not None)


def lower_events(
    network: ReactionNetwork, *, counts: bool, rates: Mapping[str, Expression] | None = None
) -> tuple[LoweredEvent, ...]:
    """Return the events of a network over its state, for either mode of simulation.

    Args:
        network: the network.
        counts: whether species are counted in molecules, else measured in substance units.
        rates: rates of change of the state, by which every rateOf is written out; None where a
            state that jumps has none.

    Raises:
        UnsupportedModelError: a rateOf is applied to another one.
    """
    meanings = network.in_counts if counts else network.in_amounts

    def lowered(event: Event) -> LoweredEvent:
        def written(formula: Expression) -> Expression:
            whole = substitute(formula, meanings)
            if rates is None:
                return whole
            return with_rates_written_out(whole, rates, event.id, network.id)

        draws: list[Draw] = []
        return LoweredEvent(
            id=event.id,
            trigger=written(event.trigger),
            assignments=_assignments(network, event, written, draws, counts=counts),
            draws=tuple(draws),
            delay=None if event.delay is None else written(event.delay),
            priority=None if event.priority is None else written(event.priority),
            initial_value=event.initial_value,
            persistent=event.persistent,
            use_trigger_values=event.use_trigger_values,
        )

    return tuple(lowered(event) for event in network.events)


def _assignments(
    network: ReactionNetwork,
    event: Event,
    written: Callable[[Expression], Expression],
    draws: list[Draw],
    *,
    counts: bool,
) -> tuple[Assignment, ...]:
    result: list[Assignment] = []
    for target, formula in event.assignments.items():
        value = without_draws(written(formula), draws)
        element = network.by_id[target]
        size = None
        if isinstance(element, Species):
            value = multiply(Number(element.items_per_substance if counts else 1.0), value)
            if not element.only_substance_units:
                size = written(Symbol(element.compartment))
        result.append(Assignment(target, value, size))
    return tuple(result)


def lower_flows(network: ReactionNetwork, *, counts: bool) -> tuple[tuple[str, Expression], ...]:
    """Return (state symbol, its rate of change) for every rate rule.

    A concentration c in a volume V that flows too is an amount that changes at c' V + c V'.

    Raises:
        UnsupportedModelError: the motion of a volume depends on itself, or follows jumping counts.
    """
    meanings = network.in_counts if counts else network.in_amounts
    rules = network.rate_rules
    sizes = {target: _size_of_concentration(network, target, meanings) for target in rules}
    needs = {target: symbols(size) & rules.keys() for target, size in sizes.items()}
    order = in_order(needs)
    problems = [_circular(target) for target in rules if target not in order]
    problems += [
        _jumping(target)
        for target, size in sizes.items()
        if symbols(size) & (network.state_species - rules.keys())
    ]
    if problems:
        raise UnsupportedModelError(
            located(network, problems),
            what=f"model '{network.id}' cannot be simulated stochastically:",
        )
    result: dict[str, Expression] = {}
    for target in order:
        element, rate = network.by_id[target], substitute(rules[target], meanings)
        if isinstance(element, Species):
            size = sizes[target]
            rate = multiply(Number(element.items_per_substance if counts else 1.0), rate)
            if not element.only_substance_units:
                grown = multiply(Symbol(target), rate_along(size, result))
                rate = add(multiply(rate, size), ZERO if grown == ZERO else divide(grown, size))
        result[target] = rate
    return tuple(result.items())


def _size_of_concentration(
    network: ReactionNetwork, target: str, meanings: Mapping[str, Expression]
) -> Expression:
    """Return the volume that a concentration refers to; a constant for anything else."""
    element = network.by_id[target]
    if isinstance(element, Species) and not element.only_substance_units:
        return meanings[element.compartment]
    return ONE


def _circular(target: str) -> Issue:
    return Issue(
        "cyclic_assignment",
        Severity.ERROR,
        target,
        None,
        "its rate rule sets a concentration in a volume whose motion depends on it.",
        "Break the cycle.",
        STOCHASTIC_ONLY,
    )


def _jumping(target: str) -> Issue:
    return Issue(
        "rate_rule",
        Severity.ERROR,
        target,
        None,
        "its rate rule sets a concentration in a volume that jumps with numbers of molecules.",
        "Let the rate rule set an amount (hasOnlySubstanceUnits), or simulate with ODE().",
        STOCHASTIC_ONLY,
    )


def rate_along(expression: Expression, flows: Mapping[str, Expression]) -> Expression:
    """Return the rate of change of an expression while some symbols and the clock move."""
    terms = [derivative(expression, TIME.id)]
    for symbol in sorted(symbols(expression) & flows.keys()):
        terms.append(multiply(derivative(expression, symbol), flows[symbol]))
    return add(*terms)
