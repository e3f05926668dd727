"""Relaxed trajectories as TensorFlow operations: the loop over firings and the readouts of it.

Shapes follow the number of steps, which is known only at run time; the tape differentiates all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tensorflow_graph import propensities
from sbmlgrad.engines.codes import FIRING_COUNTS, WINDOWS
from sbmlgrad.engines.random import ESTIMATOR, FIRINGS
from sbmlgrad.engines.tensorflow.loop import change_table
from sbmlgrad.engines.tensorflow.random import uniform_pairs

#: What can go wrong: numbers of the texts that `straight_through_soft` raises.
SOUND, UNSOUND, OUT_OF_REACH = 0, 1, 2


class Plan(NamedTuple):
    """What a traced function is made for: readout kind, its points, trajectories, most firings."""

    kind: int
    points: int
    rows: int
    limit: int


class Followed(NamedTuple):
    """Relaxed trajectories, step by step: tensors.

    Attributes:
        states: float64 [step + 1, trajectory, species].
        times: float64 [step + 1, trajectory].
        is_going: which have not reached the end of the readout, [trajectory].
        is_sound: whether all propensities were finite, [].
        lowest_propensity: the most negative value of a law, or 0, [].
        made: steps, [].
    """

    states: Any
    times: Any
    is_going: Any
    is_sound: Any
    lowest_propensity: Any
    made: Any


# Kept by the identity of the network and the shapes, so that it is traced once for them.
@lru_cache(maxsize=64)
def soft_function(lowered: LoweredNetwork, plan: Plan) -> Any:
    """Return the function (inputs, start, points, temperature, seed, numbers) → what came out.

    It returns values float64 [trajectory, point, column], the lowest relaxed count and propensity,
    the steps made and a fault, 0 for none.
    """
    import tensorflow as tf

    @tf.function(autograph=False)
    def run(
        inputs: Any, start: Any, points: Any, temperature: Any, seed: Any, numbers: Any
    ) -> tuple[Any, ...]:
        found = _follow(lowered, plan, inputs, start, points[-1], temperature, seed, numbers)
        values = _read(plan.kind, points, found.states, found.times)
        fault = tf.where(tf.reduce_any(found.is_going), OUT_OF_REACH, SOUND)
        fault = tf.where(found.is_sound, fault, UNSOUND)
        return values, tf.reduce_min(found.states), found.lowest_propensity, found.made, fault

    return run


def _follow(
    lowered: LoweredNetwork,
    plan: Plan,
    inputs: Any,
    start: Any,
    last: Any,
    temperature: Any,
    seed: Any,
    numbers: Any,
) -> Followed:
    """Follow relaxed trajectories to the end of the readout.

    A trajectory that has reached the end of the readout, or whose total propensity is zero, stays
    where it is, at the time of its last firing.
    """
    import tensorflow as tf

    table = change_table(lowered)
    reactions, species = table.shape
    changes = tf.constant(table)
    nothing = tf.constant(-np.inf, tf.float64)
    blocks = (reactions + 1) // 2
    counts = tf.tile(start[None], [plan.rows, 1])
    clock = tf.zeros(plan.rows, tf.float64)
    states = tf.TensorArray(
        tf.float64, 1, dynamic_size=True, clear_after_read=False, element_shape=(plan.rows, species)
    )
    times = tf.TensorArray(
        tf.float64, 1, dynamic_size=True, clear_after_read=False, element_shape=(plan.rows,)
    )

    def goes_on(
        n: Any, _x: Any, clock: Any, is_open: Any, is_sound: Any, _low: Any, _s: Any, _t: Any
    ) -> Any:
        return is_sound & tf.reduce_any(_going(plan, n, clock, is_open, last)) & (n < plan.limit)

    def step(
        n: Any,
        counts: Any,
        clock: Any,
        is_open: Any,
        is_sound: Any,
        lowest: Any,
        states: Any,
        times: Any,
    ) -> Any:
        is_going = _going(plan, n, clock, is_open, last)
        # A derivative of 1 at 0, as in the exact process, unlike that of relu.
        seen = tf.where(counts >= 0.0, counts, tf.zeros_like(counts))
        rates = propensities(lowered, seen, inputs)
        is_sound = tf.reduce_all(tf.math.is_finite(rates) | ~is_going[:, None])
        lowest = tf.minimum(lowest, tf.reduce_min(tf.where(is_going[:, None], rates, 0.0)))
        rates = tf.where(rates >= 0.0, rates, tf.zeros_like(rates))
        total = tf.reduce_sum(rates, axis=1)
        is_open = total > 0.0
        moves = is_open & is_going
        draw = tf.cast(n, tf.uint64)
        u, _ = uniform_pairs(seed, tf.fill((plan.rows,), draw), numbers, FIRINGS)
        waiting = -tf.math.log(u) / tf.where(is_open, total, 1.0)
        draws = draw * blocks + tf.constant(np.arange(blocks, dtype=np.uint64)[:, None])
        first, second = uniform_pairs(seed, tf.tile(draws, [1, plan.rows]), numbers, ESTIMATOR)
        words = tf.stack([first, 1.0 - second], axis=1)
        uniform = tf.transpose(tf.reshape(words, (2 * blocks, plan.rows)))[:, :reactions]
        able = (rates > 0.0) & moves[:, None]
        gumbels = -tf.math.log(-tf.math.log(uniform))
        logits = (tf.math.log(tf.where(able, rates, 1.0)) + gumbels) / temperature
        # Minus infinity, unless nothing moves: the softmax of nothing but that is NaN.
        logits = tf.where(able, logits, tf.where(moves, nothing, 0.0)[:, None])
        share = tf.where(able, tf.nn.softmax(logits, axis=1), 0.0)
        counts = counts + tf.linalg.matmul(share, changes)
        clock = tf.where(moves, clock + waiting, clock)
        return (
            n + 1,
            counts,
            clock,
            is_open,
            is_sound,
            lowest,
            states.write(n + 1, counts),
            times.write(n + 1, clock),
        )

    made, _, clock, is_open, is_sound, lowest, states, times = tf.while_loop(
        goes_on,
        step,
        (
            tf.constant(0),
            counts,
            clock,
            tf.fill((plan.rows,), True),
            tf.constant(True),
            tf.constant(0.0, tf.float64),
            states.write(0, counts),
            times.write(0, clock),
        ),
        maximum_iterations=plan.limit,
    )
    is_going = _going(plan, made, clock, is_open, last)
    return Followed(states.stack(), times.stack(), is_going, is_sound, lowest, made)


def _going(plan: Plan, made: Any, clock: Any, is_open: Any, last: Any) -> Any:
    """Tell which trajectories have not reached the end of the readout, [trajectory]."""
    import tensorflow as tf

    if plan.kind == FIRING_COUNTS:
        return is_open & (tf.cast(made, tf.float64) < last)
    return is_open & (clock <= last)


def _read(kind: int, points: Any, states: Any, times: Any) -> Any:
    """Return what a readout keeps, float64 [trajectory, point, column]."""
    import tensorflow as tf

    if kind == FIRING_COUNTS:
        # All have ended before the last count, or none has.
        place = tf.minimum(tf.cast(points, tf.int32), tf.shape(times)[0] - 1)
        columns = tf.concat([states, times[:, :, None]], axis=2)
        return tf.transpose(tf.gather(columns, place), (1, 0, 2))
    # The last state persists.
    never = tf.fill(tf.shape(times[:1]), tf.constant(float("inf"), tf.float64))
    begin, end = times[:, :, None], tf.concat([times[1:], never], axis=0)[:, :, None]
    if kind == WINDOWS:
        low, high = points[:-1], points[1:]
        overlap = tf.nn.relu(tf.minimum(end, high) - tf.maximum(begin, low))
        return tf.einsum("stw,stx->twx", overlap / (high - low), states)
    inside = (points > begin) & (points <= end)
    inside |= (points == 0.0) & (tf.range(tf.shape(times)[0]) == 0)[:, None, None]
    # A state that persists has no slope; elsewhere the interval is finite and not empty.
    is_line = tf.math.is_finite(end) & (end > begin)
    width = tf.where(is_line, end - begin, 1.0)
    share = tf.where(inside & is_line, (points - begin) / width, 0.0)
    rest = tf.where(inside, 1.0 - share, 0.0)
    following = tf.concat([states[1:], states[-1:]], axis=0)
    return tf.einsum("stp,stx->tpx", rest, states) + tf.einsum("stp,stx->tpx", share, following)
