"""The bias of a mean or a width that two samples show, if counts vary more where there are more.

The sample of the other side has a mean larger by a fraction b. Firings and molecules that come in
bursts then vary as much more, its variance being 1 + b times as large, so that what counts is the
number of bursts that were seen, K = n m² / s² of m the mean and s² the variance. With K1 of ours
and K2 of theirs the statistic is (K2 - K1) / √(K1 + K2), which exceeds a bound c from

    K2 = K1 + c² / 2 + c √(2 K1 + c² / 4)

on. The true number of ours is known no better than K1 says: given K1, it has a gamma law of shape
K1 + 1/2 (Jeffreys), and K2 a negative binomial one. For many bursts all this is the usual √2 s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

FloatArray = NDArray[np.float64]

#: Fractions between which the bias lies, and the steps that find it.
_FRACTIONS = (1e-12, 1e6)
_STEPS = 80


def detectable_mean(
    mean: FloatArray, variance: FloatArray, n: int, bound: float, chance: float
) -> FloatArray:
    """Return the bias of a mean upwards, as a fraction of it, that is found with a chance.

    Args:
        mean: of ours, float64, of any shape.
        variance: of ours, likewise.
        n: trajectories of each side.
        bound: of the test, in standard errors.
        chance: of finding it.

    Returns:
        float64; infinite where no fraction is found, NaN where counts did not vary.
    """
    bursts = np.divide(n * mean**2, variance, out=np.ones_like(mean), where=variance > 0.0)
    # Means of negative quantities do not come here: counts have none.
    critical = bursts + bound**2 / 2.0 + bound * np.sqrt(2.0 * bursts + bound**2 / 4.0)
    shape = bursts + 0.5
    low, high = (np.full_like(mean, np.log(f)) for f in _FRACTIONS)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        is_found = _found(np.exp(middle), shape, critical) >= chance
        high, low = np.where(is_found, middle, high), np.where(is_found, low, middle)
    bias = np.exp(high)
    bias[bias > 0.99 * _FRACTIONS[1]] = np.inf
    bias[mean <= 0.0] = np.inf
    bias[variance <= 0.0] = np.nan
    return bias


def detectable_width(
    variance: FloatArray, variance_of_variance: FloatArray, needed: float
) -> FloatArray:
    """Return the ratio of variances that is found, the other side having the same law but wider.

    The wider side's variance has r times the standard error of ours, so that r - 1 =
    needed √(1 + r²) times the relative standard error of one; from one on no ratio is large enough.

    Args:
        variance: of ours, float64, of any shape.
        variance_of_variance: its squared standard error, likewise.
        needed: standard errors that a difference must have.

    Returns:
        float64; infinite where no ratio is found, NaN where counts did not vary.
    """
    error = np.divide(
        np.sqrt(variance_of_variance), variance, out=np.ones_like(variance), where=variance > 0.0
    )
    rest = 1.0 - (needed * error) ** 2
    can = rest > 0.0
    safe = np.where(can, rest, 1.0)
    ratio = np.where(can, (1.0 + np.sqrt(np.maximum(1.0 - safe**2, 0.0))) / safe, np.inf)
    ratio[variance <= 0.0] = np.nan
    return ratio


def _found(bias: FloatArray, shape: FloatArray, critical: FloatArray) -> FloatArray:
    """Return the chance that a negative binomial number exceeds the critical one."""
    return betainc(np.floor(critical) + 1.0, shape, (1.0 + bias) / (2.0 + bias))
