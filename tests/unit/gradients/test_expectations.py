"""Statistics of ensembles: their values, and their gradients by estimators of expectations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from networks import network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad import gradients
from sbmlgrad.gradients.expectations import ExpectationEstimator, as_functional

FOUND = [getattr(gradients, name) for name in gradients.__all__]
ESTIMATORS = [cls() for cls in FOUND if isinstance(cls, type)]
EXPECTATIONS = [e for e in ESTIMATORS if isinstance(e, ExpectationEstimator)]
DIFFERENCE = sg.gradients.FiniteDifference(relative_step=0.02, coupling="crn")
TIMES = [1, 2]


def simulated(theta, estimator=None, *, name="immigration_death", trajectories=500, **options):
    return sg.simulate(
        network(name),
        theta,
        **{"times": TIMES, "seed": 4, **options},
        trajectories=trajectories,
        estimator=estimator,
    )


def parameters(name: str = "immigration_death") -> tf.Tensor:
    return tf.constant(network(name).parameter_values)


def gradient(statistic, estimator, theta=None, **options):
    """Return the derivative of the sum of a statistic of the ensemble."""
    theta = parameters() if theta is None else theta
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = tf.reduce_sum(statistic(simulated(theta, estimator, **options)))
    return tape.gradient(value, theta).numpy()


def test_values_of_statistics() -> None:
    cells = sg.simulate(network("small_dimer"), times=TIMES, trajectories=40, seed=1)
    a, c = cells.values("A"), cells.values("C")
    expected = [np.cov(a[:, p], c[:, p])[0, 1] for p in range(2)]
    np.testing.assert_allclose(cells.covariance("A", "C"), expected, rtol=1e-12)
    np.testing.assert_array_equal(cells.covariance("A", "A"), cells.variance("A"))
    np.testing.assert_allclose(cells.expect(lambda x, y: x * y, "A", "C"), (a * c).mean(axis=0))
    np.testing.assert_array_equal(cells.probability(("C", 2, 4)), ((c >= 2) & (c <= 4)).mean(0))
    np.testing.assert_array_equal(cells.probability(("C", 2, None)), (c >= 2).mean(0))
    np.testing.assert_array_equal(cells.probability(lambda x, y: x > y, "A", "C"), (a > c).mean(0))
    highest = cells.expect(lambda x: x.max(axis=-1), "C")
    assert highest == c.max(axis=1).mean()


def test_tensors_have_the_same_values() -> None:
    array = simulated(parameters().numpy())
    for estimator in (None, DIFFERENCE):
        tensor = simulated(parameters(), estimator)
        np.testing.assert_allclose(tensor.variance("X"), array.variance("X"), rtol=1e-12)
        found = tensor.expect(tf.square, "X", quantity="counts")
        np.testing.assert_allclose(found, array.expect(np.square, "X"), rtol=1e-12)
    found = simulated(parameters(), DIFFERENCE).probability(("X", 1, 3))
    np.testing.assert_allclose(found, array.probability(("X", 1, 3)), rtol=1e-12)


STATISTICS = {
    "variance": lambda cells: cells.variance("X"),
    "square": lambda cells: cells.expect(lambda x: x * x, "X"),
    "probability": lambda cells: cells.probability(("X", None, 2)),
    "latest minus first": lambda cells: cells.expect(lambda x: abs(x[:, -1] - x[:, 0]), "X"),
    "two numbers": lambda cells: cells.expect(lambda x: x[:, :1] * x[:, ::-1] > 3.0, "X"),
    "mean": lambda cells: cells.mean("X"),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_differences_are_those_of_the_statistic_itself(name) -> None:
    """Both sides use the streams of the ensemble, so that nothing but the step is left."""
    statistic = STATISTICS[name]
    found = gradient(statistic, DIFFERENCE)
    for place, value in enumerate(parameters().numpy()):
        sides = []
        for sign in (1, -1):
            theta = parameters().numpy()
            theta[place] = value * (1 + sign * 0.02)
            sides.append(np.sum(statistic(simulated(theta))))
        # A variance is not linear in the expectations, so that curvature remains.
        rel = 0.03 if name == "variance" else 1e-9
        assert found[place] == pytest.approx((sides[0] - sides[1]) / (0.04 * value), rel=rel)


def truth(time: float) -> dict[str, np.ndarray]:
    """X is Poisson distributed with mean a (1 - exp(-m t))/m; derivatives in a and in m."""
    a, m = network("immigration_death").parameter_values
    decayed = np.exp(-m * time)
    mean = a * (1 - decayed) / m
    slope = np.array([mean / a, a * time * decayed / m - mean / m])
    return {
        "variance": slope,
        "square": (1 + 2 * mean) * slope,
        "probability": -stats.poisson.pmf(2, mean) * slope,
        "mean": slope,
    }


@pytest.mark.parametrize("estimator", EXPECTATIONS, ids=lambda e: e.name)
@pytest.mark.parametrize("name", ["variance", "square", "probability", "mean"])
def test_every_estimator_of_expectations_finds_the_exact_gradient(estimator, name) -> None:
    exact = truth(1.0)[name] + truth(2.0)[name]
    rows = np.array(
        [
            gradient(
                STATISTICS[name], estimator, seed=9, first_trajectory=400 * i, trajectories=400
            )
            for i in range(16)
        ]
    )
    error = rows.std(axis=0, ddof=1) / 4.0
    # |t| with 15 degrees of freedom exceeds 5.2 with p = 1e-4; regression and steps add a bias.
    assert (np.abs(rows.mean(axis=0) - exact) < 5.2 * error + 0.03 * np.abs(exact)).all()
    assert (error < 0.3 * np.abs(exact)).all(), "the test has no power"


def test_a_function_may_use_parameters_directly() -> None:
    """d E[m X]/dm = E[X] + m dE[X]/dm: the direct part must not be lost, nor counted twice."""
    found = gradient(lambda c: c.expect(lambda x, m: x * m, "X", "mu"), DIFFERENCE)
    cells = simulated(parameters().numpy())
    along = gradient(lambda c: c.mean("X"), DIFFERENCE)
    expected = along * 0.4 + np.array([0.0, cells.mean("X").sum()])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_covariance_by_paths_and_by_expectations_agree() -> None:
    """Their difference is noise of the differences: 6 % here,."""
    options = {"name": "small_dimer", "trajectories": 40_000}
    theta = parameters("small_dimer")
    difference = sg.gradients.FiniteDifference(relative_step=0.05, coupling="crn")
    paths = theta * gradient(lambda c: c.covariance("A", "C"), None, theta, **options)
    found = theta * gradient(lambda c: c.covariance("A", "C"), difference, theta, **options)
    # C = 6 - A: the covariance is minus the variance.
    minus = -theta * gradient(lambda c: c.variance("A"), difference, theta, **options)
    np.testing.assert_allclose(found, minus, rtol=1e-8)
    assert np.linalg.norm(found - paths) < 0.2 * np.linalg.norm(paths)


def test_smooth_functions_are_differentiated_along_paths() -> None:
    found = gradient(lambda c: c.expect(tf.square, "X"), None)
    expected = gradient(lambda c: tf.reduce_mean(tf.square(c.values("X")), axis=0), None)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


STEPS = {
    "comparison": lambda x: x > 2.0,
    "rounding": lambda x: tf.floor(x / 2.0),
    "flat": lambda x: tf.maximum(x - 1e6, 0.0),
}


@pytest.mark.parametrize("name", STEPS)
def test_paths_refuse_functions_without_derivative(name) -> None:
    with pytest.raises(sg.GradientError, match=r"no derivative.*FittedValue"):
        gradient(lambda c: c.expect(STEPS[name], "X"), None)
    assert (gradient(lambda c: c.expect(STEPS["comparison"], "X"), DIFFERENCE) != 0).all()


def test_paths_refuse_a_step_in_one_of_two_symbols() -> None:
    def counted(x, y):
        return x * tf.cast(y > 1.0, tf.float64)

    with pytest.raises(sg.GradientError, match="no derivative"):
        gradient(
            lambda c: c.expect(counted, "A", "C"),
            None,
            parameters("small_dimer"),
            name="small_dimer",
        )


def test_paths_refuse_a_flat_function_inside_a_graph() -> None:
    @tf.function
    def run(theta):
        return gradient_of_flat(theta)

    def gradient_of_flat(theta):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            value = simulated(theta).expect(STEPS["flat"], "X")
        return tape.gradient(value, theta)

    with pytest.raises(tf.errors.InvalidArgumentError, match="GradientError"):
        run(parameters())


@pytest.mark.parametrize("estimator", [None, sg.gradients.StraightThrough()])
def test_paths_refuse_probabilities_by_name(estimator) -> None:
    readouts = {"times": None, "readouts": [sg.WindowAverages([0, 1])]}
    with pytest.raises(sg.GradientError, match=r"ScoreFunction\(\) and FiniteDifference\(\)"):
        gradient(lambda c: c.probability(("X", 1, 2)), estimator, **readouts)


def test_single_trajectories_are_refused_where_only_expectations_are_known() -> None:
    with pytest.raises(sg.GradientError, match=r"variance\(id\).*expect"):
        gradient(lambda c: tf.square(c.values("X")), DIFFERENCE)
    means = gradient(lambda c: c.values("X") / 500.0, DIFFERENCE)
    np.testing.assert_allclose(means, gradient(lambda c: c.mean("X"), DIFFERENCE), rtol=1e-9)


def test_functions_that_mix_trajectories_are_refused() -> None:
    with pytest.raises(sg.GradientError, match="mixes trajectories"):
        gradient(lambda c: c.expect(lambda x: x * x[::-1], "X"), DIFFERENCE)


def test_functions_that_use_one_point_at_a_time_are_told() -> None:
    values = simulated(parameters().numpy()).states[0]
    weights = np.array([1.0, 3.0])
    single = as_functional(lambda v: v[:, :, 0] ** 2, values, weights, "test")
    both = as_functional(lambda v: v[:, :, 0] - v[:, :1, 0], values, weights, "test")
    last = as_functional(lambda v: v[:, :, 0].max(axis=1), values, np.array(2.0), "test")
    assert single.is_pointwise
    assert not both.is_pointwise
    # At every time the first point is part of it; from one point alone nothing can be told.
    assert not last.is_pointwise
    np.testing.assert_allclose(last.totals(values), 2.0 * values[:, :, 0].max(axis=1))
    np.testing.assert_allclose(single.totals(values), (values[:, :, 0] ** 2) @ weights)


BAD = [
    (lambda c: c.expect("X", "X"), "pass a function"),
    (lambda c: c.expect(np.square), "name the symbols"),
    (lambda c: c.expect(np.mean, "X"), "over trajectories"),
    (lambda c: c.probability(np.square, "X"), "not true or false"),
    (lambda c: c.probability("X"), "None for an open end"),
    (lambda c: c.probability(("X", 3, 1)), "nothing lies between"),
    (lambda c: c.probability(("Y", 3, 4)), "no symbol 'Y'"),
    (lambda c: c.covariance("X", "Y"), "no symbol 'Y'"),
]


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_statistics_are_refused(call, words) -> None:
    with pytest.raises(sg.SbmlGradError, match=words):
        call(simulated(parameters().numpy()))


def test_two_trajectories_are_needed() -> None:
    cells = simulated(parameters().numpy(), trajectories=1)
    for call in (lambda: cells.variance("X"), lambda: cells.covariance("X", "mu")):
        with pytest.raises(sg.StatisticsError, match="at least two"):
            call()
