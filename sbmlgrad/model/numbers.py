"""Numbers that users pass in: turned into floats, or refused with a message that names them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import RequestError


def as_number(what: str, value: Any) -> float:
    """Return a value as a float.

    Raises:
        RequestError: it is no number, or an integer beyond all floating-point numbers.
    """
    try:
        return float(value)
    except OverflowError:
        raise RequestError(_beyond(what)) from None
    except (TypeError, ValueError):
        raise RequestError(f"{what}: {value!r} is not a number; give a number") from None


def as_numbers(what: str, values: Any) -> NDArray[np.float64]:
    """Return values as a float64 array of whatever shape they have.

    Raises:
        RequestError: they are no numbers, ragged, or an integer is beyond all floating-point
            numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except OverflowError:
        raise RequestError(_beyond(what)) from None
    except (TypeError, ValueError):
        raise RequestError(
            f"{what}: {values!r} are not numbers; give an array of numbers"
        ) from None


def whole(what: str, value: Any, least: int, most: int) -> int:
    """Return a whole number within limits.

    Raises:
        RequestError: it is no whole number, or outside the limits.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not least <= number <= most:
        raise RequestError(f"{what}={value!r}: give a whole number from {least} to {most}")
    return number


def _beyond(what: str) -> str:
    # Without the number, which may be too long to print.
    return f"{what}: an integer is beyond the largest floating-point number, 1.8e308; give less"
