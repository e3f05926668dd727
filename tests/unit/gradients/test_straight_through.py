"""`StraightThrough` against plain TensorFlow autodiff of the same estimator on the same noise."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from networks import network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.random import ESTIMATOR, FIRINGS, uniform_pair
from sbmlgrad.engines.readouts import AfterFirings, Interpolated, WindowAverages
from sbmlgrad.engines.reference import simulate_path
from sbmlgrad.errors import GradientError
from sbmlgrad.model.initial import initial_counts, initial_values


def mass_action(counts, k):
    """Propensities of `small_dimer` as TensorFlow operations [trajectory, reaction]."""
    a, b, c = tf.unstack(counts, axis=1)
    return tf.stack([k[0] * a * b, k[1] * c], axis=1)


def hill(counts, k):
    """Propensities of `hill`."""
    (x,) = tf.unstack(counts, axis=1)
    v, half, n, mu = tf.unstack(k)
    # x^n as exp(n ln x) with the value and derivatives 0 at x = 0.
    safe = tf.where(x > 0.0, x, 1.0)
    power = tf.where(x > 0.0, tf.pow(safe, n), 0.0)
    return tf.stack([v * half**n / (half**n + power), mu * x], axis=1)


NETWORKS = {"small_dimer": mass_action, "hill": hill}
READOUTS = [
    WindowAverages([0, 0.4, 1.1, 1.5]),
    WindowAverages([0.3, 0.9]),
    Interpolated([0, 0.25, 1.5]),
    AfterFirings([2, 9]),
]


def uniforms(seed: int, draw: int, trajectory: int, purpose: int) -> tuple[float, float]:
    with np.errstate(over="ignore"):
        u, v = uniform_pair(*(np.uint64(x) for x in (seed, draw, trajectory, purpose)))
    return float(u), float(v)


def noise(model, readout, trajectories, seed):
    """Return waiting-time exponentials [step, trajectory] and Gumbels [step, trajectory, reaction].

    Drawn as the estimator defines them: exponential clocks given which rings first.
    """
    lowered = lower(model)
    values = initial_values(model)
    start = initial_counts(model, values, {})
    inputs = np.array([values[i] for i in lowered.input_ids])
    request = Request(lowered, inputs, start[None], readout, trajectories, seed)
    paths = [simulate_path(request, i, start, 10**6) for i in range(trajectories)]
    steps = max(len(p.fired) for p in paths) + 1
    count = len(lowered.channels)
    blocks = (count + 2) // 2
    waiting = np.ones((steps, trajectories))
    gumbels = np.zeros((steps, trajectories, count))
    fired = np.zeros((steps, trajectories), dtype=int)
    going = np.zeros((steps, trajectories))
    from sbmlgrad.cme.state_space import propensities_at

    for i, path in enumerate(paths):
        for n in range(steps):
            waiting[n, i] = -math.log(uniforms(seed, n, i, FIRINGS)[0])
            if n >= len(path.fired):
                continue
            going[n, i] = 1.0
            rates = propensities_at(lowered, path.states[n][None], inputs)[0]
            fired[n, i] = path.fired[n]
            pairs = [uniforms(seed, n * blocks + b, i, ESTIMATOR) for b in range(blocks)]
            flat = [-math.log(w) for u, v in pairs for w in (u, 1.0 - v)]
            winner = flat[0] / rates.sum()
            for r in range(count):
                per_rate = flat[1 + r] + rates[r] * winner
                gumbels[n, i, r] = -math.log(per_rate)
            gumbels[n, i, path.fired[n]] = -math.log(winner * rates[path.fired[n]])
    return start, lowered.stoichiometry.T, waiting, gumbels, fired, going


def straight_through_loss(rates_of, k, readout, temperature, drawn):
    """Unroll the published estimator in TensorFlow and return a loss of the readout."""
    start, changes, waiting, gumbels, fired, going = drawn
    n = waiting.shape[1]
    counts = tf.tile(tf.constant(start)[None], [n, 1])
    clock = tf.zeros(n, tf.float64)
    states, clocks = [counts], [clock]
    for step in range(waiting.shape[0]):
        rates = rates_of(counts, k)
        # softmax((log a + G) / T) over the reactions that can fire.
        # Counts carry the rounding of hard + soft - soft, so zero is not exactly zero here.
        able = rates > 1e-9
        logits = (tf.math.log(tf.where(able, rates, 1.0)) + gumbels[step]) / temperature
        weights = tf.where(able, tf.exp(logits), 0.0)
        soft = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
        soft = tf.where(going[step][:, None] > 0.0, soft, 0.0)
        hard = tf.one_hot(fired[step], len(changes), dtype=tf.float64) * going[step][:, None]
        choice = hard + soft - tf.stop_gradient(soft)
        counts = counts + tf.linalg.matmul(choice, tf.constant(changes, tf.float64))
        total = tf.reduce_sum(rates, axis=1)
        step_time = waiting[step] / tf.where(total > 0.0, total, 1.0)
        never = tf.constant(1e9, tf.float64)
        # A firing beyond the end of a trajectory is only looked at as "later than everything".
        clock = tf.where(going[step] > 0.0, clock + step_time, never)
        states.append(counts)
        clocks.append(clock)
    return _read(readout, states, clocks, going)


def _read(readout, states, clocks, going):
    values = []
    if isinstance(readout, AfterFirings):
        for c in readout.counts:
            values.append(tf.concat([states[c], clocks[c][:, None]], axis=1))
    elif isinstance(readout, WindowAverages):
        for low, high in zip(readout.edges[:-1], readout.edges[1:], strict=True):
            total = 0.0
            for state, begin, end in zip(states[:-1], clocks[:-1], clocks[1:], strict=True):
                overlap = tf.nn.relu(tf.minimum(end, high) - tf.maximum(begin, low))
                total += overlap[:, None] * state
            values.append(total / (high - low))
    else:
        for t in readout.times:
            value = 0.0
            for i, (begin, end) in enumerate(pairwise(clocks)):
                share = (t - begin) / tf.where(end > begin, end - begin, 1.0)
                here = (t > begin) & (t <= end) | ((t == 0.0) & (i == 0))
                line = states[i] + share[:, None] * (states[i + 1] - states[i])
                # The last interval of a trajectory is open: its state persists.
                line = tf.where(going[i][:, None] > 0.0, line, states[i])
                value += tf.where(here[:, None], line, 0.0)
            values.append(value)
    stacked = tf.stack(values, axis=1)
    weights = np.cos(np.arange(int(tf.size(stacked[0])))).reshape(stacked.shape[1:])
    return tf.reduce_mean(tf.reduce_sum(weights * stacked, axis=(1, 2)) ** 2)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("readout", READOUTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_autodiff_on_identical_noise(name, readout, temperature) -> None:
    model = network(name)
    trajectories, seed = 12, 5
    drawn = noise(model, readout, trajectories, seed)
    k = tf.constant(model.parameter_values)
    with tf.GradientTape() as tape:
        tape.watch(k)
        expected_loss = straight_through_loss(NETWORKS[name], k, readout, temperature, drawn)
    expected = tape.gradient(expected_loss, k).numpy()
    with tf.GradientTape() as tape:
        tape.watch(k)
        cells = sg.simulate(
            model,
            k,
            readouts=[readout],
            trajectories=trajectories,
            seed=seed,
            estimator=sg.gradients.StraightThrough(temperature),
        )
        state = cells.states[0]
        weights = np.cos(np.arange(int(tf.size(state[0])))).reshape(state.shape[1:])
        loss = tf.reduce_mean(tf.reduce_sum(weights * state, axis=(1, 2)) ** 2)
    got = tape.gradient(loss, k).numpy()
    np.testing.assert_allclose(float(loss), float(expected_loss), rtol=1e-10)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    assert (np.abs(expected) > 1e-6).all(), "the test has no power"


def test_posterior_gumbels_have_the_prior_law() -> None:
    """Over trajectories, noise given the winner is standard Gumbel: mean γ, variance π²/6."""
    drawn = noise(network("small_dimer"), AfterFirings([8]), 500, 3)
    going = drawn[5][:8].astype(bool)
    # The first firings only: in state C = 0 the clock of J0_backward is infinite, its G is free.
    gumbel = drawn[3][:8][going]
    n = len(gumbel)
    z_mean = (gumbel.mean(axis=0) - np.euler_gamma) / np.sqrt(np.pi**2 / 6 / n)
    # Var of the sample variance of a Gumbel: kurtosis 27/5.
    z_var = (gumbel.var(axis=0) - np.pi**2 / 6) / (np.pi**2 / 6 * np.sqrt((5.4 - 1) / n))
    assert np.abs(np.concatenate([z_mean, z_var])).max() < 4.0, f"z = {z_mean}, {z_var}"


def test_zero_temperature_is_the_limit_with_the_noise_integrated_out() -> None:
    """Mean over noise of the estimator at low temperature tends to the analytic one."""
    model = network("dimer")
    k = tf.constant(model.parameter_values)

    def gradient(temperature: float, n: int) -> tuple[np.ndarray, np.ndarray]:
        parts = []
        for batch in range(20):
            with tf.GradientTape() as tape:
                tape.watch(k)
                cells = sg.simulate(
                    model,
                    k,
                    readouts=[WindowAverages([0.5, 1])],
                    trajectories=n // 20,
                    first_trajectory=batch * (n // 20),
                    seed=1,
                    estimator=sg.gradients.StraightThrough(temperature),
                )
                loss = cells.mean("C")[0]
            parts.append(tape.gradient(loss, k).numpy())
        return np.mean(parts, axis=0), np.std(parts, axis=0, ddof=1) / np.sqrt(20)

    limit, limit_error = gradient(0.0, 4000)
    warm, warm_error = gradient(0.05, 40_000)
    z = (warm - limit) / np.hypot(warm_error, limit_error)
    assert np.abs(z).max() < 4.0, f"z = {z}"
    assert (np.abs(limit) > 20 * limit_error).all()


@pytest.mark.parametrize("temperature", [-0.1, 1.5, math.nan])
def test_temperature_outside_its_range_is_refused(temperature: float) -> None:
    with pytest.raises(GradientError, match="temperature"):
        sg.gradients.StraightThrough(temperature)
