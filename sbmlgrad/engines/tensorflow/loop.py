"""The direct method for a batch of trajectories in step, as one TensorFlow loop.

One call makes up to a given number of steps, each one firing of every trajectory that has not
ended, and keeps what the readout wants. Shapes are static, so that XLA can compile it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tensorflow_graph import propensities
from sbmlgrad.engines.codes import (
    ABSORBED,
    COMPLETED,
    FIRING_COUNTS,
    FIRING_LIMIT,
    INTERPOLATED,
    NEGATIVE_COUNT,
    NEGATIVE_PROPENSITY,
    NO_FAULT,
    NON_FINITE,
)
from sbmlgrad.engines.random import FIRINGS
from sbmlgrad.engines.tensorflow.random import uniform_pairs
from sbmlgrad.engines.tensorflow.readouts import Block, keep

#: Outcome of a trajectory that has not ended yet.
RUNNING = -1

#: Up to so many reactions sums are written out; more take long to compile.
MOST_UNROLLED = 128


class Batch(NamedTuple):
    """How far the trajectories of a batch are: one tensor each, first axis [trajectory].

    Attributes:
        time: of the last firing, float64.
        counts: since then, float64 [trajectory, species].
        draw: firings so far, int64.
        outcome: a number of `engines.codes` or `RUNNING`, int32.
        fault: the reaction at fault, int32.
    """

    time: Any
    counts: Any
    draw: Any
    outcome: Any
    fault: Any


class Job(NamedTuple):
    """What all trajectories of a batch share: tensors.

    Attributes:
        inputs: float64 [input].
        points: of the readout, float64 [point].
        seed: uint64 [].
        numbers: of the trajectories, uint64 [trajectory].
        limit: firings of one trajectory, int64 [].
    """

    inputs: Any
    points: Any
    seed: Any
    numbers: Any
    limit: Any


@lru_cache(maxsize=64)
def block_function(
    lowered: LoweredNetwork, kind: int, points: int, rows: int, steps: int, jit_compile: bool | None
) -> Any:
    """Return the compiled function (job, batch, values) → (batch, values, running).

    Kept by the identity of the network and the shapes, so that it is traced once for them.

    Args:
        lowered: the network.
        kind: kind of the readout.
        points: how many its points are.
        rows: trajectories of a batch.
        steps: most firings of a trajectory in one call.
        jit_compile: as for `tf.function`.
    """
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile, autograph=False)
    def block(job: Job, batch: Batch, values: Any) -> Any:
        after, times, states = _advance(lowered, kind, job, batch, steps)
        record = Block(
            times,
            states,
            batch.draw,
            after.draw - batch.draw,
            batch.outcome == RUNNING,
            after.outcome == RUNNING,
        )
        running = tf.reduce_sum(tf.cast(after.outcome == RUNNING, tf.int64))
        return after, keep(kind, job.points, record, values), running

    return block


def change_table(lowered: LoweredNetwork) -> NDArray[np.float64]:
    """Return net changes, float64 [reaction, species]; one row of zeros if nothing fires."""
    if not lowered.channels:
        return np.zeros((1, len(lowered.species_ids)))
    return np.ascontiguousarray(lowered.stoichiometry.T, dtype=np.float64)


def _advance(
    lowered: LoweredNetwork, kind: int, job: Job, batch: Batch, steps: int
) -> tuple[Batch, Any, Any]:
    """Make up to `steps` firings; return the batch and its times and states by record."""
    import tensorflow as tf

    rows, species = batch.counts.shape
    times = tf.TensorArray(tf.float64, steps + 1, element_shape=(rows,)).write(0, batch.time)
    states = tf.TensorArray(tf.float64, steps + 1, element_shape=(rows, species))
    states = states.write(0, batch.counts)
    never = tf.constant(np.inf, tf.float64)
    # One that has not ended fires in every step, so that its draws are known beforehand.
    draws = tf.cast(batch.draw + tf.range(steps, dtype=tf.int64)[:, None], tf.uint64)
    u, v = uniform_pairs(job.seed, draws, job.numbers, FIRINGS)
    exponentials = -tf.math.log(u)

    def goes_on(made: Any, batch: Batch, _times: Any, _states: Any) -> Any:
        return (made < steps) & tf.reduce_any(batch.outcome == RUNNING)

    def step(made: Any, batch: Batch, times: Any, states: Any) -> Any:
        after = _fire(lowered, kind, job, batch, exponentials[made], v[made])
        has_fired = after.draw > batch.draw
        times = times.write(made + 1, tf.where(has_fired, after.time, never))
        return made + 1, after, times, states.write(made + 1, after.counts)

    made, batch, times, states = tf.while_loop(
        goes_on, step, (tf.constant(0), batch, times, states), parallel_iterations=1
    )
    # Records that no step wrote are never reached: their time is infinite.
    is_made = (tf.range(steps + 1) <= made)[:, None]
    return batch, tf.where(is_made, times.stack(), never), states.stack()


def _fire(
    lowered: LoweredNetwork, kind: int, job: Job, batch: Batch, exponential: Any, v: Any
) -> Batch:
    """Let the next firing of every running trajectory happen, or end the trajectory.

    Gillespie 1977, eqs. 21a-b; the order of checks is that of `engines.reference`. `exponential`
    and `v` are the random numbers of the draw, float64 [trajectory].
    """
    import tensorflow as tf

    change = tf.constant(change_table(lowered))
    rates = propensities(lowered, batch.counts, job.inputs)
    if not lowered.channels:
        rates = tf.zeros((batch.counts.shape[0], 1), tf.float64)
    total, fired = total_and_choice(rates, v)
    unsound, unsound_fault = _judge(rates, total)
    next_time = batch.time + exponential / total
    counts = batch.counts + tf.gather(change, fired)
    last = job.points[-1]
    is_over = next_time > last

    # What comes first in the order of checks is written last.
    outcome = tf.where(tf.reduce_any(counts < 0.0, axis=1), NEGATIVE_COUNT, RUNNING)
    outcome = tf.where(batch.draw >= job.limit, FIRING_LIMIT, outcome)
    if kind not in (INTERPOLATED, FIRING_COUNTS):
        outcome = tf.where(is_over, COMPLETED, outcome)
    outcome = tf.where(total == 0.0, ABSORBED, outcome)
    outcome = tf.where(unsound != RUNNING, unsound, outcome)
    if kind == FIRING_COUNTS:
        outcome = tf.where(batch.draw >= tf.cast(last, tf.int64), COMPLETED, outcome)
    fault = tf.where(outcome == NEGATIVE_COUNT, fired, NO_FAULT)
    fault = tf.where((unsound != RUNNING) & (outcome == unsound), unsound_fault, fault)

    was_running = batch.outcome == RUNNING
    fires = was_running & (outcome == RUNNING)
    if kind == INTERPOLATED:
        # Here the firing beyond the last point happens, since the lines lead there.
        outcome = tf.where(fires & is_over, COMPLETED, outcome)
    return Batch(
        time=tf.where(fires, next_time, batch.time),
        counts=tf.where(fires[:, None], counts, batch.counts),
        draw=batch.draw + tf.cast(fires, tf.int64),
        outcome=tf.where(was_running, outcome, batch.outcome),
        fault=tf.where(was_running, fault, batch.fault),
    )


def _judge(rates: Any, total: Any) -> tuple[Any, Any]:
    """Return outcomes of unsound propensities, `RUNNING` of others, and reactions at fault."""
    import tensorflow as tf

    reactions = rates.shape[1]
    place = tf.range(reactions)
    is_bad = ~((rates >= 0.0) & (rates < np.inf))
    first_bad = tf.reduce_min(tf.where(is_bad, place, reactions), axis=1)
    first_negative = tf.reduce_min(tf.where(rates < 0.0, place, reactions), axis=1)
    outcome = tf.where(total < np.inf, RUNNING, NON_FINITE)
    outcome = tf.where(first_bad < reactions, NON_FINITE, outcome)
    is_negative = (first_bad < reactions) & (first_negative == first_bad)
    outcome = tf.where(is_negative, NEGATIVE_PROPENSITY, outcome)
    return outcome, tf.where(first_bad < reactions, first_bad, NO_FAULT)


def total_and_choice(rates: Any, v: Any) -> tuple[Any, Any]:
    """Return total propensities and the reactions that fire.

    Sums run from left to right in document order, on every device. A library's running sum may add
    in blocks; its sums then need not increase in their last bits.

    Args:
        rates: propensities, float64 [trajectory, reaction].
        v: uniform numbers, float64 [trajectory].

    Returns:
        float64 [trajectory] and int32 [trajectory]: the first reaction whose running sum exceeds
        `v` times the total; 0 where no reaction can fire.
    """
    import tensorflow as tf

    zero = tf.zeros_like(v)
    (total,) = _fold(lambda _j, rate, total: (total + rate,), rates, (zero,))
    target = v * total

    def choose(j: Any, rate: Any, reached: Any, chosen: Any) -> tuple[Any, Any]:
        # Of those that can fire the last one that begins at or below the target. A compiler may
        # round these sums otherwise than the total; what cannot fire is not chosen even then.
        is_begun = (rate > 0.0) & (reached <= target)
        return reached + rate, tf.where(is_begun, j, chosen)

    _, chosen = _fold(choose, rates, (zero, tf.zeros_like(v, tf.int32)))
    return total, chosen


def _fold(function: Callable[..., tuple[Any, ...]], rates: Any, state: tuple[Any, ...]) -> Any:
    """Apply `function(j, column j, *state) -> state` to columns of `rates`, from left to right."""
    import tensorflow as tf

    reactions = rates.shape[1]
    if reactions <= MOST_UNROLLED:
        for j, column in enumerate(tf.unstack(rates, axis=1)):
            state = function(j, column, *state)
        return state
    columns = tf.transpose(rates)
    return tf.while_loop(
        lambda j, *_: j < reactions,
        lambda j, *state: (j + 1, *function(j, columns[j], *state)),
        (tf.constant(0), *state),
        parallel_iterations=1,
    )[1:]
