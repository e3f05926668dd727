"""Opens a calibrated model in libSBML, libRoadRunner and COPASI, and compares its means there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libsbml
import numpy as np

import sbmlgrad as sg

#: Where the scripts that ask other simulators are.
PEERS = Path(__file__).resolve().parents[2] / "validation"
#: Two-sided chance of 1e-6 for one comparison of means; there are some dozens.
MOST_Z = 4.9
#: Simulators that read the file as it is written, each in a process of its own.
TOOLS = ("roadrunner", "copasi")
LIMIT_S = 300.0


def errors(path: Path) -> list[str]:
    """Return what libSBML holds against a document, units included; warnings too."""
    document = libsbml.readSBMLFromFile(str(path))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    return [
        " ".join(document.getError(i).getMessage().split()) for i in range(document.getNumErrors())
    ]


def worst(path: Path, end: float, steps: int, trajectories: int, python: str) -> Iterator[str]:
    """Yield, for each tool, how far its means are from ours at most, in standard errors.

    Args:
        path: of the SBML file.
        end: last time; the first is 0.
        steps: intervals between the times that are compared.
        trajectories: of the tool, and as many of ours.
        python: interpreter of the environment that has the tools.

    Raises:
        RuntimeError: a tool does not run the model, or finds other means.
    """
    protocol, worker = _peers()
    model = sg.load(path)
    times = np.linspace(0.0, end, steps + 1)
    ours = sg.simulate(model, times=times, trajectories=trajectories, seed=3)
    for tool in TOOLS:
        request = worker.Request(str(path), model.species_ids, end, steps, trajectories, 4)
        answer = protocol.ask(protocol.PEERS[tool], request, python=python, limit_s=LIMIT_S)
        title = f"{protocol.PEERS[tool].title} {answer.version}"
        if answer.values is None:
            raise RuntimeError(f"{path.name}: {title}: {answer.status}: {answer.message}")
        found = 0.0
        for j, id in enumerate(model.species_ids):
            theirs, own = answer.values[:, :, j], ours.values(id, "amount")
            error = np.sqrt((theirs.var(0, ddof=1) + own.var(0, ddof=1)) / trajectories)
            difference = np.abs(theirs.mean(0) - own.mean(0))
            if (difference[error == 0.0] > 0.0).any():
                raise RuntimeError(f"{path.name}: {title}: {id} differs where nothing scatters")
            z = difference[error > 0.0] / error[error > 0.0]
            found = max(found, float(z.max(initial=0.0)))
        if found > MOST_Z:
            raise RuntimeError(f"{path.name}: {title}: a mean is {found:.1f} standard errors off")
        yield f"{title}: means agree, largest z {found:.2f}"


def _peers() -> tuple[Any, Any]:
    """Return the modules of the campaigns that ask other simulators."""
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    return importlib.import_module("peers.protocol"), importlib.import_module("peers.worker")
