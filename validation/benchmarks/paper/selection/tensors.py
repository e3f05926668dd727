"""The direct method on tensors with three ways to select a reaction: the setting of the paper.

All trajectories of a batch advance one firing at a time, compiled by XLA. Propensities, random
streams and the inverse of the cumulative sum are those of `sbmlgrad.engines.TensorFlow`; the
Gumbel selections exist here only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tensorflow_graph import propensities
from sbmlgrad.engines.random import FIRINGS
from sbmlgrad.engines.tensorflow.loop import change_table, total_and_choice
from sbmlgrad.engines.tensorflow.random import uniform_pairs
from selection.loops import GUMBEL_SOFTMAX, INVERSE

#: Trajectories of a batch at the most, as in the engine.
ROWS = 2**14


@lru_cache(maxsize=64)
def block(lowered: LoweredNetwork, selection: str, rows: int, firings: int) -> Any:
    """Return the compiled function (inputs, start, seed, numbers, temperature) → last counts.

    Args:
        lowered: the network.
        selection: one of `selection.loops.SELECTIONS`.
        rows: trajectories of a batch.
        firings: of each of them.
    """
    import tensorflow as tf

    table = change_table(lowered)
    reactions = table.shape[0]
    # One pair of numbers a firing, or one number for the time and one for every reaction.
    pairs = 1 if selection == INVERSE else (2 + reactions) // 2

    @tf.function(jit_compile=True, autograph=False)
    def run(inputs: Any, start: Any, seed: Any, numbers: Any, temperature: Any) -> Any:
        changes = tf.constant(table)

        def step(n: Any, counts: Any, clock: Any) -> Any:
            rates = propensities(lowered, counts, inputs)
            first = tf.cast(n, tf.uint64) * tf.constant(pairs, tf.uint64)
            draws = first + tf.constant(np.arange(pairs, dtype=np.uint64)[:, None])
            u, v = uniform_pairs(seed, tf.tile(draws, [1, rows]), numbers, FIRINGS)
            if selection == INVERSE:
                total, fired = total_and_choice(rates, v[0])
                moved = counts + tf.gather(changes, fired)
            else:
                total = tf.reduce_sum(rates, axis=1)
                # The second numbers lie in [0, 1), the first in (0, 1].
                words = tf.reshape(tf.stack([u, 1.0 - v], axis=1), (2 * pairs, rows))
                noise = -tf.math.log(-tf.math.log(tf.transpose(words[1 : reactions + 1])) + 1e-300)
                able = rates > 0.0
                logits = tf.where(able, tf.math.log(tf.where(able, rates, 1.0)) + noise, -1e300)
                fired = tf.argmax(logits, axis=1)
                if selection == GUMBEL_SOFTMAX:
                    # Straight-through: the value is the hard choice, the slope that of the soft.
                    soft = tf.nn.softmax(logits / temperature)
                    hard = tf.one_hot(fired, reactions, dtype=tf.float64)
                    choice = soft + tf.stop_gradient(hard - soft)
                    moved = counts + tf.linalg.matmul(choice, changes)
                else:
                    moved = counts + tf.gather(changes, fired)
            return n + 1, moved, clock - tf.math.log(u[0]) / total

        counts = tf.tile(start[None], [rows, 1])
        clock = tf.zeros(rows, tf.float64)
        _, counts, clock = tf.while_loop(
            lambda n, *_: n < firings,
            step,
            (tf.constant(0), counts, clock),
            parallel_iterations=1,
        )
        return counts, clock

    return run


def sample(
    lowered: LoweredNetwork,
    selection: str,
    inputs: NDArray[np.float64],
    start: NDArray[np.float64],
    firings: int,
    trajectories: int,
    seed: int,
    temperature: float,
) -> NDArray[np.float64]:
    """Return the counts after so many firings, float64 [trajectory, species].

    Args:
        lowered: the network.
        selection: how the reaction is selected.
        inputs: float64 [input].
        start: counts at time 0, float64 [species].
        firings: of each trajectory; the network must not come to rest before.
        trajectories: how many.
        seed: of the streams.
        temperature: of the softmax.
    """
    import tensorflow as tf

    rows = min(ROWS, trajectories)
    run = block(lowered, selection, rows, firings)
    found = []
    for first in range(0, trajectories, rows):
        # The last batch is filled up with trajectories that are dropped.
        numbers = np.arange(first, first + rows, dtype=np.uint64)
        counts, _ = run(
            tf.constant(inputs, tf.float64),
            tf.constant(start, tf.float64),
            tf.constant(seed, tf.uint64),
            tf.constant(numbers),
            tf.constant(temperature, tf.float64),
        )
        found.append(counts.numpy()[: trajectories - first])
    return np.concatenate(found)
