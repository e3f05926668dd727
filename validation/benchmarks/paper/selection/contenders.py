"""Who competes in the paper's figure of throughput, and what each of them runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.model.initial import initial_values
from selection.loops import (
    GUMBEL_SOFTMAX,
    INVERSE,
    SELECTIONS,
    arrays,
    compiled,
)
from selection.task import FIRINGS, Drawn, FloatArray, Run, Task, benchmark

#: Temperature of the softmax; what it costs does not depend on it.
TEMPERATURE = 0.1

#: Numbers that a relaxed trajectory may keep together.
MOST_KEPT = 2**26


#: Trajectories of GillesPy2, which makes some kilobytes of Python objects of each.
MOST_RESULTS = 10**5


@dataclass(frozen=True)
class Contender:
    """What competes.

    Attributes:
        name: as on the command line and in records.
        title: as in tables and in the figure.
        selection: how it selects the reaction.
        kind: what it is built with: `ours`, `tensors`, `loop` or `peer`.
        prepare: task → what is timed; raises `LeftOutError` if it cannot take part.
        most: trajectories at the most; None is no limit.
    """

    name: str
    title: str
    selection: str
    kind: str
    prepare: Callable[[Task], Run]
    most: int | None = None


class LeftOutError(Exception):
    """A contender cannot take part here; the message says why."""


def contenders(peers_python: str | None) -> dict[str, Contender]:
    """Return name → contender, whether it can run here or not.

    Args:
        peers_python: interpreter of an environment that has GillesPy2, or None.
    """
    found = [
        Contender("table", "sbmlgrad table", INVERSE, "ours", _native("table")),
        Contender("lockstep", "sbmlgrad lockstep", INVERSE, "ours", _native("lockstep")),
        Contender(
            "lockstep_float32",
            "sbmlgrad lockstep, float32",
            INVERSE,
            "ours",
            _native("lockstep", "float32"),
        ),
        Contender("cuda", "sbmlgrad CUDA", INVERSE, "ours", _cuda),
        Contender("tensorflow", "sbmlgrad TensorFlow, XLA", INVERSE, "ours", _tensorflow),
        Contender(
            "soft",
            "sbmlgrad simulate_soft (relaxed)",
            GUMBEL_SOFTMAX,
            "ours",
            _soft,
            most=MOST_KEPT // (16 * FIRINGS),
        ),
        *(
            Contender(f"tensors_{short}", f"tensors, {way}", way, "tensors", _tensors(way))
            for short, way in zip(("inverse", "max", "softmax"), SELECTIONS, strict=True)
        ),
        *(
            Contender(f"loop_{short}", f"plain loop, {way}", way, "loop", _loop(way))
            for short, way in zip(("inverse", "max", "softmax"), SELECTIONS, strict=True)
        ),
        Contender(
            "gillespy2",
            "GillesPy2 C++",
            INVERSE,
            "peer",
            lambda job: _gillespy2(job, peers_python),
            most=MOST_RESULTS,
        ),
    ]
    return {contender.name: contender for contender in found}


def _timed(call: Callable[[], tuple[float, FloatArray | None]]) -> Drawn:
    cpu, wall = time.process_time(), time.perf_counter()
    firings, last = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Drawn(firings, last, cpu, wall)


def _engine(job: Task, engine: Any) -> Run:
    after = sg.AfterFirings([FIRINGS])

    def run(trajectories: int, seed: int) -> Drawn:
        def call() -> tuple[float, FloatArray]:
            cells = sg.simulate(
                job.model, readouts=[after], trajectories=trajectories, seed=seed, engine=engine
            )
            last = np.asarray(cells.values(job.watched, readout=after))[:, 0]
            return float(np.sum(cells.firings)), last

        return _timed(call)

    return run


def _native(kernel: Any, dtype: Any = "float64") -> Callable[[Task], Run]:
    return lambda job: _engine(job, sg.engines.Native(kernel=kernel, dtype=dtype, threads=1))


def _tensorflow(job: Task) -> Run:
    from sbmlgrad.engines.tensorflow.engine import TensorFlow

    return _engine(job, TensorFlow(jit_compile=True, device="CPU:0"))


def _cuda(job: Task) -> Run:
    from sbmlgrad.engines.cuda.engine import Cuda

    run = _engine(job, Cuda())
    try:
        run(1, 0)
    except sg.SbmlGradError as error:
        # What to install follows in brackets.
        raise LeftOutError(str(error).partition(" (")[0]) from error
    return run


def _soft(job: Task) -> Run:
    after = sg.AfterFirings([FIRINGS])

    def run(trajectories: int, seed: int) -> Drawn:
        def call() -> tuple[float, None]:
            soft = sg.gradients.simulate_soft(
                job.model,
                job.model.parameter_values,
                readout=after,
                temperature=TEMPERATURE,
                trajectories=trajectories,
                seed=seed,
            )
            # Waits until the values are there.
            float(np.sum(soft.values.numpy()))
            return float(trajectories * FIRINGS), None

        return _timed(call)

    return run


def _tensors(selection: str) -> Callable[[Task], Run]:
    def prepare(job: Task) -> Run:
        from selection.tensors import sample

        lowered, values = lower(job.model), initial_values(job.model)
        inputs = np.array([float(values[name]) for name in lowered.input_ids])
        start = np.array([float(n) for n in job.plain.counts])
        place = job.model.species_ids.index(job.watched)
        assert tuple(job.model.species_ids) == tuple(job.plain.species)

        def run(trajectories: int, seed: int) -> Drawn:
            def call() -> tuple[float, FloatArray]:
                counts = sample(
                    lowered, selection, inputs, start, FIRINGS, trajectories, seed, TEMPERATURE
                )
                return float(trajectories * FIRINGS), counts[:, place]

            return _timed(call)

        return run

    return prepare


def _loop(selection: str) -> Callable[[Task], Run]:
    def prepare(job: Task) -> Run:
        k, pairs, changes = arrays(job.plain)
        start = np.array([*job.plain.counts, 1.0])
        place, loop = job.plain.species.index(job.watched), compiled(selection)

        def run(trajectories: int, seed: int) -> Drawn:
            def call() -> tuple[float, FloatArray]:
                last, made, *_ = loop(
                    k, pairs, changes, start, FIRINGS, trajectories, seed, place, TEMPERATURE
                )
                return float(made), last

            return _timed(call)

        return run

    return prepare


def _gillespy2(job: Task, python: str | None) -> Run:
    if python is None:
        raise LeftOutError("no environment given; say --peers-python PATH")
    process, names = benchmark("engine_timing.process"), benchmark("engine_timing.contenders")
    models = benchmark("engine_timing.models")
    (peer,) = names.peers(python, ("gillespy2",))
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        folder = models.write(job.plain.job(end=job.end, points=2), Path(name))
        worker = process.Process(peer, folder, 3600.0)
        try:
            worker.load()
        except process.FailedError as error:
            worker.close()
            raise LeftOutError(f"{error.status}: {error}") from error

    def run(trajectories: int, seed: int) -> Drawn:
        asked = {"end": job.end, "points": 2, "trajectories": trajectories, "seed": seed}
        answer: Mapping[str, Any] = worker.ask("run", **asked)
        number, mean, squares = answer["last"]
        # Two values with the mean and the spread of the sample stand for it.
        spread = float(np.sqrt(squares / max(number, 1)))
        last = np.resize(np.array([mean - spread, mean + spread]), int(number) // 2 * 2 or 1)
        return Drawn(trajectories * job.by_end, last, answer["cpu_s"], answer["wall_s"])

    return run
