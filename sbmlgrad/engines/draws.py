"""Exact samplers of the distributions in `model.distributions`, truncated or not.

A stream is a uint64 array [seed, trajectory, purpose, next draw]; samplers take their uniforms from
it and advance its last entry, so values depend on the address alone (`engines.random`). Nothing is
clamped: a value that rounding put outside its range is drawn again, and invalid arguments give NaN
(`Distribution.complaint` says why). So do arguments that double precision cannot hold apart, such
as a scale 1e308 times smaller than the distance to the range.

The functions stay within numba's subset of Python, where kernels compile their source, and give the
same bits when Python runs them. There, NumPy's uint64 arithmetic wraps: run them inside
`numpy.errstate(over="ignore")`.

Sources: Box, Muller 1958 (normal); Robert 1995, "Simulation of truncated normal variables";
Marsaglia, Tsang 2000, "A simple method for generating gamma variables"; Devroye 1986, "Non-uniform
random variate generation", sections II.2 (inversion) and VII.2 (log-concave densities).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sbmlgrad.engines.codes import (
    BERNOULLI,
    BINOMIAL,
    CAUCHY,
    CHISQUARE,
    EXPONENTIAL,
    FIRST_DISTRIBUTION,
    GAMMA,
    LAPLACE,
    LAST_DISTRIBUTION,
    LOGNORMAL,
    NORMAL,
    POISSON,
    RAYLEIGH,
    UNIFORM,
)
from sbmlgrad.engines.log_concave import (
    GAMMA_DENSITY,
    LOG_CONCAVE,
    MOST_REJECTIONS,
    draw_binomial,
    draw_log_concave,
    draw_poisson,
    next_uniforms,
)

#: Values drawn again because rounding put them outside of a range of several values: that happens
#: to a few in a hundred at worst, so that this many in a row mean that double precision cannot
#: resolve the range.
MOST_DRAWN_AGAIN = 200

#: The largest number whose exponential is finite.
LARGEST_EXPONENT = 709.782712893384


def draw_excess(width, stream):
    """Draw a unit exponential value given that it is at most `width`, by inversion."""
    u, v = next_uniforms(stream)
    if width == math.inf:
        return -math.log(u)
    return -math.log1p(v * math.expm1(-width))


def draw_normal(mean, sd, low, high, stream):
    """Draw a normal value from [low, high], sd > 0: Box-Muller, or Robert's rejections."""
    start = (low - mean) / sd
    end = (high - mean) / sd
    if start <= 0.0 <= end:
        for _ in range(MOST_REJECTIONS):
            u, v = next_uniforms(stream)
            if end - start > 2.5:
                z = math.sqrt(-2.0 * math.log(u)) * math.cos(6.283185307179586 * v)
                if start <= z <= end:
                    return mean + sd * z
            else:
                x = low + v * (high - low)
                z = (x - mean) / sd
                if math.log(u) <= -0.5 * z * z:
                    return x
        return math.nan
    # A tail: exponential proposals from the end nearer to the mean; (z - rate)^2 is formed from the
    # distance to that end, because z and the rate agree in all digits far out.
    near = start if start > 0.0 else -end
    width = (high - low) / sd
    rate = 0.5 * (near + math.sqrt(near * near + 4.0))
    best = min(0.0, width - 1.0 / rate)
    for _ in range(MOST_REJECTIONS):
        step = draw_excess(rate * width, stream) / rate
        u, _ = next_uniforms(stream)
        offset = step - 1.0 / rate
        if math.log(u) <= 0.5 * (best * best - offset * offset):
            return low + sd * step if start > 0.0 else high - sd * step
    return math.nan


def draw_laplace(location, scale, low, high, stream):
    """Draw a Laplace value from [low, high], scale > 0, by inversion on either side."""
    if low >= location:
        return low + scale * draw_excess((high - low) / scale, stream)
    if high <= location:
        return high - scale * draw_excess((high - low) / scale, stream)
    start = (low - location) / scale
    end = (high - location) / scale
    below = -math.expm1(start)
    _, v = next_uniforms(stream)
    if v * (below - math.expm1(-end)) < below:
        return location - scale * draw_excess(-start, stream)
    return location + scale * draw_excess(end, stream)


