"""Expressions → formulas in the notation of PEtab, so that `petab_formula` reads them back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce

from sbmlgrad.errors import WriteError
from sbmlgrad.io.petab.formulas import CLOCK, ELEMENTARY
from sbmlgrad.model.expression import TIME, Expression, Number, Symbol

_SIGNS = {
    "plus": " + ",
    "times": " * ",
    "divide": " / ",
    "power": " ^ ",
    "lt": " < ",
    "leq": " <= ",
    "gt": " > ",
    "geq": " >= ",
    "eq": " == ",
    "neq": " != ",
    "and": " && ",
    "or": " || ",
}


def petab_text(expression: Expression, names: Mapping[str, str] | None = None) -> str:
    """Return a formula as PEtab writes it; numbers keep every bit.

    Args:
        expression: the formula.
        names: symbol id → what PEtab calls it, where that differs.

    Raises:
        WriteError: PEtab has no word for some function in it.
    """
    text = _text(expression, names or {})
    is_enclosed = text.startswith("(") and _closing(text) == len(text) - 1
    return text[1:-1] if is_enclosed else text


def _text(expression: Expression, names: Mapping[str, str]) -> str:
    if isinstance(expression, Number):
        return number_text(expression.value)
    if isinstance(expression, Symbol):
        return CLOCK if expression == TIME else names.get(expression.id, expression.id)
    arguments = [_text(a, names) for a in expression.arguments]
    operator = expression.operator
    if operator in _SIGNS:
        return f"({_SIGNS[operator].join(arguments)})" if len(arguments) > 1 else arguments[0]
    if operator == "minus":
        return f"(-{arguments[0]})" if len(arguments) == 1 else f"({' - '.join(arguments)})"
    if operator in ("min", "max"):
        return reduce(_call(operator), arguments)
    if operator == "not":
        return f"(!{arguments[0]})"
    is_complete = operator != "piecewise" or len(arguments) % 2
    if operator in (*ELEMENTARY, "piecewise") and is_complete:
        return f"{operator}({', '.join(arguments)})"
    if operator in ("true", "false"):
        return operator
    what = f"function {operator!r}" if is_complete else "'piecewise' without an otherwise"
    raise WriteError(f"PEtab has no {what}; change the formula that uses it")


def number_text(value: float) -> str:
    """Return a number as PEtab writes it; negative ones stand in parentheses.

    Raises:
        WriteError: it is not finite.
    """
    if not math.isfinite(value):
        raise WriteError(f"a formula of PEtab cannot hold the number {value}; change it")
    # Numbers of NumPy print with their type.
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def _call(function: str) -> Callable[[str, str], str]:
    return lambda a, b: f"{function}({a}, {b})"


def _closing(text: str) -> int:
    """Return where the parenthesis that opens a text is closed."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place
    return -1
