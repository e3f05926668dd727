"""The TensorFlow engine's random numbers, and the choice of a reaction by them."""

from __future__ import annotations

import numpy as np
import pytest

from sbmlgrad.engines.random import FIRINGS, uniform_pairs
from sbmlgrad.engines.tensorflow.loop import total_and_choice
from sbmlgrad.engines.tensorflow.random import uniform_pairs as tensor_pairs

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("jit", [False, True])
def test_streams_are_those_of_every_engine(jit: bool) -> None:
    seed = 2**63 - 12345
    numbers = np.array([0, 1, 77, 2**31, 2**32 - 1], dtype=np.uint64)
    draws = np.array([[0], [3], [2**32 - 1], [2**32], [2**61 + 5]], dtype=np.uint64)
    function = tf.function(tensor_pairs, jit_compile=jit)
    u, v = function(tf.constant(seed, tf.uint64), draws, numbers, FIRINGS)
    expected_u, expected_v = uniform_pairs(seed, draws, numbers, FIRINGS)
    np.testing.assert_array_equal(u.numpy(), expected_u)
    np.testing.assert_array_equal(v.numpy(), expected_v)


@pytest.mark.parametrize("reactions", [1, 5, 128, 129, 300])
@pytest.mark.parametrize("jit", [False, True])
def test_the_choice_is_that_of_the_inverse_distribution(reactions: int, jit: bool) -> None:
    rng = np.random.default_rng(reactions)
    rates = rng.exponential(size=(50, reactions)) * (rng.random((50, reactions)) < 0.6)
    rates[0] = 0.0
    v = rng.random(50)
    v[:3] = 0.0
    v[3:6] = 1.0 - 2.0**-53
    total, chosen = tf.function(total_and_choice, jit_compile=jit)(rates, v)
    sums = np.cumsum(rates, axis=1)
    np.testing.assert_array_equal(total.numpy(), sums[:, -1])
    np.testing.assert_array_equal(chosen, np.argmax(sums > (v * sums[:, -1])[:, None], axis=1))
    can_fire = rates.any(axis=1)
    assert (rates[np.arange(50), chosen.numpy()][can_fire] > 0.0).all()
