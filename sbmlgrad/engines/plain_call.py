"""Calls that AutoGraph leaves alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def plain_call(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Call a function as it is written, also inside `tf.function`.

    AutoGraph rewrites every function that is called there, and all that those call. Nothing here
    needs that: it would only take time, and it cannot rewrite all of Python. TensorFlow is not
    imported where nobody else has.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None or not hasattr(tf, "autograph") or tf.executing_eagerly():
        return function(*arguments, **named)
    return tf.autograph.experimental.do_not_convert(function)(*arguments, **named)