def draw_cauchy(location, scale, low, high, stream):
    """Draw a Cauchy value from [low, high], scale > 0: the tangent of a uniform angle."""
    start = (low - location) / scale
    end = (high - location) / scale
    near = max(start, -end, 0.0)
    unit = max(near, 1.0)
    peak = (1.0 / unit) * (1.0 / unit) + (near / unit) * (near / unit)
    if max(-start, end) <= 2.0 * unit:
        # The density varies at most fivefold: rejection keeps the digits of a narrow range.
        for _ in range(MOST_REJECTIONS):
            u, v = next_uniforms(stream)
            x = low + v * (high - low)
            z = (x - location) / scale / unit
            if u * ((1.0 / unit) * (1.0 / unit) + z * z) <= peak:
                return x
        return math.nan
    u, v = next_uniforms(stream)
    if near < 1.0:
        first = math.atan(start)
        return location + scale * math.tan(first + v * (math.atan(end) - first))
    # In a tail the reciprocal, a Cauchy value too, keeps the digits that the angle would lose.
    first = math.atan(1.0 / end)
    tangent = math.tan(first + u * (math.atan(1.0 / start) - first))
    return location + scale / tangent if tangent != 0.0 else math.inf


def draw_rayleigh(scale, low, high, stream):
    """Draw a Rayleigh value from [low, high], low >= 0: half its square is exponential."""
    start = low / scale
    end = high / scale
    excess = draw_excess(0.5 * (high - low) / scale * (end + start), stream)
    if excess == 0.0:
        return low
    return low + scale * (2.0 * excess / (start + math.sqrt(start * start + 2.0 * excess)))


def grown(base, step):
    """Return base * exp(step) with the digits of `base` where the step is small."""
    if step > 700.0:
        root = math.exp(0.5 * step) if step < 1400.0 else math.inf
        return base * root * root
    return base + base * math.expm1(step) if step > -0.5 else base * math.exp(step)


def draw_lognormal(mean, sd, low, high, stream):
    """Draw a lognormal value from [low, high], sd > 0, as a factor on the end nearer to it."""
    if low <= 0.0 and high == math.inf:
        return grown(1.0, draw_normal(mean, sd, -math.inf, math.inf, stream))
    width = math.inf
    if low > 0.0:
        width = math.log1p((high - low) / low)
        if width == math.inf and high < math.inf:
            width = math.log(high) - math.log(low)
    if low <= 0.0 or mean > 0.5 * (math.log(low) + math.log(high)):
        return grown(high, draw_normal(mean - math.log(high), sd, -width, 0.0, stream))
    return grown(low, draw_normal(mean - math.log(low), sd, 0.0, width, stream))


def draw_gamma(shape, scale, low, high, stream):
    """Draw a gamma value from [low, high], low >= 0: Marsaglia-Tsang, or log-concave rejection."""
    if low > 0.0 or high < math.inf:
        base = min(max(shape * scale, low), high)
        if not 0.0 < base < math.inf:
            return math.nan
        left = math.inf
        if low > 0.0:
            near = low > 0.5 * base
            left = -math.log1p((low - base) / base) if near else math.log(base / low)
        right = math.log1p((high - base) / base)
        step = draw_log_concave(GAMMA_DENSITY, base / scale, shape, 0.0, left, right, stream)
        return grown(base, step)
    boosted = shape if shape >= 1.0 else shape + 1.0
    third = boosted - 1.0 / 3.0
    spread = 1.0 / math.sqrt(9.0 * third)
    for _ in range(MOST_REJECTIONS):
        y = spread * draw_normal(0.0, 1.0, -math.inf, math.inf, stream)
        u, _ = next_uniforms(stream)
        if y > -1.0:
            # Their test, with the terms gathered that cancel for a large shape.
            surplus = math.log1p(y) - y + 0.5 * y * y - y * y * y / 3.0
            if math.log(u) <= 3.0 * (third * surplus):
                value = third * (1.0 + y) * (1.0 + y) * (1.0 + y)
                if shape < 1.0:
                    u, _ = next_uniforms(stream)
                    value *= math.exp(math.log(u) / shape)
                return value * scale
    return math.nan


