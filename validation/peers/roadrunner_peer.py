"""libRoadRunner's Gillespie integrator as a worker; see `worker`.

Everything but the output grid and the seed is the library's default, as a user would have it.
`resetAll` also restores parameters that events changed and does not touch the random stream, so
one seed gives independent trajectories.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
from worker import RefusedError, Request, Sampler, serve


def software() -> str:
    """Return the version of libRoadRunner; `ImportError` if it is not installed."""
    return str(importlib.import_module("roadrunner").__version__)


def prepare(request: Request) -> Sampler:
    """Load the model and return what samples it; any error of the library here is a refusal."""
    roadrunner = importlib.import_module("roadrunner")
    # It repeats a warning about time-triggered events in every trajectory.
    roadrunner.Logger.disableLogging()
    model = roadrunner.RoadRunner(Path(request.document).read_text(encoding="utf-8"))
    model.setIntegrator("gillespie")
    model.integrator.setValue("variable_step_size", False)
    model.integrator.setValue("seed", request.seed)
    model.timeCourseSelections = list(request.species)

    def sample():
        values = np.empty((request.trajectories, request.steps + 1, len(request.species)))
        for trajectory in values:
            model.resetAll()
            try:
                trajectory[:] = model.simulate(0.0, request.end, request.steps + 1)
            except RuntimeError as error:
                # It loads models that it then says it cannot simulate this way.
                if "unable to simulate" in str(error):
                    raise RefusedError(str(error)) from error
                raise
        return values

    return sample


if __name__ == "__main__":
    serve(software, prepare)
