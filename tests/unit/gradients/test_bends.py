"""Laws that bend on a whole count: however they are spelled, slopes are the mean of both sides."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony

import sbmlgrad as sg
from sbmlgrad import cme

SPELLED = [
    "k*min(X, c)",
    "k*min(c, X)",
    "piecewise(k*X, X < c, k*c)",
    "k*max(X - c, 0)",
    "k*max(0, X - c)",
]
BATCHES = 8


def model(law: str) -> sg.ReactionNetwork:
    return antimony(f"""substanceOnly species X in cell, Y in cell; X = 3; Y = 0;
        b = 2; d = 0.5; k = 3; c = 4; J0: => X; b; J1: X => ; d*X; J2: => Y; {law};""")


def gradients(law: str, estimator) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error of the gradient of the mean of Y at time 2."""
    network, rows = model(law), []
    for seed in range(BATCHES):
        theta = tf.constant(network.parameter_values)
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(
                network, theta, times=[2.0], trajectories=2000, seed=seed, estimator=estimator
            )
            mean = cells.mean("Y")[0]
        rows.append(tape.gradient(mean, theta).numpy())
    return np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(BATCHES)


def exact(law: str) -> np.ndarray:
    projection = cme.project(model(law), until=2.0)
    return cme.expectation(projection, sg.ValuesAt([2.0]), "Y").gradient[0]


@pytest.mark.parametrize("law", SPELLED)
def test_the_path_adjoint_is_off_by_a_few_per_cent(law) -> None:
    """With the slope of one side it was off by 17 to 46 %, by which side was spelled first."""
    truth = exact(law)
    found, error = gradients(law, sg.gradients.TwoSidedAdjoint())
    off = np.linalg.norm(found - truth) / np.linalg.norm(truth)
    noise = np.linalg.norm(error) / np.linalg.norm(truth)
    # 5 % of bias at the most; three standard errors of 0.3 to 0.6 % of the norm.
    assert noise < 0.01, noise
    assert off < 0.05 + 3.0 * noise, f"{off:.1%}, z = {off / noise:.1f}"


@pytest.mark.parametrize("law", SPELLED[::3])
def test_fitted_values_are_right(law) -> None:
    truth = exact(law)
    found, error = gradients(law, sg.gradients.FittedValue())
    z = (found - truth) / error
    # |t| with 7 degrees of freedom exceeds 7.1 with p = 2e-4.
    assert (np.abs(z) < 7.1).all(), f"z = {z}"
    assert (7.1 * error < 0.15 * np.abs(truth)).all(), "the test has no power"


def test_the_master_equation_gives_the_central_derivative_in_a_threshold() -> None:
    """Differences from either side are 1.14 and 2.42; c is the last parameter."""
    network, step = model("k*min(X, c)"), 1e-4

    def mean(c: float) -> float:
        moved = network.with_parameters({"c": c})
        return float(
            cme.expectation(cme.project(moved, until=2.0), sg.ValuesAt([2.0]), "Y").value[0]
        )

    central = (mean(4.0 + step) - mean(4.0 - step)) / (2.0 * step)
    assert network.parameter_ids[-1] == "c"
    assert exact("k*min(X, c)")[-1] == pytest.approx(central, rel=1e-5)
    assert exact("k*min(c, X)")[-1] == pytest.approx(central, rel=1e-5)
