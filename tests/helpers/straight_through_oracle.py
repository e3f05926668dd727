"""The published straight-through estimator as plain TensorFlow operations, unrolled on a tape.

Nothing here is shared with the kernel but the uniform numbers: laws, their derivatives, the softmax
and the adjoints are TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from networks import antimony, network

import sbmlgrad as sg
from sbmlgrad.codegen.lowering import lower
from sbmlgrad.engines.base import Request
from sbmlgrad.engines.random import ESTIMATOR, FIRINGS, uniform_pairs
from sbmlgrad.engines.readouts import AfterFirings
from sbmlgrad.engines.reference import simulate_path
from sbmlgrad.model.initial import initial_counts, initial_values

#: Propensities by hand: (counts [trajectory, species], parameters) → list of [trajectory].
Laws = Callable[[Any, Any], list[Any]]


@dataclass(frozen=True)
class OracleCase:
    """A network and its propensities by hand."""

    model: sg.ReactionNetwork
    laws: Laws


def _dimer(x: Any, k: Any) -> list[Any]:
    a, b, c = tf.unstack(x, axis=1)
    return [k[0] * a * b, k[1] * c]


def _hill(x: Any, k: Any) -> list[Any]:
    (x,) = tf.unstack(x, axis=1)
    v, half, n, mu = tf.unstack(k)
    # x^n has the derivative x^n ln x in n, which is 0 at x = 0 and not NaN.
    safe = tf.where(x > 0.0, x, 1.0)
    power = tf.where(x > 0.0, tf.pow(safe, n), 0.0 * x)
    return [v * half**n / (half**n + power), mu * x]


_ENZYME = """
    compartment tube = 2;
    species S in tube, P in tube; S = 10; P = 0;
    Vin = 12; Vmax = 9; Km = 2; out = 0.8;
    J0: => S; Vin;
    J1: S => P; tube*Vmax*S/(Km + S);
    J2: P => ; out*tube*P;
"""


def _enzyme(x: Any, k: Any) -> list[Any]:
    s, p = tf.unstack(x, axis=1)
    concentration = s / 2.0
    rate = 2.0 * k[1] * concentration / (k[2] + concentration)
    return [k[0] + 0.0 * s, rate, k[3] * 2.0 * (p / 2.0)]


_COMPARTMENTS = """
    compartment big = 4; compartment little = 0.5;
    species A in big, B in little, D in little; A = 6; B = 4; D = 2;
    move = 3; back = 0.4; pair = 0.15; split = 1.5;
    J0: A -> B; move*A*little - back*B*little;
    J1: 2 B -> D; pair*B*(B - 1/little)*little - split*D*little;
