"""Simulations inside TensorFlow: tapes, graphs, Jacobians, Keras, and what is refused there."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from networks import network

import sbmlgrad as sg
from sbmlgrad import gradients

NAMES = ["TwoSidedAdjoint", "FiniteDifference"]
WINDOWS = sg.WindowAverages([0, 0.5, 1])


def parameters(dtype: str = "float64") -> tf.Tensor:
    return tf.constant(network("small_dimer").parameter_values, dtype)


def mean(theta, *, seed=1, trajectories=60, estimator=None, **options):
    return simulated(
        theta, seed=seed, trajectories=trajectories, estimator=estimator, **options
    ).mean("C")


def simulated(theta, *, seed=1, trajectories=60, **options):
    return sg.simulate(
        network("small_dimer"),
        theta,
        **{"readouts": [WINDOWS], **options},
        seed=seed,
        trajectories=trajectories,
    )


def slope(loss, theta) -> np.ndarray:
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = loss(theta)
    # The gradient of a gather is a sparse one.
    return tf.convert_to_tensor(tape.gradient(value, theta)).numpy()


@pytest.fixture(params=NAMES)
def estimator(request):
    return getattr(gradients, request.param)()


def test_one_ensemble_in_two_losses_of_a_persistent_tape(estimator) -> None:
    theta = parameters()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(theta)
        cells = simulated(theta, estimator=estimator)
        first, second = cells.mean("C")[0], tf.reduce_sum(cells.variance("A"))
        both = first + 3.0 * second
    parts = [tape.gradient(loss, theta).numpy() for loss in (first, second)]
    np.testing.assert_allclose(tape.gradient(both, theta), parts[0] + 3 * parts[1], rtol=1e-12)
    # A second look at the same tape gives the same.
    np.testing.assert_array_equal(tape.gradient(first, theta), parts[0])


def test_two_simulations_in_one_tape(estimator) -> None:
    """The second one depends on the first through its parameters."""
    theta = parameters()

    def chained(theta):
        scale = tf.reduce_sum(mean(theta, estimator=estimator))
        return tf.reduce_sum(mean(theta * scale / 5.0, seed=2, estimator=estimator))

    scale = tf.reduce_sum(mean(theta))
    outer = slope(lambda t: tf.reduce_sum(mean(t, seed=2, estimator=estimator)), theta * scale / 5)
    inner = slope(lambda t: tf.reduce_sum(mean(t, estimator=estimator)), theta)
    expected = outer * float(scale) / 5.0 + np.dot(outer, theta / 5.0) * inner
    np.testing.assert_allclose(slope(chained, theta), expected, rtol=1e-10)


def test_part_of_the_parameters_by_gather_and_concat() -> None:
    theta = parameters()
    free = tf.Variable(theta[:1])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(mean(tf.concat([free, theta[1:]], axis=0)))
    expected = slope(lambda t: tf.reduce_sum(mean(t)), theta)
    np.testing.assert_allclose(tape.gradient(loss, free), expected[:1], rtol=1e-12)
    order = tf.constant([1, 0])
    turned = tf.gather(theta, order)
    found = slope(lambda t: tf.reduce_sum(mean(tf.gather(t, order))), turned)
    np.testing.assert_allclose(found, expected[::-1], rtol=1e-12)


@pytest.mark.parametrize("kind", ["constant", "Variable", "keras", "float32"])
def test_every_kind_of_tensor(kind) -> None:
    values = parameters()
    theta = {
        "constant": lambda: values,
        "Variable": lambda: tf.Variable(values),
        "keras": lambda: keras.Variable(values, dtype="float64"),
        "float32": lambda: tf.Variable(tf.cast(values, tf.float32)),
    }[kind]()
    with tf.GradientTape() as tape:
        if kind == "constant":
            tape.watch(theta)
        loss = tf.reduce_sum(mean(theta)) + tf.reduce_sum(simulated(theta).mean("k1"))
    variable = theta.value if kind == "keras" else theta
    found = tape.gradient(loss, variable)
    assert found.dtype == variable.dtype
    expected = slope(lambda t: tf.reduce_sum(mean(t)) + 2.0 * t[0], values)
    # In single precision the parameters themselves differ in the eighth digit.
    np.testing.assert_allclose(found, expected, rtol=1e-6 if kind == "float32" else 1e-12)


def test_graph_with_unknown_shapes_and_seed(estimator) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float64), tf.TensorSpec([], tf.int64)])
    def run(theta, seed):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = simulated(theta, seed=seed, estimator=estimator)
            loss = tf.reduce_sum(cells.variance("C")) + tf.reduce_sum(cells.mean("A"))
        return loss, tape.gradient(loss, theta), cells.outcomes, cells.seed

    def plain(theta, seed=3):
        cells = simulated(theta, seed=seed, estimator=estimator)
        return tf.reduce_sum(cells.variance("C")) + tf.reduce_sum(cells.mean("A"))

    theta = parameters()
    loss, found, outcomes, seed = run(theta, tf.constant(3, tf.int64))
    assert float(loss) == pytest.approx(float(plain(theta)), rel=1e-14)
    np.testing.assert_allclose(found, slope(plain, theta), rtol=1e-12)
    assert outcomes.shape == (60,)
    assert int(seed) == 3


def test_a_graph_draws_a_fresh_seed_at_every_call() -> None:
    @tf.function
    def run(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = simulated(theta, seed=None)
            loss = tf.reduce_sum(cells.mean("C"))
        return loss, tape.gradient(loss, theta), cells.seed

    theta = parameters()
    first, second = run(theta), run(theta)
    assert int(first[2]) != int(second[2])
    for loss, found, seed in (first, second):
        # The backward pass replays the trajectories of its own forward pass.
        assert float(loss) == pytest.approx(float(tf.reduce_sum(mean(theta, seed=int(seed)))))
        expected = slope(lambda t, seed=int(seed): tf.reduce_sum(mean(t, seed=seed)), theta)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("use_pfor", [True, False])
def test_jacobian(estimator, use_pfor) -> None:
    theta = parameters()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(theta)
        found = simulated(theta, estimator=estimator).variance("C")
        rows = tf.unstack(found)
    jacobian = tape.jacobian(found, theta, experimental_use_pfor=use_pfor)
    expected = [tape.gradient(row, theta) for row in rows]
    np.testing.assert_allclose(jacobian, expected, rtol=1e-12)


def test_second_derivatives_are_refused_not_wrong(estimator) -> None:
    theta = parameters()
    with tf.GradientTape() as outer:
        outer.watch(theta)
        with tf.GradientTape() as inner:
            inner.watch(theta)
            loss = tf.reduce_sum(tf.square(mean(theta, estimator=estimator)))
        first = inner.gradient(loss, theta)
    with pytest.raises(sg.GradientError, match="second derivatives"):
        outer.gradient(first, theta)


def test_xla_is_refused_by_name() -> None:
    @tf.function(jit_compile=True)
    def run(theta):
        return mean(theta)

    with pytest.raises(sg.GradientError, match="jit_compile"):
        run(parameters())


BAD = [
    (tf.constant([1, 2]), "no gradient"),
    (tf.constant([1.0]), "shape"),
    (tf.constant(1.0), "shape"),
    (tf.ones([2, 2, 2]), "shape"),
    (tf.ones([0, 2]), "no parameter set"),
]


@pytest.mark.parametrize(("theta", "words"), BAD)
def test_tensors_that_are_no_parameters(theta, words) -> None:
    with pytest.raises(sg.ParameterError, match=words):
        mean(theta)


def test_initial_counts_have_no_derivative() -> None:
    with pytest.raises(sg.GradientError, match="whole numbers"):
        mean(parameters(), initial={"A": tf.constant(5.0)})


def test_unknown_rank_is_refused_with_advice() -> None:
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def run(theta):
        return mean(theta)

    with pytest.raises(sg.ParameterError, match="ensure_shape"):
        run(parameters())


class Rates(keras.layers.Layer):
    """Simulates with trainable logarithms of all parameters."""

    def __init__(self, model, trajectories, **options):
        super().__init__(dtype="float64", **options)
        self.model, self.trajectories = model, trajectories
        self.supports_jit = False

    def build(self, _shape) -> None:
        start = np.log(self.model.parameter_values)
        self.logarithms = self.add_weight(
            shape=start.shape, initializer=keras.initializers.Constant(0.0), name="logarithms"
        )
        self.logarithms.assign(start)

    def call(self, _inputs):
        theta = tf.exp(self.logarithms)
        cells = sg.simulate(self.model, theta, times=[1, 2], trajectories=self.trajectories)
        return cells.mean("X")[None, :]


def test_keras_layer_and_training_loop() -> None:
    """Means of a model with other rates are fitted by `compile` and `fit`, without XLA."""
    keras.utils.set_random_seed(1)
    layer = Rates(network("immigration_death"), 400)
    inputs = keras.Input(shape=(1,), dtype="float64")
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    target = np.array([[4.0, 6.0]])
    history = model.fit(np.zeros((1, 1)), target, epochs=40, verbose=0)
    assert history.history["loss"][-1] < 0.05 * history.history["loss"][0]
    assert np.isfinite(layer.logarithms.numpy()).all()


def test_own_training_loop_with_a_keras_optimiser() -> None:
    logarithms = tf.Variable(np.log(network("immigration_death").parameter_values))
    optimiser = keras.optimizers.Adam(0.1)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            cells = sg.simulate(
                network("immigration_death"), tf.exp(logarithms), times=[1, 2], trajectories=400
            )
            loss = tf.reduce_sum(tf.square(cells.mean("X") - tf.constant([4.0, 6.0], tf.float64)))
        optimiser.apply_gradients([(tape.gradient(loss, logarithms), logarithms)])
        return loss

    losses = [float(step()) for _ in range(40)]
    assert losses[-1] < 0.05 * losses[0]


def test_tensors_in_a_mapping_or_list_are_refused() -> None:
    """They would be plain numbers, and the tape would have nothing to follow."""
    model = network("immigration_death")
    rates = [tf.Variable(value) for value in model.parameter_values]
    by_id = dict(zip(model.parameter_ids, rates, strict=True))
    for parameters in (rates, tuple(rates), by_id):
        with pytest.raises(sg.GradientError, match=r"tf\.stack"):
            sg.simulate(model, parameters, times=[1.0], trajectories=2, seed=1)
