"""Ensembles of several parameter sets: one set of them, and what a batch cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sbmlgrad.errors import GradientError, RequestError

if TYPE_CHECKING:
    from sbmlgrad.engines.ensemble import Ensemble


def part_of(ensemble: Ensemble, number: int) -> Ensemble:
    """Return the ensemble of one parameter set; see `Ensemble.part`."""
    if not ensemble.is_batched:
        raise RequestError("part: this ensemble was simulated with one set of parameters")
    if ensemble.is_differentiable:
        raise GradientError(
            "part: statistics of a batch with gradients come with a leading axis over the sets; "
            f"take row {number} of a statistic"
        )
    sets = len(ensemble.states[0])
    if not 0 <= number < sets:
        raise RequestError(f"part({number}): the parameter sets are 0 to {sets - 1}")
    own = {
        id: float(value[number, 0, 0]) if np.ndim(value) else value
        for id, value in ensemble.constants.items()
    }
    return replace(
        ensemble,
        states=tuple(state[number] for state in ensemble.states),
        parameters=ensemble.parameters[number],
        constants=own,
        outcomes=ensemble.outcomes[number],
        firings=ensemble.firings[number],
        first_trajectory=ensemble.first_trajectory + number * ensemble.stride,
        stride=0,
    )


def refuse_batch(ensemble: Ensemble, verb: str) -> None:
    """Raise a `RequestError` for what is about one parameter set only."""
    if ensemble.is_batched:
        raise RequestError(
            f"{verb} is about one set of parameters, and this ensemble holds a batch; take one "
            f"set first, for instance part(0).{verb}()"
        )
