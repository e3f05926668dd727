"""Networks made by hand for the deterministic engine, and their solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.engines.ode.engine import ODE
from sbmlgrad.model.elements import (
    Compartment,
    Event,
    Parameter,
    Reaction,
    Species,
)
from sbmlgrad.model.expression import (
    TIME,
    Apply,
    Expression,
    Number,
    Symbol,
    multiply,
)
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate

TRUE = Apply("true", ())


def s(name: str) -> Symbol:
    return Symbol(name)


def n(value: float) -> Number:
    return Number(value)


def is_(relation: str, left: Expression, right: Expression) -> Expression:
    return Apply(relation, (left, right))


def after(time: float) -> Expression:
    return is_("geq", TIME, n(time))


def amount(name: str, value: float = 1.0, **more: Any) -> Species:
    return Species(name, "cell", initial_amount=value, only_substance_units=True, **more)


def concentration(name: str, value: float = 1.0, **more: Any) -> Species:
    return Species(name, "cell", initial_concentration=value, **more)


def network(
    *,
    species: Sequence[Species] = (),
    parameters: Mapping[str, float] | None = None,
    size: float = 1.0,
    **more: Any,
) -> ReactionNetwork:
    return ReactionNetwork(
        "m",
        (Compartment("cell", size),),
        tuple(species),
        tuple(Parameter(k, v) for k, v in (parameters or {}).items()),
        **more,
    )


def event(
    trigger: Expression, assignments: Mapping[str, Expression], name: str = "e", **more: Any
) -> Event:
    return Event(name, trigger, assignments, **more)


def solve(
    model: ReactionNetwork,
    times: Sequence[float],
    engine: ODE | None = None,
    start: Mapping[str, float] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return what every symbol means at the output times."""
    system = lower_deterministic(model)
    values: dict[str, float] = {}
    for element in (*model.parameters, *model.references):
        values[element.id] = element.value
    for compartment in model.compartments:
        values[compartment.id] = compartment.size
    for one in model.species:
        given = one.initial_amount if one.initial_amount is not None else one.initial_concentration
        assert given is not None
        size = values[one.compartment]
        is_state = one.id in system.state_ids
        if is_state and one.initial_amount is None and not one.only_substance_units:
            given = given * size
        values[one.id] = given
    values.update(start or {})
    inputs = np.array([values[i] for i in system.input_ids], dtype=np.float64)
    first = np.array([values[i] for i in system.state_ids], dtype=np.float64)
    grid = np.array(times, dtype=np.float64)
    states = (engine or ODE()).integrate(system, inputs, first, grid)
    known: dict[str, object] = dict(zip(system.input_ids, inputs, strict=True))
    known |= {i: states[:, k] for k, i in enumerate(system.state_ids)}
    known[TIME.id] = grid
    return {
        symbol: np.broadcast_to(evaluate(meaning, known), grid.shape)
        for symbol, meaning in system.meanings.items()
    }


def decay(rate: Expression | None = None, **more: Any) -> ReactionNetwork:
    law = multiply(rate if rate is not None else s("k"), s("X"))
    return network(
        species=[amount("X")],
        parameters={"k": 1.0, "y": 0.0, "z": 0.0},
        reactions=(Reaction("J", {"X": 1}, {}, law),),
        **more,
    )
