"""Sizes of compartments: no gradient of their own, and one through a parameter."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf
from networks import HEAD

import sbmlgrad as sg
from sbmlgrad.errors import GradientError

#: Births in proportion to the size, so that E[X] = 3·size·(1 - exp(-t)).
BIRTHS = """
    unit substance = item; unit extent = item;
    compartment tube; {size}
    substanceOnly species X in tube; X = 0;
    J0: => X; 3*tube;
    J1: X => ; X;
"""


def test_a_tensor_as_a_size_is_refused_for_what_it_is():
    model = sg.load(BIRTHS.format(size="tube = 2;"))
    k = tf.constant(model.parameter_values)
    with pytest.raises(GradientError, match=r"'tube' is a compartment.*initial assignment"):
        sg.simulate(model, k, times=[1], initial={"tube": tf.constant(2.0)})


def test_a_tensor_as_a_count_is_refused_as_before():
    model = sg.load(HEAD + "substanceOnly species X in cell; X = 3; k = 1; J0: X => ; k*X;")
    with pytest.raises(GradientError, match=r"tensor for 'X'.*whole numbers of molecules"):
        sg.simulate(model, times=[1], initial={"X": tf.constant(2.0)})


def test_the_advice_works():
    """|z| <= 4: a chain rule that is left out would give 0, one that is taken twice double."""
    model = sg.load(BIRTHS.format(size="tube = size; size = 2;"))
    assert model.parameter_ids == ("size",)
    k = tf.Variable(model.parameter_values)
    n = 4000
    with tf.GradientTape() as tape:
        cells = sg.simulate(model, k, times=[1.0], trajectories=n, seed=1)
        mean = cells.mean("X")[0]
    found = float(tape.gradient(mean, k)[0])
    truth = 3.0 * (1.0 - math.exp(-1.0))
    # Half is an integral without noise, half a sum over births, each worth exp(-(1 - t))/size:
    # the variance of that half is (1/4)·∫ 3·size·exp(-2(1 - t))/size² dt.
    error = math.sqrt(3.0 / 2.0 * (1.0 - math.exp(-2.0)) / 2.0) / 2.0 / math.sqrt(n)
    z = (found - truth) / error
    assert abs(z) <= 4.0, f"z = {z:.2f}"


@pytest.mark.parametrize("sets", [1, 2])
def test_what_follows_from_parameters_is_known_without_gradients_too(sets) -> None:
    model = sg.load(BIRTHS.format(size="tube = size; size = 2;"))
    k = tf.constant([[2.0], [3.0]])[:sets] if sets > 1 else tf.constant([2.0])
    cells = sg.simulate(model, k, times=[1, 2], trajectories=5, seed=1)
    plain = cells.without_gradients()
    for id in ("tube", "X"):
        assert (plain.mean(id) == cells.mean(id).numpy()).all()
        assert (plain.values(id) == cells.values(id).numpy()).all()
    assert plain.mean("tube").tolist() == ([[2.0, 2.0], [3.0, 3.0]] if sets > 1 else [2.0, 2.0])
