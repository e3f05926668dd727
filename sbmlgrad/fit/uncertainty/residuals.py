"""What the residuals say about noise that a plain sheet leaves unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.errors import FitError
from sbmlgrad.fit.uncertainty.fitted import assumed_noise
from sbmlgrad.model.expression import Number
from sbmlgrad.model.problem import Problem

FloatArray = NDArray[np.float64]


def residual_factors(
    problem: Problem,
    predicted: FloatArray,
    scale: FloatArray,
    parameters: int,
    leverage: FloatArray | None = None,
) -> tuple[dict[str, float], float]:
    """Return residual variances over assumed ones, and their degrees of freedom.

    Each observable has its own, over its measurements less their leverages, which add up to the
    number of parameters (Seber & Wild 2003, Nonlinear Regression, section 2.1); where that leaves
    less than one for any, all share one. Without leverages, each measurement gets an equal share.

    Args:
        problem: with its measurements.
        predicted: float64 [measurement].
        scale: of the noise, as assumed, float64 [measurement].
        parameters: how many were fitted.
        leverage: float64 [measurement], or None.

    Returns:
        Observable id → factor, for those whose noise was assumed; empty if none was. Then the
        degrees of freedom, infinite if none was.

    Raises:
        FitError: as many parameters as measurements.
    """
    assumed = assumed_noise(problem)
    if not assumed:
        return {}, np.inf
    m = problem.measurements
    count = len(m)
    if count <= parameters:
        raise FitError(
            f"{problem.name or problem.network.id}: {count} measurements and {parameters} fitted "
            "parameters leave nothing to estimate the noise from, which no replicates tell; free "
            "fewer parameters, or state the noise in a mapping file or a PEtab problem"
        )
    share = np.full(count, parameters / count) if leverage is None else leverage
    square = ((m.value - predicted) / scale) ** 2
    index = np.array([m.observables[int(i)] for i in m.observable_index], dtype=object)
    left = {id: float((1.0 - share)[index == id].sum()) for id in assumed}
    freedom = min(left.values())
    if freedom >= 1.0:
        factors = {id: float(square[index == id].sum()) / left[id] for id in assumed}
    else:
        # One is nearly interpolated: only all of them together tell the noise.
        pooled = np.isin(index, assumed)
        freedom = float((1.0 - share)[pooled].sum())
        factors = dict.fromkeys(assumed, float(square[pooled].sum() / freedom))
    if not all(factor > 0.0 for factor in factors.values()):
        raise FitError(
            f"{problem.name or problem.network.id}: the model meets the measurements exactly, so "
            "that residuals tell no noise; state it in a mapping file or a PEtab problem"
        )
    # Those of the least known: an interval may rest on that observable alone. With one in all,
    # leverages add up to the parameters, but for the noise of the slopes.
    return factors, freedom if len(m.observables) > 1 else float(count - parameters)


def with_known_noise(problem: Problem, factors: dict[str, float]) -> Problem:
    """Return the problem with assumed noise replaced by what residuals say."""
    observables = []
    for observable in problem.observables:
        if observable.id in factors:
            assert isinstance(observable.noise.scale, Number)
            level = float(observable.noise.scale.value) * float(np.sqrt(factors[observable.id]))
            observable = replace(observable, noise=replace(observable.noise, scale=Number(level)))
        observables.append(observable)
    return replace(problem, observables=tuple(observables))
