"""What the bias campaign measures: gradients of a statistic in batches, against the exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from small_networks import CASES, FIRST_CASES, HARD_CASES, SQUARED_CASES, Case

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.cme.statistics import covariance
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import WindowAverages
from sbmlgrad.engines.start import start_states
from sbmlgrad.gradients.check.measurement import Gradients, joint_z
from sbmlgrad.gradients.check.statistic import Statistic
from sbmlgrad.gradients.expectations import ExpectationEstimator
from sbmlgrad.gradients.functional import Functional
from sbmlgrad.model.expression import symbols

#: Networks and means that the recommendation of `check_gradient` is held against as well.
EVERY_CASE = (*CASES, *HARD_CASES)

#: All rows of the table.
TABLE = (*EVERY_CASE, *FIRST_CASES, *SQUARED_CASES)

BATCHES = 20

#: Probability that the truth may lack; the states of a bistable voxel are few, a toggle's many.
TOLERANCE = 1e-8


@dataclass(frozen=True)
class Measured:
    """What the batches of an estimator gave, relative to the norm of the exact gradient.

    Attributes:
        bias: norm of the mean over batches less the truth; noise adds to it.
        error: what that norm would be from noise alone.
        noise: noise-to-signal ratio of one trajectory.
        z: joint z-score of the bias over parameters and points.
        along: by how much the mean is too long (too short if negative), along the truth.
        along_error: standard error of that.
    """

    bias: float
    error: float
    noise: float
    z: float
    along: float
    along_error: float


def measure(
    case: Case,
    exact: np.ndarray,
    estimator: Any,
    trajectories: int,
    seed: int,
    engine: sg.engines.Native | None = None,
    first: int = 0,
) -> Measured:
    """Return bias and noise of an estimator.

    Args:
        case: network, readout and parameters.
        exact: gradient in logarithms of the parameters [parameter, point].
        estimator: what to measure.
        trajectories: in all batches together.
        seed: of all of them.
        engine: samples; None chooses a kernel for each batch.
        first: number of the first trajectory.
    """
    size = trajectories // BATCHES
    sampler = engine or sg.engines.Native()
    rows = np.array(
        [
            gradient(case, exact.shape[1], estimator, size, seed, first + batch * size, sampler)
            for batch in range(BATCHES)
        ]
    )
    norm = float(np.linalg.norm(exact))
    found = Gradients(rows / norm, size, 0.0)
    difference = found.mean - exact / norm
    error = float(np.linalg.norm(found.standard_error))
    # What rounding does is no bias.
    z, _ = joint_z(difference.ravel(), [found.centred], 1e-18)
    shares = np.einsum("bpt,pt->b", found.values, exact / norm)
    return Measured(
        bias=float(np.linalg.norm(difference)),
        error=error,
        noise=error * math.sqrt(size * BATCHES),
        z=z,
        along=float(shares.mean() - 1.0),
        along_error=float(shares.std(ddof=1) / math.sqrt(BATCHES)),
    )


def gradient(
    case: Case,
    points: int,
    estimator: Any,
    size: int,
    seed: int,
    first: int,
    engine: sg.engines.Native,
) -> np.ndarray:
    """Return an estimated gradient in logarithms of the parameters [parameter, point]."""
    model = case.network()
    lowered = lower(model)
    places = [lowered.input_ids.index(p) for p in case.parameters]
    numbers = np.arange(size, dtype=np.uint64) + np.uint64(first)
    values, start = start_states(lowered, {}, {}, seed, numbers)
    inputs = np.array([values[i] for i in lowered.input_ids])
    request = Request(lowered, inputs, start, case.readout, size, seed, first, None)
    rows = []
    for point in range(points):
        weights = np.zeros((points, len(model.species_ids)))
        weights[point, model.species_ids.index(case.species)] = 1.0
        slope = _pull_back(case.statistic, estimator, engine, request, weights)
        rows.append(slope[places] * inputs[places])
    return np.array(rows).T


def _pull_back(
    statistic: str, estimator: Any, engine: sg.engines.Native, request: Request, weights: np.ndarray
) -> np.ndarray:
    """Return the derivative of a weighted statistic in the inputs [input]."""
    if statistic == "mean":
        return estimator.pull_back(engine, request, weights[None] / request.trajectories)
    if statistic == "square" and isinstance(estimator, ExpectationEstimator):
        squares = Functional(lambda v: np.einsum("npc,pc->np", v**2, weights))
        return estimator.pull_back_expectation(engine, request, squares)
    values = engine.sample(request).values
    if statistic == "square":
        slopes = 2.0 * values * weights / request.trajectories
        return estimator.pull_back(engine, request, slopes)
    return Statistic(statistic).pull_back(estimator, engine, request, weights, values)


def truth(case: Case) -> np.ndarray:
    """Return the exact gradient in logarithms of the parameters [parameter, point]."""
    model = case.network()
    scale = model.parameter_values[[model.parameter_ids.index(p) for p in case.parameters]]
    points = case.readout.points
    projection = project(model, until=float(points[-1]), tolerance=TOLERANCE)
    counts = projection.space.states[:, model.species_ids.index(case.species)].astype(float)
    if case.statistic == "variance":
        slopes = covariance(projection, points.tolist(), counts, counts, case.parameters).gradient
    else:
        function = counts**2 if case.statistic == "square" else counts
        slopes = projection.gradient_in_parameters(case.readout, function, case.parameters)
    return slopes.T * scale[:, None]


def title(case: Case) -> str:
    """Return how a network and its readout are called in short."""
    return f"{case.name}, to {case.readout.points[-1]:.3g}"


def label(case: Case) -> str:
    """Return how the tables call a network, its statistic and its readout."""
    of = {"mean": "", "variance": "variance of ", "square": "square of "}[case.statistic]
    points = case.readout.points
    if isinstance(case.readout, WindowAverages):
        return f"{case.name}, {of}{case.species} in {len(points) - 1} windows to {points[-1]:.3g}"
    return f"{case.name}, {of}{case.species} at {', '.join(f'{t:.3g}' for t in points)}"


def is_affine(case: Case) -> bool:
    """Tell whether a mean is read and all propensities are affine in the counts.

    Then values are affine in the state, and their slope along a path tells their differences.
    """
    lowered = lower(case.network())
    species = set(lowered.species_ids)
    curved = any(symbols(p.expression) & species for p in lowered.state_partials)
    return case.statistic == "mean" and not curved
