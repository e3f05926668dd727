"""`simulate_soft`: a surrogate with its own exact gradient, and the exact process as its limit."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network
from straight_through_oracle import loss_of, oracle_case

import sbmlgrad as sg
from sbmlgrad.engines.base import Outcome
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, ValuesAt, WindowAverages
from sbmlgrad.engines.reference import Path, observe
from sbmlgrad.gradients.straight_through_soft import simulate_soft

READOUTS = [WindowAverages([0.1, 0.6, 1.0]), Interpolated([0.0, 0.4, 1.0]), AfterFirings([3, 9])]


def soft(name, theta=None, *, readout, temperature=0.7, trajectories=5, seed=3, **options):
    model = oracle_case(name).model if name in ("michaelis_menten", "hill") else network(name)
    return simulate_soft(
        model,
        model.parameter_values if theta is None else theta,
        readout=readout,
        temperature=temperature,
        trajectories=trajectories,
        seed=seed,
        **options,
    )


@pytest.mark.parametrize(
    ("name", "readout"),
    [*(("hill", r) for r in READOUTS), ("michaelis_menten", READOUTS[2])],
    ids=lambda p: p if isinstance(p, str) else type(p).__name__,
)
def test_the_gradient_is_that_of_the_surrogate(name, readout) -> None:
    """For one seed the values are a smooth function of the parameters: differences agree."""
    theta = tf.constant(oracle_case(name).model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        loss = loss_of(soft(name, theta, readout=readout).values)
    slope = tape.gradient(loss, theta).numpy()
    differences = []
    for i, value in enumerate(theta.numpy()):
        step = 1e-5 * value * np.eye(len(slope))[i]
        up, down = (loss_of(soft(name, theta + h, readout=readout).values) for h in (step, -step))
        differences.append(float(up - down) / (2e-5 * value))
    np.testing.assert_allclose(slope, differences, rtol=1e-6)


def test_at_low_temperature_counts_are_whole_and_readouts_those_of_a_path() -> None:
    """Also checks every readout against the executable specification."""
    model = network("small_dimer")
    firings = 40
    kept = soft(
        "small_dimer", readout=AfterFirings(range(firings + 1)), temperature=1e-9, trajectories=5
    ).values.numpy()
    np.testing.assert_allclose(kept[:, :, :-1], np.rint(kept[:, :, :-1]), atol=1e-6)
    for readout in READOUTS:
        values = soft("small_dimer", readout=readout, temperature=1e-9, trajectories=5).values
        for i, record in enumerate(kept):
            assert record[-1, -1] > 1.0, "the test has no power"
            steps = np.diff(record[:, :-1], axis=0) @ model_changes(model).T
            fired = np.argmax(steps, axis=1)
            path = Path(record[:, -1], record[:, :-1], fired, Outcome.COMPLETED, -1)
            np.testing.assert_allclose(values[i], observe(readout, path), atol=1e-5)


def model_changes(model) -> np.ndarray:
    from sbmlgrad.codegen.lowering import lower

    return lower(model).stoichiometry.T.astype(float)


def test_the_law_tends_to_the_exact_one() -> None:
    readout = AfterFirings([10])
    relaxed = soft("michaelis_menten", readout=readout, temperature=1e-6, trajectories=4000).values
    exact = sg.simulate(
        oracle_case("michaelis_menten").model, readouts=[readout], trajectories=4000, seed=1
    ).states[0]
    pair = [np.asarray(x)[:, 0] for x in (relaxed, exact)]
    for moment in (lambda x: x, lambda x: (x - pair[1].mean(axis=0)) ** 2):
        left, right = (moment(x) for x in pair)
        error = np.hypot(left.std(axis=0), right.std(axis=0)) / np.sqrt(4000)
        z = (left.mean(axis=0) - right.mean(axis=0)) / error
        # Three columns of two moments: a right one fails with p < 4e-4.
        assert np.abs(z).max() < 4.0, f"z = {z}"


def test_a_batch_can_be_split_and_graphs_give_the_same() -> None:
    readout = READOUTS[0]
    whole = soft("hill", readout=readout, trajectories=5)
    rest = soft("hill", readout=readout, trajectories=5, first_trajectory=2)
    np.testing.assert_allclose(rest.values[:3], whole.values[2:], rtol=1e-12)
    np.testing.assert_allclose(whole.mean("X"), tf.reduce_mean(whole.values[:, :, 0], axis=0))
    graph = tf.function(lambda k: soft("hill", k, readout=readout, trajectories=5).values)
    theta = tf.constant(network("hill").parameter_values)
    np.testing.assert_allclose(graph(theta), whole.values, rtol=1e-12)


def test_what_ends_early_keeps_its_state() -> None:
    """Absorbed: the state and the time of the last firing persist."""
    model = antimony("substanceOnly species A in cell; A = 0; k = 2; J0: A => ; k*A;")
    for readout in (WindowAverages([0, 1, 2]), Interpolated([0.5, 2]), AfterFirings([0, 3])):
        found = simulate_soft(
            model, [2.0], readout=readout, temperature=0.5, trajectories=2, seed=1
        )
        assert not found.values.numpy().any()
    one = antimony("substanceOnly species A in cell; A = 2; k = 2; J0: A => ; k*A;")
    found = simulate_soft(
        one, [2.0], readout=AfterFirings([1, 2, 5]), temperature=0.5, trajectories=2, seed=1
    )
    np.testing.assert_array_equal(found.counts("A")[0], [1.0, 0.0, 0.0])
    assert found.counts("time")[0, 1] == found.counts("time")[0, 2] > found.counts("time")[0, 0]


def test_it_says_how_far_it_left_the_states_that_exist() -> None:
    model = antimony("""
        substanceOnly species A in cell, B in cell; A = 5; B = 0; k = 1; l = 2;
        J0: 2 A -> B; k*A*(A - 1) - l*B;
    """)
    found = simulate_soft(
        model,
        model.parameter_values,
        readout=AfterFirings([200]),
        temperature=1.0,
        trajectories=20,
        seed=2,
    )
    assert float(found.lowest_propensity) < 0.0
    # At most one firing's change below zero: two of A.
    assert -2.0 < float(found.lowest_count) < 0.0


REFUSED = [
    ({"temperature": 0.0}, sg.SbmlGradError, "simulate"),
    ({"temperature": np.nan}, sg.SbmlGradError, "temperature"),
    ({"readout": ValuesAt([1.0])}, sg.GradientError, "step"),
    ({"firing_limit": 2}, sg.GradientError, "firing_limit"),
    ({"theta": np.ones(3)}, sg.ParameterError, "shape"),
    ({"theta": {"k": 1.0}}, sg.RequestError, "numbers"),
    ({"trajectories": 0}, sg.SbmlGradError, "trajectories"),
]


@pytest.mark.parametrize(("options", "error", "words"), REFUSED)
def test_refuses_by_name(options, error, words) -> None:
    with pytest.raises(error, match=words):
        soft("hill", **{"readout": WindowAverages([0, 5]), **options})


def test_refuses_what_it_cannot_relax() -> None:
    event = antimony("substanceOnly species X in cell; X = 1; J0: X => ; X; at time > 1: X = 3;")
    start = antimony("substanceOnly species X in cell; n = 3; X = n; k = 1; J0: X => ; k*X;")
    size = antimony("p = 2; species $S in cell, X in cell; S = p; X = 1; k = 1; J0: => X; k*S;")
    for model, words in ((event, "event"), (start, "'n'"), (size, "'S'")):
        with pytest.raises(sg.GradientError, match=words):
            simulate_soft(
                model,
                model.parameter_values,
                readout=WindowAverages([0, 1]),
                temperature=1.0,
                trajectories=1,
                seed=1,
            )


def test_a_fault_inside_a_graph_is_an_error_when_it_runs() -> None:
    theta = tf.constant(network("hill").parameter_values)
    run = tf.function(
        lambda k: soft("hill", k, readout=WindowAverages([0, 5]), firing_limit=2).values
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="firing_limit"):
        run(theta)


def test_its_result_is_no_ensemble() -> None:
    found = soft("hill", readout=READOUTS[0])
    assert not isinstance(found, type(sg.simulate(network("hill"), times=[1])))
    with pytest.raises(sg.ParameterError, match="'time'"):
        found.counts("time")
