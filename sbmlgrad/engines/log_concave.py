"""Exact draws from log-concave densities, continuous or of counts, restricted to any range.

Rejection under a hat that is flat around the mode and exponential beyond: no table, no inverse
distribution function, no approximation of the tails. The gamma (of its logarithm), Poisson and
binomial distributions are log-concave for all parameters, and stay so when truncated.

The functions stay within numba's subset of Python: kernels compile their source.

Source: Devroye 1986, "Non-uniform random variate generation", section VII.2, and Devroye 1987,
"A simple generator for discrete log-concave distributions".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sbmlgrad.engines.random import uniform_pair
from sbmlgrad.model.distributions import LARGEST_WHOLE

#: Densities that `log_ratio` knows.
GAMMA_DENSITY = 0
POISSON_DENSITY = 1
BINOMIAL_DENSITY = 2

#: Rejections in a row after which a draw is given up. Every method accepts at least one proposal in
#: five, so that this many come from arguments that double precision cannot hold apart.
MOST_REJECTIONS = 10_000

#: Beyond it, a Poisson value would lie above 2^53 too often.
LARGEST_RATE = LARGEST_WHOLE / 2.0

#: From here on the exponential of a double overflows.
OVERFLOWING_EXPONENT = 709.0


def next_uniforms(stream):
    """Return u in (0, 1] and v in [0, 1) of the stream's next draw, and advance it."""
    u, v = uniform_pair(stream[0], stream[3], stream[1], stream[2])
    stream[3] += np.uint64(1)
    return float(u), float(v)


def stirling_error(y):
    """Return ln Gamma(y) less (y - 1/2) ln y - y + ln(2 pi) / 2, for y >= 1."""
    z = y
    product = 1.0
    while z < 16.0:
        product *= z
        z += 1.0
    w = 1.0 / (z * z)
    error = (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w / 1680.0))) / z
    if z > y:
        error += (z - 0.5) * math.log(z) - z - math.log(product) - (y - 0.5) * math.log(y) + y
    return error


def log_factorial_ratio(count, step):
    """Return ln((count + step)! / count!)."""
    y = count + 1.0
    change = (y + step - 0.5) * math.log1p(step / y) + step * math.log(y) - step
    return change + stirling_error(y + step) - stirling_error(y)


def log_ratio(kind, base, first, second, step):
    """Return the logarithm of a log-concave density `step` from its mode, less that at the mode.

    By kind: `GAMMA_DENSITY` is that of the logarithm of a gamma value, `base` at the mode, `first`
    the shape; for Poisson, `first` is the logarithm of the rate; for binomial, `first` is the logit
    and `second` the trials.
    """
    if kind == GAMMA_DENSITY:
        if not step < OVERFLOWING_EXPONENT:
            return -math.inf
        return first * step - base * math.expm1(step)
    ratio = step * first - log_factorial_ratio(base, step)
    return ratio - log_factorial_ratio(second - base, -step) if kind == BINOMIAL_DENSITY else ratio


def hat_side(kind, base, first, second, side, room):
    """Return one side of a hat over `log_ratio`: flat extent, start, slope, length, area of a tail.

    Beyond its start, where the density has fallen below 1/e, a log-concave density lies under the
    exponential through the mode and that point. `room` is the distance to the end of the range.
    """
    start = 1.0
    if kind == GAMMA_DENSITY:
        while log_ratio(kind, base, first, second, side * start * 0.5) <= -1.0:
            start *= 0.5
    while start < room and log_ratio(kind, base, first, second, side * start) > -1.0:
        start *= 2.0
    unit = 1.0 if kind != GAMMA_DENSITY else 0.0
    length = room - start + unit
    if not length > 0.0:
        return room, room, 0.0, 0.0, 0.0
    height = log_ratio(kind, base, first, second, side * start)
    if not height <= -1.0:
        return room, room, 0.0, 0.0, 0.0
    slope = -height / start
    share = -math.expm1(-slope * length)
    area = math.exp(height) * share / (-math.expm1(-slope) if kind != GAMMA_DENSITY else slope)
    return start - unit, start, slope, length, area


def draw_log_concave(kind, base, first, second, left, right, stream):
    """Draw the signed step from the mode `base`, between `-left` and `right`, of `log_ratio`.

    A hat that is flat around the mode with exponential (for counts geometric) tails accepts at
    least a fifth of all proposals, whatever the parameters and the range.
    """
    flat_r, start_r, slope_r, length_r, area_r = hat_side(kind, base, first, second, 1.0, right)
    flat_l, start_l, slope_l, length_l, area_l = hat_side(kind, base, first, second, -1.0, left)
    flat = flat_l + flat_r + (1.0 if kind != GAMMA_DENSITY else 0.0)
    for _ in range(MOST_REJECTIONS):
        u, v = next_uniforms(stream)
        place = v * (flat + area_r + area_l)
        if place < flat:
            step = (float(np.floor(place)) if kind != GAMMA_DENSITY else place) - flat_l
            hat = 0.0
        else:
            place -= flat
            side = 1.0
            start, slope, length, area, room = start_r, slope_r, length_r, area_r, right
            if place >= area_r:
                place -= area_r
                side = -1.0
                start, slope, length, area, room = start_l, slope_l, length_l, area_l, left
            if not place < area:
                continue
            beyond = -math.log1p(place / area * math.expm1(-slope * length)) / slope
            distance = start + (float(np.floor(beyond)) if kind != GAMMA_DENSITY else beyond)
            if not distance <= room:
                continue
            step = side * distance
            hat = -slope * distance
        if math.log(u) <= log_ratio(kind, base, first, second, step) - hat:
            return step
    return math.nan


def draw_count(kind, mode, slope, most, low, high, stream):
    """Draw a Poisson or binomial value from the whole numbers in [low, high]."""
    if not (low <= LARGEST_WHOLE and high >= 0.0):
        return math.nan
    least = float(np.ceil(max(low, 0.0)))
    last = most if high >= most else float(np.floor(high))
    if least > last:
        return math.nan
    base = min(max(mode, least), last)
    return base + draw_log_concave(kind, base, slope, most, base - least, last - base, stream)


def draw_poisson(rate, low, high, stream):
    """Draw a Poisson value from [low, high]."""
    if not 0.0 <= rate <= LARGEST_RATE:
        return math.nan
    if rate == 0.0:
        return 0.0 if low <= 0.0 <= high else math.nan
    return draw_count(
        POISSON_DENSITY, float(np.floor(rate)), math.log(rate), math.inf, low, high, stream
    )


def draw_binomial(trials, chance, low, high, stream):
    """Draw a binomial value from [low, high]."""
    if not (0.0 <= trials <= LARGEST_WHOLE and 0.0 <= chance <= 1.0):
        return math.nan
    if trials != float(np.floor(trials)):
        return math.nan
    if chance == 0.0 or chance == 1.0:
        certain = trials * chance
        return certain if low <= certain <= high else math.nan
    mode = float(np.floor((trials + 1.0) * chance))
    logit = math.log(chance / (1.0 - chance))
    return draw_count(BINOMIAL_DENSITY, mode, logit, trials, low, high, stream)


#: Source functions of a kernel that draws from log-concave densities.
LOG_CONCAVE: tuple[Callable[..., object], ...] = (
    next_uniforms,
    stirling_error,
    log_factorial_ratio,
    log_ratio,
    hat_side,
    draw_log_concave,
    draw_count,
    draw_poisson,
    draw_binomial,
)
