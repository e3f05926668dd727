"""`SmallNetwork`: hidden units of a small neural network, trained by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.values.features import Basis, Visited
from sbmlgrad.model.numbers import whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Slices of time that hidden units are trained on.
TRAINED_ON = 8


@dataclass(frozen=True)
class SmallNetwork:
    """Units tanh(w·x + b), trained so that combinations of them predict what is still collected.

    Choose it for several species that interact, where products of splines would be too many.

    One hidden layer serves all times; at each of a few slices the output layer is the least-squares
    one, so that only the hidden weights are searched (variable projection: Golub & Pereyra 1973,
    "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate", section 3).

    Args:
        units: hidden units.
        trajectories: trajectories trained on.
        iterations: steps of the optimiser, at most.
        seed: of the first weights.
    """

    units: int = 24
    trajectories: int = 1000
    iterations: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        whole("units", self.units, 1, 1000)
        whole("trajectories", self.trajectories, 10, 10**7)
        whole("iterations", self.iterations, 1, 100_000)
        whole("seed", self.seed, 0, 2**62)

    def lay_out(self, visited: Visited) -> Basis:
        """Train the hidden units for what was visited."""
        from scipy.optimize import minimize

        free = visited.free
        mean = visited.stay @ visited.states[:, free] / visited.stay.sum()
        spread = np.sqrt(visited.stay @ (visited.states[:, free] - mean) ** 2 / visited.stay.sum())
        states, collected = visited.paths(self.trajectories)
        if not np.isfinite(collected).all():
            raise GradientError("SmallNetwork: what trajectories collect is not finite")
        slices = np.unique(np.linspace(0, states.shape[1] - 1, TRAINED_ON).astype(np.int64))
        sets = [
            ((states[:, k][:, free] - mean) / spread, collected[:, k])
            for k in slices
            if np.ptp(collected[:, k]) > 0.0
        ]
        size = (len(free) + 1) * self.units
        start = np.random.default_rng(self.seed).normal(size=size)
        options = {"maxiter": self.iterations}
        weights = start
        if sets:
            weights = minimize(
                _misfit, start, args=(sets,), jac=True, method="L-BFGS-B", options=options
            ).x
        name = f"a network of {self.units} units in {len(free)} species"
        return _Units(name, free, mean, spread, weights.reshape(len(free) + 1, self.units))


def _misfit(
    weights: FloatArray, sets: list[tuple[FloatArray, FloatArray]]
) -> tuple[float, FloatArray]:
    """Return the relative squared error with the best output layers, and its derivative."""
    species = sets[0][0].shape[1]
    hidden = weights.reshape(species + 1, -1)
    total, slope = 0.0, np.zeros_like(hidden)
    for states, target in sets:
        units = np.tanh(states @ hidden[:-1] + hidden[-1])
        features = np.concatenate([np.ones((len(states), 1)), states, units], axis=1)
        output = np.linalg.lstsq(features, target, rcond=1e-6)[0]
        error = features @ output - target
        scale = len(target) * target.var()
        total += float(error @ error) / scale
        # The output layer is the best one, so that moving it changes nothing to first order.
        through = error[:, None] * output[1 + species :] * (1.0 - units**2) * (2.0 / scale)
        slope[:-1] += states.T @ through
        slope[-1] += through.sum(axis=0)
    return total, slope.ravel()


@dataclass(frozen=True, eq=False)
class _Units:
    name: str
    free: IntArray
    mean: FloatArray
    spread: FloatArray
    weights: FloatArray

    @property
    def size(self) -> int:
        return 1 + len(self.free) + self.weights.shape[1]

    def __call__(self, states: FloatArray) -> FloatArray:
        scaled = (states[:, self.free] - self.mean) / self.spread
        units = np.tanh(scaled @ self.weights[:-1] + self.weights[-1])
        return np.concatenate([np.ones((len(states), 1)), scaled, units], axis=1)
