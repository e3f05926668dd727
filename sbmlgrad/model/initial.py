"""Values at the start of a simulation: attributes and initial assignments as one ordered graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import ParameterError
from sbmlgrad.model.expression import Expression, Number, Symbol, substitute, symbols
from sbmlgrad.model.operators import evaluate

if TYPE_CHECKING:
    from sbmlgrad.model.network import ReactionNetwork, Species


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
    attributes = _attribute_values(network)
    result: dict[str, float] = {}

    def value(symbol: str) -> float:
        if symbol not in result:
            assignment = network.initial_assignments.get(symbol)
            if symbol in fixed:
                result[symbol] = float(fixed[symbol])
            elif assignment is not None and symbol not in network.explicit:
                needed = {s: value(s) for s in symbols(assignment)}
                result[symbol] = float(evaluate(assignment, needed))
            else:
                species = species_by_id.get(symbol)
                result[symbol] = (
                    attributes[symbol] if species is None else _species_value(species, value)
                )
        return result[symbol]

    species_by_id = {s.id: s for s in network.species}
    for symbol in (*attributes, *species_by_id):
        value(symbol)
    return result


def _attribute_values(network: ReactionNetwork) -> dict[str, float]:
    values = {c.id: c.size for c in network.compartments}
    values.update((p.id, p.value) for p in network.parameters)
    return values


def _species_value(species: Species, value) -> float:
    amount, concentration = species.initial_amount, species.initial_concentration
    if species.only_substance_units:
        if amount is not None:
            return amount
        return math.nan if concentration is None else concentration * value(species.compartment)
    if concentration is not None:
        return concentration
    if amount is None:
        return math.nan
    size = value(species.compartment)
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
    if symbol in network.parameter_ids:
        return Symbol(symbol)
    assignment = network.initial_assignments.get(symbol)
    if assignment is None:
        value = initial_values(network)[symbol]
        return Number(value)
    inner = {s: start_expression(network, s) for s in symbols(assignment)}
    return substitute(assignment, inner)


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
