"""Exact answers for networks with few states, and ensembles to compare with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from events import accept, z_mean, z_variance
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import sbmlgrad as sg

FloatArray = NDArray[np.float64]


N = 4000


def simulated(
    model: sg.ReactionNetwork, times: Sequence[float] | FloatArray, n: int = N, seed: int = 20
) -> sg.Ensemble:
    return sg.simulate(model, times=times, trajectories=n, seed=seed)


def poisson(name: str, values: FloatArray, mean: object) -> None:
    """Accept values whose law is Poisson with this mean."""
    accept(name, z_mean(values, mean, mean), z_variance(values, mean, mean))


def pair_loss(start: int, rate: Callable[[float], float]) -> Callable[[float], FloatArray]:
    """Generator of 2 X -> nothing at propensity rate(t) x^2 from `start` (even), [state, state]."""
    numbers = np.arange(0, start + 1, 2)

    def generator(time: float) -> FloatArray:
        out = rate(time) * numbers**2
        return np.diag(out[1:], 1) - np.diag(out)

    return generator


def moments(probability: FloatArray) -> tuple[float, float]:
    numbers = 2.0 * np.arange(len(probability))
    mean = float(probability @ numbers)
    return mean, float(probability @ (numbers - mean) ** 2)


def evolve(generator: Callable[[float], FloatArray], until: float, states: int) -> FloatArray:
    """Probability [state] at a time, from the highest state on, by integration."""
    start = np.zeros(states)
    start[-1] = 1.0
    result = solve_ivp(lambda t, p: generator(t) @ p, (0, until), start, rtol=1e-9, atol=1e-12)
    return result.y[:, -1]
