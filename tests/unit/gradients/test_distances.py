"""Distances between samples: against SciPy and definitions, in NumPy and TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad import distances

RNG = np.random.default_rng(5)
SIMULATED, MEASURED = RNG.poisson(6.0, 31).astype(float), RNG.poisson(8.0, 18).astype(float)
PAIRS = RNG.normal(size=(20, 2)), RNG.normal(0.5, size=(13, 2))


def pairwise(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    return np.sqrt(((x[:, None] - y[None]) ** 2).sum(axis=2))


def unlike(table: np.ndarray) -> float:
    return table[~np.eye(len(table), dtype=bool)].mean()


@pytest.mark.parametrize("samples", [(SIMULATED, MEASURED), PAIRS], ids=["one", "two features"])
def test_energy_distance_is_its_definition(samples) -> None:
    x, y = samples
    expected = 2 * pairwise(x, y).mean() - unlike(pairwise(x, x)) - unlike(pairwise(y, y))
    assert distances.energy_distance(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("samples", [(SIMULATED, MEASURED), PAIRS], ids=["one", "two features"])
@pytest.mark.parametrize("bandwidth", [None, 1.7])
def test_mean_discrepancy_is_its_definition(samples, bandwidth) -> None:
    x, y = samples
    both = np.concatenate([x, y])
    apart = pairwise(both, both)
    h = np.median(apart[apart > 0]) if bandwidth is None else bandwidth

    def kernel(a, b):
        return np.exp(-(pairwise(a, b) ** 2) / (2 * h * h))

    expected = unlike(kernel(x, x)) + unlike(kernel(y, y)) - 2 * kernel(x, y).mean()
    found = distances.maximum_mean_discrepancy(x, y, bandwidth=bandwidth)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("sizes", [(7, 7), (7, 3), (12, 8), (1, 5)])
def test_wasserstein_distance_agrees_with_scipy(sizes) -> None:
    x, y = (np.random.default_rng(n).normal(n, size=n) for n in sizes)
    expected = stats.wasserstein_distance(x, y)
    assert distances.wasserstein_distance(x, y) == pytest.approx(expected, rel=1e-12)


KINDS = [
    distances.energy_distance,
    lambda x, y: distances.maximum_mean_discrepancy(x, y, bandwidth=2.0),
    distances.wasserstein_distance,
]


@pytest.mark.parametrize("kind", KINDS, ids=["energy", "mmd", "wasserstein"])
def test_tensors_give_the_same_with_the_derivative(kind) -> None:
    """Real values have no ties, so that differences are smooth."""
    x, y = RNG.normal(size=9), RNG.normal(0.4, size=14)
    tensor = tf.Variable(x)
    with tf.GradientTape() as tape:
        value = kind(tensor, y)
    assert isinstance(value, tf.Tensor)
    assert float(value) == pytest.approx(float(kind(x, y)), rel=1e-12)
    steps = 1e-6 * np.eye(len(x))
    slopes = [(kind(x + h, y) - kind(x - h, y)) / 2e-6 for h in steps]
    np.testing.assert_allclose(tape.gradient(value, tensor), slopes, atol=1e-8)


def test_ties_count_with_the_mean_of_both_slopes() -> None:
    """E|X - Y| has slope 0 in an x that equals y, and a root of zero must not give NaN."""
    x, y = tf.Variable([[1.0, 2.0], [4.0, 4.0]], dtype=tf.float64), np.array([[1.0, 2.0], [1, 2]])
    with tf.GradientTape() as tape:
        value = distances.energy_distance(x, y)
    slope = tape.gradient(value, x).numpy()
    away = np.array([3.0, 2.0]) / np.sqrt(13.0)
    np.testing.assert_allclose(slope, [away, [0.0, 0.0]], atol=1e-12)
    flat = tf.Variable([2.0, 2.0, 5.0], dtype=tf.float64)
    with tf.GradientTape() as tape:
        value = distances.energy_distance(flat, [2.0, 2.0])
    # 2 E|X - Y| has slopes (0, 0, 2/3), and E|X - X'| has (-1/3, -1/3, 2/3).
    np.testing.assert_allclose(tape.gradient(value, flat), [1 / 3, 1 / 3, 0.0], atol=1e-12)


BAD = [
    (lambda: distances.energy_distance([1.0], [1.0, 2.0]), sg.StatisticsError, "at least 2"),
    (lambda: distances.energy_distance([1.0, 2.0], [[1.0], [2.0]]), sg.RequestError, "shapes"),
    (lambda: distances.energy_distance("a", [1.0]), sg.RequestError, "not numbers"),
    (
        lambda: distances.maximum_mean_discrepancy([1.0, 1.0], [1.0, 1.0]),
        sg.StatisticsError,
        "all values",
    ),
    (
        lambda: distances.maximum_mean_discrepancy([1.0, 2.0], [1.0, 1.0], bandwidth=0),
        sg.RequestError,
        "bandwidth=0",
    ),
    (lambda: distances.wasserstein_distance(*PAIRS), sg.RequestError, "one feature"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_samples_are_refused(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call()


def test_pairs_that_do_not_fit_into_memory_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("SBMLGRAD_MEMORY_LIMIT", "1MiB")
    many = np.zeros((1000, 2))
    with pytest.raises(sg.RequestError, match="memory"):
        distances.energy_distance(many, many)


@pytest.mark.parametrize("kind", ["energy", "mmd"])
@pytest.mark.parametrize("in_graph", [False, True])
def test_expectations_follow_the_first_order_change(kind, in_graph) -> None:
    """The gradient by expectations is that of the distance itself, by differences of theta.

    Both sides use the same streams; the only difference is the ensemble that is held fixed.
    """
    model = network("immigration_death")
    theta = tf.constant(model.parameter_values)
    measured = [RNG.poisson(3.0, 50).astype(float), RNG.poisson(4.0, 60).astype(float)]
    step = 0.02
    estimator = sg.gradients.FiniteDifference(relative_step=step, coupling="crn")

    def loss(theta, estimator):
        cells = sg.simulate(
            model, theta, times=[1, 3], trajectories=1000, seed=3, estimator=estimator
        )
        found = distances.distance(cells, measured, "X", kind=kind, bandwidth=2.0)
        return tf.reduce_sum(found)

    def gradient(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = loss(theta, estimator)
        return value, tape.gradient(value, theta)

    value, slope = (tf.function(gradient) if in_graph else gradient)(theta)
    plain = sg.simulate(model, theta.numpy(), times=[1, 3], trajectories=1000, seed=3)
    by_array = distances.distance(plain, measured, "X", kind=kind, bandwidth=2.0).sum()
    assert float(value) == pytest.approx(by_array, rel=1e-10)
    place = model.parameter_ids.index("alpha")
    sides = []
    for sign in (1, -1):
        moved = theta.numpy()
        moved[place] *= 1 + sign * step
        cells = sg.simulate(model, moved, times=[1, 3], trajectories=1000, seed=3)
        sides.append(distances.distance(cells, measured, "X", kind=kind, bandwidth=2.0).sum())
    difference = (sides[0] - sides[1]) / (2 * step * theta.numpy()[place])
    assert float(slope[place]) == pytest.approx(difference, rel=0.02)


def test_paths_carry_the_gradient_and_quantiles_need_them() -> None:
    model = network("immigration_death")
    theta = tf.constant(model.parameter_values)
    measured = [np.full(40, 30.0)]

    def gradient(estimator, kind):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            cells = sg.simulate(
                model, theta, times=[3], trajectories=2000, seed=3, estimator=estimator
            )
            value = distances.distance(cells, measured, "X", kind=kind)[0]
        return tape.gradient(value, theta).numpy()

    # All measured values lie above: the distance is 30 - E[X], and E[X] = alpha (1 - e^-mu t)/mu.
    mu = model.parameter_values[1]
    slope = gradient(sg.gradients.TwoSidedAdjoint(), "wasserstein")
    assert slope[0] == pytest.approx(-(1 - np.exp(-3 * mu)) / mu, rel=0.02)
    with pytest.raises(sg.GradientError, match="no expectations"):
        gradient(sg.gradients.FiniteDifference(), "wasserstein")


def test_distance_needs_one_sample_a_point() -> None:
    cells = sg.simulate(network("immigration_death"), times=[1, 3], trajectories=5, seed=1)
    with pytest.raises(sg.RequestError, match="1 samples for 2 points"):
        distances.distance(cells, [[1.0, 2.0]], "X")
    with pytest.raises(sg.RequestError, match="kind="):
        distances.distance(cells, [[1.0, 2.0]] * 2, "X", kind="other")
    with pytest.raises(sg.RequestError, match="name the symbols"):
        distances.distance(cells, [[1.0, 2.0]] * 2)


@pytest.mark.parametrize(
    "distance",
    [
        distances.energy_distance,
        distances.maximum_mean_discrepancy,
        distances.wasserstein_distance,
    ],
)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(distance, wrong) -> None:
    good, bad = np.array([1.0, 2.0]), np.array([1.0, wrong])
    for samples in ((bad, good), (good, bad), (tf.constant(bad), good), (tf.constant(good), bad)):
        with pytest.raises(sg.StatisticsError, match="not finite"):
            distance(*samples)
