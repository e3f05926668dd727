"""Named numbers that kernel functions use, found so that generated modules can define them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType

from sbmlgrad.errors import SbmlGradError


def constants_of(functions: Iterable[Callable[..., object]]) -> dict[str, int | float]:
    """Return name → number for the constants (names in capitals) that functions use.

    A kernel is compiled from the source of its functions, which does not hold what their modules
    define or import.

    Args:
        functions: plain functions.

    Raises:
        SbmlGradError: two functions mean different numbers by one name.
    """
    found: dict[str, int | float] = {}
    for function in functions:
        assert isinstance(function, FunctionType)
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if not name.isupper() or not isinstance(value, int | float):
                continue
            number = float(value) if isinstance(value, float) else int(value)
            if found.setdefault(name, number) != number:
                raise SbmlGradError(
                    f"kernel function '{function.__name__}' means {number} by the constant {name}, "
                    f"another one means {found[name]}; in one kernel a name has one value, so give "
                    "one of them another name"
                )
    return found
