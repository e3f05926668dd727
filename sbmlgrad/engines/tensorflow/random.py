"""The random streams of `engines.random` as TensorFlow operations: the same bits."""

from __future__ import annotations

from typing import Any

from sbmlgrad.engines.random import KEY_STEP0, KEY_STEP1, MULTIPLIER0, MULTIPLIER1, ROUNDS


def uniform_pairs(seed: Any, draws: Any, trajectories: Any, purpose: int) -> tuple[Any, Any]:
    """Return u in (0, 1] and v in [0, 1), each with 53 random bits, as `random.uniform_pairs` does.

    Philox4x32-10; see `engines.random` for the source and the meaning of an address.

    Args:
        seed: uint64 tensor [].
        draws: uint64 tensor [..., trajectory].
        trajectories: numbers of trajectories, uint64 tensor [trajectory].
        purpose: what the numbers are for, such as `random.FIRINGS`.

    Returns:
        Two float64 tensors [..., trajectory].
    """
    import tensorflow as tf

    def word(value: int) -> Any:
        return tf.constant(value, tf.uint64)

    def high(value: Any) -> Any:
        return tf.bitwise.right_shift(value, word(32))

    def low(value: Any) -> Any:
        return tf.bitwise.bitwise_and(value, word(0xFFFFFFFF))

    def mixed(a: Any, b: Any, c: Any) -> Any:
        return tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(a, b), c)

    key0, key1 = low(seed), high(seed)
    c0, c1, c2, c3 = low(draws), high(draws), trajectories, word(purpose)
    for _ in range(ROUNDS):
        product0 = c0 * word(MULTIPLIER0)
        product1 = c2 * word(MULTIPLIER1)
        c0, c2 = mixed(high(product1), c1, key0), mixed(high(product0), c3, key1)
        c1, c3 = low(product1), low(product0)
        key0 = low(key0 + word(KEY_STEP0))
        key1 = low(key1 + word(KEY_STEP1))
    return _fraction(c0, c1, 1), _fraction(c2, c3, 0)


def _fraction(low: Any, high: Any, offset: int) -> Any:
    """Return the upper 53 of 64 bits as a number of steps of 2^-53, moved by `offset` steps."""
    import tensorflow as tf

    bits = tf.bitwise.bitwise_or(low, tf.bitwise.left_shift(high, tf.constant(32, tf.uint64)))
    steps = tf.bitwise.right_shift(bits, tf.constant(11, tf.uint64))
    # Through int64, which every device turns into float64; at most 2^53, so nothing is lost.
    return tf.cast(tf.cast(steps, tf.int64) + offset, tf.float64) * 2.0**-53
