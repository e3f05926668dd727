"""Trajectories by GillesPy2's compiled solver; run as `python gillespy2_worker.py request.json`.

The solver is named, since GillesPy2 left to itself may choose a deterministic one. What its
importer reports as an error is a refusal: the model that it returns lacks those parts.
"""

import importlib
import os
from pathlib import Path

import numpy as np
from worker_tools import read_request, refuse, seeds, write_result


def trajectories(gillespy2, model, solver, request, grid):
    """Yield counts [time, species] of one trajectory after the other."""
    places = [int(np.argmin(np.abs(grid - t))) for t in request["times"]]
    # One alone first, since it waits for the compiler.
    numbers = [1, request["trajectories"] - 1]
    for number, seed in zip(numbers, seeds(request["seed"], 2), strict=True):
        try:
            results = model.run(solver=solver, number_of_trajectories=number, seed=seed)
        except gillespy2.SimulationError as error:
            if "not supported" in str(error):
                refuse(str(error).partition("Reason Given:")[2])
            raise
        # A single one may come without a list around it.
        for result in results if isinstance(results, gillespy2.Results) else [results]:
            yield np.stack([np.asarray(result[s])[places] for s in request["species"]], axis=-1)


def main():
    """Do what the request says."""
    request, _ = read_request()
    scons = importlib.import_module("SCons")
    # It starts SCons with the interpreter that a virtual environment was made from, which does not
    # see the packages of the environment.
    os.environ["PYTHONPATH"] = str(Path(str(scons.__file__)).parent.parent)
    gillespy2 = importlib.import_module("gillespy2")
    try:
        model, errors = gillespy2.import_SBML(request["document"])
    except Exception as error:
        # Formulas that it does not know end in errors of Python.
        refuse(f"{type(error).__name__}: {error}")
    if model is None:
        refuse("no model came back")
    if errors:
        refuse("; ".join(str(error) for error in errors))
    grid = np.linspace(0.0, request["times"][-1], request["steps"] + 1)
    model.timespan(gillespy2.TimeSpan(grid))
    try:
        # Constructed here: what the compiler refuses, it refuses before sampling.
        solver = gillespy2.SSACSolver(model=model)
    except Exception as error:
        refuse(f"{type(error).__name__}: {error}")
    states = trajectories(gillespy2, model, solver, request, grid)
    settings = {"solver": "SSACSolver", "seed": str(request["seed"])}
    write_result(request, states, str(gillespy2.__version__), settings)


if __name__ == "__main__":
    main()
