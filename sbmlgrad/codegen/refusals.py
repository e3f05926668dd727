"""What no derivative of a lowered network can see: words and refusals that every method shares."""

from __future__ import annotations

from collections.abc import Collection

from sbmlgrad.codegen.lowering import MOST_REASONS, LoweredNetwork
from sbmlgrad.errors import GradientError
from sbmlgrad.model.labels import first_of


def jumping_words(lowered: LoweredNetwork) -> str:
    """Say whose law jumps with the state, and where; empty if no law does."""
    found = lowered.jumping_channels
    if not found:
        return ""
    named = first_of(list(map(repr, found)), MOST_REASONS)
    return f"the law of {named} jumps where the state passes a threshold"


def refuse_parameters_in_changes(lowered: LoweredNetwork, parameters: Collection[str]) -> None:
    """Raise for parameters that say how many molecules a firing changes.

    Args:
        lowered: the network.
        parameters: ids that shall be differentiated in.

    Raises:
        GradientError: some of them are in `LoweredNetwork.parameters_in_changes`.
    """
    found = sorted(lowered.parameters_in_changes & set(parameters))
    if found:
        raise GradientError(
            f"model '{lowered.network.id}': {', '.join(map(repr, found))} says how many molecules "
            "a firing changes, as a stoichiometry or a conversion factor, and whole numbers of "
            "molecules have no derivative; leave it out, and compare simulations with whole numbers"
        )
