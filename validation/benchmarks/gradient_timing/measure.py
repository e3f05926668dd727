"""Rounds of several contenders on one job: seconds forward, seconds of a gradient, and memory."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from engine_timing.measure import MOST_DEVIATIONS, Moments
from engine_timing.process import Contender, FailedError, Process

from gradient_timing.jobs import Job, room, write

#: Firings of one call of a peer. Its memory grows with them, to a gigabyte or so.
PEER_FIRINGS = 600_000

#: Trajectories of one call of a peer; fewer where they are long.
MOST_PEER, FEWEST_PEER = 4096, 64

#: How libraries say that memory did not suffice.
OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "ResourceExhaustedError", "MemoryError")

#: Ours work in groups of so many trajectories, and take at most so many a call.
LANES, MOST_OURS = 32, 2**20

#: Firings of one trajectory above which peers are not tried: their graphs grow with them.
MOST_STEPS = 10_000

#: Trajectories that tell the mean and the largest number of firings.
PILOT = 20_000

#: Firings of all of them together, at most.
PILOT_FIRINGS = 4_000_000

WORKER = "gradients_ours"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    Attributes:
        rounds: of every contender, after its warm-up.
        seconds: processor time of a gradient by one of ours, about.
        budget_s: wall-clock seconds of one contender on one job, compiling included.
    """

    rounds: int
    seconds: float
    budget_s: float


@dataclass(frozen=True)
class Round:
    """One gradient and one forward call of the same trajectories."""

    trajectories: int
    firings: tuple[int, int]
    forward_s: float
    gradient_s: float
    slope: tuple[float, ...]


@dataclass
class Measured:
    """What was measured of one contender on one job.

    Attributes:
        contender: who.
        version: of its software.
        status: `ran`, or how it failed.
        message: why it failed.
        rounds: after the warm-up.
        totals: of the statistic, over all forward calls.
        memory: by how many bytes a gradient raised the memory in use, or None.
        memory_firings: firings of that gradient.
    """

    contender: Contender
    version: str = ""
    status: str = "ran"
    message: str = ""
    rounds: list[Round] = field(default_factory=list)
    totals: Moments = field(default_factory=Moments)
    memory: int | None = None
    memory_firings: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether it is an estimator of sbmlgrad."""
        return self.contender.worker == WORKER

    @property
    def forward_ns(self) -> float | None:
        """Nanoseconds of processor time of a firing, simulating only; median of the rounds."""
        return _median(1e9 * r.forward_s / r.firings[0] for r in self.rounds)

    @property
    def gradient_ns(self) -> float | None:
        """Likewise, simulating and differentiating."""
        return _median(1e9 * r.gradient_s / r.firings[1] for r in self.rounds)

    def slope(self) -> tuple[np.ndarray, float]:
        """Return the mean gradient and its standard error, as a norm."""
        slopes = np.array([r.slope for r in self.rounds])
        if len(slopes) < 2:
            return slopes.mean(axis=0), math.nan
        spread = np.linalg.norm(slopes.std(axis=0, ddof=1))
        return slopes.mean(axis=0), float(spread / math.sqrt(len(slopes)))


@dataclass
class Comparison:
    """One job and all who ran it.

    Attributes:
        job: the job.
        firings: mean of one trajectory.
        most_firings: of any trajectory of the pilot.
        entries: one a contender.
    """

    job: Job
    firings: float
    most_firings: int
    entries: list[Measured]

    def named(self, name: str) -> Measured | None:
        """Return a contender's entry if it ran."""
        found = [e for e in self.entries if e.contender.name == name and e.rounds]
        return found[0] if found else None

    def deviate(self, entry: Measured) -> float | None:
        """Return the normal deviate of an entry's statistic against ours, or None."""
        ours = [e.totals for e in self.entries if e.is_ours and e.totals.number]
        if entry.is_ours or not ours or entry.totals.number < 2:
            return None
        error = math.hypot(ours[0].error, entry.totals.error)
        return (entry.totals.mean - ours[0].mean) / error

    def is_wrong(self, entry: Measured) -> bool:
        """Whether its statistic is not ours."""
        z = self.deviate(entry)
        return z is not None and not abs(z) < MOST_DEVIATIONS


