"""Kernel functions as plain Python, with the arithmetic of machine code: exp(1000) is infinite.

The reference engine runs them where there is no second implementation. Functions of `math` raise
where machine code gives infinity or NaN; here they give what NumPy does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from sbmlgrad.codegen.kernel_constants import constants_of

#: Functions of `math` that NumPy calls otherwise.
_NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_NUMPY_NAMES |= {"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "float_power"}


def interpreted(functions: Sequence[Callable[..., object]]) -> SimpleNamespace:
    """Return kernel functions that call each other and never raise for a number.

    Args:
        functions: plain functions in numba's subset of Python; they may call each other by name,
            and use numbers that their modules define in capitals.
    """
    names: dict[str, Any] = {"math": _quiet_math(), "np": np, "inf": np.inf, "nan": np.nan}
    names.update(constants_of(functions))
    for function in functions:
        assert isinstance(function, FunctionType)
        names[function.__name__] = FunctionType(
            function.__code__, names, function.__name__, function.__defaults__
        )
    return SimpleNamespace(**{f.__name__: names[f.__name__] for f in functions})


def _quiet_math() -> SimpleNamespace:
    found: dict[str, Any] = {}
    for name, value in vars(math).items():
        found[name] = _quiet(name, value) if callable(value) else value
    return SimpleNamespace(**found)


def _quiet(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    instead = getattr(np, _NUMPY_NAMES.get(name, name), None)

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (OverflowError, ValueError):
            return math.nan if instead is None else instead(*arguments)

    return call
