"""What priors add to the negative logarithm of a likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.fit.prior_densities import log_prior_density
from sbmlgrad.model.problem import Problem


def penalty(problem: Problem, values: NDArray[np.float64]) -> float:
    """Return minus the logarithm of the prior density at values, float64 [free]."""
    return -sum(
        float(log_prior_density(parameter.prior, value, parameter.scale))
        for parameter, value in zip(problem.free, values.tolist(), strict=True)
        if parameter.prior is not None
    )
