"""Events without reactions, run by every engine: what they set, column by column."""

from __future__ import annotations

import math
from typing import Any

from events import document
from sbml_text import event

import sbmlgrad as sg

ENGINES = {
    "ODE": sg.engines.ODE(),
    "Native": sg.engines.Native(threads=1),
    "Reference": sg.engines.Reference(),
}
AT_2 = "time >= 2"
VALUES: dict[str, float | None] = {"a": 0.0, "b": 1.0, "n": 0.0}
JUST_BEFORE_2 = math.nextafter(2.0, 0.0)
TIMES = [0.0, 0.5, 1.0, 1.5, JUST_BEFORE_2, 2.0, 2.5, 3.0, 4.0, 10.0]


def load(events: list[str], values: dict[str, float | None] | None = None) -> sg.ReactionNetwork:
    return sg.load(document(values=values or VALUES, events=events))


def columns(model: sg.ReactionNetwork, times: list[float], engine: Any) -> dict[str, list[float]]:
    cells = sg.simulate(model, times=times, seed=1, engine=engine)
    return {v: cells.values(v)[0].tolist() for v in model.variable_ids}


def digit(name: str, number: int, trigger: str, **more: Any) -> str:
    """An event that appends its digit to n when it is executed."""
    return event(name, trigger, "n", f"10*n + {number}", use_trigger_values=False, **more)
