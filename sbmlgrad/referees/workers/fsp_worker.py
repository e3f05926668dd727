"""The projected master equation; run as `python fsp_worker.py request.json`.

Unlike the other workers it asks sbmlgrad itself, in a process of its own so that it can be stopped.
"""

import sys

import numpy as np
from worker_tools import read_request, refuse


def main():
    """Do what the request says."""
    request, document = read_request()
    sys.path.insert(0, request["package"])
    from sbmlgrad.cme import project
    from sbmlgrad.errors import SbmlGradError, TooManyStatesError
    from sbmlgrad.io.formats import load

    times = np.array(request["times"])
    try:
        network = load(document)
        found = project(
            network,
            until=float(times[-1]),
            tolerance=request["tolerance"],
            largest=request["largest"],
        )
    except TooManyStatesError as error:
        refuse(f"{error.found}; compare at earlier times, or ask a simulator, such as roadrunner")
    except SbmlGradError as error:
        refuse(error)
    probability = found.distributions(times)
    # Of a closed space only roundings are missing.
    leak = np.zeros(len(times)) if found.space.is_closed else 1.0 - probability.sum(axis=1)
    places = [network.species_ids.index(s) for s in request["species"]]
    np.savez(
        request["result"],
        states=found.space.states[:, places].astype(np.float64),
        probability=probability,
        leak=leak,
    )


if __name__ == "__main__":
    main()
