"""libRoadRunner's Gillespie integrator as a worker; see `loop`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from loop import Model, Ready, repeat, serve

#: Rows that it may return when it lists every firing.
MOST_ROWS = 10_000_000


def software() -> str:
    """Return the version of libRoadRunner; `ImportError` if it is not installed."""
    return str(importlib.import_module("roadrunner").__version__)


def prepare(model: Model, _options: dict[str, Any]) -> Ready:
    """Load the document and return what samples it."""
    roadrunner = importlib.import_module("roadrunner")
    roadrunner.Logger.disableLogging()
    network = roadrunner.RoadRunner(Path(model.document).read_text(encoding="utf-8"))
    network.setIntegrator("gillespie")
    network.timeCourseSelections = ["time", *model.species]
    column = 1 + model.species.index(model.watched)

    def start(seed: int, every_firing: bool) -> None:
        network.resetAll()
        network.integrator.setValue("variable_step_size", every_firing)
        network.integrator.setValue("seed", seed)

    def plan(end: float, points: int):
        def one(seed: int) -> float:
            start(seed, False)
            return float(network.simulate(0.0, end, points)[-1, column])

        return repeat(one)

    def count(end: float, seed: int) -> int:
        start(seed, True)
        network.integrator.setValue("max_output_rows", MOST_ROWS)
        times = network.simulate(0.0, end)[:, 0]
        if len(times) >= MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS} firings; count them over a shorter time")
        # The first row is time 0; the last may be the end itself, where nothing fired.
        return int(((times > 0.0) & (times < end)).sum())

    return Ready(plan, count)


if __name__ == "__main__":
    serve(software, prepare)
