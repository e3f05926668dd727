"""How constants of a network move with its parameters: by their initial assignments."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.errors import GradientError
from sbmlgrad.model.initial import start_needs
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate


def constant_slopes(
    lowered: LoweredNetwork,
    values: Mapping[str, float],
    parameters: Collection[str],
    given: Collection[str] = (),
) -> dict[str, dict[str, float]]:
    """Return constant id → parameter id → derivative, of constants that follow from parameters.

    Args:
        lowered: the network.
        values: parameter id → value.
        parameters: ids of those that are asked for; derivatives in others are left out.
        given: ids of species and compartments whose start the user gave: they do not move.

    Raises:
        GradientError: a derivative is not finite, or not known because of what the user gave.
    """
    found: dict[str, dict[str, float]] = {}
    for constant, slopes in lowered.constant_derivatives.items():
        asked = {p: slope for p, slope in slopes.items() if p in parameters}
        if constant in given or not asked:
            continue
        _refuse_given_below(lowered.network, constant, given)
        found[constant] = {p: float(evaluate(e, values)) for p, e in asked.items()}
        for parameter, slope in found[constant].items():
            if not math.isfinite(slope):
                raise GradientError(
                    f"the initial assignment of '{constant}' has no finite derivative in "
                    f"'{parameter}' at {values[parameter]!r}"
                )
    return found


def needed_at_start(network: ReactionNetwork, ids: Collection[str]) -> frozenset[str]:
    """Return symbols and all that their values at time 0 follow from."""
    needs = start_needs(network) if ids else {}
    found: set[str] = set()
    stack = list(ids)
    while stack:
        symbol = stack.pop()
        if symbol not in found:
            found.add(symbol)
            stack.extend(needs.get(symbol, ()))
    return frozenset(found)


def _refuse_given_below(network: ReactionNetwork, constant: str, given: Collection[str]) -> None:
    """Raise where a constant follows from something that the user gave another start."""
    below = sorted(needed_at_start(network, [constant]) & set(given)) if given else []
    if below:
        raise GradientError(
            f"'{constant}' follows from parameters and from {', '.join(map(repr, below))}, which "
            "`initial` gives another value than the model does, so that its derivative is not the "
            "model's; write the value into the model, or use FiniteDifference()"
        )
