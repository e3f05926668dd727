"""The job of the paper's figure of throughput: a network, its firings, and what must come out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sbmlgrad as sg

FloatArray = NDArray[np.float64]

#: Firings of a trajectory, as in the paper's examples.
FIRINGS = 250


@dataclass(frozen=True)
class Drawn:
    """What one call gave.

    Attributes:
        firings: of all trajectories together.
        last: counts of the watched species at the end, float64 [trajectory]; None where the method
            is no exact one.
        cpu_s: processor time.
        wall_s: wall-clock time.
    """

    firings: float
    last: FloatArray | None
    cpu_s: float
    wall_s: float


#: (trajectories, seed) → what was drawn; the first call of a size may compile.
Run = Callable[[int, int], Drawn]


@dataclass(frozen=True)
class Task:
    """A network and the job on it: `FIRINGS` firings of every trajectory.

    Attributes:
        name: id of the shipped model.
        model: the network.
        plain: the same as plain data of `engine_timing.models`.
        watched: species whose counts are checked.
        end: time by which a trajectory has had `FIRINGS` firings on average.
        by_end: firings that it has had by then, on average.
        expected: counts of the watched species after `FIRINGS` firings, float64 [trajectory].
        expected_by_end: likewise at the time `end`.
    """

    name: str
    model: sg.ReactionNetwork
    plain: Any
    watched: str
    end: float
    by_end: float
    expected: FloatArray
    expected_by_end: FloatArray


def benchmark(name: str) -> Any:
    """Return a module of the throughput benchmark, which stands two folders above."""
    folder = str(Path(__file__).resolve().parents[2])
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def task(name: str, trajectories: int = 20_000) -> Task:
    """Return the job on a shipped model.

    Args:
        name: `dimerization` or `oscillator`.
        trajectories: behind what is expected.
    """
    models = benchmark("engine_timing.models")
    plain = getattr(models, name)()
    model = sg.load(models.SHIPPED / f"{name}.xml")
    after = sg.AfterFirings([FIRINGS])
    engine = sg.engines.Native(kernel="table")
    fixed = sg.simulate(model, readouts=[after], trajectories=trajectories, seed=11, engine=engine)
    end = float(np.mean(fixed.values("time", readout=after)))
    timed = sg.simulate(model, times=[end], trajectories=trajectories, seed=12, engine=engine)
    return Task(
        name,
        model,
        plain,
        plain.watched,
        end,
        float(np.mean(timed.firings)),
        np.asarray(fixed.values(plain.watched, readout=after))[:, 0],
        np.asarray(timed.values(plain.watched))[:, -1],
    )
