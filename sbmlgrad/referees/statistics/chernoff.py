"""How likely is a mean of a sample this far from that of its known law? A bound without limits.

For n independent values of a law with moment generating function M, P(mean >= m) <= exp(-n I(m))
with the rate I(m) = max over θ of θ m - log M(θ) (Chernoff 1952, 10.1214/aoms/1177729330). Unlike
a normal approximation it holds for rare and skewed counts too, and for every θ, not only the best;
its price is a factor of about z √(2π) in p. No more of the law needs to be known than M.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]

#: Largest |θ| times the spread of the law that is looked at; the bound holds for any.
_FARTHEST = 50.0

#: Largest |θ| that is looked at where only M is known.
_STEEPEST = 50.0

#: -log p from which on a better θ is not looked for.
_CERTAIN = 60.0


def slack(values: FloatArray) -> float:
    """Return how far a mean of rounded sums may differ from that of a law, float64 [value]."""
    return 1e-9 * max(1.0, float(np.abs(values).max()))


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
    near = slack(values)
    if abs(mean - expected) <= near:
        return 1.0
    if not values.min() - near <= mean <= values.max() + near:
        return 0.0
    away = values - expected
    spread = float(np.sqrt(law @ away**2))
    # In units of the spread: the search has an absolute tolerance.
    away, distance = away / spread, (mean - expected) / spread
    side = np.sign(distance)
    log_law = np.log(law)

    def negative_rate(theta: float) -> float:
        cumulant: Any = logsumexp(side * theta * away + log_law)
        return float(cumulant) - theta * abs(distance)

    found: Any = minimize_scalar(
        negative_rate, bounds=(0.0, _FARTHEST), method="bounded", options={"xatol": 1e-8}
    )
    return _bound(n, -float(found.fun))


def by_cumulants(
    cumulant: Callable[[float], float], variance: float, distance: float, n: int
) -> float:
    """Return the same bound where only the moment generating function is known.

    Args:
        cumulant: θ → log E exp(θ (X - E X)); infinite where that is not finite.
        variance: of X.
        distance: of the mean that was seen from E X.
        n: values in the sample.

    Returns:
        At most 1; 0 for a distance from a constant.
    """
    if distance == 0.0:
        return 1.0
    if variance == 0.0:
        return 0.0
    side, length = np.sign(distance), abs(distance)
    rate = _climbed(
        lambda theta: theta * length - cumulant(float(side * theta)),
        length / variance,
        _CERTAIN / n,
    )
    return _bound(n, rate)


def threshold(cumulant: Callable[[float], float], variance: float, n: int, p: float) -> float:
    """Return the distance above E X from which on the bound lies below a p-value.

    It is the least (log(2 / p) / n + log M(θ) - θ E X) / θ of all θ > 0; infinite where M is not
    finite at any.

    Args:
        cumulant: as for `by_cumulants`.
        variance: of X, above 0.
        n: values in the sample.
        p: between 0 and 1.
    """
    needed = float(np.log(2.0 / p)) / n
    start = float(np.sqrt(2.0 * needed / variance))
    return -_climbed(lambda theta: -(needed + cumulant(theta)) / theta, start, np.inf)


def of_law(values: FloatArray, law: FloatArray) -> Callable[[float], float]:
    """Return θ → log E exp(θ (X - E X)) of a law.

    Args:
        values: of the law, float64 [value].
        law: probabilities, float64 [value]; they sum to one.
    """
    possible = law > 0.0
    away, log_law = (values - values @ law)[possible], np.log(law[possible])

    def cumulant(theta: float) -> float:
        found: Any = logsumexp(theta * away + log_law)
        return float(found)

    return cumulant


def _climbed(function: Callable[[float], float], start: float, enough: float) -> float:
    """Return the top of a function with one top, or a value that is enough.

    θ goes up or down by factors that become ever closer to one.

    Args:
        function: of θ > 0; minus infinity where the generating function is not finite.
        start: the best θ for a normal law.
        enough: from which value on no better one is looked for.
    """
    first, factor = min(start, _STEEPEST), 2.0
    theta = first
    best = function(theta)
    while not np.isfinite(best) and theta > 1e-12 * first:
        theta /= factor
        best = function(theta)
    while factor > 1.02 and best < enough:
        for other in (theta * factor, theta / factor):
            found = function(other)
            if found > best:
                theta, best = other, found
                break
        else:
            factor = float(np.sqrt(factor))
    return best


def _bound(n: int, rate: float) -> float:
    """Return the bound of both sides."""
    return float(min(1.0, 2.0 * np.exp(-n * max(0.0, rate))))
