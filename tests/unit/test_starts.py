"""Trajectories that start in given states, in turn."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

import sbmlgrad as sg
from sbmlgrad.errors import RequestError

STATES = np.array([[6, 5, 0], [3, 2, 3], [1, 4, 2]])


def simulated(**options):
    return sg.simulate(
        network("small_dimer"), times=[0.0, 0.5, 1.0], seed=4, **({"starts": STATES} | options)
    )


@pytest.mark.parametrize("kernel", ["table", "lockstep", "tree"])
def test_states_are_taken_in_turn(kernel) -> None:
    cells = simulated(trajectories=7, engine=sg.engines.Native(kernel=kernel))
    np.testing.assert_array_equal(cells.counts[:, 0], STATES[[0, 1, 2, 0, 1, 2, 0]])


def test_a_trajectory_is_the_one_that_starts_there_by_initial() -> None:
    cells = simulated(trajectories=6)
    for number in range(6):
        start = dict(zip(cells.species, STATES[number % 3].tolist(), strict=True))
        alone = simulated(initial=start, starts=None, trajectories=1, first_trajectory=number)
        np.testing.assert_array_equal(alone.counts[0], cells.counts[number])


def test_a_batch_can_be_split_anywhere() -> None:
    whole = simulated(trajectories=10)
    parts = [
        simulated(trajectories=4).counts,
        simulated(trajectories=6, first_trajectory=4).counts,
    ]
    np.testing.assert_array_equal(whole.counts, np.concatenate(parts))


def test_gradients_are_those_of_separate_starts() -> None:
    """The mean over all is the mean of the means from each state, and so are the gradients."""
    import tensorflow as tf

    theta = tf.constant(network("small_dimer").parameter_values)

    def slope(**options):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            mean = sg.simulate(
                network("small_dimer"), theta, times=[1.0], seed=4, **options
            ).values("C")
            total = tf.reduce_sum(mean)
        return np.asarray(tape.gradient(total, theta))

    together = slope(trajectories=6, starts=STATES)
    names = network("small_dimer").species_ids
    apart = [
        slope(
            trajectories=1,
            first_trajectory=number,
            initial=dict(zip(names, STATES[number % 3].tolist(), strict=True)),
        )
        for number in range(6)
    ]
    np.testing.assert_allclose(together, np.sum(apart, axis=0), rtol=1e-10)
    assert np.abs(together).min() > 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": [[1, 2]]}, r"an array \[start, 3\], in the order A, B, C"),
        ({"starts": np.zeros((0, 3))}, r"not one of shape \(0, 3\)"),
        ({"starts": [[1, 2, 0.5]]}, r"state 0 has 0\.5 molecules of 'C'"),
        ({"starts": [[1, 2, 0], [1, -2, 0]]}, r"state 1 has -2 molecules of 'B'"),
        ({"starts": [[1, np.inf, 0]]}, r"starts"),
        ({"initial": {"A": 3}}, "starts and initial both say where A starts"),
        ({"engine": sg.engines.ODE()}, "`starts` mean nothing there"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message) -> None:
    with pytest.raises(RequestError, match=message):
        simulated(**options)
