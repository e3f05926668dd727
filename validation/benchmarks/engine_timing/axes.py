"""The axes of the benchmark: each fills its part of the results as it goes."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine_timing.contenders import ours
from engine_timing.measure import (
    Comparison,
    Effort,
    Expected,
    Measured,
    Moments,
    Say,
    compare,
    deviate,
    expect,
)
from engine_timing.models import MODELS, SPARSE_FIRINGS, Model, oscillator, sparse, write
from engine_timing.process import Contender, FailedError, Process

#: Seed of what is expected; rounds use others.
EXPECTED_SEED = 20_000


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        peers: contenders that are not ours.
        effort: how much.
        folder: for documents, new and temporary.
        say: takes lines on progress.
        models: names, of `engine_timing.models.MODELS`.
        is_quick: shorter horizons and axes.
    """

    peers: Sequence[Contender]
    effort: Effort
    folder: Path
    say: Say
    models: Sequence[str]
    is_quick: bool

    def job(self, model: Model) -> Model:
        """Return the model with the horizon of this plan."""
        return model.job(end=model.end / 10.0) if self.is_quick else model

    def effort_for(self, model: Model) -> Effort:
        """Return the effort, with a budget that also lets a large network be loaded."""
        share = 1.0 + len(model.reactions) / 50_000.0
        return replace(self.effort, budget_s=self.effort.budget_s * share)


@dataclass
class Start:
    """Wall-clock seconds of new processes until their first result.

    Attributes:
        contender: its name.
        title: as in tables.
        first_s: with an empty folder of kernels; the only kind that peers have.
        later_s: with the folder that the first has left; empty for peers.
        files: in that folder after the first process, and after all later ones.
        status: `ran`, or how it failed.
        message: why.
    """

    contender: str
    title: str
    first_s: list[float] = field(default_factory=list)
    later_s: list[float] = field(default_factory=list)
    files: tuple[int, int] | None = None
    status: str = "ran"
    message: str = ""


@dataclass
class Count:
    """Firings of a trajectory as a peer lists them, beside what we expect."""

    contender: str
    title: str
    expected: Moments
    counted: Moments = field(default_factory=Moments)
    z: float | None = None
    status: str = "ran"
    message: str = ""


@dataclass
class Results:
    """What was measured.

    Attributes:
        axes: name → jobs.
        starts: of the axis start.
        counts: of the axis counts.
        failures: jobs that our own engine failed, so that nothing could be compared.
    """

    axes: dict[str, list[Comparison]] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def _compare(
    plan: Plan,
    results: Results,
    axis: str,
    model: Model,
    contenders: Sequence[Contender],
    trajectories: int | None = None,
) -> list[Measured]:
    folder = write(model, plan.folder)
    expected = _expected(plan, results, axis, model, folder)
    if expected is None:
        return []
    job = Comparison(model, expected, trajectories)
    results.axes.setdefault(axis, []).append(job)
    compare(job, contenders, folder, plan.effort_for(model), plan.say)
    return job.entries


def _expected(
    plan: Plan, results: Results, axis: str, model: Model, folder: Path
) -> Expected | None:
    plan.say(f"{axis}: {model.name} to {model.end:g}, {model.points} times: firings expected")
    try:
        return expect(model, folder, sys.executable, plan.effort_for(model), EXPECTED_SEED)
    except FailedError as error:
        results.failures.append(f"{axis}, {model.title}: our engine: {error.status}: {error}")
        plan.say(results.failures[-1])
        return None


def models(plan: Plan, results: Results) -> None:
    """Compare every kernel of ours and every peer, model by model, on one core."""
    for name in plan.models:
        contenders = [*plan.peers, *ours(sys.executable)]
        _compare(plan, results, "models", plan.job(MODELS[name]()), contenders)


def grid(plan: Plan, results: Results) -> None:
    """Compare on the oscillator with few and many output times."""
    for points in (2, 201, 2001) if plan.is_quick else (2, 21, 201, 2001, 20001):
        model = plan.job(oscillator()).job(points=points)
        _compare(plan, results, "grid", model, [*plan.peers, *ours(sys.executable)])


