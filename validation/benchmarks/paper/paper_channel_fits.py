"""The paper's ion channel C ⇌ O → I on sweeps simulated from the published rates: data and fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_channel_exact import fit_quality, least_squares, maximum_likelihood, mean_open
from paper_descent import Setting, descend
from paper_records import MODELS

import sbmlgrad as sg
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.gradients.schedules import Exponential

FloatArray = NDArray[np.float64]

#: Published: sweeps, samples of each, ms between them, channels in the patch.
SWEEPS, SAMPLES, INTERVAL, CHANNELS = 100, 801, 0.01, 2

#: Published: epochs, and trajectories of the model.
EPOCHS, TRAJECTORIES = 400, 262_144

#: Averages of so many samples are fitted, of 0.09 ms: in between the mean changes by less than 2 %
#: of its maximum.
POOLED = 9

#: Samples by which changes are counted, in ms, and those whose means are fitted beside them.
STEP, MEANS_EVERY = 0.05, 4

#: Most sweeps whose every sample is kept.
MOST_KEPT = 10_000

#: Sweeps simulated at a time.
PART = 50_000

#: Starts lie within this factor of the published rates.
AWAY = 2.0

EDGES: FloatArray = np.linspace(0.0, SAMPLES * INTERVAL, SAMPLES + 1)
STEPS: FloatArray = np.linspace(
    STEP, (SAMPLES - 1) * INTERVAL, round((SAMPLES - 1) * INTERVAL / STEP)
)

#: Windows whose averages are fitted.
WINDOWS: FloatArray = EDGES[::POOLED]


@dataclass(frozen=True, eq=False)
class Sweeps:
    """Statistics of sweeps.

    Attributes:
        count: how many.
        edges: of the bins, float64 [bin + 1].
        means: of open channels over sweeps, averaged over each bin, float64 [bin].
        levels: means of open channels at samples, then the mean number of changes that samples
            show, float64 [statistic].
        variances: of `levels` over sweeps, float64 [statistic].
        opened: open channels, int64 [sweep, sample], or None where they were not kept.
    """

    count: int
    edges: FloatArray
    means: FloatArray
    levels: FloatArray
    variances: FloatArray
    opened: NDArray[np.int64] | None

    @property
    def pooled(self) -> FloatArray:
        """Averages over the windows that are fitted, float64 [window]."""
        return self.means.reshape(SAMPLES // POOLED, -1).mean(axis=1)


@dataclass(frozen=True)
class Fit:
    """Rates found for some sweeps, as records keep them.

    Attributes:
        method: name, of `METHODS`.
        sweeps, seed: the data.
        rates: of opening, closing and inactivation, per ms.
        quality: R², root mean square error and that over the largest mean, of the bin averages.
        trajectories, epochs: of the descent, 0 without one.
        seconds, cpu_seconds: likewise.
        trace: rates, every few epochs.
        trace_every: how many epochs lie between.
    """

    method: str
    sweeps: int
    seed: int
    rates: tuple[float, ...]
    quality: tuple[float, ...]
    trajectories: int = 0
    epochs: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    trace: tuple[tuple[float, ...], ...] = ()
    trace_every: int = 1

    def as_record(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def fit_of(record: dict[str, Any]) -> Fit:
    """Return a fit from plain data."""
    lists: dict[str, Any] = {k: tuple(record[k]) for k in ("rates", "quality")}
    lists["trace"] = tuple(tuple(row) for row in record["trace"])
    return Fit(**(record | lists))


def network() -> sg.ReactionNetwork:
    """Return the network with the published rates."""
    return sg.load(MODELS / "ion_channel.xml")


def truth() -> FloatArray:
    """Return the published rates of opening, closing and inactivation, per ms."""
    return np.array(network().parameter_values)


def stream(seed: int, what: int) -> int:
    """Return a key of random streams of its own: 0 for sweeps, 1 for a fit."""
    return int(np.random.SeedSequence([seed, what, 8]).generate_state(1)[0])


def changes(levels: Any) -> Any:
    """Return the changes that samples show, [sweep], from open channels [sweep, sample].

    A sweep begins with all channels closed. Works for arrays and tensors; a change of two channels
    at once counts four times.
    """
    inner = levels[:, 1:] - levels[:, :-1]
    return (inner * inner) @ np.ones((len(STEPS) - 1, 1)) + levels[:, :1] * levels[:, :1]


def simulate_sweeps(seed: int, count: int) -> Sweeps:
    """Simulate sweeps from the published rates."""
    model, key = network(), stream(seed, 0)
    is_kept = count <= MOST_KEPT
    edges = EDGES if is_kept else WINDOWS
    readouts = [sg.WindowAverages(edges.tolist()), ValuesAt(STEPS.tolist())]
    if is_kept:
        readouts.append(ValuesAt(EDGES[:-1].tolist()))
    total, sums, squares = np.zeros(len(edges) - 1), np.zeros(1), np.zeros(1)
    opened = None
    for first in range(0, count, PART):
        part = min(PART, count - first)
        cells = sg.simulate(
            model, readouts=readouts, trajectories=part, first_trajectory=first, seed=key
        )
        total = total + cells.values("O", readout=readouts[0]).sum(axis=0)
        levels = cells.values("O", readout=readouts[1])
        both = np.hstack([levels[:, MEANS_EVERY - 1 :: MEANS_EVERY], changes(levels)])
        sums, squares = sums + both.sum(axis=0), squares + (both**2).sum(axis=0)
        if is_kept:
            opened = np.round(cells.values("O", readout=readouts[2])).astype(np.int64)
    levels = sums / count
    return Sweeps(count, edges, total / count, levels, squares / count - levels**2, opened)


def sweeps_of_record(opened: NDArray[np.int64]) -> Sweeps:
    """Return the statistics of recorded sweeps.

    A sample stands for the average over its bin, as a digitiser's does.

    Args:
        opened: open channels, int64 [sweep, sample], from the step of the voltage on.
    """
    if opened.shape[1] != SAMPLES:
        raise ValueError(f"sweeps have {opened.shape[1]} samples, not {SAMPLES}")
    levels = opened[:, np.round(STEPS / INTERVAL).astype(int)].astype(np.float64)
    both = np.hstack([levels[:, MEANS_EVERY - 1 :: MEANS_EVERY], changes(levels)])
    means = opened.mean(axis=0)
    return Sweeps(len(opened), EDGES, means, both.mean(axis=0), both.var(axis=0), opened)


def of_levels(cells: sg.Ensemble, readout: ValuesAt) -> Any:
    """Return means of open channels at samples and the mean number of changes, as `levels`."""
    import tensorflow as tf

    means = cells.mean("O", readout=readout)[MEANS_EVERY - 1 :: MEANS_EVERY]
    changed = cells.expect(lambda levels: changes(levels)[:, 0], "O", readout=readout)
    return tf.concat([means, changed[None]], axis=0)


def mean_setting(
    sweeps: Sweeps, trajectories: int, epochs: int, threads: int, *, is_published: bool = False
) -> Setting:
    """Return how the mean is fitted, by exact bin averages.

    The published estimator takes the temperatures of the dimerisation; its own are not known.
    """
    readout = sg.WindowAverages(WINDOWS.tolist())
    schedule = Exponential(1.0, 0.001, max(epochs - 1, 1))

    def estimator(epoch: int) -> Any:
        if is_published:
            return sg.gradients.StraightThrough(schedule(epoch))
        return sg.gradients.TwoSidedAdjoint()

    return Setting(
        readout,
        lambda cells: cells.mean("O", readout=readout),
        estimator,
        trajectories,
        epochs,
        threads=threads,
    )


def changes_setting(
    sweeps: Sweeps, trajectories: int, epochs: int, threads: int, estimator: Any = None
) -> Setting:
    """Return how means and the number of changes are fitted, by values at samples.

    Every mean counts by its variance over sweeps, and the changes as much as all means together.
    Most of the time no channel is open, where path adjoints are of first order only, and with the
    squares of changes they can lead astray; paths are short, so that the score has little noise.
    """
    readout = ValuesAt(STEPS.tolist())
    chosen = sg.gradients.ScoreFunction() if estimator is None else estimator
    # Where nothing varied, as late in few sweeps, one open channel in one sweep stands for it.
    least = (1.0 - 1.0 / sweeps.count) / sweeps.count
    weights = 1.0 / np.maximum(sweeps.variances, least)
    weights[-1] *= len(weights) - 1
    statistics = partial(of_levels, readout=readout)
    return Setting(
        readout,
        statistics,
        lambda epoch: chosen,
        trajectories,
        epochs,
        weights=weights,
        threads=threads,
    )


#: Method → how it descends and which statistics it comes to.
DESCENTS: dict[str, tuple[Callable[..., Setting], Callable[[Sweeps], FloatArray]]] = {
    "mean": (mean_setting, lambda sweeps: sweeps.pooled),
    "straight_through": (partial(mean_setting, is_published=True), lambda sweeps: sweeps.pooled),
    "mean_and_changes": (changes_setting, lambda sweeps: sweeps.levels),
    "mean_and_changes_two_sided": (
        partial(changes_setting, estimator=sg.gradients.TwoSidedAdjoint()),
        lambda sweeps: sweeps.levels,
    ),
}

#: Judges that do not descend.
EXACT = ("published rates", "maximum likelihood", "least squares")


def exact_fits(sweeps: Sweeps, seed: int) -> list[Fit]:
    """Return the published rates and, where samples were kept, what exact methods find."""
    rates = truth()
    found = {"published rates": rates}
    if sweeps.opened is not None:
        found["maximum likelihood"] = maximum_likelihood(sweeps.opened, INTERVAL, CHANNELS, rates)
    found["least squares"] = least_squares(sweeps.pooled, WINDOWS, CHANNELS, rates)
    return [_told(name, sweeps, seed, values) for name, values in found.items()]


def descent(
    method: str,
    sweeps: Sweeps,
    seed: int,
    *,
    trajectories: int,
    epochs: int = EPOCHS,
    threads: int = 2,
    checkpoint: Path | None = None,
) -> Fit:
    """Fit sweeps by one of `DESCENTS` from a start that is off in every rate."""
    make, target = DESCENTS[method]
    rng = np.random.default_rng([seed, sweeps.count])
    start = truth() * AWAY ** rng.uniform(-1.0, 1.0, 3)
    setting = make(sweeps, trajectories, epochs, threads)
    trace = descend(network(), start, target(sweeps), setting, stream(seed, 1), checkpoint)
    every = max(epochs // 80, 1)
    return _told(
        method,
        sweeps,
        seed,
        trace.values[-1],
        trajectories=trajectories,
        epochs=epochs,
        seconds=trace.seconds,
        cpu_seconds=trace.cpu_seconds,
        trace=tuple(tuple(float(f"{v:.6g}") for v in row) for row in trace.values[::every]),
        trace_every=every,
    )


def _told(method: str, sweeps: Sweeps, seed: int, rates: FloatArray, **more: Any) -> Fit:
    predicted = mean_open(rates, sweeps.edges, CHANNELS)
    quality = fit_quality(sweeps.means, predicted)
    return Fit(method, sweeps.count, seed, tuple(rates.tolist()), quality, **more)