"""


def _compartments(x: Any, k: Any) -> list[Any]:
    a, b, d = tf.unstack(x, axis=1)
    dense, thin, pairs = a / 4.0, b / 0.5, d / 0.5
    rates = [k[0] * dense, k[1] * thin, k[2] * thin * (thin - 2.0), k[3] * pairs]
    return [0.5 * rate for rate in rates]


@lru_cache
def oracle_case(name: str) -> OracleCase:
    """Return a case by name."""
    if name == "dimer":
        return OracleCase(network("dimer"), _dimer)
    if name == "hill":
        return OracleCase(network("hill"), _hill)
    if name == "michaelis_menten":
        return OracleCase(antimony(_ENZYME), _enzyme)
    return OracleCase(antimony(_COMPARTMENTS), _compartments)


NAMES = ("dimer", "hill", "michaelis_menten", "two_compartments")


@dataclass(frozen=True)
class Noise:
    """Everything random about trajectories, fixed.

    Attributes:
        waiting: -log u, float64 [step, trajectory].
        fired: reaction, int [step, trajectory].
        gumbels: float64 [step, trajectory, reaction], given the reaction that fired.
        start: counts, float64 [species].
        changes: net change, float64 [reaction, species].
    """

    waiting: Any
    fired: Any
    gumbels: Any
    start: Any
    changes: Any


def draw_noise(
    model: sg.ReactionNetwork, steps: int, trajectories: int, seed: int, first: int = 0
) -> Noise:
    """Return the noise of trajectories as the estimator defines it.

    Exponential clocks given which rings first: the winner's at E_0 / a_0, the others at
    E_0 / a_0 + E_r / a_r; Gumbel numbers follow from log a_r + G_r = -log(time of r).
    """
    lowered = lower(model)
    values = initial_values(model)
    start = initial_counts(model, values, {})
    inputs = np.array([values[i] for i in lowered.input_ids])
    numbers = np.arange(first, first + trajectories, dtype=np.uint64)
    request = Request(lowered, inputs, start[None], AfterFirings([steps]), trajectories, seed)
    paths = [simulate_path(request, int(i), start, 10**6) for i in numbers]
    if min(len(path.fired) for path in paths) < steps:
        raise ValueError("a trajectory of the oracle ends before its steps are made")
    fired = np.array([path.fired for path in paths]).T
    states = np.array([path.states[:-1] for path in paths])
    from sbmlgrad.cme.state_space import propensities_at

    count = len(lowered.channels)
    rates = propensities_at(lowered, states.reshape(-1, states.shape[2]), inputs)
    rates = rates.reshape(trajectories, steps, count).transpose(1, 0, 2)
    n = np.arange(steps)[:, None]
    waiting = -np.log(uniform_pairs(seed, n, numbers[None], FIRINGS)[0])
    blocks = (count + 2) // 2
    words = []
    for block in range(blocks):
        u, v = uniform_pairs(seed, n * blocks + block, numbers[None], ESTIMATOR)
        words += [-np.log(u), -np.log(1.0 - v)]
    clocks = np.stack(words, axis=2)
    gumbels = gumbels_given(fired, rates, clocks[:, :, 0], clocks[:, :, 1 : count + 1])
    return Noise(waiting, fired, gumbels, start, lowered.stoichiometry.T.astype(float))


def gumbels_given(fired: Any, rates: Any, winner: Any, others: Any) -> Any:
    """Return Gumbel numbers [..., reaction] that make `fired` [...] win, from exponentials."""
    winning = (winner / rates.sum(axis=-1))[..., None]
    per_rate = others + rates * winning
    is_winner = np.arange(rates.shape[-1]) == np.asarray(fired)[..., None]
    return -np.log(np.where(is_winner, rates * winning, per_rate))


def unroll(laws: Laws, k: Any, temperature: Any, noise: Noise, *, is_limit: bool) -> Any:
    """Return states [step + 1, trajectory, species] and times [step + 1, trajectory]."""
    steps, trajectories = noise.waiting.shape
    species = noise.start.shape[0]
    changes = tf.constant(noise.changes, tf.float64)
    waiting = tf.convert_to_tensor(noise.waiting)
    gumbels = tf.convert_to_tensor(noise.gumbels)
    winners = tf.one_hot(noise.fired, changes.shape[0], dtype=tf.float64)
    states = tf.TensorArray(tf.float64, steps + 1, element_shape=(trajectories, species))
    times = tf.TensorArray(tf.float64, steps + 1, element_shape=(trajectories,))
    counts = tf.tile(tf.constant(noise.start, tf.float64)[None], [trajectories, 1])
    clock = tf.zeros(trajectories, tf.float64)

    def step(n: Any, counts: Any, clock: Any, states: Any, times: Any) -> Any:
        rates = tf.stack(laws(counts, k), axis=1)
        total = tf.reduce_sum(rates, axis=1)
        hard = winners[n]
        if is_limit:
            choice = hard + limit_of_choice(rates, total, hard)
        else:
            soft = softmax_of_able(rates, gumbels[n], temperature)
            # Not (hard - soft) + soft, which is the same but for rounding: counts stay whole.
            choice = hard + (soft - tf.stop_gradient(soft))
        counts = counts + tf.linalg.matmul(choice, changes)
        clock = clock + waiting[n] / total
        return n + 1, counts, clock, states.write(n + 1, counts), times.write(n + 1, clock)

    _, _, _, states, times = tf.while_loop(
        lambda n, *_: n < steps,
        step,
        (tf.constant(0), counts, clock, states.write(0, counts), times.write(0, clock)),
        maximum_iterations=steps,
    )
    return states.stack(), times.stack()


def softmax_of_able(rates: Any, gumbels: Any, temperature: Any) -> Any:
    """Return softmax((log a + G) / temperature) over the reactions that can fire."""
    able = rates > 0.0
    logits = tf.math.log(tf.where(able, rates, 1.0)) + gumbels
    logits = tf.where(able, logits / temperature, tf.constant(-np.inf, tf.float64))
    return tf.nn.softmax(logits, axis=1)


def limit_of_choice(rates: Any, total: Any, hard: Any) -> Any:
    """Return zeros whose derivative is that of the choice at temperature 0.

    With all but `rates` held fixed, Σ_i c_i / a_0 (da_i - a_i da_j / a_j) (e_i - e_j).
    """
    fixed = tf.stop_gradient(rates)
    half = tf.where(fixed > 0.0, tf.constant(0.5, tf.float64), 1.0)
    won = tf.reduce_sum(hard * rates, axis=1, keepdims=True)
    growth = won / tf.stop_gradient(won)
    moved = half / tf.stop_gradient(total)[:, None] * (rates - fixed * growth)
    return moved - hard * tf.reduce_sum(moved, axis=1, keepdims=True)


def window_averages(edges: Any, states: Any, times: Any) -> Any:
    """Return averages of the step function, [trajectory, window, species]."""
    begin, end = times[:-1, :, None], times[1:, :, None]
    low, high = (tf.constant(e, tf.float64) for e in (edges[:-1], edges[1:]))
    overlap = tf.nn.relu(tf.minimum(end, high) - tf.maximum(begin, low))
    return tf.einsum("stw,stx->twx", overlap / (high - low), states[:-1])


def interpolated(points: Any, states: Any, times: Any) -> Any:
    """Return values on straight lines between firings, [trajectory, point, species]."""
    points = tf.constant(points, tf.float64)
    begin, end = times[:-1, :, None], times[1:, :, None]
    inside = tf.cast((points > begin) & (points <= end), tf.float64)
    share = (points - begin) / (end - begin)
    first = tf.einsum("stp,stx->tpx", inside * (1.0 - share), states[:-1])
    return first + tf.einsum("stp,stx->tpx", inside * share, states[1:])


def after_firings(counts: Any, states: Any, times: Any) -> Any:
    """Return states and times after numbers of firings, [trajectory, point, species + 1]."""
    values = [tf.concat([states[n], times[n][:, None]], axis=1) for n in counts]
    return tf.stack(values, axis=1)


def loss_of(values: Any) -> Any:
    """Return a loss that weights every number and trajectory differently."""
    shape = [int(n) for n in values.shape[1:]]
    weights = np.cos(np.arange(np.prod(shape))).reshape(shape)
    return tf.reduce_mean(tf.square(tf.reduce_sum(weights * values, axis=(1, 2))))
