"""The rates of a gene that switches are found again from counts in single cells."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from networks import shipped
from scipy import stats
from scipy.optimize import minimize

import sbmlgrad as sg
from sbmlgrad.fit.experiments import prepared
from sbmlgrad.fit.objectives.distribution import Distribution
from sbmlgrad.fit.objectives.state_space import StateSpaceLikelihood
from sbmlgrad.fit.problems.plain import plain_problem
from sbmlgrad.fit.search_space import search_space
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.model.snapshots import Snapshots

TIMES = (5.0, 15.0, 40.0)
CELLS = 400
#: Chance that a right method fails.
LEVEL = 1e-4


@lru_cache
def snapshots(seed: int) -> Snapshots:
    """Return mRNA of other cells at each time, with the rates of the shipped model."""
    model = shipped("telegraph")
    cells = sg.simulate(model, times=TIMES, trajectories=CELLS * len(TIMES), seed=seed)
    found = cells.values("M", "counts").astype(np.int64)
    counts = np.concatenate([found[i * CELLS : (i + 1) * CELLS, i] for i in range(len(TIMES))])
    return Snapshots(("M",), np.repeat(TIMES, CELLS), counts[:, None])


def check(found: np.ndarray, truth: np.ndarray, covariance: np.ndarray) -> None:
    """Check the errors of logarithms against their covariance."""
    errors = np.sqrt(covariance.diagonal())
    assert (errors < 0.5).all(), f"no power: standard errors of logarithms {errors}"
    z = (np.log(found) - np.log(truth)) / errors
    assert (np.abs(z) < stats.norm.ppf(1 - LEVEL / 2 / len(z))).all(), f"z = {z}"


def test_exact_likelihood_finds_three_rates() -> None:
    """z by the Fisher information that the curvature at the optimum is."""
    ids = ["k_on", "k_off", "k_transcription"]
    problem, _ = plain_problem(shipped("telegraph"), snapshots(3), ids)
    objective = StateSpaceLikelihood()

    def deviance(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        values = np.exp(logarithms)
        loss, slope = objective.exact_loss_and_gradient(problem, values)
        return loss, slope * values

    start = np.log([0.08, 0.12, 1.5])
    best = minimize(deviance, start, jac=True, method="BFGS", options={"gtol": 1e-5})
    assert best.fun < deviance(start)[0]
    ends = [[deviance(best.x + s * step)[1] for s in (1, -1)] for step in 0.01 * np.eye(3)]
    rows = [(above - below) / 0.02 for above, below in ends]
    information = 0.5 * len(snapshots(3)) * (np.array(rows) + np.array(rows).T) / 2
    check(np.exp(best.x), np.array([0.05, 0.2, 2.0]), np.linalg.inv(information))


def test_energy_distance_finds_two_rates() -> None:
    """z by the sandwich: scatter of the slope over drawn cells, and the slope's own slope."""
    ids = ["k_on", "k_transcription"]
    data = snapshots(4)
    problem, _ = plain_problem(shipped("telegraph"), data, ids, start={"k_on": 0.08})
    objective = Distribution()
    result = sg.fit(
        problem,
        objective=objective,
        estimator=sg.gradients.FiniteDifference(parameters=tuple(ids)),
        epochs=60,
        trajectories=400,
        evaluation_trajectories=2000,
        seed=6,
    )
    truth = np.array([0.05, 2.0])
    rng = np.random.default_rng(8)
    drawn = []
    for _ in range(40):
        rows = np.concatenate([rng.integers(i * CELLS, (i + 1) * CELLS, CELLS) for i in range(3)])
        other = Snapshots(("M",), data.time, data.counts[rows])
        drawn.append(plain_problem(shipped("telegraph"), other, ids)[0])

    def losses(logarithms: np.ndarray) -> np.ndarray:
        simulator = Simulator(
            problem,
            search_space(problem),
            prepared(problem),
            objective.times(problem),
            sg.engines.Native(),
            7,
        )
        simulated = simulator(np.exp(logarithms), 8000, 0)
        return np.array([objective.loss(one, simulated) for one in (problem, *drawn)])

    at, steps = np.log(truth), 0.25 * np.eye(2)
    middle = losses(at)
    ends = {s: [losses(at + s * step) for step in steps] for s in (1, -1)}
    slopes = np.array([(a - b) / 0.5 for a, b in zip(ends[1], ends[-1], strict=True)])
    curvature = np.empty((2, 2))
    for i in range(2):
        curvature[i, i] = (ends[1][i][0] + ends[-1][i][0] - 2 * middle[0]) / 0.25**2
    both = losses(at + steps.sum(axis=0))[0]
    curvature[0, 1] = (both - ends[1][0][0] - ends[1][1][0] + middle[0]) / 0.25**2
    curvature[1, 0] = curvature[0, 1]
    inverse = np.linalg.inv(curvature)
    covariance = inverse @ np.cov(slopes[:, 1:]) @ inverse
    check(np.array([result.values[id] for id in ids]), truth, covariance)
