"""Interval rules of functions of one argument, in numba's subset of Python.

An interval (low, high) holds every value that `table_driven.run_program` computes, in floating
point, for an argument in its interval. (-inf, inf) also stands for "may be undefined (NaN)": a rule
returns it wherever some argument might give NaN, and it stays so through every later operation.

Rounding: +, -, *, / and sqrt round correctly and so keep the order of their arguments: what they
give at the ends of an interval bounds what they give inside, without widening. The functions of the
mathematical library are accurate to a few units in the last place but not monotone; their ends are
moved outwards by eight.
"""

from __future__ import annotations

import math

import numpy as np


def point_of_one(op, x):
    """Return the value of an operator of one argument, as `run_program` computes it."""
    if op == 15:
        return math.exp(x)
    if op == 16:
        return math.log(x)
    if op == 17:
        return math.sqrt(x)
    if op == 18:
        return abs(x)
    if op == 42:
        return 1.0 if x == 0.0 else 0.0
    if op == 3:
        return -x
    if op == 50:
        return np.floor(x)
    if op == 51:
        return np.ceil(x)
    if op == 52:
        return np.rint(math.gamma(x + 1.0)) if x >= 0.0 and x == np.floor(x) else np.nan
    if op == 53:
        return math.log10(x)
    if op == 110:
        return math.sin(x)
    if op == 111:
        return math.cos(x)
    if op == 112:
        return math.tan(x)
    if op == 113:
        return 1.0 / math.cos(x)
    if op == 114:
        return 1.0 / math.sin(x)
    if op == 115:
        return 1.0 / math.tan(x)
    if op == 116:
        return math.sinh(x)
    if op == 117:
        return math.cosh(x)
    if op == 118:
        return math.tanh(x)
    if op == 119:
        return 1.0 / math.cosh(x)
    if op == 120:
        return 1.0 / math.sinh(x)
    if op == 121:
        return 1.0 / math.tanh(x)
    if op == 122:
        return math.asin(x)
    if op == 123:
        return math.acos(x)
    if op == 124:
        return math.atan(x)
    if op == 125:
        return math.acos(1.0 / x)
    if op == 126:
        return math.asin(1.0 / x)
    if op == 127:
        return math.atan(1.0 / x)
    if op == 128:
        return math.asinh(x)
    if op == 129:
        return math.acosh(x)
    if op == 130:
        return math.atanh(x)
    if op == 131:
        return math.acosh(1.0 / x)
    if op == 132:
        return math.asinh(1.0 / x)
    if op == 133:
        return math.atanh(1.0 / x)
    return np.nan


def known_ends(low, high):
    """Return an interval, (-inf, inf) if one of its ends is not known."""
    if (low != low) != (high != high):
        return -np.inf, np.inf
    return low, high


def is_one_value(low, high):
    """Tell whether an interval holds one number, or the value NaN; 0 and -0 are two numbers."""
    if low != low:
        return True
    return low == high and math.copysign(1.0, low) == math.copysign(1.0, high)


def either_zero(ends):
    """Return an interval; where it holds zeros only, both of them, as 1 / x tells them apart."""
    low, high = ends
    if low == 0.0 and high == 0.0:
        return -0.0, 0.0
    return low, high


def outwards(low, high):
    """Move the ends of an interval outwards by eight units in the last place."""
    if low != low or high != high:
        return -np.inf, np.inf
    # What overflows at one end may just not overflow inside.
    low = min(low, 1.7976931348623157e308)
    high = max(high, -1.7976931348623157e308)
    if low != 0.0:
        low -= abs(low) * 1.8e-15 + 5e-324
    if high != 0.0:
        high += abs(high) * 1.8e-15 + 5e-324
    return low, high


def reciprocal_bounds(low, high):
    """Bound 1 / x."""
    if low <= 0.0 <= high:
        return -np.inf, np.inf
    return 1.0 / high, 1.0 / low


def rising_bounds(op, low, high, least, most, domain_low, domain_high):
    """Bound a function that only rises on its domain and stays between `least` and `most`."""
    if low < domain_low or high > domain_high:
        return -np.inf, np.inf
    low, high = outwards(point_of_one(op, low), point_of_one(op, high))
    return max(low, least), min(high, most)


def reaches(low, high, first, period):
    """Tell whether an interval may hold one of the points `first + n period`."""
    largest = max(abs(low), abs(high))
    if not largest < 1e9:
        return True
    # The points of the period are blurred by rounding; where in doubt, one is held.
    slack = 1e-15 * (4.0 + largest)
    return np.ceil((low - slack - first) / period) <= np.floor((high + slack - first) / period)


