"""Functions of values that users give to `expect` and `probability`, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sbmlgrad.errors import GradientError, RequestError
from sbmlgrad.model.conditions import ends_of, refuse_number

#: What differentiates a statistic that no path derivative can.
FOR_JUMPS = "FittedValue(), CoupledDifference(), ScoreFunction() and FiniteDifference()"


def refuse_steps(
    name: str, function: Callable[..., Any], values: list[Any], moving: list[bool]
) -> None:
    """Raise where f has no derivative in what moves: its gradient would be a silent zero."""
    import tensorflow as tf

    watched = [tf.stop_gradient(v) for v in values]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        result = tf.cast(function(*watched), tf.float64)
    found: Any = tape.gradient(result, watched)
    slopes = [slope for slope, moves in zip(found, moving, strict=True) if moves]
    message = (
        f"{name}: the function that `expect` was given has no derivative, or one of zero on the "
        "whole ensemble, in a symbol that it is given. Along a trajectory a step looks like a "
        f"constant, so that the gradient would be wrong. {FOR_JUMPS} differentiate any function; "
        "TwoSidedAdjoint() needs a smooth one of TensorFlow operations"
    )
    if any(slope is None for slope in slopes):
        raise GradientError(message)
    if not slopes:
        return
    has_slope = tf.reduce_any([tf.reduce_any(tf.not_equal(slope, 0.0)) for slope in slopes])
    if not tf.executing_eagerly():
        tf.debugging.Assert(has_slope, [f"GradientError: {message}"])
    elif not bool(has_slope):
        raise GradientError(message)


def check_ids(verb: str, ids: Sequence[str]) -> None:
    """Raise where a function is given no symbols."""
    if not ids:
        raise RequestError(
            f"{verb}: name the symbols whose values the function takes, for instance "
            f'{verb}(function, "X")'
        )


def check_shape(found: tuple[int | None, ...], values: tuple[int | None, ...], axis: int) -> None:
    """Raise where a function's result has lost the trajectories."""
    if len(found) <= axis or found[axis] != values[axis]:
        raise RequestError(
            f"the function turns values of shape {values} into a result of shape {found}, and its "
            f"mean is over trajectories, axis {axis}: return [..., trajectory, point] for a number "
            "at every point, or [..., trajectory] for one of the whole trajectory"
        )


def between(lower: Any, upper: Any) -> Callable[[Any], Any]:
    """Return the condition lower <= value <= upper; None is an open end."""
    low, high = ends_of("probability", lower, upper)
    return lambda values: (values >= low) & (values <= high)


def answering(condition: Callable[..., Any]) -> Callable[..., Any]:
    """Return a condition that refuses what does not tell true from false."""

    def checked(*values: Any) -> Any:
        found = condition(*values)
        dtype = getattr(found, "dtype", None)
        if dtype is None or getattr(dtype, "name", None) != "bool":
            advice = "compare values, or use expect(f, ...) for the mean of numbers"
            refuse_number("probability: the condition", dtype or repr(found), advice)
        return found

    return checked
