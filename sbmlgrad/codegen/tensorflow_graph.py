"""Propensities of a network as batched TensorFlow operations.

Reactions whose laws have the same shape form one family: the shape is evaluated once, on tensors
[trajectory, member] gathered for it, so that the graph grows with the number of families and not of
reactions. Values follow `model.operators.evaluate`, and TensorFlow's own differentiation gives the
derivatives: nothing here uses the symbolic ones, so that each can check the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.codegen.lowering import LoweredNetwork
from sbmlgrad.codegen.tensorflow_operators import FUNCTIONS
from sbmlgrad.errors import RequestError, SbmlGradError
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol, symbols

#: Where a leaf of a law takes its value from.
STATE, INPUT, LITERAL = "state", "input", "literal"


@dataclass(frozen=True, eq=False)
class Leaf:
    """One place of a family's shape: what stands there in each member.

    Attributes:
        source: `STATE`, `INPUT` or `LITERAL`.
        content: slots int64 [member], or the numbers themselves float64 [member].
    """

    source: str
    content: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Family:
    """Reactions with laws of one shape.

    Attributes:
        shape: the law, with the symbol "i" for leaf number i.
        leaves: what the symbols stand for.
        reactions: its members, in document order.
    """

    shape: Expression
    leaves: tuple[Leaf, ...]
    reactions: tuple[int, ...]


# Keyed by identity of the frozen network object.
@lru_cache(maxsize=64)
def families(lowered: LoweredNetwork) -> tuple[Family, ...]:
    """Group the reactions of a network by the shapes of their laws.

    Raises:
        RequestError: a law uses the time, which has no place in a state.
    """
    place = {s: (STATE, i) for i, s in enumerate(lowered.state_ids)}
    place |= {s: (INPUT, i) for i, s in enumerate(lowered.input_ids)}
    groups: dict[tuple[Expression, tuple[str, ...]], list[tuple[int, list[Any]]]] = {}
    for reaction, channel in enumerate(lowered.channels):
        sources: list[str] = []
        contents: list[Any] = []

        def leaf(
            node: Expression,
            sources: list[str] = sources,
            contents: list[Any] = contents,
            name: str = channel.id,
        ) -> Expression:
            if isinstance(node, Apply):
                return Apply(node.operator, tuple(leaf(a) for a in node.arguments))
            if isinstance(node, Symbol) and node.id not in place:
                raise RequestError(
                    f"reaction '{name}': its law uses '{node.id}', which is neither a count nor an "
                    "input; as TensorFlow operations only laws of the state can be evaluated. Use "
                    "sbmlgrad.engines.Native()."
                )
            source, content = (LITERAL, node.value) if isinstance(node, Number) else place[node.id]
            sources.append(source)
            contents.append(content)
            return Symbol(str(len(sources) - 1))

        shape = leaf(channel.propensity)
        groups.setdefault((shape, tuple(sources)), []).append((reaction, contents))
    return tuple(
        Family(
            shape,
            tuple(
                Leaf(source, np.array([contents[i] for _, contents in members]))
                for i, source in enumerate(sources)
            ),
            tuple(reaction for reaction, _ in members),
        )
        for (shape, sources), members in groups.items()
    )


def propensities(lowered: LoweredNetwork, counts: Any, inputs: Any) -> Any:
    """Evaluate all propensities as TensorFlow operations, differentiable by `tf.GradientTape`.

    A pure function, eagerly or inside `tf.function`, with XLA or without. Choose it to check
    gradients, and to build models of one's own on a network's laws.

    Args:
        lowered: the network.
        counts: float64 tensor [trajectory, state], in the order of `lowered.state_ids`.
        inputs: float64 tensor [input] or [trajectory, input], in that of `lowered.input_ids`.

    Returns:
        float64 tensor [trajectory, reaction], 1/time.

    Raises:
        RequestError: a law uses the time.
    """
    import tensorflow as tf

    counts = tf.convert_to_tensor(counts, tf.float64)
    inputs = tf.convert_to_tensor(inputs, tf.float64)
    rows = counts.shape[0] if counts.shape[0] is not None else tf.shape(counts)[0]
    pieces, order = [], []
    for family in families(lowered):
        tensors = [_tensor(leaf, counts, inputs) for leaf in family.leaves]
        value = _value(family.shape, lambda i, t=tensors: t[int(i)])
        pieces.append(tf.broadcast_to(value, (rows, len(family.reactions))))
        order += family.reactions
    if not pieces:
        return tf.zeros((rows, 0), tf.float64)
    stacked = pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=1)
    if order == sorted(order):
        return stacked
    return tf.gather(stacked, np.argsort(order), axis=1)


def _tensor(leaf: Leaf, counts: Any, inputs: Any) -> Any:
    """Return a leaf's values, float64 [..., member], with one member where all are equal."""
    import tensorflow as tf

    content = leaf.content
    if len(np.unique(content)) == 1:
        content = content[:1]
    if leaf.source == LITERAL:
        return tf.constant(content, tf.float64)
    whole = counts if leaf.source == STATE else inputs
    first, count = int(content[0]), len(content)
    if np.array_equal(content, np.arange(first, first + count)):
        return whole[..., first : first + count]
    return tf.gather(whole, content, axis=-1)


