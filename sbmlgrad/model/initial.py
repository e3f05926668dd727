"""Values at the start of a simulation: attributes and initial assignments as one ordered graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import ParameterError
from sbmlgrad.model.distributions import is_random
from sbmlgrad.model.elements import (
    NO_VALUE,
    Compartment,
    Element,
    Parameter,
    Species,
    SpeciesReference,
)
from sbmlgrad.model.expression import (
    TIME,
    ZERO,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    substitute,
    symbols,
    uses_rate_of,
)
from sbmlgrad.model.graphs import in_order, on_cycles
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.random_draws import Draw, without_draws

_NOTHING = frozenset[str]()


def parameter_values(network: ReactionNetwork) -> NDArray[np.float64]:
    """Return parameter values, float64 [parameter], initial assignments evaluated."""
    values = initial_values(network)
    return np.array([values[p] for p in network.parameter_ids], dtype=np.float64)


def initial_values(
    network: ReactionNetwork,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    *,
    draw: Callable[[str, tuple[float, ...]], float] | None = None,
) -> dict[str, float]:
    """Return every symbol's value at time 0, in its meaning in the model's mathematics.

    Args:
        network: the network; its initial assignments hold no cycle (the importer refuses those).
        parameters: parameter id → value; an explicit value wins over an initial assignment.
        initial: species or compartment id → value (a species as amount or concentration, whichever
            its symbol means); wins over an initial assignment too.
        draw: gives a value from (distribution, arguments); without it, random values are NaN.

    Returns:
        Symbol id → value for compartments, species, parameters and species references; NaN where
        the model gives none, and where the value is drawn at random.
    """
    fixed = {**(parameters or {}), **(initial or {})}
    free = {
        symbol: needed for symbol, needed in start_needs(network).items() if symbol not in fixed
    }
    for symbol in network.explicit & network.initial_assignments.keys():
        if symbol in free:
            free[symbol] = frozenset()
    result = {symbol: float(value) for symbol, value in fixed.items()}
    result[TIME.id] = 0.0
    order = in_order(free)
    if len(order) < len(free):
        raise ParameterError(
            "the initial assignments of "
            f"{', '.join(map(repr, sorted(on_cycles(free))))} depend on each other; break the cycle"
        )
    for symbol in order:
        formula = _formula(network, symbol)
        if formula is None:
            result[symbol] = _attribute_value(network.by_id[symbol], result)
        elif is_random(formula):
            result[symbol] = NO_VALUE if draw is None else _drawn(formula, result, draw)
        else:
            result[symbol] = float(evaluate(formula, result))
    del result[TIME.id]
    return result


def _drawn(
    formula: Expression,
    values: Mapping[str, float],
    draw: Callable[[str, tuple[float, ...]], float],
) -> float:
    """Evaluate a formula that holds random draws, innermost first."""
    draws: list[Draw] = []
    rest = without_draws(formula, draws)
    known = dict(values)
    for one in draws:
        arguments = tuple(float(evaluate(a, known)) for a in one.arguments)
        known[one.symbol] = draw(one.distribution, arguments)
    return float(evaluate(rest, known))


def _formula(network: ReactionNetwork, symbol: str) -> Expression | None:
    """Return the formula that gives a symbol its value at time 0, or None for its attributes."""
    formula = network.assignment_rules.get(symbol)
    if formula is None and symbol not in network.explicit:
        formula = network.initial_assignments.get(symbol)
    return None if formula is None else _without_rates(network, formula, symbol)


def _without_rates(network: ReactionNetwork, formula: Expression, symbol: str) -> Expression:
    """Return a formula with rates of change (rateOf) written out by the rate equations."""
    if not uses_rate_of(formula):
        return formula
    from sbmlgrad.model.rate_equations import without_rate_of

    return without_rate_of(network, formula, symbol)


def random_at_start(network: ReactionNetwork) -> frozenset[str]:
    """Return the symbols whose value at time 0 is drawn, or depends on one that is."""
    drawn = {t for t, e in network.initial_assignments.items() if is_random(e)}
    if not drawn:
        return frozenset()
    needs = start_needs(network)
    for symbol in in_order(needs):
        if needs[symbol] & drawn:
            drawn.add(symbol)
    return frozenset(drawn)


def start_needs(network: ReactionNetwork) -> dict[str, frozenset[str]]:
    """Return, for every symbol with a value, the symbols that its value at time 0 depends on."""
    plain = (*network.compartments, *network.parameters, *network.references)
    needs = {x.id: _NOTHING for x in plain}
    needs.update((s.id, _needs_of_species(s)) for s in network.species)
    formulas = {**network.initial_assignments, **network.assignment_rules}
    needs.update((t, symbols(_without_rates(network, e, t))) for t, e in formulas.items())
    return needs


def cyclic_assignments(network: ReactionNetwork) -> tuple[str, ...]:
    """Return the targets of initial assignments and assignment rules that depend on themselves.

    In document order; a concentration depends on the size of its compartment, too.
    """
    cyclic = on_cycles(start_needs(network))
    targets = (*network.initial_assignments, *network.assignment_rules)
    return tuple(target for target in targets if target in cyclic)


def _needs_of_species(species: Species) -> frozenset[str]:
    """Return the compartment where amount and concentration have to be converted."""
    if species.only_substance_units:
        is_direct = species.initial_amount is not None or species.initial_concentration is None
    else:
        is_direct = species.initial_concentration is not None or species.initial_amount is None
    return _NOTHING if is_direct else frozenset({species.compartment})


def _attribute_value(element: Element, values: Mapping[str, float]) -> float:
    """Return the value that an element's own attributes give it, as its symbol means it."""
    if isinstance(element, Compartment):
        return element.size
    if isinstance(element, Parameter | SpeciesReference):
        return element.value
    assert isinstance(element, Species)
    amount, concentration = element.initial_amount, element.initial_concentration
    if element.only_substance_units:
        if amount is not None:
            return amount
        return math.nan if concentration is None else concentration * values[element.compartment]
    if concentration is not None:
        return concentration
    if amount is None:
        return math.nan
    size = values[element.compartment]
    return amount / size if size != 0.0 else math.nan


