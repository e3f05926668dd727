"""`StraightThrough`: its noise, its limit at temperature zero, tiny temperatures, refusals."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
import tensorflow as tf
from networks import antimony, network
from straight_through_oracle import (
    Noise,
    after_firings,
    draw_noise,
    gumbels_given,
    loss_of,
    oracle_case,
    unroll,
)

import sbmlgrad as sg
from sbmlgrad.engines.readouts import AfterFirings, WindowAverages
from sbmlgrad.errors import GradientError
from sbmlgrad.gradients.paths.straight_through_sweep import choice_weights, race


def test_posterior_gumbels_have_the_prior_law() -> None:
    """Over trajectories, noise given the winner is standard Gumbel: mean γ, variance π²/6."""
    # In state C = 0 the clock of J0_backward is infinite, its G is free.
    gumbel = draw_noise(network("small_dimer"), 8, 500, 3).gumbels.reshape(-1, 2)
    n = len(gumbel)
    z_mean = (gumbel.mean(axis=0) - np.euler_gamma) / np.sqrt(np.pi**2 / 6 / n)
    # Var of the sample variance of a Gumbel: kurtosis 27/5.
    z_var = (gumbel.var(axis=0) - np.pi**2 / 6) / (np.pi**2 / 6 * np.sqrt((5.4 - 1) / n))
    assert np.abs(np.concatenate([z_mean, z_var])).max() < 4.0, f"z = {z_mean}, {z_var}"


@pytest.mark.parametrize("reaction", [0, 1, 2])
def test_zero_temperature_is_the_mean_over_the_noise_as_it_cools(reaction) -> None:
    """One choice, a million races from scratch, of which those count that the reaction won."""
    rates, along = np.array([0.5, 2.0, 1.0]), np.array([1.0, -2.0, 3.0])
    temperature, n = 0.02, 10**6
    score = np.log(rates) + np.random.default_rng(1).gumbel(size=(n, 3))
    score = score[np.argmax(score, axis=1) == reaction]
    share = np.exp((score - score.max(axis=1, keepdims=True)) / temperature)
    share /= share.sum(axis=1, keepdims=True)
    mean = (share * along).sum(axis=1, keepdims=True)
    drawn = share * (along - mean) / (rates * temperature)
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    weights = np.empty(3)
    choice_weights(rates, rates.sum(), reaction, along, 0.0, np.empty(3), weights)
    z = (drawn.mean(axis=0) - weights) / error
    # Three z-scores in each of three tests: a right one fails with p < 6e-4. The bias at this
    # temperature is of its square and far below the error.
    assert np.abs(z).max() < 4.0, f"z = {z}"
    assert (np.abs(weights) > 20.0 * error).all(), "the test has no power"


def test_zero_temperature_is_the_mean_over_the_noise_along_a_whole_path() -> None:
    """All adjoints included: one path of 15 firings, its noise drawn anew 20,000 times."""
    case = oracle_case("michaelis_menten")
    steps, copies, batches, temperature = 15, 1000, 20, 0.03
    one = draw_noise(case.model, steps, 1, 4)
    k = tf.constant(case.model.parameter_values)
    states, _ = unroll(case.laws, k, 1.0, one, is_limit=True)
    rates = np.stack(case.laws(states[:-1, 0], k.numpy()), axis=1)
    rng = np.random.default_rng(2)
    fired = np.repeat(one.fired, copies, axis=1)
    waiting = np.repeat(one.waiting, copies, axis=1)
    readout = AfterFirings([5, steps])

    @tf.function
    def slope(gumbels):
        with tf.GradientTape() as tape:
            tape.watch(k)
            noise = Noise(waiting, fired, gumbels, one.start, one.changes)
            states, times = unroll(case.laws, k, temperature, noise, is_limit=False)
            # Linear, as the mean over the noise is.
            loss = tf.reduce_mean(after_firings(readout.counts, states, times)[:, :, 1], axis=0)
            loss = tf.reduce_sum(loss)
        return tape.gradient(loss, k)

    found = []
    for _ in range(batches):
        winner = rng.exponential(size=(steps, copies))
        others = rng.exponential(size=(steps, copies, rates.shape[1]))
        drawn = gumbels_given(fired, np.repeat(rates[:, None], copies, axis=1), winner, others)
        found.append(slope(tf.constant(drawn)).numpy())
    error = np.std(found, axis=0, ddof=1) / np.sqrt(batches)
    with tf.GradientTape() as tape:
        tape.watch(k)
        cells = sg.simulate(
            case.model,
            k,
            readouts=[readout],
            trajectories=1,
            seed=4,
            estimator=sg.gradients.StraightThrough(0.0),
        )
        loss = tf.reduce_sum(cells.states[0][0, :, 1])
    limit = tape.gradient(loss, k).numpy()
    z = (np.mean(found, axis=0) - limit) / error
    # Of four t-scores of 19 degrees of freedom a right one exceeds 4.6 with p < 1e-3.
    assert np.abs(z).max() < 4.6, f"z = {z}"
    assert (np.abs(limit) > 20.0 * error).sum() >= 2, "the test has no power"


def weights_at(temperature: float, rates, lateness, along):
    weights = np.empty(len(rates))
    choice_weights(rates, rates.sum(), 0, along, temperature, lateness, weights)
    return weights


@pytest.mark.parametrize("temperature", [1e-3, 1e-6, 1e-12, 1e-290])
def test_tiny_temperatures_neither_overflow_nor_lose_digits(temperature) -> None:
    """A rival as late as the temperature: its share is that of the logistic function."""
    rates, along = np.array([2.0, 3.0, 0.0]), np.array([1.0 + 1e6, 1e6, 7.0])
    late = temperature * 1.5
    found = weights_at(temperature, rates, np.array([0.0, late, math.inf]), along)
    share = 1.0 / (1.0 + math.exp(late / temperature))
    scale = share * (1.0 - share) / temperature
    expected = np.array([scale / 2.0, -scale / 3.0, 0.0])
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    # Decided choices have no derivative at all, however small the temperature.
    decided = weights_at(temperature, rates, np.array([0.0, 50.0, math.inf]), along)
    np.testing.assert_allclose(decided, 0.0, atol=1e-300)


def test_the_race_of_a_rare_reaction_is_finite() -> None:
    """Propensities over three hundred orders of magnitude: nothing is 0/0 or inf - inf."""
    rates = np.array([1.0, 1e-300, 0.0, 1e150])
    lateness = np.empty(4)
    with np.errstate(divide="ignore"):
        race(rates, rates.sum(), 3, 1, 2, 3, lateness)
    assert lateness[3] == 0.0
    assert lateness[2] == math.inf
    assert 300.0 < lateness[0] < 400.0
    assert not np.isnan(lateness).any()


@lru_cache
def slope_at(temperature: float) -> np.ndarray:
    model = network("small_dimer")
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        cells = sg.simulate(
            model,
            k,
            readouts=[WindowAverages([0.0, 1.0])],
            trajectories=300,
            seed=2,
            estimator=sg.gradients.StraightThrough(temperature),
        )
        loss = loss_of(cells.states[0])
    return tape.gradient(loss, k).numpy()


def test_the_coldest_gradient_is_that_of_the_waiting_times() -> None:
    """Where every choice of an ensemble is decided, only firing times depend on parameters."""
    np.testing.assert_array_equal(slope_at(1e-300), slope_at(1e-200))
    assert np.isfinite(slope_at(1e-6)).all()
    assert (slope_at(1e-300) != slope_at(0.0)).all()


def test_a_batch_of_one_temperature_can_be_any_number() -> None:
    assert sg.gradients.StraightThrough(2.0).name == "StraightThrough(temperature=2.0)"
    assert np.isfinite(slope_at(2.0)).all()


def test_reactions_that_cannot_fire_have_no_part_at_any_temperature() -> None:
    """A second reaction that waits for a species that never comes changes nothing."""
    text = "substanceOnly species A in cell, B in cell, N in cell; A = 9; B = 0; N = 0; k = 1;"
    alone = antimony(text + "J0: A -> B; k*A - k*B;")
    beside = antimony(text + "J0: A -> B; k*A - k*B; J1: A + N => N; k*A*N;")
    for temperature in (2.0, 1.0, 0.3):
        found = []
        for model in (alone, beside):
            k = tf.constant(model.parameter_values)
            with tf.GradientTape() as tape:
                tape.watch(k)
                cells = sg.simulate(
                    model,
                    k,
                    readouts=[AfterFirings([1])],
                    trajectories=400,
                    seed=1,
                    estimator=sg.gradients.StraightThrough(temperature),
                )
                loss = tf.reduce_sum(cells.states[0][:, :, 1])
            found.append(tape.gradient(loss, k).numpy())
        np.testing.assert_allclose(found[0], found[1], atol=1e-12)


@pytest.mark.parametrize("temperature", [-0.1, math.inf, math.nan])
def test_temperature_outside_its_range_is_refused(temperature: float) -> None:
    with pytest.raises(GradientError, match="temperature"):
        sg.gradients.StraightThrough(temperature)
