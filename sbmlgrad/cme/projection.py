"""Finite state projection (FSP): exact answers with an error bound.

Munsky & Khammash 2006, "The finite state projection algorithm for the solution of the chemical
master equation", theorem 2.2: with the probability that leaks out of a finite set of states summed
up, every projected probability lies below the true one by at most that leak.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.cme.explorer import Explorer
from sbmlgrad.cme.growth import grow
from sbmlgrad.cme.projected import Projection
from sbmlgrad.cme.starts import given_start, start_of
from sbmlgrad.cme.state_space import StateSet
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.errors import RequestError, StateSpaceError
from sbmlgrad.model.arguments import check_network, values_by_id
from sbmlgrad.model.initial import check_initial_names
from sbmlgrad.model.network import ReactionNetwork, check_parameter_names
from sbmlgrad.model.numbers import as_number, whole

FloatArray = NDArray[np.float64]

#: Largest state space solved; a generator of this size still fits easily in memory.
LARGEST_STATE_SPACE = 200_000


def project(
    model: ReactionNetwork,
    *,
    until: float,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    tolerance: float = 1e-9,
    largest: int = LARGEST_STATE_SPACE,
    absorbing: StateSet | None = None,
    start: tuple[NDArray[np.int64], FloatArray] | None = None,
) -> Projection:
    """Project the master equation of a small network onto enough states.

    Choose it for exact answers: distributions, expectations, first passages and their gradients, of
    networks that spread over at most a few hundred thousand states. The states are found by
    themselves, where probability goes; no box has to be given.

    Args:
        model: the network.
        until: last time of interest.
        parameters: id → value, over the model's own.
        initial: species or compartment id → value at time 0.
        tolerance: probability that may leak out of the states by `until`, between 0 and 1.
        largest: number of states to give up at.
        absorbing: set of states in which trajectories stop, as a function of states float64
            [state, species] → bool [state]; see `first_passage`.
        start: initial states int64 [state, species] and their probabilities float64 [state], over
            the initial counts of the model.

    Returns:
        The projection, with `leak(until) <= tolerance`.

    Raises:
        UnsupportedModelError: the model has no exact stochastic meaning, or a fractional start.
        ParameterError: unknown ids.
        RequestError: a model, time, tolerance, mapping, set or start that makes no sense.
        StateSpaceError: more states are needed than allowed, or something happens between firings.
    """
    check_network("project", model)
    last, leak, most = _request(until, tolerance, largest)
    check_set("absorbing", absorbing)
    explicit, moved = values_by_id("parameters", parameters), values_by_id("initial", initial)
    check_parameter_names(model, explicit)
    check_initial_names(model, moved)
    own = lower(model)
    if own.is_timed:
        raise StateSpaceError(
            f"model '{model.id}' has events, rate rules or laws that depend on time; its master "
            "equation has no constant generator. Simulate it instead"
        )
    values, found = start_of(own, explicit, moved, is_given=start is not None)
    # Other values may split a law into other forward and backward rates.
    lowered = lower(model, values)
    inputs = np.array([values[i] for i in lowered.input_ids])
    begin = found if start is None else given_start(lowered, start)
    assert begin is not None
    space = grow(Explorer(lowered, inputs, absorbing, most), begin, last, leak)
    given = frozenset(moved)
    return Projection(lowered, inputs, space, begin, last, leak, absorbing, most, given)


def check_set(what: str, states: Any) -> None:
    """Raise a `RequestError` for a set of states that is no function.

    Args:
        what: name of the argument.
        states: the set, or None.
    """
    if states is not None and not callable(states):
        raise RequestError(
            f"{what}={states!r}: pass a function of states [state, species] that returns one truth "
            "value a state, for instance lambda states: states[:, 0] >= 5"
        )


def _request(until: Any, tolerance: Any, largest: Any) -> tuple[float, float, int]:
    """Return the last time, the leak allowed and the number of states to give up at."""
    last, leak = as_number("until", until), as_number("tolerance", tolerance)
    if not (math.isfinite(last) and last >= 0.0):
        raise RequestError(f"until={until!r}: give a finite time that is not negative")
    if not 0.0 < leak < 1.0:
        raise RequestError(f"tolerance={tolerance!r}: give a probability between 0 and 1")
    return last, leak, whole("largest", largest, 1, 10**9)
