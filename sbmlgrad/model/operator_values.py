"""Values of the operators of kinetic laws, on NumPy numbers or arrays, element by element.

Truth values are the numbers 1.0 and 0.0, and any number that is not 0 counts as true (NaN too, as
in C and Python), so that numbers and truth values may stand for each other, as SBML Level 3
Version 2 allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from sbmlgrad.errors import SbmlGradError

Function = Callable[..., Any]


def folded(function: Function) -> Function:
    """Return a function of any number of arguments, applied to two at a time from the left."""
    return lambda *a: reduce(function, a)


def truth(function: Function) -> Function:
    """Return a function whose truth value is the number 1.0 or 0.0."""
    return lambda *a: np.add(function(*a), 0.0)


def folded_truth(function: Function, start: bool) -> Function:
    """Return a logical function of any number of arguments; `start` is its value without any."""
    return truth(lambda *a: reduce(function, a, start))


def of_reciprocal(function: Function) -> Function:
    """Return `f(1 / x)`: the inverse of sec, csc, cot, ... from that of cos, sin, tan, ..."""
    return lambda x: function(np.divide(1.0, x))


def reciprocal_of(function: Function) -> Function:
    """Return `1 / f(x)`: sec, csc, cot, ... from cos, sin, tan, ..."""
    return lambda x: np.divide(1.0, function(x))


def minus(*a: Any) -> Any:
    """Return `-a` or `a - b`."""
    return np.negative(a[0]) if len(a) == 1 else np.subtract(a[0], a[1])


def piecewise(*a: Any) -> Any:
    """Return the first value whose condition holds; NaN if none does and there is no otherwise."""
    value = a[-1] if len(a) % 2 else np.nan
    for i in range(len(a) - 2 - len(a) % 2, -1, -2):
        value = np.where(np.not_equal(a[i + 1], 0.0), a[i], value)
    return value


def quotient(a: Any, b: Any) -> Any:
    """Return `a / b` without its fraction, rounded towards zero."""
    return np.trunc(np.divide(a, b))


def factorial(a: Any) -> Any:
    """Return `a!` of whole numbers >= 0, NaN of all others; infinity where it overflows."""
    last = 170  # 171! exceeds the largest float64.
    values = np.array([*(float(math.factorial(n)) for n in range(last + 1)), np.inf, np.nan])
    x = np.asarray(a, dtype=np.float64)
    is_whole = (x >= 0.0) & (x == np.floor(x))
    place = np.where(is_whole, np.minimum(x, last + 1.0), last + 2.0)
    return values[place.astype(np.int64)]


def implies(a: Any, b: Any) -> Any:
    """Return whether `b` holds wherever `a` does."""
    return np.logical_or(np.logical_not(a), b)


def without_value(*_: Any) -> Any:
    """Refuse: the value of this operator is not a function of its arguments' values."""
    raise SbmlGradError(
        "'rateOf' was evaluated before the rate of its symbol was put in its place; a formula "
        "with it has no value by itself. Evaluate the formula within its model."
    )
