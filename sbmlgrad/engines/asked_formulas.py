"""What is asked of an ensemble, an id or a formula, as an expression over the state."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from sbmlgrad.engines.readouts import AfterFirings, Readout, ValuesAt
from sbmlgrad.errors import GradientError, ParameterError, RequestError
from sbmlgrad.model.elements import Reaction, Species
from sbmlgrad.model.expression import (
    TIME,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    substitute,
    symbols,
)
from sbmlgrad.model.jumps import jumps
from sbmlgrad.model.operators import OPERATORS
from sbmlgrad.model.quantities import QUANTITIES, is_affine, quantity_of

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble

#: What the clock is called in `AfterFirings` readouts.
CLOCK = "time"

#: Id of a symbol of the model, or a formula of such symbols.
Asked = str | Expression


def over_state(
    ensemble: Ensemble,
    asked: Asked,
    quantity: str | None,
    readout: Readout,
    extra: Collection[str] = (),
) -> Expression:
    """Return what is asked for over the state, parameters, constants, the clock and `extra`.

    Args:
        ensemble: the ensemble.
        asked: an id, or a formula in what its symbols mean in the model's mathematics.
        quantity: as in `Ensemble.values`; for an id alone.
        readout: what the states are.
        extra: ids of further symbols of a formula.

    Raises:
        ParameterError: no such symbol.
        RequestError: no such quantity, a quantity of a formula, or what is asked for at averaged
            states is not the average of its values.
        GradientError: a constant of an ensemble with gradients follows from something that is not
            known here.
    """
    if quantity is not None and quantity not in QUANTITIES:
        raise RequestError(f"quantity {quantity!r}: choose one of {QUANTITIES} or None")
    if isinstance(asked, str):
        formula, words = _of_id(ensemble, asked, quantity, readout), f"'{asked}'"
    elif isinstance(asked, Number | Symbol | Apply):
        if quantity is not None:
            raise RequestError(
                f"quantity={quantity!r}: the symbols of a formula stand for what they mean in the "
                "model; leave out quantity, and convert within the formula"
            )
        names = ", ".join(sorted(symbols(asked)))
        formula, words = _of_formula(ensemble, asked, extra), f"a formula of {names}"
    else:
        raise ParameterError(f"{asked!r} is no id; give an SBML id as text, or an expression")
    if not isinstance(readout, ValuesAt | AfterFirings) and not is_affine(formula, slots(ensemble)):
        raise RequestError(
            f"{words} at an averaged or interpolated state is not the average of {words}; ask for "
            "it at times"
        )
    return formula if not ensemble.is_differentiable else _with_starts(ensemble, formula, extra)


def slots(ensemble: Ensemble) -> tuple[str, ...]:
    """Return what the columns of a state are, but for the clock of `AfterFirings`."""
    return (*ensemble.network.species_ids, *ensemble.network.variable_ids)


def moving(ensemble: Ensemble, readout: Readout) -> frozenset[str]:
    """Return the symbols that differ between trajectories at one point of a readout."""
    clock = {TIME.id} if isinstance(readout, AfterFirings) else set()
    return frozenset({*slots(ensemble), *clock})


def is_affine_in_state(ensemble: Ensemble, formula: Expression, readout: Readout) -> bool:
    """Tell whether the mean of a formula over trajectories follows from the mean of the state."""
    clock = Symbol("the clock")
    ids = (*slots(ensemble), *([clock.id] if isinstance(readout, AfterFirings) else []))
    return is_affine(substitute(formula, {TIME.id: clock}), ids)


def refuse_jumps(
    ensemble: Ensemble, asked: Asked, formula: Expression, readout: Readout, advice: str
) -> None:
    """Raise where values of trajectories jump with the state, which their gradient cannot see."""
    changing = moving(ensemble, readout)
    if any(symbols(part) & changing for part in jumps([formula])):
        assert ensemble.differentiator is not None
        words = f"'{asked}'" if isinstance(asked, str) else "the formula that was asked for"
        raise GradientError(
            f"{ensemble.differentiator.name}: {words} jumps where the state passes a threshold "
            "(a comparison, a piece or a rounding), and along a trajectory a jump looks like a "
            f"constant, so that the gradient would be wrong; {advice}. What is continuous can be "
            "written with min and max"
        )


def _of_id(ensemble: Ensemble, id: str, quantity: str | None, readout: Readout) -> Expression:
    if id == CLOCK and isinstance(readout, AfterFirings):
        return TIME
    network = ensemble.network
    if id not in network.by_id:
        raise ParameterError(
            f"no symbol '{id}' in model '{network.id}'; its species are "
            f"{', '.join(s.id for s in network.species) or '(none)'}"
        )
    element = network.by_id[id]
    if quantity == "concentration" and isinstance(element, Species):
        _check_size(ensemble, element)
    if isinstance(element, Reaction) and not ensemble.is_deterministic:
        return _rate(ensemble, element)
    meanings = network.in_counts if ensemble.meanings is None else ensemble.meanings
    return quantity_of(network, meanings, id, quantity, counts=not ensemble.is_deterministic)


def _of_formula(ensemble: Ensemble, formula: Expression, extra: Collection[str]) -> Expression:
    network = ensemble.network
    _refuse_without_value(formula)
    unknown = sorted(symbols(formula) - network.by_id.keys() - {TIME.id, *extra})
    if unknown:
        raise ParameterError(
            f"the formula uses {', '.join(map(repr, unknown))}, which model '{network.id}' has "
            "not; give values of further symbols by extra={id: value}"
        )
    meanings = network.in_counts if ensemble.meanings is None else ensemble.meanings
    inner: dict[str, Expression] = {}
    for id in symbols(formula) & network.by_id.keys():
        element = network.by_id[id]
        if isinstance(element, Reaction) and not ensemble.is_deterministic:
            inner[id] = _rate(ensemble, element)
        else:
            inner[id] = meanings[id]
    return substitute(formula, inner)


def _refuse_without_value(formula: Expression) -> None:
    """Raise for operators whose value does not follow from that of their arguments."""
    stack = [formula]
    while stack:
        node = stack.pop()
        if isinstance(node, Apply):
            row = OPERATORS.get(node.operator)
            if node.operator != "piecewise" and (row is None or not row.is_evaluable):
                raise RequestError(
                    f"the formula uses '{node.operator}', which has no value on a state alone (a "
                    "random draw, a delay or a rate of change); leave it out"
                )
            stack.extend(node.arguments)


def _rate(ensemble: Ensemble, reaction: Reaction) -> Expression:
    """Return a reaction's rate from its propensities, so that it is the one simulated."""
    rates = [
        channel.propensity if channel.id == reaction.id else negate(channel.propensity)
        for channel in ensemble.channels
        if channel.reaction == reaction.id
    ]
    return divide(add(*rates), Number(ensemble.network.items_per_extent))


