"""Direct-method trajectories by BNGsim; run as `python bngsim_worker.py request.json`."""

import importlib
import logging

import numpy as np
from worker_tools import read_request, refuse, seeds, write_result


def trajectories(bngsim, model, request):
    """Yield counts [time, species] of one trajectory after the other.

    `reset()` leaves parameters as events have set them, so that a model with events is copied
    afresh for every trajectory.
    """
    pristine, simulator = model.clone(), bngsim.Simulator(model, method="ssa")
    times = request["times"]
    grid = [*([] if times[0] == 0.0 else [0.0]), *times]
    names = list(model.species_names)
    columns = [names.index(s) for s in request["species"]]
    for seed in seeds(request["seed"], request["trajectories"]):
        if pristine.n_events > 0:
            simulator = bngsim.Simulator(pristine.clone(), method="ssa")
        else:
            model.reset()
        if len(grid) == 1:
            # It takes no grid of one point.
            states = np.array(simulator.run(sample_times=[0.0, 1e-300], seed=seed).species)[:1]
        else:
            states = np.array(simulator.run(sample_times=grid, seed=seed).species)
        yield states[len(grid) - len(times) :, columns]


def refusing(bngsim, states):
    """Yield the same; what it says that it does not support when it runs is a refusal."""
    try:
        yield from states
    except bngsim.SimulationError as error:
        if "not yet supported" in str(error):
            refuse(error)
        raise


def main():
    """Do what the request says."""
    request, document = read_request()
    bngsim = importlib.import_module("bngsim")
    logging.getLogger("bngsim").setLevel(logging.ERROR)
    try:
        model = bngsim.Model.from_sbml_string(document)
        bngsim.Simulator(model.clone(), method="ssa")
    except bngsim.BngsimError as error:
        refuse(error)
    states = refusing(bngsim, trajectories(bngsim, model, request))
    settings = {"method": "ssa", "seed": str(request["seed"])}
    write_result(request, states, bngsim.__version__, settings)


if __name__ == "__main__":
    main()
