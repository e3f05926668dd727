"""GillesPy2's compiled direct method as a worker; see `worker`.

The solver is named, since GillesPy2 left to itself may choose a deterministic one. What its
importer reports as an error makes the answer a refusal: the model that it returns lacks those
parts.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path

import numpy as np
from worker import RefusedError, Request, Sampler, serve


def software() -> str:
    """Return the version of GillesPy2; `ImportError` if it is not installed."""
    importlib.import_module("libsbml")
    scons = importlib.import_module("SCons")
    if shutil.which("g++") is None:
        raise ImportError("no g++, which its solver is compiled with")
    # It starts SCons with the interpreter that a virtual environment was made from, which does not
    # see the packages of the environment.
    os.environ["PYTHONPATH"] = str(Path(str(scons.__file__)).parent.parent)
    return str(importlib.import_module("gillespy2").__version__)


def prepare(request: Request) -> Sampler:
    """Load the model and return what samples it, or refuse it (`RefusedError`)."""
    gillespy2 = importlib.import_module("gillespy2")
    model, errors = gillespy2.import_SBML(request.document)
    if model is None or errors:
        raise RefusedError("; ".join(str(error) for error in errors) or "no model came back")
    model.timespan(gillespy2.TimeSpan(request.times))
    # Constructed here: what the compiler refuses, it refuses before sampling.
    solver = gillespy2.SSACSolver(model=model)

    def sample():
        try:
            results = model.run(
                solver=solver, number_of_trajectories=request.trajectories, seed=request.seed
            )
        except gillespy2.SimulationError as error:
            if "not supported" in str(error):
                raise RefusedError(str(error).partition("Reason Given:")[2].strip()) from error
            raise
        return np.array([np.stack([r[s] for s in request.species], axis=-1) for r in results])

    return sample


if __name__ == "__main__":
    serve(software, prepare)
