"""Batches of parameter sets: the same as one simulation after the other, in one call."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network

import sbmlgrad as sg

OPTIONS = {"times": [0.5, 1], "trajectories": 30, "seed": 7}
ESTIMATORS = [sg.gradients.TwoSidedAdjoint(), sg.gradients.FiniteDifference()]


def sets() -> np.ndarray:
    return network("small_dimer").parameter_values * np.array([[1.0], [2.0], [0.5]])


@pytest.mark.parametrize("streams", ["own", "common"])
def test_a_batch_is_one_simulation_after_the_other(streams) -> None:
    model = network("small_dimer")
    cells = sg.simulate(model, sets(), first_trajectory=5, streams=streams, **OPTIONS)
    assert cells.is_batched
    assert cells.counts.shape == (3, 30, 2, 3)
    assert cells.outcomes.shape == cells.firings.shape == (3, 30)
    for number, theta in enumerate(sets()):
        first = 5 + (30 * number if streams == "own" else 0)
        one = sg.simulate(model, theta, first_trajectory=first, **OPTIONS)
        np.testing.assert_array_equal(cells.counts[number], one.counts)
        for statistic in (
            lambda c: c.values("A"),
            lambda c: c.values("J0"),
            lambda c: c.values("k1"),
            lambda c: c.mean("C"),
            lambda c: c.variance("C"),
            lambda c: c.covariance("A", "C"),
            lambda c: c.expect(np.square, "C"),
            lambda c: c.expect(lambda x: x.max(axis=-1), "C"),
            lambda c: c.probability(("C", 1, 3)),
        ):
            np.testing.assert_allclose(statistic(cells)[number], statistic(one), rtol=1e-12)
        part = cells.part(number)
        assert part.first_trajectory == first
        assert part.to_dataframe().equals(one.to_dataframe())


def test_without_own_streams_equal_sets_give_equal_trajectories() -> None:
    model = network("small_dimer")
    same = np.tile(model.parameter_values, (2, 1))
    common = sg.simulate(model, same, streams="common", **OPTIONS).counts
    own = sg.simulate(model, same, **OPTIONS).counts
    np.testing.assert_array_equal(common[0], common[1])
    assert (own[0] != own[1]).any()


def statistics(cells):
    return tf.stack([cells.mean("C"), cells.variance("A")], axis=-1)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.name)
@pytest.mark.parametrize("streams", ["own", "common"])
@pytest.mark.parametrize("in_graph", [False, True])
def test_tensors_have_the_gradients_of_single_sets(estimator, streams, in_graph) -> None:
    model = network("small_dimer")
    weights = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], tf.float64)

    def run(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(model, theta, estimator=estimator, streams=streams, **OPTIONS)
            found = statistics(cells)
            loss = tf.reduce_sum(found * weights[:, :, None])
        return found, tape.gradient(loss, theta), cells.values("k2")

    if in_graph:
        # The number of sets is known only when it runs.
        run = tf.function(run, input_signature=[tf.TensorSpec([None, None], tf.float64)])
    found, slopes, constant = run(tf.constant(sets()))
    assert found.shape == (*slopes.shape, 2) == (3, 2, 2)
    for number, values in enumerate(sets()):
        theta = tf.constant(values)
        first = 30 * number if streams == "own" else 0
        with tf.GradientTape() as tape:
            tape.watch(theta)
            one = sg.simulate(model, theta, estimator=estimator, first_trajectory=first, **OPTIONS)
            loss = tf.reduce_sum(statistics(one) * weights[number][:, None])
        np.testing.assert_allclose(found[number], statistics(one), rtol=1e-12)
        np.testing.assert_allclose(slopes[number], tape.gradient(loss, theta), rtol=1e-10)
        np.testing.assert_array_equal(constant[number], np.full((30, 2), values[1]))


def test_expectations_of_a_batch() -> None:
    theta = tf.constant(sets())
    with tf.GradientTape() as tape:
        tape.watch(theta)
        cells = sg.simulate(network("small_dimer"), theta, estimator=ESTIMATORS[1], **OPTIONS)
        loss = tf.reduce_sum(cells.expect(lambda x: tf.reduce_max(x, axis=-1), "C")[1:])
    slopes = tape.gradient(loss, theta).numpy()
    assert (slopes[0] == 0.0).all()
    assert (slopes[1:] != 0.0).any(axis=1).all()


def test_sizes_that_follow_a_parameter_differ_between_sets() -> None:
    model = antimony("compartment V; p = 2; V = 2*p; species X in V; X = 3; k = 1; J0: => X; 0*k;")
    cells = sg.simulate(model, [[1.0, 1.0], [2.0, 1.0]], times=[1], trajectories=2, seed=1)
    assert cells.values("V")[:, 0, 0].tolist() == [2.0, 4.0]
    assert cells.values("X", "counts")[:, 0, 0].tolist() == [6.0, 12.0]
    assert cells.values("X", "concentration")[:, :, 0].tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert cells.part(1).values("V").tolist() == [[4.0], [4.0]]


def test_progress_is_that_of_the_whole_batch() -> None:
    seen = []
    sg.simulate(network("small_dimer"), sets(), progress=lambda *pair: seen.append(pair), **OPTIONS)
    assert seen[-1] == (90, 90)
    assert all(total == 90 for _, total in seen)


def test_memory_of_the_whole_batch_counts(monkeypatch) -> None:
    options = {"times": [1.0], "trajectories": 1000, "seed": 1}
    model = network("small_dimer")
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "1MiB")
    assert sg.simulate(model, sets()[:1], **options).counts.shape == (1, 1000, 1, 3)
    many = np.tile(sets(), (10, 1))
    for theta in (many, tf.constant(many)):
        with pytest.raises(sg.RequestError, match="memory"):
            sg.simulate(model, theta, **options)


def test_a_failure_names_the_set() -> None:
    model = antimony("substanceOnly species X in cell; X = 3; k = 0; J0: X => ; k;")
    with pytest.raises(sg.SimulationError, match="parameter set 1: ") as caught:
        sg.simulate(model, [[0.0], [5.0]], times=[9], trajectories=4, seed=1)
    assert caught.value.outcomes.shape == (4,)
    cells = sg.simulate(model, [[0.0], [5.0]], times=[9], trajectories=4, seed=1, on_failure="mark")
    with pytest.raises(sg.StatisticsError, match="4 of 8"):
        cells.mean("X")
    assert cells.part(0).mean("X").tolist() == [3.0]


BAD = [
    ({"parameters": np.ones((2, 3))}, "shape"),
    ({"parameters": np.ones((0, 2))}, "no parameter set"),
    ({"parameters": [[1.0, 1.0], [1.0, np.nan]]}, "not a finite number"),
    ({"parameters": sets(), "streams": "other"}, "streams='other'"),
    ({"parameters": sets(), "first_trajectory": 2**32 - 60}, "one seed addresses"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_batches_are_refused(options, words) -> None:
    with pytest.raises(sg.SbmlGradError, match=words):
        sg.simulate(network("small_dimer"), **{**OPTIONS, **options})


def test_what_is_about_one_set_asks_for_it() -> None:
    cells = sg.simulate(network("small_dimer"), sets(), **OPTIONS)
    for call in (cells.to_dataframe, cells.to_xarray, cells.without_failures):
        with pytest.raises(sg.RequestError, match=r"part\(0\)"):
            call()
    with pytest.raises(sg.RequestError, match="0 to 2"):
        cells.part(3)
    with pytest.raises(sg.RequestError, match="one set"):
        cells.part(0).part(0)
