"""What the worker scripts of this folder share; runs in the peers' Python, needs only NumPy.

A worker is started as `python NAME_peer.py FOLDER`. It finds `request.json` there and leaves
`answer.json` and, if it sampled, `values.npy`, float64 [trajectory, time, species].
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Request:
    """What to sample.

    Attributes:
        document: path of the SBML file.
        species: ids whose amounts are asked for.
        end: last output time; the first is 0.
        steps: output intervals, all of one length.
        trajectories: how many.
        seed: 0 <= seed < 2^31.
        options: what only some peers understand.
    """

    document: str
    species: tuple[str, ...]
    end: float
    steps: int
    trajectories: int
    seed: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def times(self) -> NDArray[np.float64]:
        """Output times, float64 [time]."""
        return np.linspace(0.0, self.end, self.steps + 1)


class RefusedError(Exception):
    """The peer says itself that it does not simulate such a model."""


Sampler = Callable[[], NDArray[np.float64]]
Preparer = Callable[[Request], Sampler]


def serve(
    software: Callable[[], str],
    prepare: Preparer,
    refusals: tuple[type[Exception], ...] = (Exception,),
) -> None:
    """Answer the request in the folder named on the command line.

    Args:
        software: imports the library and returns its version; ImportError means not installed.
        prepare: loads the model and returns what samples it.
        refusals: what `prepare` raises to refuse a model; anything else is an error.
    """
    folder = Path(sys.argv[1])
    data = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    request = Request(**{**data, "species": tuple(data["species"])})
    answer = _answer(folder, request, software, prepare, refusals)
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _answer(
    folder: Path,
    request: Request,
    software: Callable[[], str],
    prepare: Preparer,
    refusals: tuple[type[Exception], ...],
) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        version = software()
    except ImportError as error:
        return {"status": "absent", "message": str(error)}
    try:
        sample = prepare(request)
    except Exception as error:
        status = "refused" if isinstance(error, refusals) else "error"
        return {"status": status, "message": _words(error), "version": version}
    try:
        values = np.asarray(sample(), dtype=np.float64)
    except RefusedError as error:
        return {"status": "refused", "message": _words(error), "version": version}
    except Exception as error:
        return {"status": "error", "message": _words(error), "version": version}
    seconds = time.perf_counter() - start
    shape = (request.trajectories, request.steps + 1, len(request.species))
    if values.shape != shape:
        said = f"it gave values of shape {values.shape}, not {shape}"
        return {"status": "error", "message": said, "version": version}
    np.save(folder / "values.npy", values)
    return {"status": "ran", "message": "", "version": version, "seconds": seconds}


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
