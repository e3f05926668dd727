"""bioscrape as a worker; see `loop`.

It is given mass-action reactions directly, which it samples faster than the general laws that its
SBML reader makes, and asked through the classes that its own function wraps in a data frame.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import numpy as np
from loop import Model, Ready, letters, repeat, serve


def software() -> str:
    """Return the version of bioscrape; `ImportError` if it is not installed."""
    importlib.import_module("bioscrape.simulator")
    return version("bioscrape")


def prepare(model: Model, _options: dict[str, Any]) -> Ready:
    """Build the network and return what samples it."""
    types = importlib.import_module("bioscrape.types")
    simulator = importlib.import_module("bioscrape.simulator")
    random = importlib.import_module("bioscrape.random")
    network = types.Model(
        species=list(model.species),
        reactions=[
            (letters(left), letters(right), "massaction", {"k": constant})
            for left, right, constant in model.reactions
        ],
        initial_condition_dict=model.start,
    )
    interface = simulator.ModelCSimInterface(network)
    sampler = simulator.SSASimulator()
    column = network.get_species_index(model.watched)

    def plan(end: float, points: int):
        times = np.linspace(0.0, end, points)

        def one(seed: int) -> float:
            random.py_seed_random(seed)
            return float(sampler.py_simulate(interface, times).py_get_result()[-1, column])

        return repeat(one)

    return Ready(plan)


if __name__ == "__main__":
    serve(software, prepare)
