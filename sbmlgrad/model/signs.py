"""The sign structure of rate laws: is a law non-negative, or an exact difference of two that are?

A rate law that can become negative describes a net rate. Its stochastic meaning is two opposed
reactions, so the law must be split into non-negative parts; firing on the net rate keeps the mean
but loses nearly all of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sbmlgrad.model.expression import (
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    piecewise,
    symbols,
)
from sbmlgrad.model.operators import OPERATORS, evaluate

Interval = tuple[float, float]
EVERYTHING: Interval = (-math.inf, math.inf)


def factors(expression: Expression) -> tuple[list[Expression], list[Expression]]:
    """Flatten products and quotients: return the factors above and below the fraction bar."""
    above: list[Expression] = []
    below: list[Expression] = []
    stack = [(expression, True)]
    while stack:
        node, is_above = stack.pop()
        if isinstance(node, Apply) and node.operator == "times":
            stack.extend((a, is_above) for a in reversed(node.arguments))
        elif isinstance(node, Apply) and node.operator == "divide":
            stack.append((node.arguments[1], not is_above))
            stack.append((node.arguments[0], is_above))
        else:
            (above if is_above else below).append(node)
    return above, below


def terms(expression: Expression) -> list[tuple[int, Expression]]:
    """Flatten sums and differences: return (sign, term) pairs."""
    result: list[tuple[int, Expression]] = []
    stack = [(1, expression)]
    while stack:
        sign, node = stack.pop()
        if isinstance(node, Apply) and node.operator == "plus":
            stack.extend((sign, a) for a in reversed(node.arguments))
        elif isinstance(node, Apply) and node.operator == "minus":
            if len(node.arguments) == 2:
                stack.append((-sign, node.arguments[1]))
                stack.append((sign, node.arguments[0]))
            else:
                stack.append((-sign, node.arguments[0]))
        else:
            result.append((sign, node))
    return result


def interval(expression: Expression, constants: Mapping[str, float]) -> Interval:
    """Return bounds that an expression cannot leave while species and compartments are >= 0.

    Args:
        expression: the expression.
        constants: symbol → value; every other symbol may take any value >= 0.
    """
    ids = symbols(expression)
    if all(s in constants for s in ids):
        value = float(evaluate(expression, constants))
        if isinstance(expression, Number):
            return value, value
        # A parameter without a value, or set to zero for now, must not hide the structure.
        return (0.0, math.inf) if math.isnan(value) or value == 0.0 else (value, value)
    if isinstance(expression, Symbol):
        return (0.0, math.inf)
    assert isinstance(expression, Apply)
    operator, arguments = expression.operator, expression.arguments
    if operator in ("times", "divide"):
        return _product_interval(expression, constants)
    parts = [interval(a, constants) for a in arguments]
    if operator == "plus":
        return sum(p[0] for p in parts), sum(p[1] for p in parts)
    if operator == "minus":
        if len(parts) == 1:
            return -parts[0][1], -parts[0][0]
        return parts[0][0] - parts[1][1], parts[0][1] - parts[1][0]
    if operator in ("abs", "sqrt"):
        return (0.0, math.inf)
    if operator == "exp":
        return _exp(parts[0][0]), _exp(parts[0][1])
    if operator == "ln":
        return (_ln(parts[0][0]), _ln(parts[0][1]))
    if operator == "power" and _is_even(arguments[1]):
        return (0.0, math.inf)
    if operator == "power" and parts[0][0] >= 0.0:
        return (0.0, 1.0) if parts[0][1] <= 1.0 and parts[1][0] >= 0.0 else (0.0, math.inf)
    if operator == "min":
        return min(p[0] for p in parts), min(p[1] for p in parts)
    if operator == "max":
        return max(p[0] for p in parts), max(p[1] for p in parts)
    if operator == "piecewise":
        values = parts[::2]
        return min(p[0] for p in values), max(p[1] for p in values)
    return EVERYTHING


def _is_even(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value % 2.0 == 0.0


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0)) if x < 700.0 else math.inf


def _ln(x: float) -> float:
    return math.log(x) if 0.0 < x < math.inf else (math.inf if x > 0.0 else -math.inf)


def _product_interval(expression: Expression, constants: Mapping[str, float]) -> Interval:
    above, below = factors(expression)
    if _is_fraction_of_a_whole(above, below, constants):
        return (0.0, 1.0)
    above = _without_falling_factorials(above)
    result: Interval = (1.0, 1.0)
    for factor in above:
        result = _times(result, interval(factor, constants))
    for factor in below:
        low, high = interval(factor, constants)
        if low < 0.0:
            return EVERYTHING
        result = _times(result, (_reciprocal(high), _reciprocal(low)))
    return result


def _reciprocal(x: float) -> float:
    return math.inf if x == 0.0 else 1.0 / x


def _times(a: Interval, b: Interval) -> Interval:
    products = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def _is_fraction_of_a_whole(
    above: list[Expression], below: list[Expression], constants: Mapping[str, float]
) -> bool:
    """Recognise a / (a + b) with a, b >= 0, as in saturation: it lies in [0, 1]."""
    if len(below) != 1:
        return False
    whole = terms(below[0])
    if len(whole) < 2 or any(sign < 0 for sign, _ in whole):
        return False
    part = multiply(*above)
    is_part = any(term == part for _, term in whole)
    return is_part and all(interval(term, constants)[0] >= 0.0 for _, term in whole)


def _without_falling_factorials(above: list[Expression]) -> list[Expression]:
    """Drop pairs of factors u and u - 1 with u a whole number, because u (u - 1) >= 0.

    This covers X (X - 1) ... of reacting molecules, and (100 - 2 X) (99 - 2 X) where a conserved
    total stands for the reactant. Symbols stand for whole numbers of molecules.
    """
    forms = [_whole_form(factor) for factor in above]
    waiting = [i for i, form in enumerate(forms) if form is not None]
    dropped: set[int] = set()
    while waiting:
        chain = [_top(waiting, forms)]
        waiting.remove(chain[0])
        while (following := _one_below(chain[-1], waiting, forms)) is not None:
            chain.append(following)
            waiting.remove(following)
        # Of an odd number the largest stays, as the X of X (X - 1) (X - 2).
        dropped |= set(chain[len(chain) % 2 :])
    return [factor for i, factor in enumerate(above) if i not in dropped]


def _one_below(place: int, waiting: list[int], forms: list[dict[str, float] | None]) -> int | None:
    form = forms[place]
    assert form is not None
    below = {**form, "": form[""] - 1.0}
    return next((i for i in waiting if forms[i] == below), None)


def _top(waiting: list[int], forms: list[dict[str, float] | None]) -> int:
    """Return a form that is not one below another."""
    below = {_one_below(i, waiting, forms) for i in waiting}
    return next(i for i in waiting if i not in below)


def _whole_form(expression: Expression) -> dict[str, float] | None:
    """Return whole coefficients of a linear form, the constant under ""; None if it is not one."""
    form: dict[str, float] = {"": 0.0}
    for sign, term in terms(expression):
        above, below = factors(term)
        names = [f.id for f in above if isinstance(f, Symbol)]
        numbers = [f.value for f in above if isinstance(f, Number)]
        if below or len(names) > 1 or len(names) + len(numbers) != len(above):
            return None
        value = sign * math.prod(numbers)
        if value != round(value):
            return None
        name = names[0] if names else ""
        form[name] = form.get(name, 0.0) + value
    return form if len(form) > 1 else None


def is_nonnegative(expression: Expression, constants: Mapping[str, float]) -> bool:
    """Tell whether a law is certainly >= 0 on every state (False: not known to be)."""
    return interval(expression, constants)[0] >= 0.0


def split(
    expression: Expression, constants: Mapping[str, float]
) -> tuple[Expression, Expression] | None:
    """Write a law as an exact difference `forward - backward` of non-negative parts.

    Works through sums, factored compartments and parameters, quotients with a non-negative
    denominator and piecewise laws. Parts that are already non-negative are never opened.

    Args:
        expression: the law.
        constants: symbol → value for symbols judged by their value (parameters, compartments).

    Returns:
        (forward, backward), or None if the law has no such form.
    """
    low, high = interval(expression, constants)
    if low >= 0.0:
        return expression, ZERO
    if high <= 0.0:
        return ZERO, negate(expression)
    if not isinstance(expression, Apply):
        return None
    if expression.operator in ("plus", "minus"):
        return _split_sum(expression, constants)
    if expression.operator in ("times", "divide"):
        return _split_product(expression, constants)
    if expression.operator == "piecewise":
        return _split_piecewise(expression, constants)
    return None


def _split_sum(
    expression: Expression, constants: Mapping[str, float]
) -> tuple[Expression, Expression] | None:
    forward: list[Expression] = []
    backward: list[Expression] = []
    for sign, term in terms(expression):
        parts = split(term, constants)
        if parts is None:
            return None
        forward.append(parts[0] if sign > 0 else parts[1])
        backward.append(parts[1] if sign > 0 else parts[0])
    return add(*forward), add(*backward)


def _split_product(
    expression: Expression, constants: Mapping[str, float]
) -> tuple[Expression, Expression] | None:
    above, below = factors(expression)
    if any(not is_nonnegative(factor, constants) for factor in below):
        return None
    signed = [i for i, factor in enumerate(above) if not is_nonnegative(factor, constants)]
    if len(signed) != 1:
        return None
    place = signed[0]
    parts = split(above[place], constants)
    if parts is None:
        return None
    denominator = multiply(*below)

    def with_factor(part: Expression) -> Expression:
        return divide(multiply(*above[:place], part, *above[place + 1 :]), denominator)

    return with_factor(parts[0]), with_factor(parts[1])


def _split_piecewise(
    expression: Apply, constants: Mapping[str, float]
) -> tuple[Expression, Expression] | None:
    forward: list[Expression] = []
    backward: list[Expression] = []
    for i, argument in enumerate(expression.arguments):
        is_condition = i % 2 == 1
        parts = (argument, argument) if is_condition else split(argument, constants)
        if parts is None:
            return None
        forward.append(parts[0])
        backward.append(parts[1])
    return piecewise(*forward), piecewise(*backward)


def can_turn_negative(expression: Expression) -> bool:
    """Tell whether a law contains a subtraction or a negative literal at all."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Number) and node.value < 0.0:
            return True
        if isinstance(node, Apply):
            if node.operator == "minus":
                return True
            assert node.operator in OPERATORS
            stack.extend(node.arguments)
    return False
