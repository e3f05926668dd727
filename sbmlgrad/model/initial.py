"""Values at the start of a simulation: attributes and initial assignments as one ordered graph."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import ParameterError
from sbmlgrad.model.elements import Compartment, Parameter, Reaction, Species
from sbmlgrad.model.expression import (
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    substitute,
    symbols,
)
from sbmlgrad.model.graphs import in_order, on_cycles
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

_NOTHING = frozenset[str]()


def parameter_values(network: ReactionNetwork) -> NDArray[np.float64]:
    """Return parameter values, float64 [parameter], initial assignments evaluated."""
    values = initial_values(network)
    return np.array([values[p] for p in network.parameter_ids], dtype=np.float64)


def initial_values(
    network: ReactionNetwork,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return every symbol's value at time 0, in its meaning in the model's mathematics.

    Args:
        network: the network; its initial assignments hold no cycle (the importer refuses those).
        parameters: parameter id → value; an explicit value wins over an initial assignment.
        initial: species or compartment id → value (a species as amount or concentration, whichever
            its symbol means); wins over an initial assignment too.

    Returns:
        Symbol id → value for compartments, species and parameters; NaN where the model gives none.
    """
    fixed = {**(parameters or {}), **(initial or {})}
    free = {
        symbol: needed for symbol, needed in start_needs(network).items() if symbol not in fixed
    }
    for symbol in network.explicit & network.initial_assignments.keys():
        if symbol in free:
            free[symbol] = frozenset()
    result = {symbol: float(value) for symbol, value in fixed.items()}
    order = in_order(free)
    if len(order) < len(free):
        raise ParameterError(
            "the initial assignments of "
            f"{', '.join(map(repr, sorted(on_cycles(free))))} depend on each other; break the cycle"
        )
    for symbol in order:
        assignment = network.initial_assignments.get(symbol)
        if assignment is None or symbol in network.explicit:
            result[symbol] = _attribute_value(network.by_id[symbol], result)
        else:
            result[symbol] = float(evaluate(assignment, result))
    return result


def start_needs(network: ReactionNetwork) -> dict[str, frozenset[str]]:
    """Return, for every symbol with a value, the symbols that its value at time 0 depends on."""
    needs = {x.id: _NOTHING for x in (*network.compartments, *network.parameters)}
    needs.update((s.id, _needs_of_species(s)) for s in network.species)
    needs.update((t, symbols(e)) for t, e in network.initial_assignments.items())
    return needs


def cyclic_assignments(network: ReactionNetwork) -> tuple[str, ...]:
    """Return the targets of initial assignments that depend on themselves, in document order.

    A concentration depends on the size of its compartment, too.
    """
    cyclic = on_cycles(start_needs(network))
    return tuple(target for target in network.initial_assignments if target in cyclic)


def _needs_of_species(species: Species) -> frozenset[str]:
    """Return the compartment where amount and concentration have to be converted."""
    if species.only_substance_units:
        is_direct = species.initial_amount is not None or species.initial_concentration is None
    else:
        is_direct = species.initial_concentration is not None or species.initial_amount is None
    return _NOTHING if is_direct else frozenset({species.compartment})


def _attribute_value(
    element: Compartment | Species | Parameter | Reaction, values: Mapping[str, float]
) -> float:
    """Return the value that an element's own attributes give it, as its symbol means it."""
    if isinstance(element, Compartment):
        return element.size
    if isinstance(element, Parameter):
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
    """Return the molecules of every species that can change, float64 [species], not yet rounded.

    Args:
        network: the network.
        values: every symbol at time 0 (`initial_values`).
        initial: species whose value the user gave, which wins over the amount in the document.
    """
    counts = []
    for species in network.species:
        if not species.changes:
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
    element = network.by_id[symbol]
    if isinstance(element, Parameter):
        return Symbol(symbol)
    assignment = network.initial_assignments.get(symbol)
    if assignment is not None:
        inner = {s: start_expression(network, s) for s in symbols(assignment)}
        return substitute(assignment, inner)
    if isinstance(element, Compartment):
        return Number(element.size)
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
