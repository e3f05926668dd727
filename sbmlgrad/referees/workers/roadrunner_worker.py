"""Gillespie trajectories by libRoadRunner; run as `python roadrunner_worker.py request.json`.

A script of its own, never imported by sbmlgrad and importing nothing of it, so that a crash, a hang
or a changed global of the library stays in this process.

Measured with libRoadRunner 2.10: `resetAll()` restores initial amounts and parameters, which
`reset()` leaves as events have set them, and does not touch the random stream, so one seed at the
start gives independent trajectories; a plain species id selects the amount; only the lowest 32
bits of a seed count; the state at an output time is the one after the last firing before it, on
non-uniform grids too.
"""

import importlib
import sys

import numpy as np
from worker_tools import read_request, write_result


def load(package, document):
    """Return (RoadRunner instance, version of libRoadRunner) for an SBML text."""
    # By name at run time: sbmlgrad's import contract forbids these packages in its own process,
    # and this file, though it lies in the package, never runs there.
    roadrunner = importlib.import_module("roadrunner")
    if package == "tellurium":
        model = importlib.import_module("tellurium").loadSBMLModel(document)
    else:
        model = roadrunner.RoadRunner(document)
    return model, roadrunner.__version__


def trajectories(model, species, times, n):
    """Yield counts [time, species] of n trajectories, each from the initial state.

    `resetAll()` also lets happen what events do at time 0.
    """
    model.timeCourseSelections = list(species)
    start = [model.getValue(f"init({s})") for s in species]
    is_eventful = model.model.getNumEvents() > 0
    grid = [*([] if times[0] == 0.0 else [0.0]), *times]
    for i in range(n):
        model.resetAll()
        begin = [model.getValue(s) for s in species]
        if not is_eventful and begin != start:
            sys.exit(f"trajectory {i} starts from {begin}, not {start}")
        # The library takes no grid of one point.
        states = np.array(model.simulate(times=grid)) if len(grid) > 1 else np.array([begin])
        if states[0].tolist() != begin:
            sys.exit(f"trajectory {i} starts from {states[0].tolist()}, not {begin}")
        if not np.isfinite(states).all():
            sys.exit(f"trajectory {i} holds a count that is not finite")
        yield states[len(grid) - len(times) :]


def main():
    """Do what the request says."""
    request, document = read_request()
    model, version = load(request["package"], document)
    model.setIntegrator("gillespie")
    for name, value in {**request["settings"], "seed": request["seed"]}.items():
        model.integrator.setValue(name, value)
    settings = {k: str(model.integrator.getValue(k)) for k in model.integrator.getSettings()}
    states = trajectories(model, request["species"], request["times"], request["trajectories"])
    write_result(request, states, version, {"integrator": "gillespie", **settings})


if __name__ == "__main__":
    main()
