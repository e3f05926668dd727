"""`Moments`: means and variances over cells or replicates, by their sampling errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.objectives.base import measured_times, snapshot_times
from sbmlgrad.fit.objectives.scatter import adds_noise, noise_variance
from sbmlgrad.fit.simulated import Simulated
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]

#: Fewest cells whose variance is compared: that of fewer says too little of its own error.
FEWEST_FOR_VARIANCE = 10


@dataclass(frozen=True)
class Moments:
    """Compare means, variances and covariances over trajectories with those over cells.

    When to choose it: snapshots of single cells, or replicates each of which is a single cell, of a
    network too large for `StateSpaceLikelihood`. It needs few trajectories, and every estimator
    differentiates it. It does not see what means and variances leave out, such as two peaks.

    The loss is the mean over statistics of ((simulated - measured) / error)². The error of a mean
    of n cells is s/√n; that of a variance or covariance follows from the fourth moments,

        Var(s_xy) = [m_xxyy - s_xy² (n-2)/(n-1) + s_xx s_yy / (n-1)] / n,

    with all moments those of the cells. This is the normal likelihood of the sample moments, each
    taken by itself: that a mean and a variance of the same cells err together is left out, because
    weights by whole matrices of estimated fourth moments are biased in small samples.

    With many trajectories the loss of the true parameters has expectation 1; with fewer it exceeds
    that by about cells over trajectories.

    Sources: Kendall & Stuart 1977, The Advanced Theory of Statistics, vol. 1, section 10.9 and
    chapter 13 (sampling errors); Zechner et al. 2012, "Moment-based inference predicts bimodality
    in transient gene expression", PNAS 109, 8340 (the likelihood); Altonji & Segal 1996,
    "Small-sample bias in GMM estimation of covariance structures", J. Bus. Econ. Stat. 14, 353.

    Args:
        covariance: compare covariances of different observables too.
        measurement_noise: whether noise models add to the variance of replicates; None adds them
            unless they were made from the scatter of the same measurements. Snapshots count
            molecules and have none.
    """

    covariance: bool = False
    measurement_noise: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.covariance, bool):
            raise FitError(f"Moments(covariance={self.covariance!r}): give True or False")
        if self.measurement_noise not in (None, True, False):
            raise FitError(
                f"Moments(measurement_noise={self.measurement_noise!r}): give True, False or None"
            )

    @property
    def name(self) -> str:
        """How it is recorded in results."""
        return (
            f"Moments(covariance={self.covariance!r}, measurement_noise={self.measurement_noise!r})"
        )

    def check(self, problem: Problem) -> tuple[str, ...]:
        """Return what is assumed; see `base.Objective`."""
        words = [
            "means and variances of the same cells are weighted by their own sampling errors alone"
        ]
        if problem.snapshots is None:
            adds, said = adds_noise(problem, self.measurement_noise)
            words.append(said)
            for id in problem.measurements.observables if adds else ():
                noise_variance(problem.observable[id])
        statistics, left_out = _statistics(problem, self.covariance)
        if not statistics:
            listed = "".join(f"\n  - {word}" for word in left_out)
            raise FitError(
                f"{problem.name or problem.network.id}: no mean or variance with a sampling error "
                "is left to compare; Moments() needs several cells or replicates at a time:"
                f"{listed}"
            )
        words += left_out
        return tuple(words)

    def times(self, problem: Problem) -> Mapping[str, tuple[float, ...]]:
        """Return the times of the cells or replicates of each experiment."""
        return measured_times(problem) if problem.snapshots is None else snapshot_times(problem)

    def loss(self, problem: Problem, simulated: Mapping[str, Simulated]) -> Any:
        """Return the mean squared deviation in errors, a number or [set]; see `base.Objective`."""
        statistics, _ = _statistics(problem, self.covariance)
        adds = problem.snapshots is None and adds_noise(problem, self.measurement_noise)[0]
        known: dict[tuple[str, ...], Any] = {}
        total: Any = 0.0
        for one in statistics:
            key = (one.experiment, *one.ids)
            if key not in known:
                known[key] = _predicted(problem, simulated[one.experiment], one.ids, adds=adds)
            place = int(np.searchsorted(simulated[one.experiment].times, one.time))
            total = total + ((known[key][..., place] - one.value) / one.error) ** 2
        return total / len(statistics)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A mean, variance or covariance over cells.

    Attributes:
        experiment: id.
        time: of the cells.
        ids: one observable for its mean, two for their covariance, twice the same for a variance.
        value: of the cells.
        error: its sampling error.
    """

    experiment: str
    time: float
    ids: tuple[str, ...]
    value: float
    error: float


