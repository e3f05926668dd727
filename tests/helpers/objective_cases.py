"""An objective of each kind, data for it from a known truth, and its value worked out slowly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from networks import antimony
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.engines.native import Native
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.base import StartedObjective
from sbmlgrad.fit.objectives.distribution import Distribution
from sbmlgrad.fit.objectives.dwell_times import DwellTimes
from sbmlgrad.fit.objectives.from_starts import simulate_started
from sbmlgrad.fit.objectives.mean_trajectory import MeanTrajectory
from sbmlgrad.fit.objectives.moments import Moments
from sbmlgrad.fit.objectives.rates_of_change import RateOfChange
from sbmlgrad.fit.objectives.state_space import StateSpaceLikelihood
from sbmlgrad.fit.objectives.synthetic import SyntheticLikelihood
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulated, Simulator
from sbmlgrad.model.dwells import Dwells
from sbmlgrad.model.expression import Number
from sbmlgrad.model.measurements import Measurements
from sbmlgrad.model.noise import Noise
from sbmlgrad.model.problem import Problem
from sbmlgrad.model.snapshots import Snapshots

#: All laws are affine and no molecule meets another, so that everything has a closed form.
TEXT = """
    substanceOnly species X in cell, Y in cell; X = 20; Y = 3; a = 8; c = 0.4; d = 0.3;
    make: => X; a;  turn: X => Y; c*X;  decay: Y => ; d*Y;
"""
TRUTH = MappingProxyType({"a": 8.0, "c": 0.4})
TIMES = (0.5, 1.5, 3.0)
NOISE_SD = 1.5
LAW: Any = stats.multivariate_normal


@lru_cache
def model() -> sg.ReactionNetwork:
    """Return the network at its true values."""
    return antimony(TEXT)


@lru_cache
def snapshot_problem(cells: int = 200, seed: int = 71) -> Problem:
    """Return snapshots of X and Y, other cells at every time."""
    found = sg.simulate(model(), times=TIMES, trajectories=cells * len(TIMES), seed=seed).counts
    counts = np.concatenate([found[i * cells : (i + 1) * cells, i] for i in range(len(TIMES))])
    data = Snapshots(("X", "Y"), np.repeat(TIMES, cells), counts)
    return plain_problem(model(), data, list(TRUTH))[0]


@lru_cache
def course_problem(cells: int = 60, seed: int = 72, noise: float = 0.0) -> Problem:
    """Return time courses of X and Y in single cells, each a replicate."""
    found = sg.simulate(model(), times=TIMES, trajectories=cells, seed=seed).counts
    values = found + noise * np.random.default_rng(seed).standard_normal(found.shape)
    cell, time, species = (axis.ravel() for axis in np.indices(values.shape))
    data = Measurements(
        ("X", "Y"),
        np.array(TIMES)[time],
        species,
        values.ravel(),
        tuple(f"{c:03d}" for c in cell),
        ("",) * cell.size,
    )
    problem = plain_problem(model(), data, list(TRUTH))[0]
    if not noise:
        return problem
    observables = [replace(o, noise=Noise("normal", Number(noise))) for o in problem.observables]
    return replace(problem, observables=tuple(observables), settings=MappingProxyType({}))


@lru_cache
def mean_problem() -> Problem:
    """Return means over many cells."""
    found = sg.simulate(model(), times=TIMES, trajectories=4000, seed=73)
    values = np.concatenate([found.mean("X"), found.mean("Y")])
    data = Measurements(
        ("X", "Y"), np.tile(TIMES, 2), np.repeat([0, 1], 3), values, ("",) * 6, ("",) * 6
    )
    problem = plain_problem(model(), data, list(TRUTH))[0]
    observables = [replace(o, noise=Noise("normal", Number(0.7))) for o in problem.observables]
    return replace(problem, observables=tuple(observables))


#: A channel with two states, with the parameters of the truth as its rates.
GATING = """
    substanceOnly species C in cell, O in cell; C = 1; O = 0; a = 8; c = 0.4;
    open: C => O; a*C;  shut: O => C; c*O;
