"""Derivatives of the operators of kinetic laws in each argument, as expressions of the arguments.

Textbook derivatives. Where a function has a kink it is the derivative from one side.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sbmlgrad.errors import SbmlGradError
from sbmlgrad.model.expression import (
    ONE,
    ZERO,
    Apply,
    Expression,
    Number,
    add,
    divide,
    multiply,
    negate,
    piecewise,
    power,
    subtract,
)

Arguments = tuple[Expression, ...]
Partials = Callable[[Arguments], tuple[Expression, ...]]

TWO = Number(2.0)


def unary(slope: Callable[[Expression], Expression]) -> Partials:
    """Return the partials of an operator of one argument."""
    return lambda a: (slope(a[0]),)


def call(name: str, argument: Expression) -> Expression:
    """Return an operator applied to one argument."""
    return Apply(name, (argument,))


def square(x: Expression) -> Expression:
    """Return `x ^ 2`."""
    return power(x, TWO)


def inverse_root(x: Expression) -> Expression:
    """Return `1 / sqrt(x)`."""
    return divide(ONE, call("sqrt", x))


def d_plus(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a sum."""
    return (ONE,) * len(a)


def d_minus(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a difference or a change of sign."""
    return (Number(-1.0),) if len(a) == 1 else (ONE, Number(-1.0))


def d_times(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a product."""
    return tuple(multiply(*a[:i], *a[i + 1 :]) for i in range(len(a)))


def d_divide(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a quotient."""
    return divide(ONE, a[1]), negate(divide(a[0], multiply(a[1], a[1])))


def d_power(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a power."""
    base, exponent = a
    in_base = multiply(exponent, power(base, subtract(exponent, ONE)))
    # 0^e ln 0 tends to 0 for e > 0; the plain product would be 0 * -inf = nan.
    logarithmic = multiply(power(base, exponent), Apply("ln", (base,)))
    return in_base, piecewise(logarithmic, Apply("gt", (base, ZERO)), ZERO)


def d_rem(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate `rem(x, y) = x - y quotient(x, y)` where the quotient does not jump."""
    return ONE, negate(Apply("quotient", a))


def d_factorial(a: Arguments) -> tuple[Expression, ...]:
    """Return NaN: the factorial is defined on whole numbers only, and has no derivative."""
    return (Number(math.nan),)


def d_without_value(a: Arguments) -> tuple[Expression, ...]:
    """Refuse: what stands for the operator must be put in its place first."""
    raise SbmlGradError(
        "'rateOf' was differentiated before the rate of its symbol was put in its place; "
        "differentiate the formula within its model."
    )


def d_abs(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate the absolute value."""
    below = piecewise(Number(-1.0), Apply("lt", (a[0], ZERO)), ZERO)
    # At zero the derivative from the right: counts only come from there.
    return (piecewise(ONE, Apply("geq", (a[0], ZERO)), below),)


def d_extremum(at_least_as_extreme: str, more_extreme: str) -> Partials:
    """Return the partials of min or max, named by the relations that decide them."""

    def partials(a: Arguments) -> tuple[Expression, ...]:
        # The first argument that attains the extremum carries the whole derivative.
        result: list[Expression] = []
        for i, candidate in enumerate(a):
            wins = tuple(
                Apply(more_extreme if j < i else at_least_as_extreme, (candidate, other))
                for j, other in enumerate(a)
                if j != i
            )
            result.append(piecewise(ONE, Apply("and", wins), ZERO) if wins else ONE)
        return tuple(result)

    return partials


def d_piecewise(a: Arguments) -> tuple[Expression, ...]:
    """Differentiate a piecewise function: a value counts where it is the one selected."""
    # Conditions have derivative zero.
    has_otherwise = len(a) % 2 == 1
    conditions = a[1::2]
    result: list[Expression] = []
    for i in range(len(a)):
        if i % 2 == 1:
            result.append(ZERO)
            continue
        flat: list[Expression] = []
        for j, condition in enumerate(conditions):
            flat += [ONE if 2 * j == i else ZERO, condition]
        is_otherwise = has_otherwise and i == len(a) - 1
        result.append(piecewise(*flat, ONE if is_otherwise else ZERO))
    return tuple(result)


d_exp = unary(lambda x: call("exp", x))
d_ln = unary(lambda x: divide(ONE, x))
d_log10 = unary(lambda x: divide(Number(1.0 / math.log(10.0)), x))
d_sqrt = unary(lambda x: divide(Number(0.5), call("sqrt", x)))

d_sin = unary(lambda x: call("cos", x))
d_cos = unary(lambda x: negate(call("sin", x)))
d_tan = unary(lambda x: add(ONE, square(call("tan", x))))
d_sec = unary(lambda x: multiply(call("sec", x), call("tan", x)))
d_csc = unary(lambda x: negate(multiply(call("csc", x), call("cot", x))))
d_cot = unary(lambda x: negate(add(ONE, square(call("cot", x)))))

d_sinh = unary(lambda x: call("cosh", x))
d_cosh = unary(lambda x: call("sinh", x))
d_tanh = unary(lambda x: square(call("sech", x)))
d_sech = unary(lambda x: negate(multiply(call("sech", x), call("tanh", x))))
d_csch = unary(lambda x: negate(multiply(call("csch", x), call("coth", x))))
d_coth = unary(lambda x: negate(square(call("csch", x))))

d_arcsin = unary(lambda x: inverse_root(subtract(ONE, square(x))))
d_arccos = unary(lambda x: negate(inverse_root(subtract(ONE, square(x)))))
d_arctan = unary(lambda x: divide(ONE, add(ONE, square(x))))
d_arccot = unary(lambda x: negate(divide(ONE, add(ONE, square(x)))))
d_arcsinh = unary(lambda x: inverse_root(add(ONE, square(x))))
d_arccosh = unary(lambda x: inverse_root(subtract(square(x), ONE)))
d_arctanh = unary(lambda x: divide(ONE, subtract(ONE, square(x))))
d_arccoth = d_arctanh


def _inverse_slope(inner: Callable[[Expression], Expression], sign: float) -> Partials:
    return unary(
        lambda x: multiply(Number(sign), divide(inverse_root(inner(x)), multiply(x, x))),
    )


# With f(1 / x) the inner derivative is -1 / x^2.
d_arcsec = _inverse_slope(lambda x: subtract(ONE, power(x, Number(-2.0))), 1.0)
d_arccsc = _inverse_slope(lambda x: subtract(ONE, power(x, Number(-2.0))), -1.0)
d_arccsch = _inverse_slope(lambda x: add(ONE, power(x, Number(-2.0))), -1.0)
d_arcsech = _inverse_slope(lambda x: subtract(power(x, Number(-2.0)), ONE), -1.0)