def draw_value(code, first, second, low, high, stream):
    """Draw a continuous value from [low, high], which holds more than one; scales are positive."""
    if code == NORMAL:
        return draw_normal(first, second, low, high, stream)
    if code == EXPONENTIAL:
        return low + draw_excess(first * (high - low), stream) / first
    if code == LOGNORMAL:
        return draw_lognormal(first, second, low, high, stream)
    if code == LAPLACE:
        return draw_laplace(first, second, low, high, stream)
    if code == CAUCHY:
        return draw_cauchy(first, second, low, high, stream)
    if code == RAYLEIGH:
        return draw_rayleigh(second, low, high, stream)
    return draw_gamma(first, second, low, high, stream)


def draw_within(code, first, second, low, high, stream):
    """Draw a continuous value from [low, high], also where it is certain, or return NaN."""
    least = -math.inf
    point = first
    scale = second
    if code == LOGNORMAL:
        least = 5e-324
        point = math.exp(first) if first < LARGEST_EXPONENT else math.inf
    elif code in (EXPONENTIAL, GAMMA, CHISQUARE, RAYLEIGH):
        least = 0.0
        point = 0.0
        if not first > 0.0:
            return math.nan
    if not (abs(first) < math.inf and 0.0 <= scale < math.inf):
        return math.nan
    if scale == 0.0:
        return point if low <= point <= high and point < math.inf else math.nan
    if low == high:
        return low if low >= least else math.nan
    if high <= least:
        return math.nan
    if code != LOGNORMAL:
        low = max(low, least)
    # Only rounding can put a value outside: never many times running in a range of several values.
    for _ in range(MOST_DRAWN_AGAIN):
        value = draw_value(code, first, second, low, high, stream)
        if low <= value <= high or value != value:
            return value
    return math.nan


def draw(code, count, a, b, c, d, stream):
    """Draw one value of a distribution; NaN where arguments are invalid or the range is empty.

    Args:
        code: its opcode in `model.distributions`.
        count: how many of the arguments are given.
        a: first argument; with `b`, `c` and `d`, float64, in the order of the specification.
        b: second argument, if given.
        c: third argument, if given.
        d: fourth argument, if given.
        stream: uint64 [seed, trajectory, purpose, next draw]; the last entry is advanced.
    """
    first, second, low, high = float(a), float(b), -math.inf, math.inf
    if not FIRST_DISTRIBUTION <= code <= LAST_DISTRIBUTION:
        return math.nan
    if code == BERNOULLI:
        return draw_binomial(1.0, first, low, high, stream) if count == 1 else math.nan
    if code == UNIFORM:
        if count != 2 or not (first <= second and abs(first) < math.inf and second < math.inf):
            return math.nan
        _, v = next_uniforms(stream)
        return 2.0 * (0.5 * first + v * (0.5 * second - 0.5 * first))
    if code in (EXPONENTIAL, POISSON, CHISQUARE, RAYLEIGH):
        second = 1.0
        if count == 3:
            low, high = float(b), float(c)
        elif count != 1:
            return math.nan
    elif count == 4:
        low, high = float(c), float(d)
    elif count == 1 and (code in (LAPLACE, CAUCHY)):
        first, second = 0.0, first
    elif count != 2:
        return math.nan
    if not (low <= high and low < math.inf and high > -math.inf):
        return math.nan
    if code == POISSON:
        return draw_poisson(first, low, high, stream)
    if code == BINOMIAL:
        return draw_binomial(first, second, low, high, stream)
    if code == CHISQUARE:
        first, second = 0.5 * first, 2.0
    elif code == RAYLEIGH:
        first, second = 1.0, first
    return draw_within(code, first, second, low, high, stream)


#: Source functions of a kernel that draws, besides `philox` and `uniform_pair`.
DRAWING: tuple[Callable[..., object], ...] = (
    *LOG_CONCAVE,
    draw_excess,
    draw_normal,
    draw_laplace,
    draw_cauchy,
    draw_rayleigh,
    grown,
    draw_lognormal,
    draw_gamma,
    draw_value,
    draw_within,
    draw,
)
