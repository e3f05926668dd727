"""Noise: densities against those of SciPy, in TensorFlow too; draws follow them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats as st

from sbmlgrad.errors import FitError
from sbmlgrad.fit.noise import (
    DENSITIES,
    draw,
    impossible,
    log_density,
    numpy_functions,
    tensorflow_functions,
    why_impossible,
)
from sbmlgrad.model.noise import NOISES

#: Distribution → the same one in SciPy, given prediction and scale.
THEIRS = {
    "normal": lambda y, s: st.norm(y, s),
    "laplace": lambda y, s: st.laplace(y, s),
    "log-normal": lambda y, s: st.lognorm(s, scale=y),
    "log-laplace": lambda y, s: st.loglaplace(1.0 / s, scale=y),
    "poisson": lambda y, s: st.poisson(y),
    "binomial": lambda y, s: st.binom(int(s), y / s),
    "negative-binomial": lambda y, s: st.nbinom(s, s / (s + y)),
}
SCALE = {"binomial": 9.0, "negative-binomial": 2.5}
MEASURED = np.array([1.0, 3.0, 7.0])


def test_every_noise_has_a_density_and_a_draw() -> None:
    assert DENSITIES.keys() == NOISES.keys() == THEIRS.keys()


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("predicted", [0.7, 3.0])
def test_densities_are_those_of_scipy(name, predicted) -> None:
    scale = SCALE.get(name, 0.6)
    theirs = THEIRS[name](predicted, scale)
    expected = theirs.logpmf(MEASURED) if NOISES[name].is_count else theirs.logpdf(MEASURED)
    np.testing.assert_allclose(log_density(name, MEASURED, predicted, scale), expected, rtol=1e-12)


@pytest.mark.parametrize("name", NOISES)
def test_tensors_give_the_same_numbers_and_right_gradients(name) -> None:
    import tensorflow as tf

    scale, y = SCALE.get(name, 0.6), 2.2
    predicted = tf.Variable([y] * 3, dtype=tf.float64)
    with tf.GradientTape() as tape:
        density = log_density(
            name,
            tf.constant(MEASURED),
            predicted,
            tf.constant(scale, dtype=tf.float64),
            tensorflow_functions(),
        )
    np.testing.assert_allclose(
        np.asarray(density), log_density(name, MEASURED, y, scale), rtol=1e-12
    )
    slope = np.asarray(tape.gradient(density, predicted))
    step = 1e-6
    ends = [log_density(name, MEASURED, y + d, scale) for d in (step, -step)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-7, atol=1e-8)


def test_counts_of_zero_have_the_right_limit() -> None:
    assert log_density("poisson", 0.0, 0.0) == 0.0
    assert log_density("binomial", 0.0, 0.0, 5.0) == pytest.approx(0.0, abs=1e-12)
    assert log_density("negative-binomial", 0.0, 0.0, 2.0) == pytest.approx(0.0, abs=1e-12)
    assert log_density("poisson", 2.0, 0.0) == -math.inf


@pytest.mark.parametrize(("name", "density"), [("normal", st.norm), ("laplace", st.laplace)])
def test_decadic_logarithms_are_natural_ones_with_a_larger_scale(name, density) -> None:
    """If log10 of a value scatters with s, its natural logarithm scatters with s ln(10)."""
    s, predicted = 0.2, 4.0
    # Density of log10(x), times d log10(x) / dx.
    on_scale = density.logpdf(np.log10(MEASURED), np.log10(predicted), s)
    expected = on_scale - np.log(MEASURED * math.log(10.0))
    ours = log_density(f"log-{name}", MEASURED, predicted, s * math.log(10.0))
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("name", NOISES)
def test_draws_have_the_right_mean_and_spread(name) -> None:
    scale, y, n = SCALE.get(name, 0.3), 2.2, 20_000
    sample = draw(name, np.full(n, y), scale, np.random.default_rng(7))
    assert not impossible(name, sample).any()
    if NOISES[name].is_positive:
        # Their logarithms have moments of every order.
        sample, theirs = np.log(sample), THEIRS[name.removeprefix("log-")](math.log(y), scale)
    else:
        theirs = THEIRS[name](y, scale)
    mean, variance, kurtosis = (float(m) for m in theirs.stats("mvk"))
    z_mean = (sample.mean() - mean) / math.sqrt(variance / n)
    z_variance = (sample.var() / variance - 1.0) / math.sqrt((kurtosis + 2.0) / n)
    assert abs(z_mean) < 4.0, f"{name}: z of the mean = {z_mean:.2f}"
    assert abs(z_variance) < 4.0, f"{name}: z of the variance = {z_variance:.2f}"


def test_impossible_measurements_are_told_apart() -> None:
    values = [-1.0, 0.0, 1.5, 2.0]
    assert impossible("normal", values).tolist() == [False] * 4
    assert impossible("log-normal", values).tolist() == [True, True, False, False]
    assert impossible("poisson", values).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("name", "predicted", "scale", "word"),
    [
        ("normal", 1.0, 0.0, "standard deviation"),
        ("normal", math.nan, 1.0, "not finite"),
        ("log-normal", 0.0, 1.0, "not positive"),
        ("poisson", -1.0, 1.0, "negative"),
        ("binomial", 3.0, 2.0, "trials"),
        ("binomial", 1.0, 2.5, "trials"),
    ],
)
def test_draws_outside_the_range_are_refused(name, predicted, scale, word) -> None:
    with pytest.raises(FitError, match=word):
        draw(name, predicted, scale, np.random.default_rng(0))


def test_unknown_noise_is_refused_by_name() -> None:
    for call in (
        lambda: log_density("gamma", 1.0, 1.0),
        lambda: impossible("gamma", 1.0),
        lambda: draw("gamma", 1.0, 1.0, np.random.default_rng(0)),
    ):
        with pytest.raises(FitError, match="'gamma' is unknown"):
            call()


def test_arguments_broadcast() -> None:
    density = log_density("normal", MEASURED[:, None], np.array([1.0, 2.0]), 1.0)
    assert density.shape == (3, 2)
    same = log_density("normal", MEASURED[:, None], np.array([1.0, 2.0]), 1.0, numpy_functions())
    assert (density == same).all()


@pytest.mark.parametrize(
    ("name", "measured", "predicted", "scale", "why"),
    [
        ("poisson", 1.5, 2.0, 1.0, "must be a whole number from 0 on"),
        ("poisson", 2.0, 0.0, 1.0, "a prediction of 0 allows no other value"),
        ("poisson", 2.0, -1.0, 1.0, "the prediction -1 is negative"),
        ("log-normal", 0.0, 2.0, 1.0, "what is measured must be positive"),
        ("log-normal", 1.0, 0.0, 1.0, "the prediction 0 is not positive"),
        ("normal", 1.0, 2.0, 0.0, "its scale (standard deviation) must be positive"),
        ("normal", 1.0, math.nan, 1.0, "a prediction is not finite"),
        ("normal", 1e300, 0.0, 1e-9, "the density cannot be told from 0"),
        ("binomial", 9.0, 2.0, 5.0, "more was measured than there are trials"),
        ("binomial", 3.0, 7.0, 5.0, "more is predicted than there are trials"),
        ("binomial", 3.0, 5.0, 5.0, "a prediction of 5 allows no other value"),
        ("binomial", 3.0, -1.0, 5.0, "the prediction -1 is negative"),
    ],
)
def test_why_a_measurement_has_no_density(name, measured, predicted, scale, why) -> None:
    # The density goes on between whole numbers; that none was measured there is told beforehand.
    assert impossible(name, [measured])[0] or not np.isfinite(
        log_density(name, measured, predicted, scale)
    )
    assert why in why_impossible(name, measured, predicted, scale)