def _check_size(ensemble: Ensemble, species: Species) -> None:
    size = ensemble.constants.get(species.compartment)
    if size is not None and (not np.all(np.isfinite(size)) or np.any(size == 0.0)):
        raise RequestError(
            f"concentration of '{species.id}': compartment '{species.compartment}' has size "
            f"{size}; give it one, or ask for counts or amounts"
        )


# --- constants that follow from parameters --------------------------------------------------------


def _with_starts(ensemble: Ensemble, formula: Expression, extra: Collection[str]) -> Expression:
    """Write out constants that follow from parameters by initial assignments."""
    known = {*slots(ensemble), *ensemble.network.parameter_ids, *ensemble.constants, TIME.id}
    open_ids = symbols(formula) - known - {*extra}
    return substitute(formula, {id: _at_start(ensemble, id, id) for id in open_ids})


def open_constants(ensemble: Ensemble) -> dict[str, Expression]:
    """Return constants that follow from parameters by initial assignments, as formulas of these.

    Those that follow from the start of what changes too are left out, since no state keeps it.
    """
    network = ensemble.network
    found = {}
    for element in (*network.compartments, *network.species, *network.references):
        known = {*slots(ensemble), *network.assignment_rules, *ensemble.constants}
        if element.id not in known:
            with suppress(GradientError):
                found[element.id] = _at_start(ensemble, element.id, element.id)
    return found


def _at_start(ensemble: Ensemble, id: str, asked: str) -> Expression:
    network = ensemble.network
    if id in ensemble.constants:
        return Number(float(ensemble.constants[id]))
    if id == TIME.id:
        return Number(0.0)
    if id in slots(ensemble):
        raise GradientError(
            f"'{asked}' follows from parameters and from the start of '{id}' by an initial "
            f"assignment, and the state keeps no start; write its formula with a parameter in the "
            f"place of '{id}'"
        )
    if id in network.parameter_ids:
        return Symbol(id)
    formula = network.assignment_rules.get(id, network.initial_assignments.get(id))
    if formula is not None:
        inner = {s: _at_start(ensemble, s, asked) for s in symbols(formula)}
        return substitute(formula, inner)
    species = network.by_id[id]
    assert isinstance(species, Species)
    size = _at_start(ensemble, species.compartment, asked)
    if species.only_substance_units:
        assert species.initial_concentration is not None
        return multiply(Number(species.initial_concentration), size)
    assert species.initial_amount is not None
    return divide(Number(species.initial_amount), size)