@lru_cache(maxsize=4)
def _statistics(
    problem: Problem, covariance: bool
) -> tuple[tuple[Statistic, ...], tuple[str, ...]]:
    """Return the statistics of the data; and, in words, which are left out, and why."""
    kept, words = [], []
    for experiment, time, ids, cells in _samples(problem):
        count = range(len(ids))
        pairs = combinations_with_replacement(count, 2) if covariance else ((i, i) for i in count)
        for chosen in (*((i,) for i in count), *pairs):
            names = tuple(ids[i] for i in chosen)
            found = statistic(cells[:, list(chosen)])
            if not isinstance(found, str):
                kept.append(Statistic(experiment, time, names, *found))
                continue
            what = "mean" if len(names) == 1 else "variance"
            words.append(
                f"the {what if len({*names}) == 1 else 'covariance'} of "
                f"{' and '.join(dict.fromkeys(names))} at time {time:g}{_under(experiment)} is "
                f"left out: {found}"
            )
    return tuple(kept), tuple(words)


def statistic(cells: FloatArray) -> tuple[float, float] | str:
    """Return a mean or covariance of cells and its sampling error; or in words why there is none.

    Args:
        cells: float64 [cell, 1] for a mean, [cell, 2] for a covariance; NaN where not measured.
    """
    cells = cells[~np.isnan(cells).any(axis=1)]
    n = len(cells)
    fewest = 2 if cells.shape[1] == 1 else FEWEST_FOR_VARIANCE
    if n < fewest:
        return f"{n} values, and at least {fewest} are needed to tell its error"
    centred = cells - cells.mean(axis=0)
    if cells.shape[1] == 1:
        value, variance = float(cells.mean()), float(cells.var(ddof=1)) / n
    else:
        s = centred.T @ centred / (n - 1)
        value = float(s[0, 1])
        fourth = float((centred**2).prod(axis=1).mean())
        spread = fourth - value**2 * (n - 2) / (n - 1) + s[0, 0] * s[1, 1] / (n - 1)
        variance = float(spread) / n
    if variance <= 0.0:
        return "all values are equal, which gives it no error"
    return value, float(np.sqrt(variance))


def _predicted(problem: Problem, one: Simulated, ids: tuple[str, ...], *, adds: bool) -> Any:
    """Return a statistic over trajectories, [..., time]."""
    observables = [problem.observable[id] for id in ids]
    if len(ids) == 1:
        return one.mean(observables[0].formula)
    if ids[0] != ids[1]:
        return one.covariance(observables[0].formula, observables[1].formula)
    variance = one.variance(observables[0].formula)
    if not adds:
        return variance
    return variance + one.mean(noise_variance(observables[0]))


def _samples(problem: Problem) -> Iterator[tuple[str, float, tuple[str, ...], FloatArray]]:
    """Yield (experiment id, time, observables, values [cell, observable], NaN where missing)."""
    snapshots = problem.snapshots
    if snapshots is not None:
        for experiment, times in snapshot_times(problem).items():
            cells = snapshots.of(experiment)
            for time in times:
                yield experiment, time, cells.species, cells.at(time).astype(np.float64)
        return
    m = problem.measurements
    conditions = np.array(m.condition, dtype=object)
    replicates = np.array(m.replicate, dtype=object)
    for experiment, times in measured_times(problem).items():
        for time in times:
            rows = np.flatnonzero((conditions == experiment) & (m.time == time))
            labels, places = np.unique(replicates[rows].astype(str), return_inverse=True)
            values = np.full((len(labels), len(m.observables)), np.nan)
            values[places, m.observable_index[rows]] = m.value[rows]
            seen = np.flatnonzero(~np.isnan(values).all(axis=0))
            yield experiment, time, tuple(m.observables[i] for i in seen), values[:, seen]


def _under(experiment: str) -> str:
    return f" in experiment {experiment!r}" if experiment else ""
