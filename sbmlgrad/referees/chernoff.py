"""How likely is a mean of a sample this far from that of its known law? A bound without limits.

For n independent values of a law with moment generating function M, P(mean >= m) <= exp(-n I(m))
with the rate I(m) = max over θ of θ m - log M(θ) (Chernoff 1952, 10.1214/aoms/1177729330). Unlike
a normal approximation it holds for rare and skewed counts too; its price is a factor of about
z √(2π) in p.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]

#: Largest |θ| times the spread of the law that is looked at; the bound holds for any.
_FARTHEST = 50.0


def two_sided(values: FloatArray, law: FloatArray, mean: float, n: int) -> float:
    """Return a bound on the chance of a mean at least as unlikely as one that was seen.

    Args:
        values: of the law, float64 [value].
        law: probabilities, float64 [value]; they sum to one.
        mean: that was seen.
        n: values in the sample.

    Returns:
        At most 1; 0 if the law allows no such mean.
    """
    possible = law > 0.0
    values, law = values[possible], law[possible]
    expected = float(values @ law)
    # Means of rounded sums may differ from a constant in their last digits.
    slack = 1e-9 * max(1.0, float(np.abs(values).max()))
    if abs(mean - expected) <= slack:
        return 1.0
    if not values.min() - slack <= mean <= values.max() + slack:
        return 0.0
    away = values - expected
    spread = float(np.sqrt(law @ away**2))
    side = np.sign(mean - expected)
    log_law = np.log(law)

    def negative_rate(theta: float) -> float:
        cumulant: Any = logsumexp(side * theta * away + log_law)
        return float(cumulant) - theta * abs(mean - expected)

    found: Any = minimize_scalar(negative_rate, bounds=(0.0, _FARTHEST / spread), method="bounded")
    return float(min(1.0, 2.0 * np.exp(n * min(0.0, float(found.fun)))))
