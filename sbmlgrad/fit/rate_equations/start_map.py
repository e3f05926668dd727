"""The start of an experiment as formulas of the problem's parameters, with their slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import DeterministicNetwork
from sbmlgrad.codegen.programs import Programs, programs
from sbmlgrad.model.derivative import derivative
from sbmlgrad.model.elements import Compartment, Parameter, Species, SpeciesReference
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
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.rate_equations import without_rate_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StartMap:
    """From parameters of a problem to where a simulation starts.

    Attributes:
        values: programs over all parameters of the problem and the time, which is not used: inputs
            of the network, then its state.
        slopes: programs of their slopes in free parameters that are not zero.
        places: of these, int64 [slope, 2]: value, and place among `active`.
        active: places of the free parameters that the start depends on, int64 [active].
    """

    values: Programs
    slopes: Programs
    places: NDArray[np.int64]
    active: NDArray[np.int64]

    def depends(self, value: int) -> bool:
        """Tell whether a value depends on a free parameter."""
        return bool((self.places[:, 0] == value).any())


def start_map(
    system: DeterministicNetwork,
    given: Mapping[str, Expression],
    parameter_ids: Sequence[str],
    free: Sequence[str],
) -> StartMap:
    """Return the start of a simulation as programs.

    Args:
        system: the equations.
        given: what the experiment sets, over parameters of the problem.
        parameter_ids: all parameters of the problem.
        free: those that are fitted.
    """
    formulas = start_formulas(system, given, parameter_ids)
    found = [
        (row, id, derivative(formula, id))
        for row, formula in enumerate(formulas)
        for id in free
        if id in symbols(formula)
    ]
    found = [entry for entry in found if entry[2] != ZERO]
    used = {id for _, id, _ in found}
    active = [place for place, id in enumerate(free) if id in used]
    place_of = {free[place]: k for k, place in enumerate(active)}
    places = [(row, place_of[id]) for row, id, _ in found]
    variables = (*parameter_ids, TIME.id)
    return StartMap(
        values=programs(formulas, variables, ()),
        slopes=programs([slope for *_, slope in found], variables, ()),
        places=np.array(places, dtype=np.int64).reshape(-1, 2),
        active=np.array(active, dtype=np.int64),
    )


def start_formulas(
    system: DeterministicNetwork, given: Mapping[str, Expression], parameter_ids: Sequence[str]
) -> list[Expression]:
    """Return inputs and state at the start over parameters of the problem.

    The values are those of `model.initial.initial_values` and `initial_counts`; what has no value
    is NaN.

    Args:
        system: the equations.
        given: what the experiment sets.
        parameter_ids: parameters of the problem; they win over the values of the model.
    """
    network = system.network
    resolve = _Resolved(network, given, parameter_ids)
    initial = {t for t in given if not isinstance(network.by_id[t], Parameter)}
    result = [resolve(id) for id in system.input_ids]
    for id in network.species_ids:
        species = network.by_id[id]
        assert isinstance(species, Species)
        is_assigned = id in initial or id in network.initial_assignments
        if species.initial_amount is not None and not is_assigned:
            result.append(Number(species.initial_amount))
        elif species.only_substance_units:
            result.append(resolve(id))
        else:
            result.append(multiply(resolve(id), resolve(species.compartment)))
    return [*result, *(resolve(id) for id in network.variable_ids)]


class _Resolved:
    """Symbols of a model at its start, written out down to parameters of the problem."""

    def __init__(
        self,
        network: ReactionNetwork,
        given: Mapping[str, Expression],
        parameter_ids: Sequence[str],
    ) -> None:
        self._network = network
        own = {id: Symbol(id) for id in parameter_ids if id in network.by_id}
        self._found: dict[str, Expression] = {TIME.id: ZERO, **own, **given}

    def __call__(self, symbol: str) -> Expression:
        found = self._found.get(symbol)
        if found is None:
            found = self._found[symbol] = self._written_out(symbol)
        return found

    def _written_out(self, symbol: str) -> Expression:
        network = self._network
        formula = network.assignment_rules.get(symbol)
        if formula is None and symbol not in network.explicit:
            formula = network.initial_assignments.get(symbol)
        if formula is None:
            return self._attribute(symbol)
        plain = without_rate_of(network, formula, symbol)
        return substitute(plain, {inner: self(inner) for inner in symbols(plain)})

    def _attribute(self, symbol: str) -> Expression:
        element = self._network.by_id[symbol]
        if isinstance(element, Compartment):
            return Number(element.size)
        if isinstance(element, Parameter | SpeciesReference):
            return Number(element.value)
        assert isinstance(element, Species)
        amount, concentration = element.initial_amount, element.initial_concentration
        first, second = (
            (amount, concentration) if element.only_substance_units else (concentration, amount)
        )
        if first is not None:
            return Number(first)
        if second is None:
            return Number(float("nan"))
        size = self(element.compartment)
        join = multiply if element.only_substance_units else divide
        return join(Number(second), size)
