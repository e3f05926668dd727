"""Derivatives of the predictions of all measurements in the coordinates of the search space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.simulated import Simulator
from sbmlgrad.fit.uncertainty.fitted import named, parts, per_row, points_of, predictions
from sbmlgrad.fit.uncertainty.noise_information import noise_information
from sbmlgrad.gradients.base import Estimator
from sbmlgrad.gradients.tensorflow import is_tensor

FloatArray = NDArray[np.float64]

#: Half the distance of the two sides of a difference, in coordinates.
STEP = 0.05

#: Simulations that one reverse pass over the trajectories is worth.
REVERSE_COST = 5.0


@dataclass(frozen=True, eq=False)
class Local:
    """What the model predicts of every measurement around some values of the parameters.

    Attributes:
        predicted: float64 [measurement].
        scale: of the noise, float64 [measurement].
        slopes: derivatives of both in the coordinates, float64 [2, measurement, free].
        trajectories: behind them, of each experiment and side.
    """

    predicted: FloatArray
    scale: FloatArray
    slopes: FloatArray
    trajectories: int

    def __add__(self, other: Local) -> Local:
        """Return the average of both, weighted by their trajectories."""
        n, m = self.trajectories, other.trajectories
        return Local(
            (n * self.predicted + m * other.predicted) / (n + m),
            (n * self.scale + m * other.scale) / (n + m),
            (n * self.slopes + m * other.slopes) / (n + m),
            n + m,
        )


def local(
    simulator: Simulator,
    coordinates: FloatArray,
    trajectories: int,
    first_trajectory: int,
    estimator: Estimator | None = None,
) -> Local:
    """Simulate predictions and their derivatives.

    Without an estimator by central differences under common random numbers: two simulations for
    each parameter give the derivatives of all measurements at once. They have an error of order
    `STEP`² and, at a bound, where one side is the bound itself, of order `STEP`. With an estimator
    by its gradients, one reverse pass for each prediction.

    Args:
        simulator: of the problem.
        coordinates: float64 [free], within the bounds.
        trajectories: of each experiment and side.
        first_trajectory: number of the first.
        estimator: gradient method, or None.
    """
    problem, space = simulator.problem, simulator.space
    if estimator is not None:
        return _by_tape(simulator, coordinates, trajectories, first_trajectory, estimator)
    here = predictions(
        problem, simulator(space.values(coordinates), trajectories, first_trajectory)
    )
    slopes = np.empty((2, len(problem.measurements), len(coordinates)))
    for place in range(len(coordinates)):
        step = STEP * (np.arange(len(coordinates)) == place)
        above, below = space.within(coordinates + step), space.within(coordinates - step)
        upper, lower = (
            np.stack(
                predictions(problem, simulator(space.values(z), trajectories, first_trajectory))
            )
            for z in (above, below)
        )
        slopes[:, :, place] = (upper - lower) / (above - below)[place]
    return Local(*here, slopes, trajectories)


def cheaper(simulator: Simulator, estimator: Estimator) -> Estimator | None:
    """Return the estimator if its reverse passes cost less than differences, else None."""
    problem = simulator.problem
    rows = sum(np.unique(problem.measurements.time[rows]).size for _, _, rows in parts(problem))
    differs = "FiniteDifference" in estimator.name
    return estimator if not differs and REVERSE_COST * rows < 2.0 * len(problem.free) else None


def used(simulator: Simulator, trajectories: int) -> int:
    """Return how many numbers of trajectories one call takes."""
    return trajectories * len(simulator.experiments)


def weights(simulator: Simulator, at: Local) -> FloatArray:
    """Return the expected information on predictions and scales, float64 [2, measurement].

    Raises:
        FitError: the number of trials of a binomial is to be estimated, or predictions for which
            the noise has no information, such as a mean of zero under Poisson noise.
    """
    problem = simulator.problem
    known = np.stack(per_row(problem, noise_information, at.predicted, at.scale))
    moves = moving(at)
    wrong = (moves & ~np.isfinite(known)).any(axis=0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise FitError(
            f"{named(problem, row)}: no information is defined at the prediction "
            f"{at.predicted[row]:.6g} with scale {at.scale[row]:.6g}; the noise model cannot hold "
            "there (or its number of trials is fitted, which is no continuous parameter)"
        )
    return np.where(moves, known, 0.0)


def moving(at: Local) -> NDArray[np.bool_]:
    """Tell which predictions and scales depend on parameters at all, bool [2, measurement].

    The others, such as a count that is zero at the start whatever the rates, say nothing about
    them, also where the noise model has infinite information.
    """
    return np.abs(at.slopes).max(axis=2, initial=0.0) > 0.0


def information(slopes: FloatArray, weight: FloatArray, other: FloatArray | None = None) -> Any:
    """Return Σ w J Jᵀ, float64 [free, free]; with two sets of slopes the symmetric product."""
    other = slopes if other is None else other
    product = np.einsum("krp,kr,krq->pq", slopes, weight, other)
    return 0.5 * (product + product.T)


def score_scatter(
    simulator: Simulator,
    coordinates: FloatArray,
    slopes: FloatArray,
    weight: FloatArray,
    trajectories: int,
    first_trajectory: int,
) -> FloatArray:
    """Return n times the Monte-Carlo covariance of the score, float64 [free, free].

    The score is linear in the mean predictions, so that over n trajectories of each experiment it
    scatters like the mean of Σ w J value.
    """
    problem = simulator.problem
    simulated = simulator(simulator.space.values(coordinates), trajectories, first_trajectory)
    sums: dict[str, Any] = {}
    for experiment, observable, rows in parts(problem):
        one = simulated[experiment]
        values = np.asarray(one.values(observable.formula))[:, points_of(problem, one, rows)]
        score = values @ (weight[0, rows, None] * slopes[0, rows])
        sums[experiment] = sums.get(experiment, 0.0) + score
    return sum((np.atleast_2d(np.cov(s, rowvar=False)) for s in sums.values()), np.zeros(()))


def _by_tape(
    simulator: Simulator,
    coordinates: FloatArray,
    trajectories: int,
    first_trajectory: int,
    estimator: Estimator,
) -> Local:
    import tensorflow as tf

    problem = simulator.problem
    slopes = np.zeros((2, len(problem.measurements), len(coordinates)))
    moved = tf.constant(coordinates)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(moved)
        values = simulator.space.value_tensors(moved)
        simulated = simulator(values, trajectories, first_trajectory, estimator=estimator)
        entries: list[tuple[int, NDArray[np.intp], Any]] = []
        for experiment, observable, rows in parts(problem):
            one = simulated[experiment]
            points = points_of(problem, one, rows)
            formulas = [observable.formula, observable.noise.scale]
            for kind, formula in enumerate(formulas[: 2 if observable.noise.kind.scale else 1]):
                means = one.mean(formula)
                entries += [
                    (kind, rows[points == point], means[..., int(point)])
                    for point in np.unique(points)
                ]
    for kind, rows, mean in entries:
        slope = tape.gradient(mean, moved) if is_tensor(mean) else None
        slopes[kind, rows] = 0.0 if slope is None else np.asarray(slope)
    plain = {id: one.plain() for id, one in simulated.items()}
    return Local(*predictions(problem, plain), slopes, trajectories)
