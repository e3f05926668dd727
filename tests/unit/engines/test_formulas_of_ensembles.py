"""Formulas of symbols along trajectories: values, gradients, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network
from scipy import stats

import sbmlgrad as sg
from sbmlgrad.gradients import CoupledDifference, FiniteDifference, FittedValue, ScoreFunction
from sbmlgrad.io.formula_text import formula_of

TIMES = [1.0, 2.0]
OBSERVED = formula_of("scale*(A + 2*C) + offset")
EXTRA = {"scale": 1.5, "offset": -4.0}
COMMON = FiniteDifference(relative_step=0.02, coupling="crn")
#: Immigration and death, with what rules and initial assignments make of the count.
RULED = """
    substanceOnly species X in cell; X = 0; make = 2; decay = 0.4; gain = 3; base = 1;
    seen := gain*X + base; square := seen*seen;
    compartment vat; size_of = 2; vat = 3*size_of;
    substanceOnly species Y in vat; Y = 0; share = 0.5;
    J0: => X; make;
    J1: X => ; decay*X;
    J2: => Y; share;
"""


def dimer(theta: Any = None, **options: Any) -> sg.Ensemble:
    model = network("small_dimer")
    options = {"times": TIMES, "trajectories": 60, "seed": 3, **options}
    return sg.simulate(model, model.parameter_values if theta is None else theta, **options)


def ruled(theta: Any = None, **options: Any) -> sg.Ensemble:
    options = {"times": [2.0], "trajectories": 4000, "seed": 5, **options}
    return sg.simulate(antimony(RULED), theta, **options)


def slopes(statistic, theta, *others):
    """Return the derivative of the sum of a statistic in the parameters and other tensors."""
    with tf.GradientTape() as tape:
        for tensor in (theta, *others):
            tape.watch(tensor)
        value = tf.reduce_sum(statistic(theta, *others))
    found = tape.gradient(value, [theta, *others])
    return [tf.convert_to_tensor(part).numpy() for part in found]


def test_values_and_statistics_are_those_of_the_numbers() -> None:
    cells = dimer()
    a, c = cells.values("A"), cells.values("C")
    expected = 1.5 * (a + 2 * c) - 4.0
    np.testing.assert_allclose(cells.values(OBSERVED, extra=EXTRA), expected, rtol=1e-14)
    np.testing.assert_allclose(cells.mean(OBSERVED, extra=EXTRA), expected.mean(0), rtol=1e-14)
    spread = expected.var(axis=0, ddof=1)
    np.testing.assert_allclose(cells.variance(OBSERVED, extra=EXTRA), spread, rtol=1e-12)
    both = [np.cov(expected[:, p], a[:, p])[0, 1] for p in range(2)]
    np.testing.assert_allclose(cells.covariance(OBSERVED, "A", extra=EXTRA), both, rtol=1e-12)
    found = cells.expect(np.square, OBSERVED, extra=EXTRA)
    np.testing.assert_allclose(found, (expected**2).mean(axis=0), rtol=1e-14)
    found = cells.probability((OBSERVED, 2.0, None), extra=EXTRA)
    np.testing.assert_array_equal(found, (expected >= 2.0).mean(axis=0))
    clock = cells.values(formula_of("A*time"))
    np.testing.assert_array_equal(clock, a * np.array(TIMES))


def test_further_symbols_of_a_batch_may_differ_between_its_sets() -> None:
    theta = network("small_dimer").parameter_values * np.array([[1.0], [2.0]])
    scales = np.array([1.0, -3.0])
    cells = dimer(theta)
    expected = scales[:, None, None] * cells.values("A")
    formula = formula_of("s*A")
    np.testing.assert_array_equal(cells.values(formula, extra={"s": scales}), expected)
    with tf.GradientTape(persistent=True) as tape:
        s, k = tf.constant(scales), tf.constant(theta)
        tape.watch((s, k))
        tensors = dimer(k, estimator=COMMON)
        mean = tensors.mean(formula, extra={"s": s})
        squares = tensors.mean(formula_of("s*A*A"), extra={"s": s})
    # Tensors may be added up in another order.
    np.testing.assert_allclose(mean, expected.mean(axis=1), rtol=1e-13)
    by_scale = tape.gradient(squares, s).numpy()
    np.testing.assert_allclose(by_scale, (cells.values("A") ** 2).mean(axis=1).sum(axis=1))
    # Of each set the difference quotient of its own streams.
    for member in range(2):
        alone = [
            dimer(theta[member] * np.array([f, 1.0]), first_trajectory=60 * member)
            for f in (1.02, 0.98)
        ]
        high, low = (scales[member] * (one.values("A") ** 2).mean(axis=0).sum() for one in alone)
        got = tape.gradient(squares, k).numpy()[member, 0]
        assert got == pytest.approx((high - low) / (0.04 * theta[member, 0]), rel=1e-9)


@pytest.mark.parametrize("estimator", [None, COMMON, CoupledDifference()], ids=str)
@pytest.mark.parametrize("is_graph", [False, True])
def test_an_affine_formula_is_differentiated_as_its_symbols_are(estimator, is_graph) -> None:
    theta = tf.constant(network("small_dimer").parameter_values)
    scale, offset = tf.constant(1.5, tf.float64), tf.constant(-4.0, tf.float64)

    def observed(theta, scale, offset):
        cells = dimer(theta, estimator=estimator)
        return cells.mean(OBSERVED, extra={"scale": scale, "offset": offset})

    def parts(theta):
        cells = dimer(theta, estimator=estimator)
        return 1.5 * (cells.mean("A") + 2.0 * cells.mean("C"))

    taped = tf.function(lambda *a: slopes_in_graph(observed, *a)) if is_graph else None
    found = slopes(observed, theta, scale, offset) if taped is None else taped(theta, scale, offset)
    (expected,) = slopes(parts, theta)
    np.testing.assert_allclose(found[0], expected, rtol=1e-10)
    plain = dimer()
    total = np.sum(plain.mean("A") + 2 * plain.mean("C"))
    assert float(found[1]) == pytest.approx(total, rel=1e-12)
    assert float(found[2]) == pytest.approx(2.0, rel=1e-12)


def slopes_in_graph(statistic, *tensors):
    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        value = tf.reduce_sum(statistic(*tensors))
    return tape.gradient(value, tensors)


@pytest.mark.parametrize("is_graph", [False, True])
def test_a_curved_formula_has_the_difference_of_its_own_mean(is_graph) -> None:
    """Both sides use the streams of the ensemble, so that nothing but the step is left."""
    formula = formula_of("k1*A*C/(half + C)")
    values = network("small_dimer").parameter_values
    half = tf.constant(2.0, tf.float64)

    def statistic(theta, half, estimator=COMMON):
        return dimer(theta, estimator=estimator).mean(formula, extra={"half": half})

    tensors = (tf.constant(values), half)
    if is_graph:
        found = tf.function(lambda *a: slopes_in_graph(statistic, *a))(*tensors)
    else:
        found = slopes(statistic, *tensors)
    for place, value in enumerate(values):
        sides = []
        for sign in (1, -1):
            theta = values.copy()
            theta[place] = value * (1 + sign * 0.02)
            cells = dimer(theta)
            a, c = cells.values("A"), cells.values("C")
            sides.append(values[0] * np.mean(a * c / (2.0 + c), axis=0).sum())
        direct = np.mean(cells_ratio(values), axis=0).sum() if place == 0 else 0.0
        expected = (sides[0] - sides[1]) / (0.04 * value) + direct
        assert float(found[0][place]) == pytest.approx(expected, rel=1e-9)
    cells = dimer()
    a, c = cells.values("A"), cells.values("C")
    by_half = np.sum(np.mean(-values[0] * a * c / (2.0 + c) ** 2, axis=0))
    assert float(found[1]) == pytest.approx(by_half, rel=1e-12)


def cells_ratio(values):
    cells = dimer(values)
    a, c = cells.values("A"), cells.values("C")
    return a * c / (2.0 + c)


@pytest.mark.parametrize(
    "estimator",
    [None, COMMON, ScoreFunction(), CoupledDifference(), FittedValue()],
    ids=lambda e: "default" if e is None else e.name,
)
def test_assignment_rules_have_the_gradient_of_their_closed_form(estimator) -> None:
    """X is Poisson with mean make (1 - exp(-decay t))/decay, seen = gain X + base."""
    model = antimony(RULED)
    values = dict(zip(model.parameter_ids, model.parameter_values, strict=True))
    rows = {"seen": [], "square": []}
    for batch in range(12):
        for name in rows:

            def statistic(theta, name=name, batch=batch):
                options = {"first_trajectory": 400 * batch, "trajectories": 400}
                return ruled(theta, estimator=estimator, **options).mean(name)

            rows[name].append(slopes(statistic, tf.constant(model.parameter_values))[0])

    def mean_and_square(v):
        mean = v["make"] * (1 - np.exp(-2 * v["decay"])) / v["decay"]
        seen = v["gain"] * mean + v["base"]
        return {"seen": seen, "square": seen**2 + v["gain"] ** 2 * mean}

    for name, found in rows.items():
        for place, id in enumerate(model.parameter_ids):
            step = 1e-6 * values[id]
            high, low = (
                mean_and_square({**values, id: values[id] + s})[name] for s in (step, -step)
            )
            exact = (high - low) / (2 * step)
            column = np.array(found)[:, place]
            error = column.std(ddof=1) / np.sqrt(12)
            # Fitted values have a small bias of their own.
            allowed = 0.02 * abs(exact) if isinstance(estimator, FittedValue) else 1e-6
            z = (column.mean() - exact) / np.hypot(error, allowed + 1e-12)
            assert abs(z) < 4.5, f"d {name} / d {id}: z = {z}, {column.mean()} for {exact}"


def test_rates_of_reactions_and_sizes_that_follow_from_parameters() -> None:
    model = antimony(RULED)
    theta = tf.constant(model.parameter_values)
    ids = model.parameter_ids
    at = {p: i for i, p in enumerate(ids)}
    (of_rate,) = slopes(lambda t: ruled(t).mean("J1"), theta)
    (of_count,) = slopes(lambda t: ruled(t).mean("X"), theta)
    mean = float(ruled().mean("X")[0])
    expected = 0.4 * of_count
    expected[at["decay"]] += mean
    np.testing.assert_allclose(of_rate, expected, rtol=1e-12)
    # Concentrations in a vat whose size is 3*size_of.
    for asked in (("Y", "concentration"), (formula_of("Y/vat"),), ("vat",)):
        np.testing.assert_allclose(ruled(theta).values(*asked), ruled().values(*asked))
    (found,) = slopes(lambda t: ruled(t).mean("Y", "concentration"), theta)
    count = float(ruled().mean("Y", "counts")[0])
    assert found[at["size_of"]] == pytest.approx(-count / (3 * 2.0**2), rel=1e-12)


@pytest.mark.parametrize("estimator", [COMMON, ScoreFunction(), CoupledDifference()], ids=str)
def test_a_formula_that_jumps_is_for_estimators_of_expectations(estimator) -> None:
    model = network("immigration_death")
    theta = tf.constant(model.parameter_values)
    formula = formula_of("piecewise(height, X <= 2, 0)")
    height = tf.constant(5.0, tf.float64)

    def statistic(theta, height, batch=0, estimator=estimator):
        cells = sg.simulate(
            model,
            theta,
            times=[1.0],
            seed=2,
            trajectories=500,
            first_trajectory=500 * batch,
            estimator=estimator,
        )
        return cells.mean(formula, extra={"height": height})

    rows = [slopes(lambda t, h, b=b: statistic(t, h, b), theta, height) for b in range(10)]
    a, m = model.parameter_values
    mean = a * (1 - np.exp(-m)) / m
    slope = np.array([mean / a, a * np.exp(-m) / m - mean / m])
    exact = [-5.0 * stats.poisson.pmf(2, mean) * slope, stats.poisson.cdf(2, mean)]
    for place in range(2):
        found = np.array([row[place] for row in rows])
        z = (found.mean(0) - exact[place]) / (found.std(0, ddof=1) / np.sqrt(10))
        assert np.all(np.abs(z) < 5.0), f"z = {z}"
    with pytest.raises(sg.GradientError, match="jumps where the state passes"):
        statistic(theta, height, estimator=None)
    with pytest.raises(sg.GradientError, match="jumps where the state passes"):
        sg.simulate(model, theta, times=[1.0], seed=2, trajectories=5, estimator=estimator).values(
            formula, extra={"height": 1.0}
        )
