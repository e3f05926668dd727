"""Bounds that a rate law cannot leave, from its structure: interval arithmetic with two extras.

The extras are what plain interval arithmetic loses and rate laws need: a fraction of a whole, as in
saturation, lies in [0, 1], and the falling factorial X (X - 1) of whole X is not negative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from sbmlgrad.model.expression import (
    Apply,
    Expression,
    Number,
    Symbol,
    divide,
    multiply,
    subtract,
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
        # Monotone in base and exponent, so the corners hold the extremes.
        corners = [_power(base, exponent) for base in parts[0] for exponent in parts[1]]
        return min(corners), max(corners)
    if operator == "min":
        return min(p[0] for p in parts), min(p[1] for p in parts)
    if operator == "max":
        return max(p[0] for p in parts), max(p[1] for p in parts)
    if operator == "piecewise":
        values = [_where(arguments, i, parts, constants) for i in range(0, len(parts), 2)]
        return min(p[0] for p in values), max(p[1] for p in values)
    if OPERATORS[operator].is_logical:
        return (0.0, 1.0)
    return EVERYTHING


def _where(
    arguments: tuple[Expression, ...],
    place: int,
    parts: list[Interval],
    constants: Mapping[str, float],
) -> Interval:
    """Return the bounds of one piece where its own condition holds: a > b makes a - b positive."""
    low, high = parts[place]
    condition = arguments[place + 1] if place + 1 < len(arguments) else None
    if low >= 0.0 or not isinstance(condition, Apply) or len(condition.arguments) != 2:
        return low, high
    left, right = condition.arguments
    if condition.operator in ("lt", "leq"):
        left, right = right, left
    elif condition.operator not in ("gt", "geq"):
        return low, high
    above, below = factors(arguments[place])
    rest = [f for f in above if f != subtract(left, right)]
    if len(rest) == len(above) - 1:
        others = interval(divide(multiply(*rest), multiply(*below)), constants)
        low = 0.0 if others[0] >= 0.0 else low
    return low, high


def _is_even(exponent: Expression) -> bool:
    return isinstance(exponent, Number) and exponent.value % 2.0 == 0.0


def _power(base: float, exponent: float) -> float:
    if base == 0.0 and exponent < 0.0:
        return math.inf
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0)) if x < 700.0 else math.inf


def _ln(x: float) -> float:
    return math.log(x) if 0.0 < x < math.inf else (math.inf if x > 0.0 else -math.inf)


def _product_interval(expression: Expression, constants: Mapping[str, float]) -> Interval:
    above, below = factors(expression)
    result: Interval = (1.0, 1.0)
    while (rest := _without_fraction_of_a_whole(above, below, constants)) is not None:
        above, below = rest
        result = _times(result, (0.0, 1.0))
    dropped = falling_factorials(above)
    for i, factor in enumerate(above):
        if i in dropped:
            result = _times(result, (0.0, math.inf))
        else:
            result = _times(result, interval(factor, constants))
    for factor in below:
        low, high = interval(factor, constants)
        if low < 0.0 < high:
            return EVERYTHING
        if high <= 0.0:
            low, high, result = -high, -low, (-result[1], -result[0])
        result = _times(result, (_reciprocal(high), _reciprocal(low)))
    return result


def _reciprocal(x: float) -> float:
    return math.inf if x == 0.0 else 1.0 / x


def _times(a: Interval, b: Interval) -> Interval:
    products = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def _without_fraction_of_a_whole(
    above: list[Expression], below: list[Expression], constants: Mapping[str, float]
) -> tuple[list[Expression], list[Expression]] | None:
    """Take one factor a / (a + b) with a, b >= 0, as in saturation, out of a product.

    Such a factor lies in [0, 1]. Returns what is left above and below, or None without one.
    """
    sums = [(whole, terms(whole)) for whole in below]
    sums = [(w, s) for w, s in sums if len(s) > 1 and all(sign > 0 for sign, _ in s)]
    if not sums:
        return None
    has_above, has_below = Counter(above), Counter(below)
    for whole, summands in sums:
        others = has_below - Counter([whole])
        for _, part in summands:
            part_above, part_below = (Counter(side) for side in factors(part))
            if not (part_above <= has_above and part_below <= others):
                continue
            if all(interval(term, constants)[0] >= 0.0 for _, term in summands):
                rest_above, rest_below = has_above - part_above, others - part_below
                return list(rest_above.elements()), list(rest_below.elements())
    return None


def falling_factorials(above: list[Expression]) -> set[int]:
    """Return the places of pairs of factors u and u - 1, u a whole number: u (u - 1) >= 0.

    This covers X (X - 1) ... of reacting molecules, and (100 - 2 X) (99 - 2 X) where a conserved
    total stands for the reactant. Symbols stand for whole numbers of molecules.
    """
    # Linear part → constant → places of factors.
    families: dict[frozenset[tuple[str, float]], dict[float, list[int]]] = {}
    for i, factor in enumerate(above):
        form = _whole_form(factor)
        if form is not None:
            constant = form.pop("")
            family = families.setdefault(frozenset(form.items()), {})
            family.setdefault(constant, []).append(i)
    dropped: set[int] = set()
    for family in families.values():
        for top in sorted(family, reverse=True):
            while family[top]:
                chain: list[int] = []
                constant = top
                while family.get(constant):
                    chain.append(family[constant].pop())
                    constant -= 1.0
                # Of an odd number the largest stays, as the X of X (X - 1) (X - 2).
                dropped |= set(chain[len(chain) % 2 :])
    return dropped


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
        if not math.isfinite(value) or value != round(value):
            return None
        name = names[0] if names else ""
        form[name] = form.get(name, 0.0) + value
    return form if len(form) > 1 else None
