"""Noise of the relaxed choice as straight lines of source, for the lockstep kernel.

The numbers are those of `straight_through_sweep.race`, from the same addresses of the same streams.
"""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.inlining import body_of
from sbmlgrad.codegen.straight_source import RaceSource
from sbmlgrad.engines.noise_source import noise_source, word_lines
from sbmlgrad.engines.random import ESTIMATOR, standard_exponential


def race_source() -> RaceSource:
    """Return lines that give the noise of a race, and a reaction's share in the choice.

    For every reaction, y is its time over the winner's, less 1, so that log(1 + y) is what
    `straight_through_sweep.race` calls its lateness. Rounding 1 + y loses digits of a small y; what
    is lost, over the sum, makes up for it (Hewlett-Packard's log1p, as in FreeBSD's s_log1p.c).
    """
    each = [
        *word_lines(ESTIMATOR),
        "first = (w0 & low) | (w1 << word)",
        "second = (w2 & low) | (w3 << word)",
        f"u = np.float64(np.int64(first >> np.uint64(11)) + np.int64(1)) * {2.0**-53!r}",
        f"v = 1.0 - np.float64(np.int64(second >> np.uint64(11))) * {2.0**-53!r}",
        *body_of(standard_exponential, u="u", result="e0"),
        *body_of(standard_exponential, u="v", result="e1"),
    ]
    share = [
        "u = 1.0 + y",
        "lost = (1.0 - (u - y)) if y > 1.0 else (y - (u - 1.0))",
        *body_of(standard_exponential, u="u", result="minus_log"),
        "lateness = (lost / u - minus_log) * inverse_temperature",
        *body_of(decay, x="lateness", result="share"),
    ]
    return RaceSource(noise_source().once, tuple(each), tuple(share))


def decay(x):
    """Return exp(-x) for x >= 0, within one unit in the last place; 0 where x > 708.

    Source: the coefficients are those of FreeBSD's msun, e_exp.c (error below 2^-59). The number of
    halvings is rounded by adding 1.5 * 2^52, which leaves it in the last bits of the sum.
    """
    shifted = np.float64(6755399441055744.0 - x * 1.44269504088896338700e00)
    halvings = shifted - 6755399441055744.0
    high = -x - halvings * 6.93147180369123816490e-01
    low_part = halvings * 1.90821492927058770002e-10
    rest = high - low_part
    t = rest * rest
    series = -1.65339022054652515390e-06 + t * 4.13813679705723846039e-08
    series = 6.61375632143793436117e-05 + t * series
    series = -2.77777777770155933842e-03 + t * series
    series = 1.66666666666666019037e-01 + t * series
    bent = rest - t * series
    value = 1.0 - ((low_part - (rest * bent) / (2.0 - bent)) - high)
    bits = shifted.view(np.uint64) << np.uint64(52)
    scale = np.uint64(bits + np.uint64(0x3FF0000000000000))
    return 0.0 if x > 708.0 else value * scale.view(np.float64)
