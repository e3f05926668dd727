"""What the workers of this folder share; runs in the peers' Python and needs only NumPy.

A worker is started as `python NAME_worker.py`. It reads one JSON request a line from its standard
input and answers each with one JSON line on its standard output, until the input ends. What its
library prints goes to standard error.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from line_server import answer_lines
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Model:
    """A mass-action network as plain data.

    Attributes:
        species: ids.
        counts: at time 0, one a species.
        reactions: (reactants, products, constant); a propensity is the constant times the falling
            factorial x (x - 1) … of each reactant.
        watched: the species whose count at the end is reported.
        document: path of the same network as SBML.
    """

    species: tuple[str, ...]
    counts: tuple[int, ...]
    reactions: tuple[tuple[dict[str, int], dict[str, int], float], ...]
    watched: str
    document: str

    @property
    def start(self) -> dict[str, int]:
        """Id → count at time 0."""
        return dict(zip(self.species, self.counts, strict=True))


@dataclass(frozen=True)
class Drawn:
    """What one call gave.

    Attributes:
        last: count of the watched species at the end, [trajectory].
        firings: [trajectory], or None where the library does not tell.
    """

    last: ArrayLike
    firings: ArrayLike | None = None


#: (trajectories, seed) → what was drawn; only this is timed.
Sampler = Callable[[int, int], Drawn]
#: (end, points) → sampler at `points` times from 0 to the end; its cost is not timed.
Planner = Callable[[float, int], Sampler]
#: (end, seed) → firings of one trajectory, counted by the library's own list of all of them.
Counter = Callable[[float, int], int]


@dataclass(frozen=True)
class Ready:
    """A loaded model: how to sample it, and how to count firings if the library lists them."""

    plan: Planner
    count: Counter | None = None


Preparer = Callable[[Model, dict[str, Any]], Ready]


def letters(species: dict[str, int]) -> list[str]:
    """Return each id as often as its stoichiometry says, as some libraries want it."""
    return [name for name, times in species.items() for _ in range(times)]


def repeat(one: Callable[[int], float]) -> Sampler:
    """Return a sampler of a library that gives one trajectory a call: seed → last count."""

    def sample(trajectories: int, seed: int) -> Drawn:
        seeds = np.random.SeedSequence(seed).generate_state(trajectories) >> 1
        return Drawn([one(int(s)) for s in seeds])

    return sample


def serve(software: Callable[[], str], prepare: Preparer) -> NoReturn:
    """Answer requests until the input ends.

    Args:
        software: imports the library and returns its version; ImportError means not installed.
        prepare: loads the model.
    """
    state: dict[str, Any] = {}
    answer_lines(lambda request: _answer(request, state, software, prepare))


def _answer(
    request: dict[str, Any],
    state: dict[str, Any],
    software: Callable[[], str],
    prepare: Preparer,
) -> dict[str, Any]:
    if request["ask"] == "load":
        try:
            version = software()
        except ImportError as error:
            return {"status": "absent", "message": str(error)}
        state["ready"] = prepare(read_model(Path(request["folder"])), request["options"])
        return {"status": "ran", "version": version}
    ready: Ready = state["ready"]
    if request["ask"] == "count":
        if ready.count is None:
            return {"status": "absent", "message": "it does not list every firing"}
        return {"status": "ran", "firings": ready.count(request["end"], request["seed"])}
    grid = (request["end"], request["points"])
    if state.get("grid") != grid:
        state["sample"], state["grid"] = ready.plan(*grid), grid
    cpu, wall = _cpu(), time.perf_counter()
    drawn: Drawn = state["sample"](request["trajectories"], request["seed"])
    cpu, wall = _cpu() - cpu, time.perf_counter() - wall
    firings = None if drawn.firings is None else _moments(drawn.firings)
    return {
        "status": "ran",
        "cpu_s": cpu,
        "wall_s": wall,
        "last": _moments(drawn.last),
        "firings": firings,
    }


def read_model(folder: Path) -> Model:
    """Read `model.json`; the document beside it is `model.xml`."""
    data = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    reactions = tuple((left, right, float(k)) for left, right, k in data["reactions"])
    return Model(
        tuple(data["species"]),
        tuple(data["counts"]),
        reactions,
        data["watched"],
        str(folder / "model.xml"),
    )


def _cpu() -> float:
    """Return the processor time of this process and of its children that ended."""
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


def _moments(values: ArrayLike) -> Sequence[float]:
    """Return number, mean and sum of squared deviations."""
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    return len(array), mean, float(((array - mean) ** 2).sum())
