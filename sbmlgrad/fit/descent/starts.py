"""Starting values for a descent from several places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.search_space import SearchSpace, search_space
from sbmlgrad.model.priors import Prior
from sbmlgrad.model.problem import Problem, ProblemParameter

FloatArray = NDArray[np.float64]

#: Orders of magnitude on either side of the start that are searched where bounds are wider.
WIDEST = 1.5


def starting_values(problem: Problem, starts: int, seed: int) -> FloatArray:
    """Return starting values, float64 [start, free]; the first are the problem's own.

    The others fill the space evenly, as a Latin hypercube (McKay, Beckman & Conover 1979,
    Technometrics 21, 239): along priors where there are some, else between the bounds on the scale
    of the parameter. A draw from a prior that lies beyond a bound is moved to the bound, where the
    descent may begin as well as anywhere.

    Args:
        problem: what is calibrated.
        starts: how many.
        seed: of the hypercube.
    """
    space = search_space(problem)
    if starts == 1:
        return space.start[None, :]
    from scipy.stats import qmc

    cube = qmc.LatinHypercube(len(space.ids), rng=np.random.default_rng(seed)).random(starts - 1)
    columns = [
        _along(parameter, space, place, cube[:, place])
        for place, parameter in enumerate(problem.free)
    ]
    others = np.clip(np.stack(columns, axis=1), space.lower, space.upper)
    return np.concatenate([space.start[None, :], others])


def _along(
    parameter: ProblemParameter, space: SearchSpace, place: int, shares: FloatArray
) -> FloatArray:
    prior = parameter.start_prior or parameter.prior
    if prior is not None:
        values = np.asarray(_quantile(prior, shares), dtype=np.float64)
        if not prior.on_scale or parameter.scale == "lin":
            return values
        return np.exp(values) if parameter.scale == "log" else 10.0**values
    low, high = space.lower[place], space.upper[place]
    if parameter.scale != "lin":
        start = space.start[place]
        low, high = max(low, start / 10**WIDEST), min(high, start * 10**WIDEST)
        return low * (high / low) ** shares
    if not np.isfinite(high - low):
        raise FitError(
            f"parameter {parameter.id!r} has bounds ({low}, {high}) and no prior, so that there is "
            "no telling where to start; give finite bounds or a prior"
        )
    return low + (high - low) * shares


def _quantile(prior: Prior, shares: FloatArray) -> FloatArray:
    from scipy import stats

    a = prior.arguments
    quantiles: Mapping[str, Callable[[], FloatArray]] = MappingProxyType(
        {
            "uniform": lambda: a[0] + (a[1] - a[0]) * shares,
            "log-uniform": lambda: a[0] * (a[1] / a[0]) ** shares,
            "normal": lambda: stats.norm.ppf(shares, *a),
            "log-normal": lambda: np.exp(stats.norm.ppf(shares, *a)),
            "laplace": lambda: stats.laplace.ppf(shares, *a),
            "log-laplace": lambda: np.exp(stats.laplace.ppf(shares, *a)),
            "cauchy": lambda: stats.cauchy.ppf(shares, *a),
            "chisquare": lambda: stats.chi2.ppf(shares, *a),
            "exponential": lambda: stats.expon.ppf(shares, scale=a[0]),
            "gamma": lambda: stats.gamma.ppf(shares, a[0], scale=a[1]),
            "rayleigh": lambda: stats.rayleigh.ppf(shares, scale=a[0]),
        }
    )
    return quantiles[prior.distribution]()
