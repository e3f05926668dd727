"""Direct-method trajectories by rebop; run as `python rebop_worker.py request.json`.

It reads no SBML: the request holds reactions, start and parameters. It gives states at even times
or all of them; here all are asked for, and the one after the last firing before each output time
is taken.
"""

import importlib
import warnings
from importlib.metadata import version

import numpy as np
from worker_tools import read_request, refuse, seeds, write_result


def trajectories(network, request, waits):
    """Yield counts [time, species] of one trajectory after the other.

    Args:
        network: to simulate.
        request: as read.
        waits: gets a row for each of them, if they are to be kept: times since the firing before,
            for the firings waited for.
    """
    times = np.array(request["times"])
    # Exactly at the end nothing may be missed.
    until = float(np.nextafter(times[-1], np.inf)) or 1.0
    for seed in seeds(request["seed"], request["trajectories"], bits=32):
        found = network.run(
            request["start"],
            tmax=until,
            nb_steps=0,
            params=request["parameters"],
            rng=seed,
            var_names=request["columns"],
        )
        places = np.searchsorted(found["time"].values, times, side="right") - 1
        # The first row is the start, and every other one a firing; the last may come too late.
        fired = found["time"].values
        gaps = np.diff(fired[fired <= times[-1]])
        if request["keep_waits"]:
            waits.append(waits_for(gaps, request["waited_for"]))
        yield np.stack([found[s].values[places] for s in request["columns"]], axis=-1)


def waits_for(gaps, firings):
    """Return times since the firing before, infinite for firings that do not come."""
    return np.array([gaps[k - 1] if k <= len(gaps) else np.inf for k in firings])


def main():
    """Do what the request says."""
    request, _ = read_request()
    rebop = importlib.import_module("rebop")
    # It warns of species that occur in laws only.
    warnings.simplefilter("ignore")
    network = rebop.Gillespie()
    for law, lost, gained in request["reactions"]:
        try:
            network.add_reaction(law, lost, gained)
        except ValueError as error:
            refuse(f"{error}: {law}")
    waits = []
    states = trajectories(network, request, waits)
    settings = {"method": "direct", "seed": str(request["seed"])}
    write_result(request, states, version("rebop"), settings, waits)


if __name__ == "__main__":
    main()
