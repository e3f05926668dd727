"""Counts, amounts and concentrations of any symbol, as functions of the state."""

from __future__ import annotations

from collections.abc import Mapping

from sbmlgrad.model.elements import Species
from sbmlgrad.model.expression import (
    TIME,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
)
from sbmlgrad.model.network import ReactionNetwork

QUANTITIES = ("counts", "amount", "concentration")


def quantity_of(
    network: ReactionNetwork,
    meanings: Mapping[str, Expression],
    symbol: str,
    quantity: str | None,
    *,
    counts: bool,
) -> Expression:
    """Return what is asked for of a symbol, over the state, constants and `TIME`.

    Args:
        network: the network.
        meanings: what every symbol means (`model.rules.meanings`).
        symbol: id of any element with a value.
        quantity: one of `QUANTITIES`, or None for what the symbol means; species only.
        counts: whether species of the state are counts of molecules, else amounts.
    """
    element = network.by_id[symbol]
    if quantity is None or not isinstance(element, Species):
        return meanings[symbol]
    size = meanings.get(element.compartment, Symbol(element.compartment))
    amount = _amount(network, element, meanings, size, counts=counts)
    if quantity == "amount":
        return amount
    if quantity == "concentration":
        return divide(amount, size)
    if counts and symbol in network.state_species:
        return Symbol(symbol)
    return multiply(Number(element.items_per_substance), amount)


def _amount(
    network: ReactionNetwork,
    species: Species,
    meanings: Mapping[str, Expression],
    size: Expression,
    *,
    counts: bool,
) -> Expression:
    if species.id in network.state_species:
        return divide(Symbol(species.id), Number(species.items_per_substance if counts else 1.0))
    own = meanings[species.id]
    return own if species.only_substance_units else multiply(own, size)


def is_affine(expression: Expression, state_ids: tuple[str, ...]) -> bool:
    """Tell whether an expression is a constant plus constants times the state, free of the clock.

    Only of such an expression is the value at an average state the average of the values.
    """
    return _degree(expression, frozenset(state_ids)) <= 1


def _degree(expression: Expression, state: frozenset[str]) -> int:
    """Return 0 for a constant, 1 for an affine expression, 2 for any other."""
    if isinstance(expression, Number):
        return 0
    if isinstance(expression, Symbol):
        if expression == TIME:
            return 2
        return int(expression.id in state)
    degrees = [_degree(argument, state) for argument in expression.arguments]
    if max(degrees, default=0) == 0:
        return 0
    if expression.operator in ("plus", "minus"):
        return max(degrees)
    if expression.operator == "times":
        return min(sum(degrees), 2)
    if expression.operator == "divide" and degrees[1] == 0:
        return degrees[0]
    return 2