def expression_tensor(expression: Expression, values: Mapping[str, Any]) -> Any:
    """Evaluate an expression as TensorFlow operations, differentiable by `tf.GradientTape`.

    Choose it for formulas of a model's symbols in a loss. Derivatives of values that are not
    selected by a `piecewise` do not spoil those that are; a jump has the derivative zero.

    Args:
        expression: any formula of a kinetic law.
        values: symbol → float64 tensor or number; they broadcast against each other.

    Returns:
        float64 tensor of the shape that the values broadcast to.

    Raises:
        RequestError: a symbol without a value.
        SbmlGradError: an operator that has no TensorFlow operation, such as a random draw.
    """
    import tensorflow as tf

    missing = sorted(symbols(expression) - values.keys())
    if missing:
        raise RequestError(
            f"no value for {', '.join(map(repr, missing))}, which the formula uses; give one"
        )
    used = {s: tf.convert_to_tensor(values[s], tf.float64) for s in symbols(expression)}
    return _value(expression, used.__getitem__)


def _value(node: Expression, leaf: Callable[[str], Any]) -> Any:
    import tensorflow as tf

    if isinstance(node, Symbol):
        return leaf(node.id)
    if isinstance(node, Number):
        return tf.constant(node.value, tf.float64)
    if node.operator == "piecewise":
        return _piecewise(node.arguments, leaf)
    if node.operator not in FUNCTIONS:
        raise SbmlGradError(
            f"operator '{node.operator}' has no TensorFlow operation, so that a law with it cannot "
            "be evaluated; use sbmlgrad.engines.Native()"
        )
    return FUNCTIONS[node.operator](*(_value(a, leaf) for a in node.arguments))


def _piecewise(pieces: Sequence[Expression], leaf: Callable[[str], Any]) -> Any:
    """Return the first value whose condition holds; NaN if none does and there is no otherwise."""
    import tensorflow as tf

    is_open = tf.constant(True)
    chosen = []
    for i in range(0, len(pieces) - 1, 2):
        holds = tf.not_equal(_value(pieces[i + 1], leaf), 0.0)
        is_taken = is_open & holds
        chosen.append((is_taken, _value(pieces[i], _only_where(is_taken, leaf))))
        is_open = is_open & ~holds
    result = tf.constant(np.nan, tf.float64)
    if len(pieces) % 2:
        result = _value(pieces[-1], _only_where(is_open, leaf))
    for is_taken, value in reversed(chosen):
        result = tf.where(is_taken, value, result)
    return result


def _only_where(is_taken: Any, leaf: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the same leaves, through which gradients flow only where a condition holds.

    A value that is not selected receives the cotangent 0; its derivative may be infinite, and their
    product would be NaN. What is selected at the leaves, instead of multiplied, stays clean.
    """
    import tensorflow as tf

    def gated(symbol: str) -> Any:
        value = leaf(symbol)
        return tf.where(is_taken, value, tf.stop_gradient(value))

    return gated
