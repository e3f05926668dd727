"""From inputs of the propensities to parameters of the model, by the chain rule."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.constant_slopes import constant_slopes, needed_at_start
from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.engines.base import Request
from sbmlgrad.errors import GradientError
from sbmlgrad.model.expression import symbols
from sbmlgrad.model.initial import random_at_start, start_expression

FloatArray = NDArray[np.float64]


def refuse_parameters_in_start(lowered: LoweredNetwork) -> None:
    """Raise where the initial counts depend on parameters: whole numbers have no derivative."""
    parameters = lowered.parameters_in_initial_counts
    if parameters:
        raise GradientError(
            "the initial counts depend on "
            f"{', '.join(map(repr, sorted(parameters)))} through an initial assignment, and whole "
            "numbers of molecules have no derivative; remove the initial assignment, or load the "
            'model with initial="randomised" and use FiniteDifference()'
        )


def refuse_stepped_start(
    name: str, lowered: LoweredNetwork, id: str, upper: FloatArray, lower: FloatArray
) -> None:
    """Raise where a parameter moves whole initial counts, whose expectation is a staircase.

    Args:
        name: of the estimator.
        lowered: the network.
        id: of the parameter.
        upper: states at the start on one side, float64 [1 or trajectory, state].
        lower: on the other.
    """
    network = lowered.network
    if network.initial == "randomised" or id not in lowered.parameters_in_initial_counts:
        return
    drawn = random_at_start(network)
    held = [i for i, s in enumerate(network.species_ids) if s in network.counted - drawn]
    # Rounded, both sides may come to the same count although the true ones differ.
    if network.initial == "round" or not np.array_equal(upper[0, held], lower[0, held]):
        raise GradientError(start_refusal(name, lowered, id))


def refuse_rounded_events(name: str, lowered: LoweredNetwork, id: str) -> None:
    """Raise where events set counts by a parameter and round them, which makes a staircase.

    Args:
        name: of the estimator.
        lowered: the network.
        id: of the parameter.
    """
    network = lowered.network
    if network.initial != "round":
        return
    for event in lowered.events:
        for assignment in event.assignments:
            formulas = [f for f in (assignment.value, assignment.size) if f is not None]
            used = frozenset().union(*(symbols(f) for f in formulas))
            used |= frozenset().union(
                *(symbols(start_expression(network, c)) for c in used & {*lowered.constant_ids})
            )
            if id in used and assignment.symbol in network.counted:
                raise GradientError(
                    f"{name}: event '{event.id}' of model '{network.id}' sets '{assignment.symbol}'"
                    f" by '{id}' and rounds it to a whole number of molecules, so that "
                    'expectations are a staircase; load the model with initial="randomised", under '
                    "which they are continuous"
                )


def start_refusal(name: str, lowered: LoweredNetwork, id: str) -> str:
    """Say why the derivative in a parameter that sets initial counts is refused."""
    return (
        f"{name}: initial counts of model '{lowered.network.id}' depend on '{id}', and whole "
        'numbers of molecules have no derivative; load the model with initial="randomised", under '
        "which expectations are continuous in it, or leave it out by "
        "FiniteDifference(parameters=...)"
    )


def used_inputs(lowered: LoweredNetwork) -> set[int]:
    """Return the places of inputs that the law of the trajectories can depend on."""
    found = frozenset().union(*(symbols(formula) for formula in lowered.formulas))
    wanted = {c for c, slopes in lowered.constant_derivatives.items() if slopes}
    wanted |= set(lowered.network.parameter_ids)
    return {i for i, id in enumerate(lowered.input_ids) if id in found & wanted}


def used_parameters(lowered: LoweredNetwork) -> frozenset[str]:
    """Return the ids of parameters that the law of the trajectories, or their start, can use."""
    network = lowered.network
    used = frozenset().union(*(symbols(formula) for formula in lowered.formulas))
    followed = [*lowered.constant_ids, *network.variable_ids]
    for species in network.species:
        if species.id in network.state_species:
            if species.id in network.initial_assignments or species.initial_amount is None:
                followed.append(species.id)
            if not species.only_substance_units and species.initial_amount is None:
                followed.append(species.compartment)
    starts = frozenset().union(*(symbols(start_expression(network, id)) for id in followed))
    # Parameters stand for themselves there; one that is drawn follows from others.
    drawn = needed_at_start(network, random_at_start(network))
    return (used | starts | drawn) & frozenset(network.parameter_ids)


def in_parameters(
    request: Request, gradient: FloatArray, given: Collection[str] = ()
) -> FloatArray:
    """Return the derivative in the parameters, float64 [parameter], given that in the inputs.

    Parameters act directly, and through the compartments and the species that never change whose
    initial assignments use them. NaN in those that say how many molecules a firing changes: whole
    numbers have no derivative.

    Args:
        request: the trajectories.
        gradient: float64 [input].
        given: ids of species and compartments whose start the user gave, whatever their initial
            assignments say.

    Raises:
        GradientError: a derivative is not finite, or not known because of what the user gave.
    """
    lowered = request.lowered
    ids = lowered.network.parameter_ids
    result = gradient[: len(ids)].copy()
    values = dict(zip(ids, request.inputs.tolist(), strict=False))
    for constant, slopes in constant_slopes(lowered, values, ids, given).items():
        place = lowered.input_ids.index(constant)
        for parameter, slope in slopes.items():
            result[ids.index(parameter)] += slope * gradient[place]
    result[[ids.index(id) for id in lowered.parameters_in_changes]] = np.nan
    return result
