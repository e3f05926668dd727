"""Models with events, explicit time and rate rules: one trajectory's values, and its failure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from events import document

import sbmlgrad as sg

NATIVE, REFERENCE = sg.engines.Native(), sg.engines.Reference()


def path(model: sg.ReactionNetwork, symbol: str, times: Any, **more: Any) -> list[float]:
    """The values of a symbol on one trajectory."""
    return sg.simulate(model, times=times, seed=1, **more).values(symbol)[0].tolist()


def failure(model: sg.ReactionNetwork, until: float, **more: Any) -> sg.SimulationError:
    with pytest.raises(sg.SimulationError) as caught:
        sg.simulate(model, times=[until], seed=1, **more)
    return caught.value


def growing(**more: Any) -> str:
    """A parameter that only events change, in a model without reactions."""
    return document(values={"a": 0.0, "b": 1.0, "n": 0.0}, **more)


CONCENTRATION: dict[str, Any] = {"hasOnlySubstanceUnits": "false"}


ENGINES = [NATIVE, sg.engines.ODE()]


GRID = np.linspace(0.0, 4.0, 17)


def run(model: sg.ReactionNetwork, **more: Any) -> sg.Ensemble:
    options: dict[str, Any] = {"times": GRID, "trajectories": 40, "seed": 3, **more}
    return sg.simulate(model, **options)