def ensemble(plan: Plan, results: Results) -> None:
    """Compare on the oscillator, for a short time, with few and many trajectories.

    The fastest peer of ten trajectories stands for all of them.
    """
    model = plan.job(oscillator())
    model = model.job(end=model.end / 100.0, points=3)
    pilot = _compare(plan, Results(), "ensemble", model, plan.peers, 10)
    speeds = {e.contender: e.speed for e in pilot if e.speed and not e.is_wrong}
    best = [p for p in plan.peers if p.name == max(speeds, key=lambda n: speeds[n], default="")]
    for number in (1, 10, 100) if plan.is_quick else (1, 10, 100, 1000, 10_000):
        contenders = [*best, *ours(sys.executable)]
        _compare(plan, results, "ensemble", model, contenders, number)


def threads(plan: Plan, results: Results) -> None:
    """Compare one and two threads of ours, by wall-clock time."""
    model = plan.job(oscillator())
    # Short trajectories, so that the two threads can share them evenly.
    model = model.job(end=model.end / 20.0)
    pairs = zip(ours(sys.executable, 1), ours(sys.executable, 2), strict=True)
    _compare(plan, results, "threads", model, [c for pair in pairs for c in pair])


def sizes(plan: Plan, results: Results) -> None:
    """Compare on sparse networks of growing size, with about as many firings each."""
    numbers = (10, 100, 1000) if plan.is_quick else (10, 100, 1000, 10_000, 100_000)
    contenders = [*plan.peers, *ours(sys.executable)]
    for reactions in numbers:
        model = plan.job(sparse(reactions, points=3, firings=SPARSE_FIRINGS))
        entries = _compare(plan, results, "sizes", model, contenders)
        # Whom one size takes too long is not asked for the next.
        late = {e.contender for e in entries if e.status == "over budget"}
        contenders = [
            replace(c, most_reactions=reactions - 1) if c.name in late else c for c in contenders
        ]


def start(plan: Plan, results: Results) -> None:
    """Time new processes until they have loaded the oscillator and sampled ten trajectories."""
    model = oscillator().job(end=20.0)
    folder = write(model, plan.folder)
    entries = {c.name: Start(c.name, c.title) for c in [*plan.peers, *ours(sys.executable)]}
    results.starts.extend(entries.values())
    for number in range(plan.effort.rounds):
        plan.say(f"start: round {number + 1} of {plan.effort.rounds}")
        for contender in [*plan.peers, *ours(sys.executable)]:
            entry = entries[contender.name]
            if entry.status != "ran":
                continue
            try:
                if contender.is_ours:
                    _start_ours(plan, contender, folder, model, entry)
                else:
                    entry.first_s.append(_first_result(plan, contender, folder, model, {}))
            except FailedError as error:
                entry.status, entry.message = error.status, str(error)


def _start_ours(plan: Plan, contender: Contender, folder: Path, model: Model, entry: Start) -> None:
    with tempfile.TemporaryDirectory(prefix="kernels-", dir=plan.folder) as kernels:
        variables = {"SBMLGRAD_CACHE_DIR": kernels}
        entry.first_s.append(_first_result(plan, contender, folder, model, variables))
        left = _files(Path(kernels))
        for _ in range(2):
            entry.later_s.append(_first_result(plan, contender, folder, model, variables))
        entry.files = (left, _files(Path(kernels)))


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _first_result(
    plan: Plan, contender: Contender, folder: Path, model: Model, variables: Mapping[str, str]
) -> float:
    begin = time.perf_counter()
    with Process(contender, folder, max(plan.effort.budget_s, 120.0), variables) as process:
        process.load()
        process.ask("run", end=model.end, points=model.points, trajectories=10, seed=1)
        return time.perf_counter() - begin


def counts(plan: Plan, results: Results) -> None:
    """Compare firings as peers list them with those that we count, on the oscillator."""
    model = plan.job(oscillator())
    model = model.job(end=model.end / 10.0, points=2)
    folder = write(model, plan.folder)
    found = _expected(plan, results, "counts", model, folder)
    if found is None:
        return
    for contender in plan.peers:
        plan.say(f"counts: {contender.title}")
        expected = found.firings
        entry = Count(contender.name, contender.title, expected)
        results.counts.append(entry)
        try:
            with Process(contender, folder, plan.effort.budget_s) as process:
                process.load()
                for seed in range(1, 4 if plan.is_quick else 21):
                    counted = process.ask("count", end=model.end, seed=seed)["firings"]
                    entry.counted += Moments(1, counted)
                    entry.z = deviate(entry.counted, expected)
        except FailedError as error:
            entry.status, entry.message = error.status, str(error)


AXES = {
    "models": models,
    "grid": grid,
    "ensemble": ensemble,
    "threads": threads,
    "sizes": sizes,
    "start": start,
    "counts": counts,
}
