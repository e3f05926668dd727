"""When to compare a network whose user names no times: from how fast its reactions fire."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork, lower
from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.native import Native
from sbmlgrad.engines.reference import Reference
from sbmlgrad.engines.start import start_states
from sbmlgrad.errors import RequestError
from sbmlgrad.io.formats import load
from sbmlgrad.io.sbml.normalised import normalised_sbml
from sbmlgrad.model.expression import TIME
from sbmlgrad.model.network import ReactionNetwork
from sbmlgrad.model.operators import evaluate
from sbmlgrad.model.time_grids import together
from sbmlgrad.referees.counted import with_counters, with_executions
from sbmlgrad.referees.deadline import TimeUpError, Watch
from sbmlgrad.referees.due import Due, due
from sbmlgrad.simulation import simulate

FloatArray = NDArray[np.float64]

#: Equal steps to the last time, and to the last of the early ones.
STEPS = 10

#: Trial trajectories, and the seed of their streams; one network always gets the same times.
TRIALS, SEED = 4, 0

#: Firings that a trial trajectory may have, without and with events, rate rules or laws in time.
MOST, MOST_TIMED = 150_000, 2_000

#: Decades of time that are tried, likewise.
DECADES, DECADES_TIMED = 9, 4

#: Wall-clock limit of the trial, in seconds.
PATIENCE_S = 20.0

#: Firings of every reaction, and of all of them for each reaction, by the last of the early times.
OF_EACH, FOR_EACH = 3.0, 10.0

#: Firings of all reactions by the last time: 2000 trajectories with as many show a bias of one per
#: cent in a single rate.
IN_ALL = 300.0

#: How much later than the last of the early times the last time may be: even steps through all of
#: them, which some simulators need, stay few.
LATER = 25.0

#: Share of the firings that there are in the longest time, if they are fewer.
NEARLY = 0.9

#: Times behind what is due later, at most, and firings that a trajectory may have until then: few,
#: since events and laws in time are followed by a slower kernel.
WINDOWS, MOST_WAITED = 4, 5_000


@dataclass(frozen=True)
class Grid:
    """Equally spaced times from 0, early ones closer to each other.

    Attributes:
        last: the last one, in the model's unit.
        why: in words.
        early: the last of those that are closer to each other; not before `last` if none are.
        windows: begin and end of further grids, after something that is due later.
        unseen: sentences on what the trial did not see by the last time.
    """

    last: float
    why: str
    early: float = math.inf
    windows: tuple[tuple[float, float], ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[tuple[float, float], ...]:
        """Begin and end of each of the grids that these times are made of."""
        lasts = (self.early, self.last) if self.early < self.last else (self.last,)
        return (*((0.0, last) for last in lasts), *self.windows)

    @property
    def text(self) -> str:
        """As the option `--times` has it."""
        return ",".join(f"{_short(begin)}:{_short(end)}:{STEPS}" for begin, end in self.ends)

    @property
    def times(self) -> FloatArray:
        """Float64 [time]."""
        return together([np.linspace(begin, end, STEPS + 1) for begin, end in self.ends])

    def __str__(self) -> str:
        return f"{self.text}, chosen since none were named: {self.why}"


def _short(time: float) -> str:
    """Return a time in the fewest signs that say it; those of windows have twelve digits."""
    return text if float(text := f"{time:g}") == time else f"{time:.12g}"


#: Where nothing can fire from the start, so that the network tells no times.
GRID = Grid(10.0, "no reaction can fire from the start, which would tell better ones")


def grid_of(model: ReactionNetwork) -> Grid:
    """Return times within which every reaction fires several times, if it fires at all.

    Choose it for a first look at a network. Early times are `STEPS` equal steps to the shortest of
    1, 2, 5, 10, ... by which every reaction that fires in a few trial trajectories has fired
    `OF_EACH` times in their mean, and all of them as often as there are molecules at the start and
    `FOR_EACH` times the number of reactions; or `NEARLY` as often as they ever do. Late ones are as
    many up to where a trajectory has had `IN_ALL` firings, if that is later, but not `LATER` times
    as late, unless events that the trial executes come later still. They stay below the time in
    which a trajectory has `MOST`. Where something is due after the early times, a time as long as
    these is added behind it, within `MOST_WAITED` firings.

    Args:
        model: the network, with the values that it will have.

    Raises:
        UnsupportedModelError: it cannot be simulated.
        RequestError: the trial takes too long to tell anything.
    """
    lowered = lower(model)
    total = start_propensity(lowered)
    if not lowered.channels or (total == 0.0 and not lowered.is_timed):
        return GRID
    # From one firing on, or from one unit of time.
    first = math.floor(-math.log10(total)) if 0.0 < total < math.inf else 0
    decades, most = (DECADES_TIMED, MOST_TIMED) if lowered.is_timed else (DECADES, MOST)
    tried = [digit * 10.0**k for k in range(first, first + decades) for digit in (1.0, 2.0, 5.0)]
    fired, executed, is_known = _fired(model, np.array(tried), most)
    if not is_known.any():
        return Grid(tried[0], f"a trajectory has {most:,} firings soon after")
    longest = int(np.flatnonzero(is_known)[-1])
    ever = NEARLY * fired[longest]
    molecules = float(_start(lowered)[1][: len(model.species_ids)].sum())
    in_all = float(ever.sum())
    has_early = (fired >= np.minimum(OF_EACH, ever)).all(axis=1) & is_known
    has_early &= fired.sum(axis=1) >= min(max(FOR_EACH * fired.shape[1], molecules), in_all)
    early = int(np.flatnonzero(has_early)[0])
    has_late = has_early & (fired.sum(axis=1) >= min(IN_ALL, in_all))
    # One more step of 1, 2, 5, 10 would be beyond.
    has_late |= np.array(tried) > LATER / 2.0 * tried[early]
    # In the mean once, as far as they ever are.
    has_late &= (executed >= np.minimum(1.0, executed[longest])).all(axis=1)
    place = int(np.flatnonzero(has_late & is_known)[0])
    last, firings = tried[place], float(fired[place].sum())
    found = due(lowered, _start(lowered)[0])
    # Firings go on as in the longest time, as far as that can be foreseen.
    rate = float(fired[longest].sum()) / tried[longest]
    windows = _windows(found, tried[early], MOST_WAITED / rate if rate else math.inf)
    why = f"a trajectory has about {two_digits(firings)} firings until {last:g}"
    if windows:
        why += "; the others are behind what is due"
    waiting = {each.what for each in found if not each.is_reached(tried[longest])}
    unseen = _not_executed(lowered, executed[longest], last, waiting)
    return Grid(last, why, early=tried[early], windows=windows, unseen=unseen)


def _windows(
    found: tuple[Due, ...], early: float, latest: float
) -> tuple[tuple[float, float], ...]:
    """Return times behind what is due after the early ones, as long as these.

    Args:
        found: what is due, the earliest first.
        early: the last of the early times.
        latest: no time may be later.
    """
    # Simulators differ in what they report at the time itself.
    aside = early / STEPS
    begins = dict.fromkeys(each.time + aside for each in found if each.time + aside > early)
    ends = [(float(f"{t:.12g}"), float(f"{t + early:.12g}")) for t in begins]
    # So late that twelve digits cannot tell them apart, they are no window.
    return tuple((a, b) for a, b in ends if a + 0.5 * early < b <= latest)[:WINDOWS]


def _not_executed(
    lowered: LoweredNetwork, executed: FloatArray, last: float, waiting: set[str]
) -> tuple[str, ...]:
    """Return sentences on events that no trial trajectory executed, but for those due later."""
    missing = [
        event.id
        for event, times in zip(lowered.network.events, executed, strict=True)
        if times == 0.0 and f"event '{event.id}'" not in waiting
    ]
    return tuple(
        f"Event '{id}' was executed in none of {TRIALS} trial trajectories; if it is not by time "
        f"{last:g} either, a simulator that leaves it out would be found right."
        for id in missing
    )


def two_digits(value: float) -> str:
    """Return a positive number with two digits that count, not as a power of ten unless small."""
    return f"{float(f'{value:.2g}'):,g}"


def start_propensity(lowered: LoweredNetwork) -> float:
    """Return the sum of propensities at time 0, per unit of time; NaN where one has no value."""
    values, state = _start(lowered)
    known = {**values, **dict(zip(lowered.state_ids, state.tolist(), strict=True)), TIME.id: 0.0}
    found = [float(evaluate(channel.propensity, known)) for channel in lowered.channels]
    return math.fsum(found) if all(math.isfinite(value) for value in found) else math.nan


def _start(lowered: LoweredNetwork) -> tuple[dict[str, float], FloatArray]:
    """Return every symbol and the state of trajectory 0 at time 0."""
    values, states = start_states(lowered, {}, {}, SEED, np.zeros(1, dtype=np.uint64))
    return values, states[0]


def _fired(
    model: ReactionNetwork, times: FloatArray, most: int
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return mean firings of each reaction by each time, executions of each event, and which hold.

    Returns:
        Float64 [time, reaction]; float64 [time, event]; bool [time], whether they are known there.
    """
    lowered = lower(model)
    # Compiling a kernel for events or rate rules takes longer than these few firings interpreted.
    engine = Reference(firing_limit=most) if lowered.is_timed else Native(firing_limit=most)
    document, counters = with_counters(normalised_sbml(lowered))
    document, events = with_executions(document)
    watch = Watch(PATIENCE_S)
    try:
        found = simulate(
            load(document.decode()),
            times=times,
            trajectories=TRIALS,
            seed=SEED,
            engine=engine,
            on_failure="mark",
            progress=lambda done, _total: watch.told(done),
        )
    except TimeUpError:
        raise RequestError(
            f"model '{model.id}': no times to compare at were found within {PATIENCE_S:g} s; "
            "name them (times, --times START:STOP:STEPS on the command line)"
        ) from None
    counts = np.stack([found.values(name, "counts") for name in counters.values()], axis=2)
    is_cut = found.outcomes == Outcome.FIRING_LIMIT
    is_beyond = is_cut[:, None] & (counts.sum(axis=2) >= most)
    executed = np.zeros((*counts.shape[:2], len(events)))
    for place, name in enumerate(events):
        executed[:, :, place] = found.values(name, "counts")
    return counts.mean(axis=0), executed.mean(axis=0), ~is_beyond.any(axis=0)
