"""Conditions that users give: two ends, or what is true or false; those without meaning refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn

from sbmlgrad.errors import RequestError
from sbmlgrad.model.expression import Apply, Expression, Number, Symbol
from sbmlgrad.model.jumps import is_logical
from sbmlgrad.model.numbers import as_number


def ends_of(what: str, lower: Any, upper: Any) -> tuple[float, float]:
    """Return the ends of lower <= value <= upper; minus and plus infinity for None, an open end.

    Args:
        what: where they were given, for messages.
        lower: a number or None.
        upper: likewise.

    Raises:
        RequestError: an end is no number, or no finite value lies between them.
    """
    low = -math.inf if lower is None else as_number(f"{what}, lower end", lower)
    high = math.inf if upper is None else as_number(f"{what}, upper end", upper)
    # NaN compares as false.
    if not low <= high or low == math.inf or high == -math.inf:
        raise RequestError(
            f"{what}: nothing lies between {lower!r} and {upper!r}; give a lower end that is not "
            "above the upper one, with None for an open end"
        )
    return low, high


def refuse_number(what: str, found: Any, advice: str) -> NoReturn:
    """Raise a `RequestError` for a condition that gives numbers.

    Args:
        what: the condition.
        found: what it gives.
        advice: what to do.
    """
    raise RequestError(f"{what} gives {found}, not true or false; {advice}")


def is_truth_value(expression: Expression, rules: Mapping[str, Expression]) -> bool:
    """Tell whether a formula is true or false: by its operator, its pieces or an assignment rule.

    The numbers 1 and 0 count as true and false, since formulas of SBML Level 3 Version 1 have
    nothing else to tell a truth value by in pieces.

    Args:
        expression: the formula.
        rules: symbol → expression that it stands for, without cycles.
    """
    if isinstance(expression, Number):
        return expression.value in (0.0, 1.0)
    if isinstance(expression, Symbol):
        return expression.id in rules and is_truth_value(rules[expression.id], rules)
    if expression.operator == "piecewise":
        # Values at even places, conditions at odd ones.
        return all(is_truth_value(piece, rules) for piece in expression.arguments[::2])
    return is_logical(expression)


def described(expression: Expression) -> str:
    """Return a few words for a formula: what it does at its top."""
    if isinstance(expression, Apply):
        return f"a formula of operator '{expression.operator}'"
    if isinstance(expression, Symbol):
        return f"'{expression.id}'"
    return f"{expression.value:g}"
