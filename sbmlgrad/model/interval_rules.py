"""Interval rules of the operators: bounds of the result from bounds of the arguments.

A rule bounds the values that are defined: it ignores the part of a box where the operator gives
NaN, and takes 0 * infinity for 0, the limit of bounded factors. An operator that is defined nowhere
on its box gets `EVERYTHING`. The rules round as float64 does, without widening.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from sbmlgrad.model import operator_values as values

Interval = tuple[float, float]
Rule = Callable[[Sequence[Interval]], Interval]

EVERYTHING: Interval = (-math.inf, math.inf)


def _at(function: values.Function, x: float) -> float:
    with np.errstate(all="ignore"):
        return float(function(x))


def monotone(
    function: values.Function,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    falls: bool = False,
) -> Rule:
    """Return the rule of a function of one argument that only rises, or only falls, on a domain."""

    def rule(parts: Sequence[Interval]) -> Interval:
        a, b = max(parts[0][0], low), min(parts[0][1], high)
        if not a <= b:
            return EVERYTHING
        ends = _at(function, a), _at(function, b)
        return (ends[1], ends[0]) if falls else ends

    return rule


def after(outer: Rule, inner: Rule) -> Rule:
    """Return the rule of a function of a function."""
    return lambda parts: outer([inner(parts)])


def plus(parts: Sequence[Interval]) -> Interval:
    """Bound a sum."""
    return sum(p[0] for p in parts), sum(p[1] for p in parts)


def minus(parts: Sequence[Interval]) -> Interval:
    """Bound a difference or a change of sign."""
    if len(parts) == 1:
        return -parts[0][1], -parts[0][0]
    return parts[0][0] - parts[1][1], parts[0][1] - parts[1][0]


def multiplied(a: Interval, b: Interval) -> Interval:
    """Bound a product of two factors."""
    products = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def times(parts: Sequence[Interval]) -> Interval:
    """Bound a product; `Bounds`, which looks at its factors, does better."""
    result = (1.0, 1.0)
    for part in parts:
        result = multiplied(result, part)
    return result


def reciprocal(part: Interval) -> Interval:
    """Bound 1 / x; zero at an end of the interval counts as the limit from inside."""
    low, high = part
    if low < 0.0 < high or low == high == 0.0:
        return EVERYTHING
    if high <= 0.0:
        return -_inverse(-high), -_inverse(-low)
    return _inverse(high), _inverse(low)


def _inverse(x: float) -> float:
    return math.inf if x == 0.0 else 1.0 / x


def divide(parts: Sequence[Interval]) -> Interval:
    """Bound a quotient; `Bounds`, which looks at its factors, does better."""
    return multiplied(parts[0], reciprocal(parts[1]))


def power(parts: Sequence[Interval]) -> Interval:
    """Bound a power of a non-negative base, or an even power of any base."""
    base, exponent = parts
    if exponent[0] == exponent[1] and exponent[0] % 2.0 == 0.0:
        base = magnitude([base])
    if base[0] < 0.0:
        return EVERYTHING
    # Monotone in base and exponent, so the corners hold the extremes.
    corners = [_power(b, e) for b in base for e in exponent]
    return min(corners), max(corners)


def _power(base: float, exponent: float) -> float:
    if base == 0.0 and exponent < 0.0:
        return math.inf
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def magnitude(parts: Sequence[Interval]) -> Interval:
    """Bound an absolute value."""
    low, high = parts[0]
    return max(low, -high, 0.0), max(-low, high)


def minimum(parts: Sequence[Interval]) -> Interval:
    """Bound a minimum."""
    return min(p[0] for p in parts), min(p[1] for p in parts)


def maximum(parts: Sequence[Interval]) -> Interval:
    """Bound a maximum."""
    return max(p[0] for p in parts), max(p[1] for p in parts)


def piecewise(parts: Sequence[Interval]) -> Interval:
    """Bound a piecewise function by all of its values; `Bounds` looks at its conditions too."""
    pieces = parts[::2]
    return min(p[0] for p in pieces), max(p[1] for p in pieces)


def truth(parts: Sequence[Interval]) -> Interval:
    """Bound a truth value."""
    return (0.0, 1.0)


def unknown(parts: Sequence[Interval]) -> Interval:
    """Bound a value of which nothing is known."""
    return EVERYTHING


def quotient(parts: Sequence[Interval]) -> Interval:
    """Bound a quotient rounded towards zero."""
    low, high = divide(parts)
    return _at(np.trunc, low), _at(np.trunc, high)


def rem(parts: Sequence[Interval]) -> Interval:
    """Bound a remainder: it has the sign of the dividend and is smaller than the divisor."""
    (low, high), divisor = parts
    limit = max(-divisor[0], divisor[1])
    return max(min(low, 0.0), -limit), min(max(high, 0.0), limit)


def factorial(parts: Sequence[Interval]) -> Interval:
    """Bound a factorial by those of the whole numbers in the interval."""
    low, high = max(parts[0][0], 0.0), parts[0][1]
    if math.isfinite(low):
        low = math.ceil(low)
    if math.isfinite(high):
        high = math.floor(high)
    if not low <= high:
        return EVERYTHING
    return _at(values.factorial, low), _at(values.factorial, high)


def _reaches(parts: Sequence[Interval], first: float, period: float) -> bool:
    """Tell whether an interval may hold one of the points `first + n period`."""
    low, high = parts[0]
    if not (math.isfinite(low) and math.isfinite(high)):
        return True
    # Where the points of the period are blurred by rounding, one more is held than there is.
    slack = 1e-12 * (1.0 + max(abs(low), abs(high)))
    return math.ceil((low - slack - first) / period) <= math.floor((high + slack - first) / period)


def sine(parts: Sequence[Interval]) -> Interval:
    """Bound a sine."""
    return _wave(parts, np.sin, math.pi / 2.0)


def cosine(parts: Sequence[Interval]) -> Interval:
    """Bound a cosine."""
    return _wave(parts, np.cos, 0.0)


def _wave(parts: Sequence[Interval], function: values.Function, peak: float) -> Interval:
    low, high = parts[0]
    has_peak = _reaches(parts, peak, 2.0 * math.pi)
    has_trough = _reaches(parts, peak + math.pi, 2.0 * math.pi)
    if has_peak and has_trough:
        return (-1.0, 1.0)
    ends = _at(function, low), _at(function, high)
    return -1.0 if has_trough else min(ends), 1.0 if has_peak else max(ends)


def tangent(parts: Sequence[Interval]) -> Interval:
    """Bound a tangent."""
    if _reaches(parts, math.pi / 2.0, math.pi):
        return EVERYTHING
    return _at(np.tan, parts[0][0]), _at(np.tan, parts[0][1])


def cotangent(parts: Sequence[Interval]) -> Interval:
    """Bound a cotangent."""
    if _reaches(parts, 0.0, math.pi):
        return EVERYTHING
    tangents = _at(np.tan, parts[0][0]), _at(np.tan, parts[0][1])
    return _inverse(tangents[1]), _inverse(tangents[0])


def of_reciprocal(parts: Sequence[Interval]) -> Interval:
    """Bound 1 / x, the outer or inner function of sec, csc, ..., arcsec, arccsc, ..."""
    return reciprocal(parts[0])


def arccot(parts: Sequence[Interval]) -> Interval:
    """Bound an inverse cotangent, which jumps from -pi/2 to pi/2 at zero and is pi/2 there."""
    low, high = parts[0]
    return arctan([EVERYTHING if low < 0.0 <= high else reciprocal((low, high))])


def hyperbolic_cosine(parts: Sequence[Interval]) -> Interval:
    """Bound a hyperbolic cosine."""
    low, high = magnitude(parts)
    return _at(np.cosh, low), _at(np.cosh, high)


exp = monotone(np.exp)
ln = monotone(np.log, 0.0)
log10 = monotone(np.log10, 0.0)
sqrt = monotone(np.sqrt, 0.0)
floor = monotone(np.floor)
ceiling = monotone(np.ceil)
sinh = monotone(np.sinh)
tanh = monotone(np.tanh)
arcsin = monotone(np.arcsin, -1.0, 1.0)
arccos = monotone(np.arccos, -1.0, 1.0, falls=True)
arctan = monotone(np.arctan)
arcsinh = monotone(np.arcsinh)
arccosh = monotone(np.arccosh, 1.0)
arctanh = monotone(np.arctanh, -1.0, 1.0)

sec = after(of_reciprocal, cosine)
csc = after(of_reciprocal, sine)
sech = after(of_reciprocal, hyperbolic_cosine)
csch = after(of_reciprocal, sinh)
coth = after(of_reciprocal, tanh)
arcsec = after(arccos, of_reciprocal)
arccsc = after(arcsin, of_reciprocal)
arcsech = after(arccosh, of_reciprocal)
arccsch = after(arcsinh, of_reciprocal)
arccoth = after(arctanh, of_reciprocal)
