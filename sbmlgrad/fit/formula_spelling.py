"""Formulas as people read them: infix, with no more parentheses than needed."""

from __future__ import annotations

import re

from sbmlgrad.model.expression import TIME, Apply, Expression, Number, Symbol
from sbmlgrad.model.operators import OPERATORS

#: How tightly the signs of arithmetic bind, in SBML level 3 infix.
_SUM, _PRODUCT, _SIGN, _POWER, _WHOLE = 1, 2, 3, 4, 5

#: Operator → sign, how tightly it binds.
_SIGNS = {
    "plus": (" + ", _SUM),
    "minus": (" - ", _SUM),
    "times": (" * ", _PRODUCT),
    "divide": (" / ", _PRODUCT),
    "power": ("^", _POWER),
}


def formula_text(expression: Expression) -> str:
    """Return a formula in the infix notation of SBML level 3, for reports and tables.

    `io.formula_text.formula_of` reads it back as an expression of the same value; what is exact to
    the last structure is MathML.

    Args:
        expression: the formula.
    """
    return _spelled(expression)[0]


def _spelled(expression: Expression) -> tuple[str, int]:
    """Return the text and how tightly its outermost sign binds."""
    if isinstance(expression, Number):
        return number_text(expression.value), _WHOLE if expression.value >= 0.0 else _SIGN
    if isinstance(expression, Symbol):
        return "time" if expression == TIME else expression.id, _WHOLE
    operator, arguments = expression.operator, expression.arguments
    if operator == "minus" and len(arguments) == 1:
        return f"-{_within(arguments[0], _POWER)}", _SIGN
    if operator in _SIGNS and len(arguments) > 1:
        return _joined(expression)
    # Calls enclose their arguments themselves.
    spell = OPERATORS[operator].spelling["infix"]
    plain = spell([_spelled(a)[0] for a in arguments])
    if re.match(r"(\w+|!)\(", plain) or not arguments:
        return plain, _WHOLE
    return spell([_within(a, _WHOLE) for a in arguments]), _WHOLE


def _joined(expression: Apply) -> tuple[str, int]:
    sign, binds = _SIGNS[expression.operator]
    first, *rest = expression.arguments
    if binds == _POWER:
        parts = [_within(first, _WHOLE), *(_within(a, _WHOLE) for a in rest)]
    else:
        # What follows on the right is grouped on the left unless it is enclosed.
        parts = [_within(first, binds), *(_within(a, binds + 1) for a in rest)]
    return sign.join(parts), binds


def _within(expression: Expression, least: int) -> str:
    text, binds = _spelled(expression)
    return text if binds >= least else f"({text})"


def number_text(value: float) -> str:
    """Return a number with all its digits, and no more: `2`, `0.1`, `1e-06`."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
