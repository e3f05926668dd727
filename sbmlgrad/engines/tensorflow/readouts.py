"""What a readout keeps of a block of firings, as TensorFlow operations on whole batches.

A block holds for every trajectory the state at its start and after each of its firings. Only the
points that a block reaches are looked at, one after another for all trajectories, since a block
usually reaches few of many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, VALUES, WINDOWS


@dataclass(frozen=True)
class Block:
    """Firings of a batch, and the states between them.

    Attributes:
        times: start of the block, then firing times, then infinity, float64 [record, trajectory].
        states: state from each time on, float64 [record, trajectory, species].
        draw: number of the block's first firing, int64 [trajectory].
        fired: firings in the block, int64 [trajectory].
        was_running: whether a trajectory had not ended when the block began, bool [trajectory].
        is_running: whether it has not ended yet, bool [trajectory].
    """

    times: Any
    states: Any
    draw: Any
    fired: Any
    was_running: Any
    is_running: Any

    @property
    def has_ended(self) -> Any:
        """Whether a trajectory ended in this block: then its last state holds for ever."""
        return self.was_running & ~self.is_running

    def at(self, records: Any) -> tuple[Any, Any]:
        """Return times [trajectory] and states [trajectory, species] of records [trajectory]."""
        import tensorflow as tf

        count, rows, species = self.states.shape
        place = tf.cast(records, tf.int32) * rows + tf.range(rows)
        states = tf.reshape(self.states, (count * rows, species))
        return tf.gather(tf.reshape(self.times, [-1]), place), tf.gather(states, place)

    def record_at(self, time: Any) -> Any:
        """Return the record that holds at a time, int64 [trajectory]; 0 if the time is earlier."""
        import tensorflow as tf

        begun = tf.reduce_sum(tf.cast(self.times <= time, tf.int64), axis=0)
        return tf.maximum(begun - 1, 0)


def keep(kind: int, points: Any, block: Block, values: Any) -> Any:
    """Return values with what a block of firings says of them.

    Args:
        kind: kind of the readout, a number of `engines.codes`.
        points: its points, float64.
        block: the firings.
        values: what was kept before, zeros at first, float64 [point, trajectory, column].
    """
    import tensorflow as tf

    first, end = _reached(kind, points, block, values.shape[0])
    rows = tf.TensorArray(tf.float64, values.shape[0], element_shape=values.shape[1:])

    def update(point: Any, rows: Any) -> Any:
        return point + 1, rows.write(point, _KEEPERS[kind](points, point, block, rows.read(point)))

    _, rows = tf.while_loop(
        lambda point, _: point < end,
        update,
        (first, rows.unstack(values)),
        parallel_iterations=1,
    )
    return rows.stack()


def _reached(kind: int, points: Any, block: Block, count: int) -> tuple[Any, Any]:
    """Return the first point that the block reaches and the end of those that it reaches."""
    import tensorflow as tf

    counts_firings = kind == FIRING_COUNTS
    begin = tf.cast(block.draw, tf.float64) if counts_firings else block.times[0]
    last = tf.cast(block.draw + block.fired, tf.float64) if counts_firings else block.times[-1]
    infinity = tf.constant(np.inf, tf.float64)
    low = tf.reduce_min(tf.where(block.was_running, begin, infinity))
    # One that has not ended has fired in every step, so that its last record is there.
    high = tf.reduce_max(tf.where(block.is_running, last, -infinity))
    high = tf.where(tf.reduce_any(block.has_ended), infinity, high)
    first = tf.reduce_sum(tf.cast(points < low, tf.int32))
    end = tf.reduce_sum(tf.cast(points <= high, tf.int32))
    if kind == WINDOWS:
        # The window that `low` lies in began before it.
        first = tf.maximum(first - 1, 0)
    return first, tf.minimum(end, count)


def _value_at(points: Any, point: Any, block: Block, kept: Any) -> Any:
    import tensorflow as tf

    time = points[point]
    _, states = block.at(block.record_at(time))
    is_new = block.was_running & (time >= block.times[0])
    return tf.where(is_new[:, None], states, kept)


def _window_average(edges: Any, point: Any, block: Block, kept: Any) -> Any:
    """Add the share of the window that lies within the block."""
    import tensorflow as tf

    low, high = edges[point], edges[point + 1]
    # What follows the last record of one that has not ended belongs to the next block.
    unknown = tf.where(block.is_running, block.times[-1], tf.constant(np.inf, tf.float64))
    ends = tf.concat([block.times[1:], unknown[None]], axis=0)
    lasting = tf.maximum(tf.minimum(ends, high) - tf.maximum(block.times, low), 0.0)
    area = tf.reduce_sum(lasting[..., None] * block.states, axis=0)
    return kept + tf.where(block.was_running[:, None], area / (high - low), 0.0)


def _interpolated(points: Any, point: Any, block: Block, kept: Any) -> Any:
    import tensorflow as tf

    wanted = points[point]
    record = block.record_at(wanted)
    time, state = block.at(record)
    next_time, next_state = block.at(tf.minimum(record + 1, block.fired))
    share = tf.where(record < block.fired, (wanted - time) / (next_time - time), 0.0)
    found = state + share[:, None] * (next_state - state)
    is_new = block.was_running & (wanted >= block.times[0])
    return tf.where(is_new[:, None], found, kept)


def _after_firings(points: Any, point: Any, block: Block, kept: Any) -> Any:
    import tensorflow as tf

    wanted = tf.cast(points[point], tf.int64) - block.draw
    times, states = block.at(tf.minimum(tf.maximum(wanted, 0), block.fired))
    found = tf.concat([states, times[:, None]], axis=1)
    is_new = block.was_running & (wanted >= 0)
    return tf.where(is_new[:, None], found, kept)


_KEEPERS: dict[int, Callable[[Any, Any, Block, Any], Any]] = {
    VALUES: _value_at,
    WINDOWS: _window_average,
    INTERPOLATED: _interpolated,
    FIRING_COUNTS: _after_firings,
}