"""
DEAD_TIME = 0.03


@lru_cache
def record(openings: int = 1200, seed: int = 74) -> Dwells:
    """Return a record of that channel, with dwells that are too short to be seen joined to others.

    Rates of dwells are those of the correction in which missed ones last no time.
    """
    rng = np.random.default_rng(seed)
    last = DEAD_TIME + rng.exponential(1.0 / np.array(seen_rates(TRUTH)), (openings, 2))
    state = np.tile([1, 0], openings)
    every = np.ones(2 * openings, np.bool_)
    return Dwells(("0", "1"), state, last.ravel(), every, "", DEAD_TIME, "channel.csv", "f" * 64)


def seen_rates(values: Mapping[str, float]) -> tuple[float, float]:
    """Return the rates at which openings and shuttings end that are seen to."""
    a, c = values["a"], values["c"]
    return c * math.exp(-a * DEAD_TIME), a * math.exp(-c * DEAD_TIME)


@lru_cache
def dwell_problem() -> Problem:
    """Return the rates of that channel, to be fitted to the record."""
    return plain_problem(antimony(GATING), record(), list(TRUTH))[0]


# --- what the losses are, written down again ------------------------------------------------------


def _paths(one: Simulated) -> np.ndarray:
    """Return counts float64 [trajectory, time, species]."""
    return np.stack([one.ensemble.values("X"), one.ensemble.values("Y")], axis=-1)


def slow_means(problem: Problem, one: Simulated, values: Any) -> float:
    m, means = problem.measurements, _paths(one).mean(axis=0)
    terms = [
        ((means[TIMES.index(t), i] - y) / 0.7) ** 2
        for t, i, y in zip(m.time, m.observable_index, m.value, strict=True)
    ]
    return float(np.mean(terms))


def slow_moments(problem: Problem, one: Simulated, values: Any) -> float:
    assert problem.snapshots is not None
    terms, paths = [], _paths(one)
    for p, time in enumerate(TIMES):
        cells = problem.snapshots.counts[problem.snapshots.time == time].astype(float)
        n = len(cells)
        for i in range(2):
            error = cells[:, i].std(ddof=1) / math.sqrt(n)
            terms.append((paths[:, p, i].mean() - cells[:, i].mean()) / error)
        for i, j in ((0, 0), (0, 1), (1, 1)):
            x, y = (cells[:, k] - cells[:, k].mean() for k in (i, j))
            s = np.cov(cells.T)
            fourth = sum(u * u * v * v for u, v in zip(x, y, strict=True)) / n
            error = fourth / n - s[i, j] ** 2 * (n - 2) / (n * (n - 1))
            error += s[i, i] * s[j, j] / (n * (n - 1))
            terms.append((np.cov(paths[:, p].T)[i, j] - s[i, j]) / math.sqrt(error))
    return float(np.mean(np.square(terms)))


def _scaled(problem: Problem) -> tuple[list[np.ndarray], np.ndarray]:
    assert problem.snapshots is not None
    cells = [problem.snapshots.counts[problem.snapshots.time == t].astype(float) for t in TIMES]
    pooled = np.mean([c.var(axis=0, ddof=1) for c in cells], axis=0)
    return [c / np.sqrt(pooled) for c in cells], np.sqrt(pooled)


def slow_energy(problem: Problem, one: Simulated, values: Any) -> float:
    cells, scale = _scaled(problem)

    def apart(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(((x[:, None] - y[None, :]) ** 2).sum(axis=-1)).sum())

    found = []
    for p, y in enumerate(cells):
        x = _paths(one)[:, p] / scale
        n, m = len(x), len(y)
        within = apart(x, x) / (n * (n - 1)) + apart(y, y) / (m * (m - 1))
        found.append(2.0 * apart(x, y) / (n * m) - within)
    return float(np.mean(found))


def slow_kernel(problem: Problem, one: Simulated, values: Any) -> float:
    cells, scale = _scaled(problem)

    def alike(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.exp(-((x[:, None] - y[None, :]) ** 2).sum(axis=-1) / 2.0).sum())

    found = []
    for p, y in enumerate(cells):
        x = _paths(one)[:, p] / scale
        n, m = len(x), len(y)
        within = (alike(x, x) - n) / (n * (n - 1)) + (alike(y, y) - m) / (m * (m - 1))
        found.append(within - 2.0 * alike(x, y) / (n * m))
    return float(np.mean(found))


def slow_wasserstein(problem: Problem, one: Simulated, values: Any) -> float:
    cells, scale = _scaled(problem)
    found = [
        stats.wasserstein_distance(_paths(one)[:, p, i] / scale[i], y[:, i])
        for p, y in enumerate(cells)
        for i in range(2)
    ]
    return float(np.mean(found))


def joint_law(time: float, values: Mapping[str, float], largest: tuple[int, int]) -> np.ndarray:
    """Return P(X = x, Y = y), float64 [x, y]: molecules that were there, and those that came.

    Jahnke & Huisinga 2007, "Solving the chemical master equation for monomolecular reaction systems
    analytically": a multinomial of the former, and independent Poisson numbers of the latter.
    """
    a, c, d = values["a"], values["c"], 0.3
    stay, gone = math.exp(-c * time), math.exp(-d * time)
    turned = c / (d - c) * (stay - gone)
    mean_x = a * (1.0 - stay) / c
    mean_y = a * c / (d - c) * ((1.0 - stay) / c - (1.0 - gone) / d)
    rows, columns = largest[0] + 1, largest[1] + 1
    law = np.outer(
        stats.poisson.pmf(np.arange(rows), mean_x), stats.poisson.pmf(np.arange(columns), mean_y)
    )
    starts = [(np.array([[0, 0], [1, 0], [0, 1]]), [1 - stay - turned, stay, turned])] * 20
    starts += [(np.array([[0, 0], [0, 1]]), [1 - gone, gone])] * 3
    for steps, chances in starts:
        moved = np.zeros_like(law)
        for (i, j), p in zip(steps, chances, strict=True):
            moved[i:, j:] += p * law[: rows - i, : columns - j]
        law = moved
    return law


def slow_likelihood(problem: Problem, one: Simulated, values: Any) -> float:
    assert problem.snapshots is not None
    found, largest = 0.0, tuple(problem.snapshots.counts.max(axis=0).tolist())
    for time in TIMES:
        cells = problem.snapshots.counts[problem.snapshots.time == time]
        law = joint_law(time, dict(zip(TRUTH, np.asarray(values), strict=True)), largest)
        kinds, numbers = np.unique(cells, axis=0, return_counts=True)
        for (x, y), n in zip(kinds, numbers, strict=True):
            found += 2.0 * n * math.log(n / len(cells) / law[x, y])
    return found / len(problem.snapshots)


def slow_synthetic(problem: Problem, one: Simulated, values: Any) -> float:
    m = problem.measurements
    vectors = np.concatenate([one.ensemble.values("X"), one.ensemble.values("Y")], axis=1)
    covariance = np.cov(vectors.T) + NOISE_SD**2 * np.eye(6)
    total = 0.0
    for cell in sorted(set(m.replicate)):
        own = np.array(m.replicate) == cell
        order = np.lexsort((m.time[own], m.observable_index[own]))
        values = m.value[own][order]
        total -= 2.0 * float(LAW.logpdf(values, vectors.mean(axis=0), covariance))
    return total / len(m)


def slow_change(problem: Problem, one: Simulated, values: Any) -> float:
    m, cells = problem.measurements, sorted(set(problem.measurements.replicate))
    table = np.full((len(cells), 3, 2), np.nan)
    for r, t, i, y in zip(m.replicate, m.time, m.observable_index, m.value, strict=True):
        table[cells.index(r), TIMES.index(t), i] = y
    windows, terms = [1.0, 1.5], []
    starts = [(c, p) for c in range(len(cells)) for p in range(2)]
    paths = _paths(one).reshape(-1, len(starts), 2, 2)
    changes = np.array([table[c, p + 1] - table[c, p] for c, p in starts])
    for s, (c, p) in enumerate(starts):
        ends = paths[:, s, windows.index(TIMES[p + 1] - TIMES[p])]
        chance = ends.var(axis=0, ddof=1) / len(ends)
        terms.append((ends.mean(axis=0) - table[c, p + 1]) ** 2 - chance)
    return float((np.array(terms) / (changes**2).mean(axis=0)).mean())


def slow_dwells(problem: Problem, one: Simulated, values: Any) -> float:
    rates = seen_rates(dict(zip(TRUTH, np.asarray(values), strict=True)))
    total = 0.0
    for state, rate in zip(("1", "0"), rates, strict=True):
        total -= 2.0 * sum(
            math.log(rate) - rate * (dwell - DEAD_TIME) for dwell in record().of(state).tolist()
        )
    return total / len(record())


# --- the cases ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectiveCase:
    """An objective, its problem, and its value worked out slowly.

    Attributes:
        objective: with settings.
        problem: makes the problem.
        slow: (problem, plain simulation, values of a and c) → loss.
        is_pathwise_only: estimators of expectations refuse it.
        data: what the objective holds itself, by name; its name only says where that is from.
    """

    objective: Any
    problem: Callable[[], Problem]
    slow: Callable[[Problem, Simulated, Any], float]
    is_pathwise_only: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the objective."""
        return self.objective.name

    def simulator(self, seed: int = 9) -> Simulator:
        """Return what simulates its problem."""
        problem = self.problem()
        return Simulator(
            problem=problem,
            space=search_space(problem),
            experiments=prepared(problem),
            times=self.objective.times(problem),
            engine=Native(kernel="table"),
            seed=seed,
        )

    def simulated(self, values: Any, trajectories: int, first: int = 0, estimator: Any = None):
        """Simulate its problem, from its own states where it has such."""
        simulator = self.simulator()
        if isinstance(self.objective, StartedObjective):
            return simulate_started(
                simulator, self.objective, values, trajectories, first, estimator=estimator
            )
        return simulator(values, trajectories, first, estimator=estimator)

    def loss(self, values: Any, trajectories: int, first: int = 0) -> Any:
        """Return the loss of plain values."""
        simulated = self.simulated(np.asarray(values), trajectories, first)
        return self.objective.loss(self.problem(), simulated)


CASES = (
    ObjectiveCase(MeanTrajectory(), mean_problem, slow_means),
    ObjectiveCase(Moments(covariance=True), snapshot_problem, slow_moments),
    ObjectiveCase(Distribution("energy"), snapshot_problem, slow_energy),
    ObjectiveCase(Distribution("mmd"), snapshot_problem, slow_kernel),
    ObjectiveCase(
        Distribution("wasserstein"), snapshot_problem, slow_wasserstein, is_pathwise_only=True
    ),
    ObjectiveCase(StateSpaceLikelihood(), snapshot_problem, slow_likelihood),
    ObjectiveCase(
        DwellTimes(record(), {"0": ("C",), "1": ("O",)}),
        dwell_problem,
        slow_dwells,
        data={"record": record()},
    ),
    ObjectiveCase(SyntheticLikelihood(), lambda: course_problem(noise=NOISE_SD), slow_synthetic),
    ObjectiveCase(RateOfChange(), course_problem, slow_change, is_pathwise_only=True),
)