def compare(
    job: Job, contenders: Sequence[Contender], effort: Effort, folder: Path, say: Say
) -> Comparison:
    """Measure all contenders on a job, by turns.

    Args:
        job: the job.
        contenders: who takes part; the first must be ours.
        effort: how much to measure.
        folder: for its data.
        say: takes lines on progress.
    """
    firings, most = _pilot(job, contenders[0], effort, folder)
    steps = room(most)
    own = write(job, steps, folder)
    result = Comparison(job, firings, most, [Measured(c) for c in contenders])
    running: list[tuple[Measured, Process, int]] = []
    with ExitStack() as stack:
        for entry in result.entries:
            if not entry.is_ours and steps > MOST_STEPS:
                entry.status = "not tried"
                entry.message = f"more than {MOST_STEPS:,} firings a trajectory"
                continue
            process = stack.enter_context(Process(entry.contender, own, effort.budget_s))
            started = _start(entry, process, firings, effort)
            if started:
                running.append((entry, process, started))
            say(f"{job.name}: {entry.contender.title} {entry.status} {entry.message}")
        for number in range(effort.rounds):
            for entry, process, trajectories in running:
                _attempt(entry, partial(_round, entry, process, trajectories, number))
        say(f"{job.name}: {effort.rounds} rounds")
    for entry, _, trajectories in running:
        fresh = memory_of(entry.contender, trajectories, own, effort.budget_s)
        entry.memory, entry.memory_firings = fresh.memory, fresh.memory_firings
    return result


def memory_of(contender: Contender, trajectories: int, own: Path, budget_s: float) -> Measured:
    """Return the memory of one gradient, in a process that does nothing else.

    Args:
        contender: whose.
        trajectories: how many.
        own: folder of the job.
        budget_s: wall-clock seconds.
    """
    entry = Measured(contender)

    def run() -> None:
        with Process(contender, own, budget_s) as process:
            entry.version = process.load()
            answer = process.ask("memory", call="gradient", trajectories=trajectories, seed=7)
            entry.memory, entry.memory_firings = answer["bytes"], answer["firings"]

    _attempt(entry, run)
    return entry


def _pilot(job: Job, ours: Contender, effort: Effort, folder: Path) -> tuple[float, int]:
    """Return the mean number of firings of a trajectory, and the largest of many."""
    with Process(ours, write(job, 0, folder), effort.budget_s) as process:
        process.load()
        number = 64
        answer = process.ask("time", call="forward", trajectories=number, seed=0)
        mean = answer["firings"] / number
        number = max(min(PILOT, int(PILOT_FIRINGS / mean)), 64)
        answer = process.ask("time", call="forward", trajectories=number, seed=0)
    return answer["firings"] / number, answer["most_firings"]


def _start(entry: Measured, process: Process, firings: float, effort: Effort) -> int:
    """Load and warm up; return the trajectories of a call, 0 if it failed."""
    if not entry.is_ours:
        number = max(min(MOST_PEER, int(PEER_FIRINGS / firings)), FEWEST_PEER)
    else:
        number = LANES
    chosen = [number]

    def run() -> None:
        entry.version = process.load()
        while not _warm_up(process, chosen[0]):
            chosen[0] //= 4
        if entry.is_ours:
            chosen[0] = _enough(process, effort.seconds)

    _attempt(entry, run)
    return chosen[0] if entry.status == "ran" else 0


def _warm_up(process: Process, trajectories: int) -> bool:
    """Run both calls once; return False if memory did not suffice and fewer may do."""
    try:
        for call in ("forward", "gradient"):
            process.ask("time", call=call, trajectories=trajectories, seed=1)
    except FailedError as error:
        if trajectories // 4 < FEWEST_PEER or not any(w in str(error) for w in OUT_OF_MEMORY):
            raise
        return False
    return True


def _enough(process: Process, seconds: float) -> int:
    """Return the trajectories whose gradient takes that long, about; whole groups of lanes."""
    number = LANES
    while True:
        taken = process.ask("time", call="gradient", trajectories=number, seed=1)["cpu_s"]
        # Too short a call tells little of a long one.
        wanted = int(number * min(seconds / max(taken, 1e-3), 16.0))
        number = max(LANES, min(wanted, MOST_OURS) // LANES * LANES)
        if taken >= 0.3 * seconds or number == MOST_OURS:
            return number


def _round(entry: Measured, process: Process, trajectories: int, number: int) -> None:
    seed = 100 + number
    forward = process.ask("time", call="forward", trajectories=trajectories, seed=seed)
    gradient = process.ask("time", call="gradient", trajectories=trajectories, seed=seed)
    for answer in (forward, gradient):
        if not math.isfinite(answer["mean"]):
            raise FailedError("error", "a trajectory needed more firings than there was room for")
    entry.totals += Moments(trajectories, forward["mean"], forward["squares"])
    entry.rounds.append(
        Round(
            trajectories,
            (forward["firings"], gradient["firings"]),
            forward["cpu_s"],
            gradient["cpu_s"],
            tuple(gradient["gradient"]),
        )
    )


def _attempt(entry: Measured, action: Callable[[], None]) -> None:
    """Run an action unless the contender has failed already; note if it fails now."""
    if entry.status != "ran":
        return
    try:
        action()
    except FailedError as error:
        entry.status, entry.message = error.status, str(error)


def _median(values: Any) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None
