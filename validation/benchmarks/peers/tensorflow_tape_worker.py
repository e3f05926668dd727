"""The straight-through estimator in plain TensorFlow operations, differentiated by its tape.

Every trajectory of the ensemble advances by one firing in each turn of a `tf.while_loop`, states
being [trajectory, species]. The choice is the Gumbel maximum forward and the softmax of the same
noise backward; the waiting time is -log(u) / a_0. Options: `temperature`, `jit_compile`.
"""

from __future__ import annotations

import os
from typing import Any

from gradients_loop import Calls, Outcome, serve


def software() -> str:
    """Return the version of TensorFlow; `ImportError` if it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    return str(tf.__version__)


def prepare(job: Any, options: dict[str, Any]) -> Calls:
    """Build the two graphs."""
    import numpy as np
    import tensorflow as tf

    real = tf.float64
    reactions, species = len(job.constants), len(job.species)
    jumps = np.zeros((reactions, species))
    for r in range(reactions):
        np.add.at(jumps[r], job.reactants[r], -1.0)
        np.add.at(jumps[r], job.products[r], 1.0)
    jumps = tf.constant(jumps, real)
    low, high = (tf.constant(job.edges[i : i + len(job.edges) - 1], real) for i in (0, 1))
    end = job.edges[-1]
    temperature = float(options["temperature"])

    def propensities(x: Any, k: Any) -> Any:
        columns, constants = tf.unstack(x, axis=1), tf.unstack(k)
        rates = []
        for r in range(reactions):
            rate = constants[job.constants[r]] * tf.ones_like(columns[0])
            for s in job.reactants[r]:
                rate = rate * columns[s]
            rates.append(rate)
        return tf.stack(rates, axis=1)

    def simulate(k: Any, number: int, seed: Any) -> tuple[Any, Any]:
        def go_on(_step: Any, t: Any, *_rest: Any) -> Any:
            return tf.reduce_any(t < end)

        def advance(step: Any, t: Any, x: Any, kept: Any, firings: Any) -> tuple[Any, ...]:
            rates = propensities(x, k)
            total = tf.reduce_sum(rates, axis=1)
            can = total > 0.0
            u = tf.random.stateless_uniform(
                [number, reactions + 1], tf.stack([seed, step]), minval=1e-300, dtype=real
            )
            waiting = -tf.math.log(u[:, 0]) / tf.where(can, total, 1.0)
            then = tf.where(can, t + waiting, np.inf)
            fires = then <= end
            until = tf.where(fires, then, end)
            # Windows that the interval [t, until] overlaps.
            overlap = tf.minimum(until[:, None], high) - tf.maximum(t[:, None], low)
            share = tf.maximum(overlap, 0.0) / (high - low)
            kept = kept + share * x[:, job.watched, None]
            is_open = rates > 0.0
            # The inner choice keeps the derivative finite where a propensity is zero.
            logits = tf.where(is_open, tf.math.log(tf.where(is_open, rates, 1.0)), -1e300)
            perturbed = logits - tf.math.log(-tf.math.log(u[:, 1:]))
            soft = tf.nn.softmax(perturbed / temperature)
            hard = tf.one_hot(tf.argmax(perturbed, axis=1), reactions, dtype=real)
            choice = soft + tf.stop_gradient(hard - soft)
            x = x + tf.where(fires[:, None], choice @ jumps, 0.0)
            return step + 1, until, x, kept, firings + tf.cast(fires, tf.int32)

        start = tf.constant([job.counts], real)
        state = (
            tf.constant(0),
            tf.zeros([number], real),
            tf.repeat(start, number, axis=0),
            tf.zeros([number, len(job.edges) - 1], real),
            tf.zeros([number], tf.int32),
        )
        # One turn more than firings: the last interval ends without one.
        result = tf.while_loop(go_on, advance, state, maximum_iterations=job.steps + 1)
        finished = tf.reduce_all(result[1] >= end)
        totals = tf.reduce_sum(result[3], axis=1)
        return tf.where(finished, totals, np.nan), result[4]

    compiled = bool(options["jit_compile"])

    @tf.function(jit_compile=compiled)
    def forward_graph(k: Any, number: int, seed: Any) -> tuple[Any, Any]:
        return simulate(k, number, seed)

    @tf.function(jit_compile=compiled)
    def gradient_graph(k: Any, number: int, seed: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(k)
            totals, firings = simulate(k, number, seed)
            mean = tf.reduce_mean(totals)
        return totals, firings, tape.gradient(mean, k)

    k = tf.constant(job.parameters, real)

    def forward(number: int, seed: int) -> Outcome:
        totals, firings = forward_graph(k, number, tf.constant(seed))
        return Outcome(totals.numpy(), firings.numpy())

    def gradient(number: int, seed: int) -> Outcome:
        totals, firings, slope = gradient_graph(k, number, tf.constant(seed))
        return Outcome(totals.numpy(), firings.numpy(), slope.numpy())

    return Calls(forward, gradient)


if __name__ == "__main__":
    serve(software, prepare)
