"""Rounds of several contenders side by side on one job, and what their firings and counts say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from engine_timing.models import Model
from engine_timing.process import Contender, FailedError, Process

#: Above this, the mean of the watched species is wrong, not unlucky.
MOST_DEVIATIONS = 5.0

#: Values in memory at once, [trajectory, time, species].
MOST_VALUES = 20_000_000

MOST_TRAJECTORIES = 200_000

#: Trajectories at least behind what is expected; they also tell how much a trajectory varies.
FEWEST_EXPECTED = 64

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    Attributes:
        rounds: of every contender, after its warm-up.
        seconds: processor time of a round, about.
        budget_s: wall-clock seconds of one contender on one job, loading included.
    """

    rounds: int
    seconds: float
    budget_s: float


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squared deviations of a sample."""

    number: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Moments) -> Moments:
        number = self.number + other.number
        if not number:
            return self
        gap = other.mean - self.mean
        return Moments(
            number,
            self.mean + gap * other.number / number,
            self.squares + other.squares + gap**2 * self.number * other.number / number,
        )

    @property
    def sd(self) -> float:
        """Sample standard deviation; NaN for fewer than two."""
        return math.sqrt(self.squares / (self.number - 1)) if self.number > 1 else math.nan

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return self.sd / math.sqrt(self.number) if self.number else math.nan


@dataclass(frozen=True)
class Expected:
    """What one trajectory of a job does, by our engine."""

    firings: Moments
    last: Moments


@dataclass(frozen=True)
class Round:
    """One call: trajectories, their firings (counted, or expected) and what they cost."""

    trajectories: int
    firings: float
    cpu_s: float
    wall_s: float


@dataclass
class Measured:
    """What was measured of one contender on one job.

    Attributes:
        contender: its name.
        title: as in tables.
        is_ours: whether its firings were counted rather than expected.
        version: of its software.
        status: `ran`, or how it failed; `not tried` above its `most_reactions`.
        message: why it failed or was cut short.
        rounds: after the warm-up.
        last: of the watched species, over all rounds.
        z: normal deviate of the mean of the watched species, or None; see `deviate`.
    """

    contender: str
    title: str
    is_ours: bool
    version: str = ""
    status: str = "ran"
    message: str = ""
    rounds: list[Round] = field(default_factory=list)
    last: Moments = field(default_factory=Moments)
    z: float | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether its mean is not the expected one."""
        return self.z is not None and not abs(self.z) < MOST_DEVIATIONS

    def speeds(self) -> list[float]:
        """Firings per second of processor time, one a round."""
        return [r.firings / r.cpu_s for r in self.rounds if r.cpu_s > 0.0]

    @property
    def speed(self) -> float | None:
        """Median of `speeds`, or None."""
        return statistics.median(self.speeds()) if self.speeds() else None


@dataclass
class Comparison:
    """One job and all who ran it.

    Attributes:
        model: the job.
        expected: of one trajectory.
        trajectories: of a call, or None where each contender had as many as filled a round.
        entries: one a contender.
    """

    model: Model
    expected: Expected
    trajectories: int | None = None
    entries: list[Measured] = field(default_factory=list)


