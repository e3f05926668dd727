"""Fits of the paper's ion channel C ⇌ O → I: exact judges and descents, as records keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paper_descent import Setting, descend
from paper_records import provenance

import sbmlgrad as sg
from ion_channel.exact import (
    fit_quality,
    least_squares,
    maximum_likelihood,
    mean_open,
    reached,
    starts,
)
from ion_channel.sweeps import (
    CHANNELS,
    EDGES,
    INTERVAL,
    MEANS_EVERY,
    STEPS,
    WINDOWS,
    Sweeps,
    changes,
    network,
    openings,
    stream,
    truth,
)
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.errors import DataError, FitError
from sbmlgrad.gradients.schedules import Exponential

FloatArray = NDArray[np.float64]

#: Epochs of a descent, as published, and its learning rates, of the first and the last.
EPOCHS, LEARNING_RATES = 400, (0.1, 1e-4)

#: Starts on simulated sweeps lie within this factor of the published rates.
AWAY = 2.0


@dataclass(frozen=True)
class Fit:
    """Rates found for some sweeps, as records keep them.

    Attributes:
        method: name, of `EXACT` or `DESCENTS`.
        sweeps, seed: the data.
        rates: of opening, closing and inactivation, per ms.
        quality: R², root mean square error and that over the largest mean, of the bin averages.
        trajectories, epochs: of the descent, 0 without one.
        learning_rates: of the first and the last epoch; empty without a descent, or where a record
            does not say.
        at_bound: of every rate, whether it ended at a bound; empty where there are none.
        seconds, cpu_seconds: of the fit.
        trace: rates, every few epochs.
        trace_every: how many epochs lie between.
        date, machine, threads: when and with what it was made; None where a record does not say.
    """

    method: str
    sweeps: int
    seed: int
    rates: tuple[float, ...]
    quality: tuple[float, ...]
    trajectories: int = 0
    epochs: int = 0
    learning_rates: tuple[float, ...] = ()
    at_bound: tuple[bool, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    trace: tuple[tuple[float, ...], ...] = ()
    trace_every: int = 1
    date: str | None = None
    machine: str | None = None
    threads: int | None = None

    @property
    def key(self) -> tuple:
        """All that says which fit it is: method, setting and data."""
        return (self.method, self.setting, self.sweeps, self.seed)

    @property
    def setting(self) -> tuple:
        """Trajectories, epochs and learning rates."""
        return (self.trajectories, self.epochs, self.learning_rates)

    def as_record(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def fit_of(record: dict[str, Any]) -> Fit:
    """Return a fit from plain data."""
    names = ("rates", "quality", "learning_rates", "at_bound")
    lists: dict[str, Any] = {k: tuple(record[k]) for k in names if k in record}
    lists["trace"] = tuple(tuple(row) for row in record["trace"])
    return Fit(**(record | lists))


def of_levels(cells: sg.Ensemble, readout: ValuesAt) -> Any:
    """Return means of open channels at samples and the mean number of changes, as `levels`."""
    import tensorflow as tf

    means = cells.mean("O", readout=readout)[MEANS_EVERY - 1 :: MEANS_EVERY]
    changed = cells.expect(lambda levels: changes(levels)[:, 0], "O", readout=readout)
    return tf.concat([means, changed[None]], axis=0)


def weights_of_levels(variances: FloatArray) -> FloatArray:
    """Return what squared differences of `levels` count: by variance, and changes as all means."""
    weights = 1.0 / variances
    weights[-1] *= len(weights) - 1
    return weights


def mean_setting(
    sweeps: Sweeps, trajectories: int, epochs: int, threads: int, *, is_published: bool = False
) -> tuple[Setting, FloatArray]:
    """Return how the mean is fitted, by exact bin averages, and to what.

    The published estimator takes the temperatures of the dimerisation; its own are not known.
    """
    readout = sg.WindowAverages(WINDOWS.tolist())
    schedule = Exponential(1.0, 0.001, max(epochs - 1, 1))

    def estimator(epoch: int) -> Any:
        if is_published:
            return sg.gradients.StraightThrough(schedule(epoch))
        return sg.gradients.TwoSidedAdjoint()

    setting = Setting(
        readout,
        lambda cells: cells.mean("O", readout=readout),
        estimator,
        trajectories,
        epochs,
        LEARNING_RATES,
        threads=threads,
    )
    return setting, sweeps.pooled


def changes_setting(
    sweeps: Sweeps, trajectories: int, epochs: int, threads: int, estimator: Any = None
) -> tuple[Setting, FloatArray]:
    """Return how means and the number of changes are fitted, by values at samples, and to what.

    Every mean counts by its variance over sweeps, and the changes as much as all means together.
    Most of the time no channel is open, where path adjoints are of first order only, and with the
    squares of changes they can lead astray; paths are short, so that the score has little noise.
    """
    readout = ValuesAt(STEPS.tolist())
    chosen = sg.gradients.ScoreFunction() if estimator is None else estimator
    # Where nothing varied, as late in few sweeps, one open channel in one sweep stands for it.
    least = (1.0 - 1.0 / sweeps.count) / sweeps.count
    setting = Setting(
        readout,
        partial(of_levels, readout=readout),
        lambda epoch: chosen,
        trajectories,
        epochs,
        LEARNING_RATES,
        weights=weights_of_levels(np.maximum(sweeps.variances, least)),
        threads=threads,
    )
    return setting, sweeps.levels


def openings_setting(
    sweeps: Sweeps, trajectories: int, epochs: int, threads: int
) -> tuple[Setting, FloatArray]:
    """Return how time open, number and times of openings are fitted, and to what.

    Three statistics for three rates can all be met, and the inverse of their covariance over
    sweeps, here as the root that turns them, only evens the way there. Numbers of openings jump,
    so that no path adjoint can differentiate them.

    Raises:
        DataError: the statistics of sweeps do not vary apart, as of few of them.
    """
    readout = ValuesAt(EDGES[1:-1].tolist())
    try:
        turn = np.linalg.cholesky(np.linalg.inv(sweeps.covariance)).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise DataError(
            f"{sweeps.count} sweeps: time open, number and times of openings do not vary apart "
            "from one another, so that they cannot be weighted; give more sweeps"
        ) from error
    setting = Setting(
        readout,
        lambda cells: cells.expect(lambda levels: openings(levels, turn), "O", readout=readout),
        lambda epoch: sg.gradients.ScoreFunction(),
        trajectories,
        epochs,
        LEARNING_RATES,
        threads=threads,
    )
    return setting, sweeps.openings @ turn


#: Method → how it descends and to which statistics.
DESCENTS: dict[str, Callable[..., tuple[Setting, FloatArray]]] = {
    "openings": openings_setting,
    "mean_and_changes": changes_setting,
    "mean": mean_setting,
    "straight_through": partial(mean_setting, is_published=True),
    "mean_and_changes_two_sided": partial(
        changes_setting, estimator=sg.gradients.TwoSidedAdjoint()
    ),
}

#: Judges that do not descend.
EXACT = ("published rates", "maximum likelihood", "least squares")


def exact_fits(sweeps: Sweeps, seed: int) -> list[Fit]:
    """Return the published rates and, where samples were kept, what exact methods find.

    Starts are those that the mean of the sweeps suggests.

    Raises:
        DataError: no rates can give the sweeps, or no channel opens.
        FitError: no optimum was reached.
    """
    made = provenance(threads=1)
    begin = starts(sweeps.pooled, WINDOWS, CHANNELS)
    fits = [told("published rates", sweeps, seed, truth(), **made)]
    if sweeps.opened is not None:
        rates = maximum_likelihood(sweeps.opened, INTERVAL, CHANNELS, begin)
        at_bound = reached(rates, INTERVAL, EDGES[-1])
        fits.append(told("maximum likelihood", sweeps, seed, rates, at_bound=at_bound, **made))
    rates = least_squares(sweeps.pooled, WINDOWS, CHANNELS, INTERVAL, begin)
    at_bound = reached(rates, INTERVAL, EDGES[-1])
    return [*fits, told("least squares", sweeps, seed, rates, at_bound=at_bound, **made)]


def descent(
    method: str,
    sweeps: Sweeps,
    seed: int,
    *,
    trajectories: int,
    epochs: int = EPOCHS,
    threads: int = 2,
    checkpoint: Path | None = None,
    start: FloatArray | None = None,
) -> Fit:
    """Fit sweeps by one of `DESCENTS`, unless told from a start that is off in every rate.

    Raises:
        FitError: it ended at rates that are no numbers, or where it began.
    """
    if start is None:
        rng = np.random.default_rng([seed, sweeps.count])
        start = truth() * AWAY ** rng.uniform(-1.0, 1.0, 3)
    setting, target = DESCENTS[method](sweeps, trajectories, epochs, threads)
    trace = descend(network(), start, target, setting, stream(seed, 1), checkpoint)
    end = trace.values[-1]
    if not np.isfinite(end).all() or np.array_equal(end, trace.values[0]):
        raise FitError(
            f"{method}, {sweeps.count} sweeps, seed {seed}: began at {start} and ended at {end}; "
            "that is no fit, and nothing is reported of it"
        )
    every = max(epochs // 80, 1)
    return told(
        method,
        sweeps,
        seed,
        end,
        trajectories=trajectories,
        epochs=epochs,
        learning_rates=setting.rates,
        seconds=trace.seconds,
        cpu_seconds=trace.cpu_seconds,
        trace=tuple(tuple(float(f"{v:.6g}") for v in row) for row in trace.values[::every]),
        trace_every=every,
        **provenance(threads),
    )


def told(method: str, sweeps: Sweeps, seed: int, rates: FloatArray, **more: Any) -> Fit:
    """Return a fit with its quality."""
    predicted = mean_open(rates, sweeps.edges, CHANNELS)
    quality = fit_quality(sweeps.means, predicted)
    return Fit(method, sweeps.count, seed, tuple(rates.tolist()), quality, **more)
