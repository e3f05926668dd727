"""Gradients where the user gives starts that the model's initial assignments say otherwise."""

from __future__ import annotations

import pytest
import tensorflow as tf
from networks import antimony

import sbmlgrad as sg
from sbmlgrad.cme import project
from sbmlgrad.engines.readouts import ValuesAt
from sbmlgrad.gradients import FiniteDifference

MODEL = """
    compartment vat; p = 2; vat = 3*p; substanceOnly species Y in vat; Y = 0; share = 0.5;
    substanceOnly species $Z in cell; Z = vat*p;
    J0: => Y; share*vat;
    J1: => Y; 0.1*Z;
"""


def gradient(initial, estimator=None):
    model = antimony(MODEL)
    theta = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        cells = sg.simulate(
            model,
            theta,
            times=[1.0],
            trajectories=2000,
            seed=1,
            initial=initial,
            estimator=estimator,
        )
        mean = cells.mean("Y")[0]
    return float(tape.gradient(mean, theta)[model.parameter_ids.index("p")])


def test_what_is_given_does_not_follow_parameters() -> None:
    """The mean count at 1 is share*vat + 0.1*Z."""
    # vat = 3 p and Z = 3 p², so that the slope is 1.5 + 0.6 p.
    assert gradient({}) == pytest.approx(2.7, rel=0.1)
    # With vat = 5 and Z = 7 nothing is left of p.
    assert gradient({"vat": 5.0, "Z": 7.0}) == 0.0
    assert gradient({"vat": 5.0, "Z": 7.0}, FiniteDifference()) == 0.0
    # With Z alone, the slope of the volume is.
    assert gradient({"Z": 7.0}) == pytest.approx(1.5, rel=0.1)


def test_what_follows_from_a_given_start_and_a_parameter_is_differences_alone() -> None:
    """With vat = 5, Z = 5 p and the slope is 0.5."""
    with pytest.raises(sg.GradientError, match="'Z' follows from parameters and from 'vat'"):
        gradient({"vat": 5.0})
    # Of 2,000 pairs under common random numbers, the slope is known to some 0.1.
    assert gradient({"vat": 5.0}, FiniteDifference(0.2)) == pytest.approx(0.5, abs=0.25)


def test_the_master_equation_agrees() -> None:
    """It differentiates the same, to rounding, and refuses the same."""
    model = antimony(MODEL)
    at, names = ValuesAt([1.0]), ("p",)

    def exact(initial):
        return float(project(model, until=1.0, initial=initial).gradient(at, "Y", names)[0, 0])

    assert exact({}) == pytest.approx(2.7, rel=1e-6)
    assert exact({"vat": 5.0, "Z": 7.0}) == 0.0
    assert exact({"Z": 7.0}) == pytest.approx(1.5, rel=1e-6)
    with pytest.raises(sg.GradientError, match="'Z' follows from parameters and from 'vat'"):
        exact({"vat": 5.0})
    # The derivative in another parameter is not concerned: d(0.5 vat)/d share.
    assert float(
        project(model, until=1.0, initial={"vat": 5.0}).gradient(at, "Y", ("share",))[0, 0]
    ) == pytest.approx(5.0, rel=1e-6)
