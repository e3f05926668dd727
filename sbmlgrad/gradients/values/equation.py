"""The backward equation of the value, projected on features by least squares over an ensemble.

The value V(x, t) of a trajectory in state x solves -dV/dt = L V + f, with the generator
(L V)(x) = Σ_i a_i(x) [V(x + v_i) - V(x)]. Among combinations of features the derivative is taken
that misses L V least, in the mean square over the states where the ensemble was on [0, T] (Galerkin
projection). Nothing here is drawn at random besides these states, so there is no noise of targets
to average out; where V is a combination of the features, it is found exactly.

Going back in time the mean square of V over the ensemble grows at a rate of at most half the ratio
of where trajectories end to where they were, so that long times are no danger.

Source of the projection: Thiede, Giannakis, Dinner & Weare 2019, "Galerkin approximation of
dynamical quantities using trajectory data".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sbmlgrad.engines.base import Request
from sbmlgrad.engines.readouts import ValuesAt, point_count
from sbmlgrad.gradients.values.basis import ROWS, ValueBasis, orthonormal
from sbmlgrad.gradients.values.slices import Slices
from sbmlgrad.gradients.values.states import Occupancy, changes_of, rates_at, symbols_at
from sbmlgrad.model.operators import evaluate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Values:
    """Values as combinations of features.

    Attributes:
        basis: features.
        coefficients: at every slice, float64 [feature, slice].
        misfit: how far the value at time 0 is off at most, about, by what the features miss of
            the backward equation and of the functions read out, in the mean square over [0, T];
            infinite where the solution overflows.
    """

    basis: ValueBasis
    coefficients: FloatArray
    misfit: float


def solve(request: Request, slices: Slices, seen: Occupancy, basis: ValueBasis) -> Values:
    """Solve the projected backward equation from the last point to the first slice."""
    lowered = request.lowered
    size, points = basis.size, point_count(request.readout)
    gram, flow, square = (np.zeros((size, size)) for _ in range(3))
    cross, own_square = np.zeros((size, points)), np.zeros(points)
    changes = changes_of(lowered)
    for low in range(0, len(seen.states), ROWS):
        states, weights = seen.states[low : low + ROWS], seen.weights[low : low + ROWS]
        rates = rates_at(lowered, symbols_at(lowered, request.inputs, states), len(states))
        here, moved = basis(states), np.zeros((len(states), size))
        for change in changes:
            total = rates[:, change.reactions].sum(axis=1)
            live = np.flatnonzero(total > 0.0)
            if not live.size:
                continue
            ahead = basis(states[live] + change.amounts)
            moved[live] += total[live, None] * (ahead - here[live])
        weighted = here * weights[:, None]
        read = basis.rest(states)
        gram += weighted.T @ here
        flow += weighted.T @ moved
        square += (moved * weights[:, None]).T @ moved
        cross += weighted.T @ read
        own_square += weights @ read**2
    frame = orthonormal(gram)
    generator = frame.T @ flow @ frame
    held = frame.T @ cross
    # Few trajectories can leave features whose equation grows beyond all numbers: such values are
    # told by their misfit.
    with np.errstate(over="ignore", invalid="ignore"):
        found = _backwards(request.readout, slices, generator, held)
        missed = np.einsum("fk,fg,gk->k", found, frame.T @ square @ frame, found)
        missed -= ((generator @ found) ** 2).sum(axis=0)
        until = slices.widths.sum()
        misfit = slices.widths @ np.sqrt(np.maximum(missed, 0.0) / until)
        misfit += np.sqrt(np.maximum(own_square - (held**2).sum(axis=0), 0.0) / until).sum()
        coefficients = frame @ found
    is_finite = np.isfinite(misfit) and np.isfinite(coefficients).all()
    return Values(basis, coefficients, float(misfit) if is_finite else math.inf)


def _backwards(readout: Any, slices: Slices, generator: FloatArray, held: FloatArray) -> FloatArray:
    """Return coefficients at every slice, float64 [direction, slice]."""
    from scipy.linalg import expm

    points, is_values = readout.points, isinstance(readout, ValuesAt)
    size, number = held.shape
    operator = generator
    if not is_values:
        # While a window lasts, its function is collected at an even rate.
        operator = np.zeros((size + number, size + number))
        operator[:size, :size] = generator
        operator[:size, size:] = held / np.diff(points)
    steps: dict[str, FloatArray] = {}
    place = {time: k for k, time in enumerate(slices.times.tolist())}
    found = np.zeros((size, len(place)))
    now = np.zeros(size)
    marks = np.unique(np.concatenate([slices.times, points[points > 0.0]]))
    for low, high in reversed(list(pairwise(marks.tolist()))):
        # Lengths repeat, but for rounding.
        length = f"{high - low:.10e}"
        if length not in steps:
            steps[length] = np.asarray(expm(operator * (high - low)), dtype=np.float64)
        if is_values:
            now = steps[length] @ (now + held[:, points == high].sum(axis=1))
        else:
            window = (points[:-1] < (low + high) / 2.0) & ((low + high) / 2.0 < points[1:])
            now = (steps[length] @ np.concatenate([now, window]))[:size]
        if low in place:
            found[:, place[low]] = now
    return found


def derivative(request: Request, seen: Occupancy, values: Values) -> FloatArray:
    """Return Σ over states and slices of ∂a_i/∂θ [V(x + v_i) - V(x)], float64 [input]."""
    lowered = request.lowered
    result = np.zeros(len(lowered.input_ids))
    changes = changes_of(lowered)
    for low in range(0, seen.visited, ROWS):
        states = seen.states[low : min(low + ROWS, seen.visited)]
        stay = seen.stay[low : low + len(states)].toarray()
        symbols = symbols_at(lowered, request.inputs, states)
        here = values.basis(states)
        for change in changes:
            partials = [p for p in lowered.input_partials if p.reaction in change.reactions]
            slopes = np.zeros((len(partials), len(states)))
            for slope, partial in zip(slopes, partials, strict=True):
                slope[:] = evaluate(partial.expression, symbols)
            # Where no derivative acts, the firing may lead to no state at all.
            live = np.flatnonzero((slopes != 0.0).any(axis=0))
            if not live.size:
                continue
            gap = values.basis(states[live] + change.amounts) - here[live]
            worth = ((gap @ values.coefficients) * stay[live]).sum(axis=1)
            for partial, slope in zip(partials, slopes[:, live] @ worth, strict=True):
                result[partial.variable] += slope
    return result
