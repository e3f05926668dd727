"""Deterministic simulation of a network: the result of the rate equations as an ensemble of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.deterministic import lower_deterministic
from sbmlgrad.engines.base import DeterministicEngine, Outcome, Progress
from sbmlgrad.engines.ensemble import Ensemble, constants
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import RequestError, UnsupportedModelError
from sbmlgrad.model.initial import initial_counts, initial_values
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.readiness import MISSING_VALUES, start_issues


def solve_rate_equations(
    network: ReactionNetwork,
    explicit: Mapping[str, float],
    times: Sequence[float] | NDArray[np.float64],
    *,
    initial: Mapping[str, float],
    engine: DeterministicEngine,
    versions: Mapping[str, str],
    progress: Progress | None = None,
) -> Ensemble:
    """Follow the reaction rate equations of a network; `simulate(engine=ODE())` calls this.

    Args:
        network: the network.
        explicit: parameter id → value given by the user.
        times: output times, increasing, >= 0.
        initial: species or compartment id → value given by the user.
        engine: solver and tolerances.
        versions: software versions to record.
        progress: called with (done, total) from time to time, or None.

    Returns:
        An ensemble with one trajectory, whose species are amounts.

    Raises:
        UnsupportedModelError: a construct without deterministic meaning, or a missing value.
        SimulationError: the solver fails; the message names time and state.
    """
    system = lower_deterministic(network)
    readout = ValuesAt(np.asarray(times).tolist())
    values = initial_values(network, explicit, initial)
    if network.initial == "randomised":
        raise RequestError(
            'ODE(): a model loaded with initial="randomised" has no single start; load it with '
            'initial="strict"'
        )
    counts = initial_counts(network, values, initial)
    formulas = (*system.derivatives, *(e for event in system.events for e in event.formulas))
    problems = start_issues(network, formulas, values, counts)
    missing = [issue for issue in problems if issue.code in MISSING_VALUES]
    if missing:
        raise UnsupportedModelError(
            missing, what=f"model '{network.id}' cannot be simulated deterministically:"
        )
    items = [s.items_per_substance for s in network.species if s.id in network.state_species]
    amounts = counts / np.array(items)
    others = [values[v] for v in network.variable_ids]
    start = np.concatenate([amounts, np.array(others, dtype=np.float64)])
    inputs = np.array([values[i] for i in system.input_ids], dtype=np.float64)
    state = engine.integrate(system, inputs, start, readout.points, progress=progress)
    return Ensemble(
        network=network,
        readouts=(readout,),
        states=(state[None, :, :],),
        parameters=np.array([values[p] for p in network.parameter_ids]),
        constants=constants(network, values),
        outcomes=np.array([Outcome.COMPLETED], dtype=np.int8),
        firings=np.zeros(1, dtype=np.int64),
        seed=0,
        first_trajectory=0,
        engine=engine.name,
        versions=versions,
        meanings=system.meanings,
        is_deterministic=True,
    )