def expect(model: Model, folder: Path, python: str, effort: Effort, seed: int) -> Expected:
    """Measure the mean number of firings of a trajectory, and the watched species at the end.

    Args:
        model: the job.
        folder: of the model, as `write` left it.
        python: interpreter that sbmlgrad is installed in.
        effort: four of its rounds are spent, or what `FEWEST_EXPECTED` trajectories take.
        seed: of the streams.

    Raises:
        FailedError: our own kernel gave no answer.
    """
    contender = Contender("reference", "sbmlgrad", "sbmlgrad", python, {})
    firings = last = Moments()
    with Process(contender, folder, 20.0 * effort.budget_s) as process:
        process.load()
        number = max(calibrated(process, model, effort.seconds), FEWEST_EXPECTED // 4)
        for i in range(4):
            answer = process.ask("run", **_call(model, number, seed + i))
            firings += Moments(*answer["firings"])
            last += Moments(*answer["last"])
    return Expected(firings, last)


def compare(
    job: Comparison, contenders: Sequence[Contender], folder: Path, effort: Effort, say: Say
) -> None:
    """Run a job with all contenders in turn, round by round, and fill its entries.

    They are filled as it goes, so that an interrupt leaves what was measured.

    Args:
        job: without entries.
        contenders: who runs it.
        folder: of the model, as `write` left it.
        effort: how much to measure.
        say: takes lines on progress.
    """
    model, expected, trajectories = job.model, job.expected, job.trajectories
    with ExitStack() as stack:
        running = []
        for contender in contenders:
            entry = Measured(contender.name, contender.title, contender.is_ours)
            job.entries.append(entry)
            most = contender.most_reactions
            if most is not None and len(model.reactions) > most:
                entry.status, entry.message = "not tried", f"above {most:,} reactions"
                continue
            say(f"{model.name}, {model.points} times: {contender.title}: load, warm up")
            process = stack.enter_context(Process(contender, folder, effort.budget_s))
            try:
                entry.version = process.load()
                number = trajectories or calibrated(process, model, effort.seconds)
                if trajectories:
                    process.ask("run", **_call(model, number, 1))
            except FailedError as error:
                _fail(entry, error, expected, trajectories or 1)
                process.close()
                continue
            running.append((process, entry, number))
        for i in range(effort.rounds):
            say(f"{model.name}, {model.points} times: round {i + 1} of {effort.rounds}")
            # Another one begins each time, so that none always follows the same.
            first = i % max(1, len(running))
            for process, entry, number in running[first:] + running[:first]:
                if entry.status == "ran":
                    _one_round(process, entry, job, number, 1000 + i)


def _call(model: Model, trajectories: int, seed: int) -> dict[str, float]:
    return {
        "end": model.end,
        "points": model.points,
        "trajectories": trajectories,
        "seed": seed,
    }


def calibrated(process: Process, model: Model, seconds: float) -> int:
    """Return how many trajectories cost about that processor time; the first call is the warm-up.

    Raises:
        FailedError: no answer.
    """
    values = model.points * len(model.species)
    most = max(1, min(MOST_TRAJECTORIES, MOST_VALUES // values))
    process.ask("run", **_call(model, 1, 1))
    number = 1
    while True:
        spent = max(process.ask("run", **_call(model, number, 2))["cpu_s"], 1e-4)
        if number < most and spent >= 0.7 * seconds:
            # A batch of another size may have been compiled for, once.
            spent = max(process.ask("run", **_call(model, number, 2))["cpu_s"], 1e-4)
        if number == most or spent >= 0.7 * seconds:
            return number
        # A small batch may cost as much as a large one, so this at least doubles.
        number = min(most, max(2 * number, min(32 * number, round(number * seconds / spent))))


def _one_round(process: Process, entry: Measured, job: Comparison, number: int, seed: int) -> None:
    expected = job.expected
    try:
        answer = process.ask("run", **_call(job.model, number, seed))
    except FailedError as error:
        if entry.rounds:
            entry.message = f"{error} after {len(entry.rounds)} rounds"
            entry.status = "cut short"
        else:
            _fail(entry, error, expected, number)
        process.close()
        return
    counted = answer["firings"]
    each = counted[1] if counted else expected.firings.mean
    entry.rounds.append(Round(number, number * each, answer["cpu_s"], answer["wall_s"]))
    entry.last += Moments(*answer["last"])
    entry.z = deviate(entry.last, expected.last)


def deviate(found: Moments, expected: Moments) -> float:
    """Return the normal deviate that is as unlikely as the gap of two means is by Student's t.

    The spread is that of the expected sample, since the other may be a single trajectory.
    """
    from scipy.stats import norm, t

    gap = found.mean - expected.mean
    error = expected.sd * math.sqrt(1.0 / found.number + 1.0 / expected.number)
    if error == 0.0:
        # What never varies has to be met exactly.
        return math.copysign(math.inf, gap) if gap else 0.0
    logarithm = t.logsf(abs(gap) / error, expected.number - 1)
    return float(math.copysign(-norm.ppf(math.exp(max(logarithm, -700.0))), gap))


def _fail(entry: Measured, error: FailedError, expected: Expected, trajectories: int) -> None:
    entry.status, entry.message = error.status, str(error)
    if error.status == "over budget":
        entry.message += f" for {trajectories * expected.firings.mean:.2g} firings"
