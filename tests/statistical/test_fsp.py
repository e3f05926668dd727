"""First passages and joint moments of the master equation against exact simulation.

The two share neither code nor method below the propensities, so each checks the other.
"""

from __future__ import annotations

import numpy as np
import pytest
from networks import antimony

import sbmlgrad as sg
from sbmlgrad import cme

N = 100_000
TOGGLE = """
    substanceOnly species U in cell, V in cell; U = 2; V = 2; a = 20; b = 20; K = 6;
    J0: => U; GATE*(1 + a/(1 + (V/K)^2)); J1: U => ; GATE*U;
    J2: => V; 1 + b/(1 + (U/K)^2); J3: V => ; V;
"""
TIMES = [0.5, 1.0, 2.0]
#: Three z-scores: the largest exceeds this with probability below 1e-3.
BOUND = 3.6


def toggle(gate: str = "1") -> sg.ReactionNetwork:
    return antimony(TOGGLE.replace("GATE", gate))


def scores(model, wrong: dict[str, float] | None = None) -> np.ndarray:
    """Return z-scores of E[U V] of simulations, perhaps with a wrong parameter, at three times."""
    projection = cme.project(model, until=TIMES[-1], tolerance=1e-8)
    functions = lambda x: np.stack([x[:, 0] * x[:, 1], (x[:, 0] * x[:, 1]) ** 2], axis=1)  # noqa: E731
    mean, square = projection.expect(sg.ValuesAt(TIMES), functions).value.T
    cells = sg.simulate(model, wrong, times=TIMES, trajectories=N, seed=31)
    product = cells.values("U", "counts") * cells.values("V", "counts")
    return (product.mean(axis=0) - mean) / np.sqrt((square - mean**2) / N)


def test_joint_moments_of_a_toggle_switch() -> None:
    z = scores(toggle())
    assert np.abs(z).max() < BOUND, f"z = {z}"


def test_a_planted_rate_is_caught() -> None:
    z = scores(toggle(), {"a": 20.4})
    assert np.abs(z).max() > 2 * BOUND, f"z = {z}"


@pytest.mark.parametrize("level", [14, 20])
def test_first_passage_of_a_toggle_switch(level: int) -> None:
    """Simulated by stopping in the set: of a network whose U stays where it has reached it."""
    model, stopped = toggle(), toggle(f"piecewise(0, U >= {level}, 1)")
    found = cme.first_passage(model, lambda x: x[:, 0] >= level, TIMES)
    cells = sg.simulate(stopped, times=TIMES, trajectories=N, seed=32)
    share = (cells.values("U", "counts") >= level).mean(axis=0)
    p = found.probability.value
    z = (share - p) / np.sqrt(p * (1 - p) / N)
    assert np.abs(z).max() < BOUND, f"z = {z}"