def wave_bounds(op, low, high, peak):
    """Bound a sine or cosine, whose maxima lie at `peak + 2 pi n`."""
    if math.isinf(low) or math.isinf(high):
        return -np.inf, np.inf
    first, last = point_of_one(op, low), point_of_one(op, high)
    least, most = outwards(min(first, last), max(first, last))
    if reaches(low, high, peak, 2.0 * math.pi) or most > 1.0:
        most = 1.0
    if reaches(low, high, peak + math.pi, 2.0 * math.pi) or least < -1.0:
        least = -1.0
    return least, most


def tangent_bounds(op, low, high, pole, sign):
    """Bound a tangent (sign 1) or cotangent (sign -1), whose poles lie at `pole + pi n`."""
    if math.isinf(low) or math.isinf(high) or reaches(low, high, pole, math.pi):
        return -np.inf, np.inf
    first, last = point_of_one(op, low), point_of_one(op, high)
    if sign < 0.0:
        first, last = last, first
    if first > last:
        return -np.inf, np.inf
    return outwards(first, last)


def bounds_of_one(op, low, high):
    """Bound an operator of one argument; `op` is an opcode of the table of operators."""
    inf = np.inf
    if op == 42:
        if low > 0.0 or high < 0.0:
            return 0.0, 0.0
        if low == 0.0 and high == 0.0:
            return 1.0, 1.0
        return 0.0, 1.0
    if low == -inf and high == inf:
        return -inf, inf
    if op == 3:
        return -high, -low
    if op == 18:
        return max(low, -high, 0.0), max(-low, high)
    if op == 50 or op == 51:
        return point_of_one(op, low), point_of_one(op, high)
    if op == 17:
        if low < 0.0:
            return -inf, inf
        return math.sqrt(low), math.sqrt(high)
    if op == 15:
        low, high = rising_bounds(op, low, high, 0.0, inf, -inf, inf)
        # Below the smallest number the value is that number or 0.
        return low, max(high, 5e-324)
    if op == 16 or op == 53:
        return rising_bounds(op, low, high, -inf, inf, 0.0, inf)
    if op == 110:
        return wave_bounds(np.int64(110), low, high, 0.5 * math.pi)
    if op == 111:
        return wave_bounds(np.int64(111), low, high, 0.0)
    if op == 112:
        return tangent_bounds(np.int64(112), low, high, 0.5 * math.pi, 1.0)
    if op == 113:
        low, high = wave_bounds(np.int64(111), low, high, 0.0)
        return reciprocal_bounds(low, high)
    if op == 114:
        low, high = wave_bounds(np.int64(110), low, high, 0.5 * math.pi)
        return reciprocal_bounds(low, high)
    if op == 115:
        return tangent_bounds(np.int64(115), low, high, 0.0, -1.0)
    if op == 116 or op == 120:
        low, high = rising_bounds(np.int64(116), low, high, -inf, inf, -inf, inf)
    elif op == 117 or op == 119:
        low, high = max(low, -high, 0.0), max(-low, high)
        low, high = rising_bounds(np.int64(117), low, high, 1.0, inf, 0.0, inf)
    elif op == 118 or op == 121:
        low, high = rising_bounds(np.int64(118), low, high, -1.0, 1.0, -inf, inf)
    if 116 <= op <= 118:
        return low, high
    if 119 <= op <= 121:
        return reciprocal_bounds(low, high)
    if 125 <= op <= 127 or 131 <= op <= 133:
        low, high = reciprocal_bounds(low, high)
        if low == -inf and high == inf:
            return -inf, inf
    if op == 122 or op == 126:
        return rising_bounds(np.int64(122), low, high, -inf, inf, -1.0, 1.0)
    if op == 123 or op == 125:
        if low < -1.0 or high > 1.0:
            return -inf, inf
        low, high = outwards(math.acos(high), math.acos(low))
        return max(low, 0.0), high
    if op == 124 or op == 127:
        return rising_bounds(np.int64(124), low, high, -inf, inf, -inf, inf)
    if op == 128 or op == 132:
        return rising_bounds(np.int64(128), low, high, -inf, inf, -inf, inf)
    if op == 129 or op == 131:
        return rising_bounds(np.int64(129), low, high, 0.0, inf, 1.0, inf)
    if op == 130 or op == 133:
        return rising_bounds(np.int64(130), low, high, -inf, inf, -1.0, 1.0)
    # The factorial is defined on whole numbers only, of which an interval holds more than those.
    return -inf, inf


#: Source functions of the rules.
ELEMENTARY_INTERVALS = (
    point_of_one,
    known_ends,
    is_one_value,
    either_zero,
    outwards,
    reciprocal_bounds,
    rising_bounds,
    reaches,
    wave_bounds,
    tangent_bounds,
    bounds_of_one,
)
