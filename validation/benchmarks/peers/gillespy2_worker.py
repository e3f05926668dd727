"""GillesPy2's compiled direct method as a worker; see `loop`.

It is given its mass-action reactions directly up to order two, and a formula above, where it has no
mass action of its own. The solver holds its output times and is compiled for them, which is not
timed.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from loop import Drawn, Model, Ready, serve


def software() -> str:
    """Return the version of GillesPy2; `ImportError` if it is not installed."""
    scons = importlib.import_module("SCons")
    if shutil.which("g++") is None:
        raise ImportError("no g++, which its solver is compiled with")
    # It starts SCons with the interpreter that a virtual environment was made from, which does not
    # see the packages of the environment.
    os.environ["PYTHONPATH"] = str(Path(str(scons.__file__)).parent.parent)
    return str(importlib.import_module("gillespy2").__version__)


def prepare(model: Model, _options: dict[str, Any]) -> Ready:
    """Build the network and return what compiles and samples it."""
    gillespy2 = importlib.import_module("gillespy2")
    network = gillespy2.Model("network")
    network.add_species(
        [
            gillespy2.Species(name=s, initial_value=c, mode="discrete")
            for s, c in model.start.items()
        ]
    )
    for number, (left, right, constant) in enumerate(model.reactions):
        sides = {"reactants": dict(left), "products": dict(right)}
        if sum(left.values()) <= 2 and not _is_pair(left):
            name = f"k{number}"
            network.add_parameter(gillespy2.Parameter(name=name, expression=repr(constant)))
            law = {"rate": name}
        else:
            law = {"propensity_function": formula(left, constant)}
        network.add_reaction(gillespy2.Reaction(name=f"r{number}", **sides, **law))

    def plan(end: float, points: int):
        network.timespan(gillespy2.TimeSpan(np.linspace(0.0, end, points)))
        solver = gillespy2.SSACSolver(model=network)

        def sample(trajectories: int, seed: int) -> Drawn:
            results = network.run(solver=solver, number_of_trajectories=trajectories, seed=seed)
            return Drawn([float(result[model.watched][-1]) for result in results])

        return sample

    return Ready(plan)


def _is_pair(left: dict[str, int]) -> bool:
    # Its constant of 2 X is for x (x - 1) / 2 or not, depending on its version.
    return list(left.values()) == [2]


def formula(left: dict[str, int], constant: float) -> str:
    """Return the propensity as it writes formulas."""
    factors = [f"({s} - {i})" if i else s for s, times in left.items() for i in range(times)]
    return "*".join([repr(constant), *factors])


if __name__ == "__main__":
    serve(software, prepare)