def initial_counts(
    network: ReactionNetwork, values: Mapping[str, float], initial: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return the molecules of every species of the state, float64 [species], not yet rounded.

    Args:
        network: the network.
        values: every symbol at time 0 (`initial_values`).
        initial: species whose value the user gave, which wins over the amount in the document.
    """
    counts = []
    for species in network.species:
        if species.id not in network.state_species:
            continue
        assigned = species.id in initial or species.id in network.initial_assignments
        if species.initial_amount is not None and not assigned:
            amount = species.initial_amount
        elif species.only_substance_units:
            amount = values[species.id]
        else:
            amount = values[species.id] * values[species.compartment]
        counts.append(amount * species.items_per_substance)
    return np.array(counts, dtype=np.float64)


def start_expression(network: ReactionNetwork, symbol: str) -> Expression:
    """Return the value of a symbol at time 0 as an expression of parameters alone.

    Used for the derivative of compartment sizes and of species that never change; parameters stand
    for themselves, because a gradient is taken where all of them are explicit.
    """
    if symbol == TIME.id:
        return ZERO
    element = network.by_id[symbol]
    assignment = network.assignment_rules.get(symbol)
    if assignment is None and isinstance(element, Parameter):
        return Symbol(symbol)
    if assignment is None:
        assignment = network.initial_assignments.get(symbol)
    if assignment is not None:
        inner = {s: start_expression(network, s) for s in symbols(assignment)}
        return substitute(assignment, inner)
    if isinstance(element, Compartment):
        return Number(element.size)
    if isinstance(element, SpeciesReference):
        return Number(element.value)
    assert isinstance(element, Species)
    if not _needs_of_species(element):
        return Number(_attribute_value(element, {}))
    size = start_expression(network, element.compartment)
    if element.initial_amount is not None:
        return divide(Number(element.initial_amount), size)
    assert element.initial_concentration is not None
    return multiply(Number(element.initial_concentration), size)


def check_initial_names(network: ReactionNetwork, initial: Mapping[str, float]) -> None:
    """Raise a `ParameterError` for ids in `initial` that are neither species nor compartments."""
    known = {s.id for s in network.species} | {c.id for c in network.compartments}
    ruled = [name for name in initial if name in network.assignment_rules]
    if ruled:
        raise ParameterError(
            f"initial: {', '.join(map(repr, ruled))} of model '{network.id}' is given by an "
            "assignment rule at all times; change what the rule uses"
        )
    unknown = [name for name in initial if name not in known]
    if unknown:
        raise ParameterError(
            f"initial: no species or compartment {', '.join(map(repr, unknown))} in model "
            f"'{network.id}'; parameters go into `parameters`"
        )
    for name, value in initial.items():
        if not math.isfinite(value) or value < 0.0:
            raise ParameterError(
                f"initial: '{name}' = {value} cannot be an initial value; give a finite number >= 0"
            )
