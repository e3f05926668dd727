"""Are counts of two samples, or of a sample and a known law, distributed alike?

The statistic is the largest distance of two distribution functions, D = max |F - G| (Kolmogorov;
Smirnov 1939). Its usual p-values are those of numbers without ties and far too large for counts of
molecules. Here they are exact for any ties: two samples of n each, given the pooled values, are a
walk of independent binomial steps, one a distinct value, tied down to end at n; one sample of a
known law is a walk of independent Poisson steps tied down likewise. D < d says that the walk stays
within a band (Conover 1972, 10.1080/01621459.1972.10481254; Schröer & Trenkler 1995,
10.1016/0167-9473(94)00040-P, for the distributions meant).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtri, xlogy

FloatArray = NDArray[np.float64]

#: p-values below are given as zero: they are one minus a sum of many roundings.
SMALLEST = 1e-9


def two_samples(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """Compare the values of two samples of one size.

    Args:
        first: float64 [trajectory].
        second: float64 [trajectory], as many.

    Returns:
        D, and the chance of one at least as large for samples of one law, given the pooled values.
    """
    n = len(first)
    values, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    ours = np.bincount(place[:n], minlength=len(values))
    both = np.bincount(place, minlength=len(values))
    largest = int(np.abs(2 * np.cumsum(ours) - np.cumsum(both)).max())
    if largest == 0:
        return 0.0, 1.0
    upto = np.cumsum(both)
    # Strictly within the band: |2 a - m| < largest, for a of the first sample among m.
    low, high = (upto - largest) // 2 + 1, -((-upto - largest) // 2) - 1
    laws = {m: _binomial(m) for m in set(both.tolist())}
    total = np.exp(gammaln(2 * n + 1) - 2 * gammaln(n + 1) - 2 * n * np.log(2.0))
    return largest / n, _leaving((laws[m] for m in both.tolist()), low, high, n, float(total))


def one_sample(sample: FloatArray, values: FloatArray, law: FloatArray) -> tuple[float, float]:
    """Compare the values of a sample with a known law.

    Args:
        sample: float64 [trajectory].
        values: possible values, increasing, float64 [value].
        law: their probabilities, float64 [value]; they sum to one.

    Returns:
        D, and the chance of one at least as large. A value that is not possible makes it zero.
    """
    n = len(sample)
    place = np.searchsorted(values, sample)
    if not np.array_equal(values[np.minimum(place, len(values) - 1)], sample):
        return 1.0, 0.0
    upto = np.cumsum(np.bincount(place, minlength=len(values)))
    expected = n * np.cumsum(law)
    largest = float(np.abs(upto - expected).max())
    # Rounding of the law must not make what was seen look rarer than it is.
    largest -= 1e-9 * n
    if largest <= 0.0:
        return 0.0, 1.0
    low = np.floor(expected - largest).astype(np.int64) + 1
    high = np.ceil(expected + largest).astype(np.int64) - 1
    total = np.exp(xlogy(n, n) - n - gammaln(n + 1))
    steps = (_poisson(mean) for mean in (n * law).tolist())
    return largest / n, _leaving(steps, low, high, n, float(total))


def detectable(level: float, n: int, chance: float, samples: int) -> float:
    """Return the distance D of two laws that is found with the given chance; infinite beyond one.

    Args:
        level: of the test.
        n: size of each sample.
        chance: of finding it.
        samples: two, or one against a known law.
    """
    critical = np.sqrt(-np.log(level / 2.0) / 2.0 * samples / n)
    found = float(critical + ndtri(chance) * np.sqrt(0.25 * samples / n))
    return found if found <= 1.0 else float("inf")


def _binomial(m: int) -> tuple[int, FloatArray]:
    """Return the first number of heads of m coins that is kept, and chances from it on."""
    reach = 5.0 * np.sqrt(m) + 10.0
    k = np.arange(max(0, int(m / 2 - reach)), min(m, int(m / 2 + reach) + 1) + 1)
    log = gammaln(m + 1) - gammaln(k + 1) - gammaln(m - k + 1) - m * np.log(2.0)
    return int(k[0]), np.exp(log)


def _poisson(mean: float) -> tuple[int, FloatArray]:
    """Return the first number of a Poisson law that is kept, and chances from it on."""
    reach = 10.0 * np.sqrt(mean) + 10.0
    k = np.arange(max(0, int(mean - reach)), int(mean + reach) + 30)
    return int(k[0]), np.exp(xlogy(k, mean) - mean - gammaln(k + 1))


def _leaving(
    steps: Iterable[tuple[int, FloatArray]],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    end: int,
    total: float,
) -> float:
    """Return the chance that a walk from 0, given that it ends at `end`, leaves the band.

    Args:
        steps: (least step, chances from it on) of every step.
        low: least place within the band after each step, int64 [step].
        high: largest place.
        end: place after the last step.
        total: chance that the walk ends there.
    """
    inside, at = np.ones(1), 0
    for (first, chances), least, most in zip(steps, low.tolist(), high.tolist(), strict=True):
        inside, at = np.convolve(inside, chances), at + first
        begin, stop = max(least - at, 0), max(most - at + 1, 0)
        inside, at = inside[begin:stop], at + begin
        if not len(inside):
            return 1.0
    stays = inside[end - at] if 0 <= end - at < len(inside) else 0.0
    chance = 1.0 - float(stays) / total
    return chance if chance > SMALLEST else 0.0
