"""Compiling kernels without Python's collector of cyclic garbage, which only slows it down.

numba makes millions of small objects while it compiles, nearly all of which are kept. Each of them
counts towards the next collection, and every collection walks all objects of the process, of which
TensorFlow alone brings hundreds of thousands.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any


@contextmanager
def collection_paused() -> Iterator[None]:
    """Leave cyclic garbage where it is until the end of the block.

    Collection is switched on again by who switched it off: not by nested blocks, and not where the
    user had switched it off before. It is one for all threads: two that compile at a time have it
    back when the first has ended.
    """
    if not gc.isenabled():
        yield
        return
    try:
        gc.disable()
        yield
    finally:
        gc.enable()


def compile_faster(module: ModuleType) -> None:
    """Let the functions of a module of kernels pause collection while they compile."""
    for function in vars(module).values():
        if hasattr(function, "overloads"):
            function.compile = _paused(function.compile)


def _paused(compiled: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(compiled)
    def compile(*arguments: Any, **named: Any) -> Any:
        with collection_paused():
            return compiled(*arguments, **named)

    return compile
